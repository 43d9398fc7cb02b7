//! The notes that are imported: a CSV file, or a clinic that is made up.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};
use lukko::{PatientId, RecordId};

use crate::report::Outcome;

/// One note of one patient. The ids are stored in clear, as they are given: let them be pseudonyms.
#[derive(Debug)]
pub(crate) struct Note {
    pub(crate) patient: String,
    pub(crate) record: String,
    pub(crate) text: String,
}

/// All notes, and where those of each patient are.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) all: Vec<Note>,
    by_patient: BTreeMap<String, Vec<usize>>,
}

impl Notes {
    pub(crate) fn push(&mut self, note: Note) {
        self.by_patient.entry(note.patient.clone()).or_default().push(self.all.len());
        self.all.push(note);
    }

    pub(crate) fn patients(&self) -> impl ExactSizeIterator<Item = &str> {
        self.by_patient.keys().map(String::as_str)
    }

    /// The notes of one patient, in the order of the input.
    pub(crate) fn of(&self, patient: &str) -> impl Iterator<Item = &Note> {
        self.by_patient.get(patient).into_iter().flatten().filter_map(|index| self.all.get(*index))
    }

    pub(crate) fn bytes(&self) -> usize {
        self.all.iter().map(|note| note.text.len()).sum()
    }

    /// Reads a file with the columns `patient_id`, `record_id` and `note`, in any order.
    pub(crate) fn from_csv(path: &Path) -> Outcome<Self> {
        let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        read(&bytes).map_err(|error| format!("{}: {error}", path.display()).into())
    }
}

fn read(bytes: &[u8]) -> Outcome<Notes> {
    if let Some(line) = unclosed_quote(bytes) {
        return Err(format!("line {line}: the quote that opens here is never closed").into());
    }
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(bytes);
    let header = reader.byte_headers()?.clone();
    if header.is_empty() {
        return Err("the file is empty".into());
    }
    let columns = [column(&header, "patient_id")?, column(&header, "record_id")?, column(&header, "note")?];
    let mut notes = Notes::default();
    let mut lines = HashMap::new();
    for row in reader.into_byte_records() {
        let row = row?;
        let line = row.position().map_or(0, |position| line(bytes, position));
        if row.len() != header.len() {
            return Err(format!("line {line}: {} fields, and the header has {}", row.len(), header.len()).into());
        }
        let note = note(&row, line, columns)?;
        if let Some(first) = lines.insert((note.patient.clone(), note.record.clone()), line) {
            let Note { patient, record, .. } = note;
            return Err(format!("line {line}: record {record} of patient {patient} was on line {first} already").into());
        }
        notes.push(note);
    }
    if notes.all.is_empty() { Err("there are no notes below the header".into()) } else { Ok(notes) }
}

/// The line on which a row begins: `position` stands before the line breaks in front of it, such as half a "\r\n".
fn line(bytes: &[u8], position: &csv::Position) -> u64 {
    let rest = usize::try_from(position.byte()).ok().and_then(|start| bytes.get(start..)).unwrap_or_default();
    let breaks = rest.iter().take_while(|byte| b"\r\n".contains(byte)).filter(|byte| **byte == b'\n').count();
    position.line() + breaks as u64
}

/// The line of a quote that is open at the end of the file. The reader would take the end for the closing quote, and a
/// file that was cut off for a whole one.
fn unclosed_quote(bytes: &[u8]) -> Option<u64> {
    let mut bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).iter().peekable();
    let (mut line, mut opened, mut field_begins) = (1, None, true);
    while let Some(byte) = bytes.next() {
        if *byte == b'"' && opened.is_some() {
            // Two quotes are a quote in the text.
            if bytes.next_if(|next| **next == b'"').is_none() {
                opened = None;
            }
        } else if *byte == b'"' && field_begins {
            opened = Some(line);
        }
        field_begins = opened.is_none() && b",\r\n".contains(byte);
        line += u64::from(*byte == b'\n');
    }
    opened
}

fn column(header: &ByteRecord, name: &str) -> Outcome<usize> {
    match header.iter().position(|column| column == name.as_bytes()) {
        Some(position) => Ok(position),
        None => Err(format!("line 1: the column {name} is missing").into()),
    }
}

fn note(row: &ByteRecord, line: u64, columns: [usize; 3]) -> Outcome<Note> {
    let [patient, record, text] = columns.map(|column| field(row, line, column));
    let note = Note { patient: patient?, record: record?, text: text? };
    // The library says what an id may be: 1 to 255 bytes.
    PatientId::new(&note.patient).map_err(|error| format!("line {line}: patient_id: {error}"))?;
    RecordId::new(&note.record).map_err(|error| format!("line {line}: record_id: {error}"))?;
    Ok(note)
}

fn field(row: &ByteRecord, line: u64, column: usize) -> Outcome<String> {
    let bytes = row.get(column).unwrap_or_default();
    let text = std::str::from_utf8(bytes).map_err(|error| {
        // A row may span several lines; name the one that has the wrong byte.
        let before = row.iter().take(column).chain(bytes.get(..error.valid_up_to()));
        let breaks = before.flatten().filter(|byte| **byte == b'\n').count();
        format!("line {}: not valid UTF-8", line + breaks as u64)
    })?;
    Ok(text.to_owned())
}
