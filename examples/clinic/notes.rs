//! The notes that are imported: a CSV file, or a clinic that is made up.

use std::collections::BTreeMap;
use std::path::Path;

use lukko_store::ImportFile;

use crate::report::{Outcome, line};

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

    /// The notes of one patient, in the order in which they came.
    pub(crate) fn of(&self, patient: &str) -> impl Iterator<Item = &Note> {
        self.by_patient.get(patient).into_iter().flatten().filter_map(|index| self.all.get(*index))
    }

    pub(crate) fn bytes(&self) -> usize {
        self.all.iter().map(|note| note.text.len()).sum()
    }

    /// Reads a file with the columns `patient_id`, `record_id` and `note`, in any order; other columns are left out.
    pub(crate) fn from_csv(path: &Path) -> Outcome<Self> {
        read(path).map_err(|error| format!("{}: {error}", path.display()).into())
    }
}

fn read(path: &Path) -> Outcome<Notes> {
    let file = ImportFile::csv(path)?;
    for alike in file.look_alikes() {
        let ids: Vec<String> = alike.iter().map(|id| format!("`{}`", id.as_bytes().escape_ascii())).collect();
        line(format_args!("These ids look alike, and are different patients to the vault: {}", ids.join(", ")));
    }
    let mut notes = Notes::default();
    for patient in file.patients() {
        for row in file.rows(patient)? {
            let row = row?;
            let Some((_, text)) = row.fields.into_iter().find(|(name, _)| name == b"note") else { continue };
            let (patient, record) = (patient.as_bytes().to_vec(), row.record);
            notes.push(Note { patient: String::from_utf8(patient)?, record: String::from_utf8(record)?, text });
        }
    }
    if notes.all.is_empty() { Err("the column `note` has no text in any row".into()) } else { Ok(notes) }
}
