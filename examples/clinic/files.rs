//! The files that the example makes, and what becomes of them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use lukko::{OsRng, random_id};

use crate::args::Args;
use crate::report::Outcome;

/// SQLite writes these beside the database file: the log of what is not in the file yet, and its index.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// Where the database is, and where the thief keeps his copy. What is temporary is deleted when this is dropped.
pub(crate) struct Files {
    pub(crate) database: PathBuf,
    pub(crate) stolen: PathBuf,
    leave: bool,
}

impl Files {
    /// Chooses the places, and makes the database file, empty. It never opens a file that exists.
    pub(crate) fn new(args: &Args) -> Outcome<Self> {
        let name = format!("lukko-clinic-{}", random_id(&mut OsRng)?);
        let temporary = std::env::temp_dir();
        let database = args.db.clone().unwrap_or_else(|| temporary.join(format!("{name}.db")));
        File::create_new(&database).map_err(|error| format!("cannot make {}: {error}", database.display()))?;
        Ok(Self {
            database,
            stolen: temporary.join(format!("{name}-stolen.db")),
            leave: args.keep || args.db.is_some(),
        })
    }

    /// Copies the database as a thief does: every file of it, byte by byte.
    pub(crate) fn steal(&self) -> Outcome<()> {
        fs::copy(&self.database, &self.stolen)?;
        let log = beside(&self.database, BESIDE[0]);
        if log.exists() {
            fs::copy(log, beside(&self.stolen, BESIDE[0]))?;
        }
        Ok(())
    }

    /// Everything that was stolen, as raw bytes.
    pub(crate) fn stolen_bytes(&self) -> Outcome<Vec<u8>> {
        let mut bytes = fs::read(&self.stolen)?;
        let log = beside(&self.stolen, BESIDE[0]);
        if log.exists() {
            bytes.extend(fs::read(log)?);
        }
        Ok(bytes)
    }

    pub(crate) fn database_len(&self) -> Outcome<usize> {
        Ok(fs::metadata(&self.database)?.len().try_into()?)
    }

    /// The path of the database, if it will be there afterwards.
    pub(crate) fn left(&self) -> Option<&Path> {
        self.leave.then_some(&self.database)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let temporary = [Some(&self.stolen), (!self.leave).then_some(&self.database)];
        for path in temporary.into_iter().flatten() {
            // A file that was never made needs no deletion, and there is nobody to report another failure to.
            let _ = fs::remove_file(path);
            for suffix in BESIDE {
                let _ = fs::remove_file(beside(path, suffix));
            }
        }
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
