//! Files and directories that only their owner reads, and names for them from ids that are any bytes.

use std::fmt::Write as _;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::failure::Failure;

/// The longest name that is made, in bytes: file systems take 255, and a suffix must fit.
const LONGEST: usize = 200;
/// What is kept of an id whose name would be longer.
const BEGIN: usize = 60;

/// Writes a secret into a new file that only its owner reads. A file that is there already is refused.
///
/// # Errors
/// If the file is there, or cannot be written.
pub fn write_secret(path: &Path, secret: &[u8]) -> Result<(), Failure> {
    let write = || {
        let mut file = create(path)?;
        file.write_all(secret)?;
        file.sync_all()
    };
    write().map_err(|error| Failure::at(path, &error))
}

/// A new file that only its owner reads and writes, whatever the umask is.
fn create(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}

/// Makes a directory that only its owner enters. One that is there is taken if nobody else can enter it.
pub(super) fn directory(path: &Path) -> Result<(), Failure> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {
            let own = fs::set_permissions(path, Permissions::from_mode(0o700));
            own.map_err(|error| Failure::at(path, &error))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let found = fs::symlink_metadata(path).map_err(|error| Failure::at(path, &error))?;
            if found.is_dir() && found.permissions().mode() & 0o077 == 0 {
                return Ok(());
            }
            Err(Failure::new(format!(
                "{} is there already, and others may enter it: name another directory, which is made then",
                path.display()
            )))
        }
        Err(error) => Err(Failure::at(path, &error)),
    }
}

/// A file that is whole or not there: it is written under another name first.
pub(crate) struct Part {
    file: File,
    part: PathBuf,
    path: PathBuf,
}

impl Part {
    /// Begins a file. What an earlier run left behind in the middle is written anew.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        match fs::remove_file(&part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        Ok(Self { file: create(&part)?, part, path: path.to_owned() })
    }

    /// What is written to.
    pub(crate) const fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Reads what was written until now.
    pub(crate) fn reopened(&self) -> io::Result<File> {
        File::open(&self.part)
    }

    /// The file is whole, durable, and gets its name, in place of what had it.
    pub(super) fn finish(self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.part, &self.path)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // After `finish` there is none. Of what could not be read nothing stays; that it stayed would be no worse.
        let _ = fs::remove_file(&self.part);
    }
}

/// Writes a file whole, in place of what is there.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let write = || {
        let mut part = Part::new(path)?;
        part.file().write_all(bytes)?;
        part.finish()
    };
    write().map_err(|error| Failure::at(path, &error))
}

/// A name for a file from ids, which are any bytes: letters, digits, `-` and `_` stay, every other byte is `%` and two
/// digits. A long one is cut, and gets `number`, which is of no other file.
pub(super) fn name(ids: &[&[u8]], number: usize) -> String {
    let escaped: Vec<String> = ids.iter().map(|id| escape(id)).collect();
    let whole = escaped.join(".");
    if whole.len() <= LONGEST {
        return whole;
    }
    let cut: Vec<String> = escaped.iter().map(|id| id.chars().take(BEGIN).collect()).collect();
    format!("{}.~{number}", cut.join("."))
}

/// Whether a name tells its ids by itself.
pub(super) fn is_plain(name: &str) -> bool {
    !name.contains(['%', '~'])
}

fn escape(id: &[u8]) -> String {
    let mut name = String::new();
    for byte in id {
        if byte.is_ascii_alphanumeric() || b"-_".contains(byte) {
            name.push(char::from(*byte));
        } else {
            let _ = write!(name, "%{byte:02X}");
        }
    }
    name
}
