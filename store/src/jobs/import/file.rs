//! Files of notes: where each patient's rows are, so that any worker reads any patient's.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use lukko::{FieldLabel, PatientId, RecordId};
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use crate::error::{Error, Result};

const PATIENT: &str = "patient_id";
const RECORD: &str = "record_id";

/// A file of notes. Every row has the columns `patient_id` and `record_id`, and each other column is a field of that
/// name: its text is sealed as it is, and an empty one makes no record.
///
/// CSV is RFC 4180 with a header; JSON Lines has one object of strings on each line, each name once. Both are UTF-8. The
/// texts stay in the file; in memory are, for each row, the record's id and where the row is.
#[derive(Debug)]
pub struct ImportFile {
    path: std::path::PathBuf,
    format: Format,
    patients: BTreeMap<Vec<u8>, Vec<Place>>,
}

#[derive(Debug)]
enum Format {
    /// With the names of the columns.
    Csv(Vec<String>),
    JsonLines,
}

/// Where a row is.
#[derive(Debug)]
struct Place {
    record: Vec<u8>,
    line: u64,
    offset: u64,
    length: u64,
}

/// A row's texts.
pub(super) struct Row {
    pub(super) record: Vec<u8>,
    /// By field.
    pub(super) fields: Vec<(Vec<u8>, String)>,
}

/// Why a file is not taken. Nothing of it was imported. Holds nothing of what stands in the file.
#[derive(Debug)]
#[non_exhaustive]
pub enum ImportMistake {
    /// The file cannot be read.
    Unreadable(std::io::Error),
    /// The first row must name the columns `patient_id` and `record_id`, and at least one more.
    Header,
    /// This line is not a row: correct the file.
    Row {
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// These two lines have the same patient and record.
    Twice {
        /// The first of them, from 1.
        first: u64,
        /// The second.
        second: u64,
    },
}

impl fmt::Display for ImportMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "the file cannot be read: {error}"),
            Self::Header => write!(f, "the first row must name {PATIENT}, {RECORD} and the fields to import"),
            Self::Row { line, what } => write!(f, "line {line}: {what}; nothing was imported"),
            Self::Twice { first, second } => {
                write!(f, "lines {first} and {second} have the same patient and record; nothing was imported")
            }
        }
    }
}

impl std::error::Error for ImportMistake {}

impl From<std::io::Error> for ImportMistake {
    fn from(error: std::io::Error) -> Self {
        Self::Unreadable(error)
    }
}

impl ImportFile {
    /// Reads through a CSV file, and refuses it whole where a row is wrong.
    ///
    /// # Errors
    /// Each [`ImportMistake`].
    pub fn csv(path: impl AsRef<Path>) -> Result<Self, ImportMistake> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(&path).map_err(unreadable)?;
        let mut row = csv::StringRecord::new();
        if !reader.read_record(&mut row).map_err(mistake)? {
            return Err(ImportMistake::Header);
        }
        let names: Vec<String> = row.iter().map(str::to_owned).collect();
        require_names(&names)?;
        let (mut index, mut begin) = (Index::default(), reader.position().byte());
        let mut line = reader.position().line();
        while reader.read_record(&mut row).map_err(mistake)? {
            let end = reader.position().byte();
            let texts = names.iter().map(String::as_str).zip(&row);
            index.add(texts, (line, begin, end.saturating_sub(begin)))?;
            (begin, line) = (end, reader.position().line());
        }
        let file = Self { path: path.as_ref().to_owned(), format: Format::Csv(names), patients: index.finish()? };
        file.require_closed_quotes()?;
        Ok(file)
    }

    /// Reads through a file of JSON Lines, and refuses it whole where a line is wrong.
    ///
    /// # Errors
    /// Each [`ImportMistake`] but [`ImportMistake::Header`].
    pub fn json_lines(path: impl AsRef<Path>) -> Result<Self, ImportMistake> {
        let mut reader = BufReader::new(File::open(&path)?);
        let (mut index, mut text, mut offset) = (Index::default(), Vec::new(), 0_u64);
        for line in 1.. {
            text.clear();
            let length = reader.read_until(b'\n', &mut text)? as u64;
            if length == 0 {
                break;
            }
            if !text.trim_ascii().is_empty() {
                let fields = object(&text)
                    .ok_or(ImportMistake::Row { line, what: "not an object of strings, each name once" })?;
                let texts = fields.iter().map(|(name, text)| (name.as_str(), text.as_str()));
                index.add(texts, (line, offset, length))?;
            }
            offset = offset.saturating_add(length);
        }
        Ok(Self { path: path.as_ref().to_owned(), format: Format::JsonLines, patients: index.finish()? })
    }

    /// The patients that the file names, in bytewise order.
    #[must_use]
    pub fn patients(&self) -> Vec<PatientId<'_>> {
        self.patients.keys().filter_map(|id| PatientId::new(id).ok()).collect()
    }

    /// How many rows the file has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.patients.values().map(Vec::len).sum()
    }

    /// Whether the file has no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patients.is_empty()
    }

    pub(super) fn has(&self, patient: PatientId<'_>) -> bool {
        self.patients.contains_key(patient.as_bytes())
    }

    /// A patient's rows, read from the file again.
    pub(super) fn rows(&self, patient: PatientId<'_>) -> Result<impl Iterator<Item = Result<Row>>> {
        let places = self.patients.get(patient.as_bytes()).map(Vec::as_slice).unwrap_or_default();
        let mut file = File::open(&self.path)?;
        Ok(places.iter().map(move |place| self.row(&mut file, patient, place)))
    }

    fn row(&self, file: &mut File, patient: PatientId<'_>, place: &Place) -> Result<Row> {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(place.offset))?;
        file.take(place.length).read_to_end(&mut bytes)?;
        let fields = match &self.format {
            Format::Csv(names) => fields(names, &bytes),
            Format::JsonLines => object(&bytes),
        };
        let changed = || Error::from(std::io::Error::other("the file changed since the import began"));
        let fields = fields.ok_or_else(changed)?;
        let has = |name: &str, id: &[u8]| fields.iter().any(|(met, text)| met == name && text.as_bytes() == id);
        if !has(PATIENT, patient.as_bytes()) || !has(RECORD, &place.record) {
            return Err(changed());
        }
        let texts = fields.into_iter().filter(|(name, text)| !is_id(name) && !text.is_empty());
        let fields = texts.map(|(name, text)| (name.into_bytes(), text)).collect();
        Ok(Row { record: place.record.clone(), fields })
    }

    /// The reader takes a last row whose quote is open; so would we take half a note.
    fn require_closed_quotes(&self) -> Result<(), ImportMistake> {
        let Some(last) = self.patients.values().flatten().max_by_key(|place| place.offset) else { return Ok(()) };
        let mut bytes = Vec::new();
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(last.offset))?;
        file.take(last.length).read_to_end(&mut bytes)?;
        if bytes.iter().filter(|byte| **byte == b'"').count() % 2 == 0 {
            return Ok(());
        }
        Err(ImportMistake::Row { line: last.line, what: "a quote is not closed" })
    }
}

fn is_id(name: &str) -> bool {
    name == PATIENT || name == RECORD
}

fn unreadable(error: csv::Error) -> ImportMistake {
    ImportMistake::Unreadable(error.into())
}

/// The texts of the reader's errors name lines and lengths, and this keeps the line only.
fn mistake(error: csv::Error) -> ImportMistake {
    let line = error.position().map_or(0, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => ImportMistake::Row { line, what: "not UTF-8" },
        csv::ErrorKind::UnequalLengths { .. } => {
            ImportMistake::Row { line, what: "not as many columns as the first row" }
        }
        _ => unreadable(error),
    }
}

fn require_names(names: &[String]) -> Result<(), ImportMistake> {
    let count = |name: &String| names.iter().filter(|met| *met == name).count();
    let fields = names.iter().filter(|name| !is_id(name)).count();
    let ids = names.len().saturating_sub(fields);
    let named = names.iter().all(|name| count(name) == 1 && FieldLabel::new(name).is_ok());
    if named && ids == 2 && fields > 0 { Ok(()) } else { Err(ImportMistake::Header) }
}

/// The texts of one CSV row, by column.
fn fields(names: &[String], bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
    let row = reader.records().next()?.ok()?;
    Some(names.iter().cloned().zip(row.iter().map(str::to_owned)).collect())
}

/// The members of one JSON object, all of which are strings. None if a name is there two times: one text would be lost.
fn object(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    serde_json::from_slice(bytes).ok().map(|Members(members)| members.into_iter().collect())
}

struct Members(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members(BTreeMap::new()))
    }
}

impl<'de> Visitor<'de> for Members {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some((name, text)) = map.next_entry()? {
            if self.0.insert(name, text).is_some() {
                return Err(de::Error::custom("a name two times"));
            }
        }
        Ok(self)
    }
}

/// The index while the file is read through.
#[derive(Default)]
struct Index(BTreeMap<Vec<u8>, Vec<Place>>);

impl Index {
    fn add<'r>(
        &mut self,
        texts: impl Iterator<Item = (&'r str, &'r str)>,
        (line, offset, length): (u64, u64, u64),
    ) -> Result<(), ImportMistake> {
        let wrong = |what| ImportMistake::Row { line, what };
        let (mut patient, mut record) = (None, None);
        for (name, text) in texts {
            match name {
                PATIENT => patient = Some(text.as_bytes()),
                RECORD => record = Some(text.as_bytes()),
                _ if FieldLabel::new(name).is_ok() => {}
                _ => return Err(wrong("a column's name is no field label")),
            }
        }
        let patient = patient.filter(|id| PatientId::new(id).is_ok()).ok_or(wrong("no usable patient_id"))?;
        let record = record.filter(|id| RecordId::new(id).is_ok()).ok_or(wrong("no usable record_id"))?;
        let place = Place { record: record.to_vec(), line, offset, length };
        self.0.entry(patient.to_vec()).or_default().push(place);
        Ok(())
    }

    /// In order of record, each once.
    fn finish(mut self) -> Result<BTreeMap<Vec<u8>, Vec<Place>>, ImportMistake> {
        for places in self.0.values_mut() {
            places.sort_by(|a, b| (&a.record, a.line).cmp(&(&b.record, b.line)));
            for pair in places.windows(2) {
                if let [first, second] = pair
                    && first.record == second.record
                {
                    return Err(ImportMistake::Twice { first: first.line, second: second.line });
                }
            }
        }
        Ok(self.0)
    }
}
