//! Files that only their owner reads.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use lukko::Pin;
use zeroize::Zeroizing;

use crate::Failure;

/// The id of a member, and the seed of the member's keys.
pub(crate) type Seed = (String, Zeroizing<[u8; 32]>);

/// The directory of one door.
#[derive(Debug, Clone)]
pub(crate) struct StateDir(PathBuf);

impl StateDir {
    const PIN: &str = "pin";
    const DESCRIPTOR: &str = "descriptor";
    const TOKENS: &str = "tokens";
    const TAKEN_OVER: &str = "taken-over";
    const OPENINGS: &str = "openings.log";
    const OBJECTS: &str = "objects";
    const SEED: &str = "seed";

    pub(crate) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Makes it, with what every door has.
    pub(crate) fn create(path: &Path, pin: &Pin, descriptor: &[u8], tokens: &str) -> Result<Self, Failure> {
        create_directory(path)?;
        let state = Self::new(path);
        write_new(&state.0.join(Self::PIN), &pin.to_bytes())?;
        write_new(&state.0.join(Self::DESCRIPTOR), descriptor)?;
        write_new(&state.0.join(Self::TOKENS), tokens.as_bytes())?;
        Ok(state)
    }

    pub(crate) fn pin(&self) -> Result<Pin, Failure> {
        Ok(Pin::from_bytes(&self.read(Self::PIN)?)?)
    }

    /// Replaces the pin in one step: a crash leaves the old one or the new one.
    pub(crate) fn store_pin(&self, pin: &Pin) -> io::Result<()> {
        let (next, last) = (self.0.join("pin.next"), self.0.join(Self::PIN));
        match fs::remove_file(&next) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => write_new(&next, &pin.to_bytes())?,
        }
        fs::rename(next, last)?;
        File::open(&self.0)?.sync_all()
    }

    pub(crate) fn descriptor(&self) -> Result<Vec<u8>, Failure> {
        self.read(Self::DESCRIPTOR)
    }

    pub(crate) fn tokens(&self) -> Result<String, Failure> {
        Ok(String::from_utf8(self.read(Self::TOKENS)?)?)
    }

    /// Where attachments are if no other place is named; made if it is not there.
    pub(crate) fn objects(&self) -> Result<PathBuf, Failure> {
        let path = self.0.join(Self::OBJECTS);
        if !path.is_dir() {
            create_directory(&path)?;
        }
        Ok(path)
    }

    /// The log of openings, which is only written to.
    pub(crate) fn openings(&self) -> Result<File, Failure> {
        let path = self.0.join(Self::OPENINGS);
        Ok(named(&path, OpenOptions::new().append(true).create(true).mode(0o600).open(&path))?)
    }

    /// Which deposits were taken over: read once, and appended to.
    pub(crate) fn taken_over(&self) -> Result<File, Failure> {
        let path = self.0.join(Self::TAKEN_OVER);
        Ok(named(&path, OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&path))?)
    }

    pub(crate) fn store_seed(&self, member: &str, seed: &[u8]) -> io::Result<()> {
        write_new(&self.0.join(member).with_extension(Self::SEED), seed)
    }

    /// The seeds of members in this directory, by the members' ids. Refused if others than the owner may read one.
    pub(crate) fn seeds(&self) -> Result<Vec<Seed>, Failure> {
        let mut seeds = Vec::new();
        for entry in named(&self.0, fs::read_dir(&self.0))? {
            let path = entry?.path();
            let Some(member) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
            if path.extension().is_some_and(|extension| extension == Self::SEED) {
                let mut seed = Zeroizing::new([0; 32]);
                let mut file = named(&path, File::open(&path))?;
                require_private(&path, &file)?;
                named(&path, file.read_exact(seed.as_mut_slice()))?;
                seeds.push((member.to_owned(), seed));
            }
        }
        seeds.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(seeds)
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, Failure> {
        let path = self.0.join(name);
        Ok(named(&path, fs::read(&path))?)
    }
}

/// Makes a directory that only its owner enters; one that is there already is refused.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    named(path, fs::DirBuilder::new().mode(0o700).create(path))
}

/// Writes a file that only its owner reads; one that is there already is refused, and never a moment is open to others.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    named(path, write())
}

fn require_private(path: &Path, file: &File) -> io::Result<()> {
    if file.metadata()?.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    named(path, Err(io::Error::new(io::ErrorKind::PermissionDenied, "others may read it; chmod 600")))
}

/// Says which file it was.
fn named<T>(path: &Path, result: io::Result<T>) -> io::Result<T> {
    result.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}
