//! What people type or copy: from paper, from other programs, after the fire.

use std::path::{Path, PathBuf};

use lukko::Fingerprint;

use super::failure::Failure;

/// Digits of a fingerprint.
const DIGITS: usize = 64;

/// Where the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// A file of SQLite.
    File(PathBuf),
    /// A server of PostgreSQL, and the database there.
    Server(String),
}

impl Database {
    /// `postgres://...` and `postgresql://...`, in any case, are a server; everything else is a file.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let Some((scheme, rest)) = text.split_once(':') else { return Self::File(text.into()) };
        if ["postgres", "postgresql"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
            return Self::Server(format!("postgres:{rest}"));
        }
        Self::File(text.into())
    }
}

/// A fingerprint as it is on paper or in a file: 64 hexadecimal digits, in groups or not. White space, colons, hyphens and
/// byte order marks between them are passed over.
///
/// # Errors
/// A sentence that names the file, and the line and the character that cannot be part of it, or how many digits there are.
pub fn fingerprint(bytes: &[u8], file: &Path) -> Result<Fingerprint, Failure> {
    let refuse = |why: String| Failure::new(format!("{}: {why}", file.display()));
    let text = std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
    let text = text.ok_or_else(|| {
        refuse(
            "it is not plain text. PowerShell writes UTF-16, for example: save it as UTF-8, or type it anew".to_owned(),
        )
    })?;
    let mut digits = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for (column, letter) in line.chars().enumerate() {
            match letter.to_digit(16).and_then(|digit| u8::try_from(digit).ok()) {
                Some(digit) => digits.push(digit),
                None if is_between(letter) => {}
                None => {
                    let (line, column) = (number.saturating_add(1), column.saturating_add(1));
                    let letter = letter.escape_debug();
                    return Err(refuse(format!(
                        "line {line}, character {column}: `{letter}` is no hexadecimal digit (0 to 9, a to f)"
                    )));
                }
            }
        }
    }
    let (pairs, _) = digits.as_chunks::<2>();
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    match bytes.try_into() {
        Ok(bytes) if digits.len() == DIGITS => Ok(Fingerprint::from_bytes(bytes)),
        _ => Err(refuse(format!(
            "it has {} hexadecimal digits, and a fingerprint has {DIGITS}: compare it with the custodians' papers",
            digits.len()
        ))),
    }
}

/// What may stand between two digits: white space, what groups them, and marks that nobody sees.
fn is_between(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, ':' | '-' | '\u{FEFF}' | '\u{200B}'..='\u{200F}' | '\u{AD}' | '\u{2060}')
}
