//! Why a file of notes is not taken.

use std::fmt;

use super::{PATIENT, RECORD};

/// The longest id or field name, in bytes.
const LONGEST: usize = 255;
/// The longest name of a column that a message repeats, in bytes.
const SHOWN: usize = 40;

/// Why a file is not taken. Nothing of it was imported.
///
/// # Security
/// No value of this type holds a text of a note. It repeats the name of a column only if the name is made of ASCII letters,
/// digits, `_`, `-` and `.`, and has at most 40 bytes.
#[derive(Debug)]
#[non_exhaustive]
pub enum ImportMistake {
    /// The file cannot be read.
    Unreadable(std::io::Error),
    /// One row is wrong: correct the file.
    Row {
        /// The line on which the row begins, from 1. CRLF, LF and CR each end a line.
        line: u64,
        /// What is wrong with it.
        what: ImportFault,
    },
    /// These two lines have the same patient and record.
    Twice {
        /// The first of them, from 1.
        first: u64,
        /// The second.
        second: u64,
    },
}

/// What is wrong with a row. [`Display`](fmt::Display) gives one sentence, with what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImportFault {
    /// The file has no row at all.
    Empty,
    /// The file begins as UTF-16 or UTF-32 does.
    Utf16,
    /// The file is an archive, such as an Excel workbook.
    Archive,
    /// A byte of the row is not UTF-8.
    NotUtf8,
    /// The columns are separated by this character.
    Separator(char),
    /// The first line begins with `sep=`.
    SepLine,
    /// The first line is a comment.
    Comment,
    /// A column without a name.
    NoName(ImportColumn),
    /// A column whose name is longer than 255 bytes.
    LongName(ImportColumn),
    /// A column whose name begins or ends with white space, or holds a character that is not seen.
    HiddenInName(ImportColumn),
    /// Two columns with the same name.
    SameName(ImportColumn, ImportColumn),
    /// A column whose name is almost this one.
    AlmostNamed(ImportColumn, &'static str),
    /// There is no column of this name.
    Missing(&'static str),
    /// There is no column beside `patient_id` and `record_id`.
    NoFields,
    /// The row has another number of columns than the first row.
    Columns {
        /// How many it has.
        found: usize,
        /// How many the first row has.
        expected: usize,
    },
    /// An id of this name is empty, or too long.
    IdLength {
        /// `patient_id` or `record_id`.
        name: &'static str,
        /// How many bytes it has.
        length: usize,
    },
    /// The file ends inside a quoted field.
    QuoteOpen {
        /// The line of the quote that opens the field.
        opened: u64,
    },
    /// Text stands between a closing quote and the next comma or line end.
    TextBehindQuote {
        /// The line of the quote that opens the field.
        opened: u64,
    },
    /// A quote stands inside a field that does not begin with one.
    QuoteInside,
    /// One of the three above, in a row that has a backslash before a quote.
    Backslash,
    /// A field is `\N`, MySQL's mark for a value that is missing.
    Null,
    /// The line begins with `[`.
    JsonArray,
    /// The line does not begin with `{`.
    JsonNotObject,
    /// The line ends before its object does.
    JsonCut,
    /// Something stands behind the object.
    JsonBehind,
    /// The line is not JSON.
    Json {
        /// The byte of the line at which this shows, from 1.
        byte: usize,
    },
    /// A raw control character stands in a string.
    JsonControl {
        /// The byte of the line, from 1.
        byte: usize,
    },
    /// A `\u` escape is half of a character, and the other half is missing.
    JsonHalf {
        /// The byte of the line, from 1.
        byte: usize,
    },
    /// A value is not a string.
    NotString {
        /// Whose value.
        column: ImportColumn,
        /// What it is.
        kind: &'static str,
    },
}

/// A column of CSV, or a member of a JSON object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportColumn {
    /// Which one, from 1.
    pub number: usize,
    /// Its name, if a message may repeat it.
    pub name: Option<String>,
}

impl ImportColumn {
    /// `index` is from 0.
    pub(super) fn new(index: usize, name: &str) -> Self {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        let shown = !name.is_empty() && name.len() <= SHOWN && name.bytes().all(plain);
        Self { number: index.saturating_add(1), name: shown.then(|| name.to_owned()) }
    }
}

impl fmt::Display for ImportColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "column {} (`{name}`)", self.number),
            None => write!(f, "column {}", self.number),
        }
    }
}

impl fmt::Display for ImportMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "the file cannot be read: {error}"),
            Self::Row { line, what } => write!(f, "line {line}: {what}; nothing was imported"),
            Self::Twice { first, second } => write!(
                f,
                "lines {first} and {second} have the same patient and record: remove one, or give it another {RECORD}; \
                 nothing was imported"
            ),
        }
    }
}

impl std::error::Error for ImportMistake {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable(error) => Some(error),
            Self::Row { .. } | Self::Twice { .. } => None,
        }
    }
}

impl From<std::io::Error> for ImportMistake {
    fn from(error: std::io::Error) -> Self {
        Self::Unreadable(error)
    }
}

impl fmt::Display for ImportFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => {
                write!(f, "the file is empty; its first row names {PATIENT}, {RECORD} and the fields to import")
            }
            Self::NotUtf8 | Self::Utf16 | Self::Archive => f.write_str(self.encoding()),
            Self::Separator('\t') => f.write_str("the columns are separated by tabs: export the file with commas"),
            Self::Separator(sign) => write!(f, "the columns are separated by `{sign}`: export the file with commas"),
            Self::SepLine => {
                f.write_str("`sep=` is for Excel only: remove this line, and separate the columns by commas")
            }
            Self::Comment => {
                f.write_str("the first line is a comment: remove it, so that the first row names the columns")
            }
            Self::NoName(column) => {
                write!(
                    f,
                    "{column} has no name, perhaps because the row ends with a comma: give it a name, or remove it from every row"
                )
            }
            Self::LongName(column) => write!(f, "the name of {column} is longer than {LONGEST} bytes: shorten it"),
            Self::HiddenInName(column) => {
                write!(f, "the name of {column} has a space at its begin or end, or an invisible character: remove it")
            }
            Self::SameName(first, second) => {
                write!(f, "{first} and {second} have the same name: rename or remove one of them")
            }
            Self::AlmostNamed(column, name) => write!(
                f,
                "{column} is almost named `{name}`, but capitals, spaces, signs or invisible characters differ: write its \
                 name exactly so"
            ),
            Self::Missing(name) => {
                write!(f, "there is no column named `{name}` (in CSV, the first row names the columns)")
            }
            Self::NoFields => write!(f, "{PATIENT} and {RECORD} are the only columns: add the fields to import"),
            Self::Columns { found, expected } => write!(
                f,
                "the row has {found} columns, and the first row has {expected}: a text with a comma or a line break in it \
                 needs quotes around it"
            ),
            Self::IdLength { name, length: 0 } => write!(f, "{name} is empty"),
            Self::IdLength { name, length } => write!(f, "{name} has {length} bytes, and {LONGEST} is the most"),
            Self::QuoteOpen { .. }
            | Self::TextBehindQuote { .. }
            | Self::QuoteInside
            | Self::Backslash
            | Self::Null => self.csv(f),
            _ => self.json(f),
        }
    }
}

impl ImportFault {
    const fn encoding(&self) -> &'static str {
        match self {
            Self::Archive => "the file is an Excel workbook or another archive: save it as CSV in UTF-8",
            Self::Utf16 => "the file is UTF-16 or UTF-32, which some programs call Unicode: save it as UTF-8",
            _ => "the row is not UTF-8 (perhaps it is Windows-1252 or ISO 8859-1): save the file as UTF-8",
        }
    }

    fn csv(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::QuoteOpen { opened } => write!(
                f,
                "the quote that opens on line {opened} is never closed: the file was cut off, or a quote inside a text is \
                 not written as two quotes"
            ),
            Self::TextBehindQuote { opened } => write!(
                f,
                "text stands behind a closing quote (it was opened on line {opened}): a quote inside a quoted field is \
                 written as two quotes"
            ),
            Self::QuoteInside => f.write_str(
                "a quote stands inside a field that is not quoted: put quotes around the field, and write the quote inside \
                 as two quotes",
            ),
            Self::Backslash => f.write_str(
                "a quote inside a quoted field is written as two quotes; this file seems to use backslashes",
            ),
            _ => f.write_str("a field is `\\N`, with which MySQL marks a missing value: export it as an empty field"),
        }
    }

    fn json(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::JsonArray => f.write_str(
                "the line begins a JSON array: write one object on each line, without the array's brackets and commas",
            ),
            Self::JsonCut => f.write_str(
                "the line ends inside its object: the file was cut off, or the object has more than one line",
            ),
            Self::JsonBehind => f.write_str(
                "something stands behind the object: write one object on each line, and end the line with LF",
            ),
            Self::Json { byte } => write!(f, "the line is not JSON from byte {byte} on"),
            Self::JsonControl { byte } => write!(
                f,
                "byte {byte} is a raw control character in a string: write a tab as \\t, a line break as \\n, others as \\u00XX"
            ),
            Self::JsonHalf { byte } => write!(
                f,
                "the \\u escape at byte {byte} is half of a character: the text was cut inside it, so export it again"
            ),
            Self::NotString { column, kind } => {
                write!(
                    f,
                    "the value of {column} is {kind}: only strings are imported, so put it in quotes or leave it out"
                )
            }
            _ => f.write_str("the line is not a JSON object: write one object of strings on each line"),
        }
    }
}
