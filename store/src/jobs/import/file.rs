//! Files of notes: where each patient's rows are, so that any worker reads any patient's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use lukko::{PatientId, RecordId};

use super::fault::{ImportFault, ImportMistake};
use super::{PATIENT, RECORD, alike, csv, json, names};
use crate::error::{Error, Result};

/// The first line's bytes that are looked at to see what it is.
const HEAD: usize = 4_096;

/// A file of notes. Every row has the columns `patient_id` and `record_id`, and each other column is a field of that
/// name: its text is sealed as it is, and an empty one makes no record.
///
/// CSV is RFC 4180 with a header, and JSON Lines has one object of strings on each line, each name once. Both are UTF-8, and
/// a byte order mark before them is passed over. Everything else is refused, and with it the whole file. The texts stay in
/// the file; in memory are, for each row, the record's id and where the row is.
///
/// Before the job, show [`look_alikes`](Self::look_alikes) to a person, and name the erased patients to
/// [`without`](Self::without): an import enrols every patient whom the file names and the store has not.
#[derive(Debug)]
pub struct ImportFile {
    path: PathBuf,
    format: Format,
    patients: BTreeMap<Vec<u8>, Vec<Place>>,
    passed_over: Vec<(Vec<u8>, &'static str)>,
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
pub struct ImportRow {
    /// The record's id.
    pub record: Vec<u8>,
    /// By the name of the field; none is empty.
    pub fields: Vec<(Vec<u8>, String)>,
}

/// Without the texts.
impl fmt::Debug for ImportRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportRow").field("record", &self.record.escape_ascii().to_string()).finish_non_exhaustive()
    }
}

impl ImportFile {
    /// Reads through a CSV file, and refuses it whole where a row is wrong.
    ///
    /// A line ends with CRLF, LF or CR, and blank lines are passed over. A quote inside a field is written as two quotes, in
    /// a field that begins and ends with a quote; a backslash has no meaning. A field that is `\N` without quotes is refused,
    /// because MySQL writes a missing value so.
    ///
    /// # Errors
    /// Each [`ImportMistake`], with an [`ImportFault`] of CSV.
    pub fn csv(path: impl AsRef<Path>) -> Result<Self, ImportMistake> {
        let (mut input, begin) = open(path.as_ref())?;
        let head = head(input.fill_buf()?);
        let mut rows = csv::Rows::new(input, begin);
        let names = header(&mut rows, &head)?;
        let mut index = Index::default();
        while let Some(row) = rows.next_row()? {
            let wrong = |what| ImportMistake::Row { line: row.line, what };
            let (found, expected) = (row.fields.len(), names.len());
            if found != expected {
                return Err(wrong(ImportFault::Columns { found, expected }));
            }
            let texts = names.iter().zip(&row.fields);
            index.add(texts, (row.line, row.offset, row.length)).map_err(wrong)?;
        }
        Self::of(path.as_ref(), Format::Csv(names), index)
    }

    /// Reads through a file of JSON Lines, and refuses it whole where a line is wrong. A line ends with LF or CRLF, and blank
    /// lines are passed over.
    ///
    /// # Errors
    /// Each [`ImportMistake`], with an [`ImportFault`] of JSON.
    pub fn json_lines(path: impl AsRef<Path>) -> Result<Self, ImportMistake> {
        let (mut input, mut offset) = open(path.as_ref())?;
        let (mut index, mut text) = (Index::default(), Vec::new());
        for line in 1.. {
            text.clear();
            let length = input.read_until(b'\n', &mut text)? as u64;
            if length == 0 {
                break;
            }
            if !json::is_blank(&text) {
                let wrong = |what| ImportMistake::Row { line, what };
                let fields = json::object(&text).map_err(wrong)?;
                names::check(fields.iter().map(|(name, _)| name.as_str())).map_err(wrong)?;
                index.add(fields.iter().map(|(name, text)| (name, text)), (line, offset, length)).map_err(wrong)?;
            }
            offset = offset.saturating_add(length);
        }
        Self::of(path.as_ref(), Format::JsonLines, index)
    }

    fn of(path: &Path, format: Format, index: Index) -> Result<Self, ImportMistake> {
        Ok(Self { path: path.to_owned(), format, patients: index.finish()?, passed_over: Vec::new() })
    }

    /// Passes over the patients of this list, who were erased, and those whose ids [look like](Self::look_alikes) one of it.
    ///
    /// An import does not know who was erased: no id is kept after an erasure. A patient whom the file names is enrolled
    /// again, and the erased notes are sealed under a new key. Whoever erases keeps the list outside of the vault. The job
    /// names everybody who was passed over, first, and begins no piece for them, so that no table names the erased again.
    #[must_use]
    pub fn without(mut self, erased: &[PatientId<'_>]) -> Self {
        let ids: BTreeSet<&[u8]> = erased.iter().map(|id| id.as_bytes()).collect();
        let alike = alike::skeletons(erased);
        let passed_over = &mut self.passed_over;
        self.patients.retain(|id, _| {
            let reason = if ids.contains(id.as_slice()) {
                "this patient was erased: nothing was imported"
            } else if alike.contains(&alike::skeleton(id)) {
                "this id looks like that of an erased patient: nothing was imported; find out whether they are one person"
            } else {
                return true;
            };
            passed_over.push((id.clone(), reason));
            false
        });
        self
    }

    /// Who is passed over, and why.
    pub(super) fn passed_over(&self) -> impl Iterator<Item = (&[u8], &'static str)> {
        self.passed_over.iter().map(|(id, reason)| (id.as_slice(), *reason))
    }

    /// The patients that the file names, in bytewise order, but not those who are [passed over](Self::without).
    #[must_use]
    pub fn patients(&self) -> Vec<PatientId<'_>> {
        self.patients.keys().filter_map(|id| PatientId::new(id).ok()).collect()
    }

    /// Which of the file's patients have ids that look alike, as [`look_alikes`](crate::look_alikes) says.
    #[must_use]
    pub fn look_alikes(&self) -> Vec<Vec<PatientId<'_>>> {
        alike::look_alikes(self.patients())
    }

    /// Which record ids of one patient look alike, as [`look_alikes`](crate::look_alikes) says of patients' ids: perhaps one
    /// note is in the file two times.
    #[must_use]
    pub fn look_alike_records(&self) -> Vec<(PatientId<'_>, Vec<RecordId<'_>>)> {
        let mut found = Vec::new();
        for (patient, places) in &self.patients {
            let Ok(patient) = PatientId::new(patient) else { continue };
            let records = places.iter().filter_map(|place| RecordId::new(&place.record).ok());
            found.extend(alike::groups(records, |id| id.as_bytes()).into_iter().map(|group| (patient, group)));
        }
        found
    }

    /// How many rows the file has, without those of patients who are passed over.
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

    /// A patient's rows, read from the file again, in bytewise order of record.
    ///
    /// # Errors
    /// [`Error::Stream`] if the file cannot be read, or has changed since.
    pub fn rows(&self, patient: PatientId<'_>) -> Result<impl Iterator<Item = Result<ImportRow>>> {
        let places = self.patients.get(patient.as_bytes()).map(Vec::as_slice).unwrap_or_default();
        let mut file = File::open(&self.path)?;
        Ok(places.iter().map(move |place| self.row(&mut file, patient, place)))
    }

    fn row(&self, file: &mut File, patient: PatientId<'_>, place: &Place) -> Result<ImportRow> {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(place.offset))?;
        file.take(place.length).read_to_end(&mut bytes)?;
        let fields = match &self.format {
            Format::Csv(names) => csv::Rows::new(bytes.as_slice(), 0).next_row().ok().flatten().and_then(|row| {
                (row.fields.len() == names.len()).then(|| names.iter().cloned().zip(row.fields).collect::<Vec<_>>())
            }),
            Format::JsonLines => json::object(&bytes).ok(),
        };
        let changed = || Error::from(std::io::Error::other("the file of notes has changed since it was read through"));
        let fields = fields.ok_or_else(changed)?;
        let has = |name: &str, id: &[u8]| fields.iter().any(|(met, text)| met == name && text.as_bytes() == id);
        if !has(PATIENT, patient.as_bytes()) || !has(RECORD, &place.record) {
            return Err(changed());
        }
        let texts = fields.into_iter().filter(|(name, text)| !names::is_id(name) && !text.is_empty());
        let fields = texts.map(|(name, text)| (name.into_bytes(), text)).collect();
        Ok(ImportRow { record: place.record.clone(), fields })
    }
}

/// The file behind its byte order mark, and where that is.
fn open(path: &Path) -> Result<(BufReader<File>, u64), ImportMistake> {
    let mut file = File::open(path)?;
    let mut begin = Vec::new();
    file.by_ref().take(4).read_to_end(&mut begin)?;
    let offset = match begin.as_slice() {
        [0xef, 0xbb, 0xbf, ..] => 3,
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, ..] | [_, 0, ..] => {
            return Err(ImportMistake::Row { line: 1, what: ImportFault::Utf16 });
        }
        b"PK\x03\x04" | [0x1f, 0x8b, ..] => return Err(ImportMistake::Row { line: 1, what: ImportFault::Archive }),
        _ => 0,
    };
    file.seek(SeekFrom::Start(offset))?;
    Ok((BufReader::new(file), offset))
}

/// The first line that is not blank, as far as it is read.
fn head(begin: &[u8]) -> Vec<u8> {
    let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    begin.iter().skip_while(|byte| is_end(byte)).take_while(|byte| !is_end(byte)).take(HEAD).copied().collect()
}

/// The names of the columns.
fn header(rows: &mut csv::Rows<BufReader<File>>, head: &[u8]) -> Result<Vec<String>, ImportMistake> {
    let (line, what) = match rows.next_row() {
        Ok(None) => (1, ImportFault::Empty),
        Ok(Some(row)) => match names::check(row.fields.iter().map(String::as_str)) {
            Ok(()) if row.fields.len() > 2 => return Ok(row.fields),
            Ok(()) => (row.line, ImportFault::NoFields),
            Err(what) => (row.line, what),
        },
        Err(ImportMistake::Row { line, what }) => (line, what),
        Err(mistake) => return Err(mistake),
    };
    Err(ImportMistake::Row { line, what: names::unusual(head).unwrap_or(what) })
}

/// The index while the file is read through.
#[derive(Default)]
struct Index(BTreeMap<Vec<u8>, Vec<Place>>);

impl Index {
    fn add<'r>(
        &mut self,
        texts: impl Iterator<Item = (&'r String, &'r String)> + Clone,
        (line, offset, length): (u64, u64, u64),
    ) -> Result<(), ImportFault> {
        let text = |wanted| texts.clone().find(|(name, _)| *name == wanted).map_or("", |(_, text)| text);
        let wrong = |name, id: &str| ImportFault::IdLength { name, length: id.len() };
        let (patient, record) = (text(PATIENT), text(RECORD));
        PatientId::new(patient).map_err(|_| wrong(PATIENT, patient))?;
        RecordId::new(record).map_err(|_| wrong(RECORD, record))?;
        let place = Place { record: record.as_bytes().to_vec(), line, offset, length };
        self.0.entry(patient.as_bytes().to_vec()).or_default().push(place);
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
