//! Keys at rest.

use std::fs;
use std::path::Path;

use lukko_clinic::{Error, Key};

fn file() -> (tempfile::TempDir, std::path::PathBuf, Key) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("niemi.key");
    let key = Key::from_seed("niemi", &[7; 32]).unwrap();
    key.seal_into(&path, b"a long passphrase").unwrap();
    (directory, path, key)
}

/// Writes the bytes of a file whose owner alone reads it.
fn rewrite(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_key_comes_back_under_its_passphrase_and_no_other() {
    let (_directory, path, key) = file();
    let read = Key::from_file(&path, b"a long passphrase").unwrap();
    assert_eq!((read.name(), read.seed()), (key.name(), key.seed()));
    for other in [b"".as_slice(), b"a long passphrasE", b"a long passphrase "] {
        assert!(matches!(Key::from_file(&path, other), Err(Error::Passphrase)));
    }
    // The file holds the seed nowhere, and is never written over.
    let bytes = fs::read(&path).unwrap();
    assert!(!bytes.windows(8).any(|window| window == [7; 8]));
    assert_eq!(key.seal_into(&path, b"another").unwrap_err().code(), "stream");
    assert!(!format!("{key:?}").contains("7, 7"));
}

#[test]
fn t001_t003_t004_a_file_that_was_altered_does_not_open() {
    let (_directory, path, _) = file();
    let bytes = fs::read(&path).unwrap();
    // Each byte behind the magic and the numbers of Argon2id, in steps: every try costs 64 MiB and 3 passes.
    for index in (16..bytes.len()).step_by(11).chain([bytes.len() - 1]) {
        let mut altered = bytes.clone();
        altered[index] ^= 1;
        rewrite(&path, &altered);
        assert!(Key::from_file(&path, b"a long passphrase").is_err(), "byte {index}");
    }
    for length in 0..bytes.len() {
        rewrite(&path, &bytes[..length]);
        assert!(matches!(Key::from_file(&path, b"a long passphrase"), Err(Error::KeyFile)), "length {length}");
    }
    rewrite(&path, &[&bytes[..], &[0]].concat());
    assert!(matches!(Key::from_file(&path, b"a long passphrase"), Err(Error::KeyFile)));
    // Numbers that would take the machine's memory are refused before anything is done with them.
    for offset in [4, 8, 12] {
        let mut greedy = bytes.clone();
        greedy[offset] = 0xff;
        rewrite(&path, &greedy);
        assert!(matches!(Key::from_file(&path, b"a long passphrase"), Err(Error::KeyFile)));
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_directory, path, _) = file();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    for mode in [0o640, 0o604, 0o620, 0o601] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert!(matches!(Key::from_file(&path, b"a long passphrase"), Err(Error::KeyMode)), "{mode:o}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    Key::from_file(&path, b"a long passphrase").unwrap();
}
