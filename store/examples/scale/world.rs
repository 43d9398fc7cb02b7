//! A clinic of any size: patients, and notes of one to two kilobytes, from a seed.

use std::sync::atomic::{AtomicUsize, Ordering};

use lukko::rand_core::TryRng;
use lukko::{CardId, OsRng, PatientId, PatientKey, RecordContext, RecordId, Revision, Suite};
use lukko_store::{Change, Expect, NewRecord, Sealed, Store, StoredBody, enrolment};

use crate::clinic::{Clinic, TestRng, field};
use crate::raw::Row;

/// Notes of each patient.
pub const NOTES: usize = 10;
/// Patients that are enrolled in one change.
const TOGETHER: usize = 100;

const SENTENCES: [&str; 16] = [
    "Client arrived on time and reported sleeping better since the last session, about six hours on most nights.",
    "Mood described as low in the mornings, with some lift after the walk that was agreed on as homework.",
    "We went through the thought record; the automatic thought was \"they will all see that I cannot do it\".",
    "No thoughts of self-harm; the safety plan from March was read through again and left as it is.",
    "The conflict with the sister came up again, this time with less anger and more grief.",
    "Practised grounding for five minutes; tension went from seven to four by the client's own rating.",
    "Medication unchanged: sertraline 50 mg in the morning, no side effects reported.",
    "Affect congruent, speech of normal rate, contact good throughout.",
    "Exposure step three (the tram at noon, two stops) was done twice during the week and avoided once.",
    "Client asked what happens with these notes, and was told who can read them.",
    "Alcohol: two evenings, two glasses each, which is less than in the month before.",
    "Work: back to 60 percent since Monday; the talk with the supervisor is still ahead.",
    "Discussed the pattern of agreeing first and withdrawing later, and where it was learnt.",
    "PHQ-9 today 11, after 14 three weeks ago; GAD-7 unchanged at 9.",
    "Plan: continue weekly, thought record on three days, and one call to an old friend.",
    "Next session on Thursday at ten; the one after falls away because of the holiday.",
];

#[derive(Debug)]
pub struct Note {
    pub patient: usize,
    pub id: String,
    pub revision: u64,
    pub text: String,
}

pub struct World {
    pub clinic: Clinic,
    pub patients: Vec<(String, PatientKey, CardId)>,
    texts: TestRng,
}

pub fn unique() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl World {
    /// A vault of the suite that is the default, founded in the store.
    pub async fn found(store: &impl Store, seed: u64) -> Self {
        let clinic = Clinic::of(Suite::XWing, TestRng(seed));
        store.apply(clinic.id(), &clinic.founding()).await.unwrap();
        Self { clinic, patients: Vec::new(), texts: TestRng(seed ^ 0x7E27) }
    }

    /// Enrols patients until there are so many. Their keys are kept only where notes will be sealed for them.
    pub async fn enrol(&mut self, store: &impl Store, patients: usize, keep: bool, step: impl Fn(usize)) {
        let mut enrolled = self.patients.len();
        while enrolled < patients {
            let count = TOGETHER.min(patients - enrolled);
            let new: Vec<_> = (enrolled..enrolled + count)
                .map(|number| (patient_name(number), self.clinic.enrol(&patient_name(number))))
                .collect();
            let changes: Vec<Change<'_>> = new
                .iter()
                .flat_map(|(name, (one, grants))| enrolment(PatientId::new(name).unwrap(), 1, one, grants).unwrap())
                .collect();
            store.apply(self.clinic.id(), &changes).await.unwrap();
            drop(changes);
            if keep {
                self.patients.extend(new.into_iter().map(|(name, (one, _))| (name, one.key, one.card_id)));
            }
            enrolled += count;
            step(count);
        }
    }

    pub fn random(&mut self, below: usize) -> usize {
        let word = self.texts.try_next_u64().unwrap();
        usize::try_from(word % u64::try_from(below).unwrap()).unwrap()
    }

    pub fn text(&mut self) -> String {
        let length = 900 + self.random(1_000);
        let mut text = String::with_capacity(2_200);
        while text.len() < length {
            text.push_str(SENTENCES[self.random(SENTENCES.len())]);
            text.push(' ');
        }
        text
    }

    /// Notes from a number on, in the order of an import: patient by patient.
    pub fn notes(&mut self, from: usize, to: usize) -> Vec<Note> {
        let note = |number| Note { patient: number / NOTES, id: note_name(number), revision: 1, text: self.text() };
        (from..to).map(note).collect()
    }

    pub fn seal(&self, note: &Note) -> Sealed {
        let (_, key, _) = &self.patients[note.patient];
        let revision = Revision::new(note.revision).unwrap();
        let context = RecordContext::new(RecordId::new(&note.id).unwrap(), field(), revision);
        Sealed::note(&self.clinic.vault, key, &context, note.text.as_bytes(), &mut OsRng).unwrap()
    }

    pub fn change(sealed: &Sealed) -> Change<'_> {
        let revision = sealed.revision();
        let expect = if revision == 1 { Expect::Absent } else { Expect::Revision(revision - 1) };
        Change::Record(NewRecord::new(sealed, expect))
    }

    /// Seals notes and writes them in one change; gives what was sealed.
    pub async fn import(&self, store: &impl Store, notes: &[Note]) -> Vec<Vec<u8>> {
        let sealed: Vec<Sealed> = notes.iter().map(|note| self.seal(note)).collect();
        let changes: Vec<Change<'_>> = sealed.iter().map(Self::change).collect();
        store.apply(self.clinic.id(), &changes).await.unwrap();
        sealed.iter().map(bytes).collect()
    }

    pub fn row<'a>(&'a self, vault: &'a [u8], note: &'a Note, sealed: &'a [u8]) -> Row<'a> {
        let (patient, _, card) = &self.patients[note.patient];
        Row {
            vault,
            patient: patient.as_bytes(),
            record: note.id.as_bytes(),
            field: b"note",
            revision: i64::try_from(note.revision).unwrap(),
            card: card.as_bytes(),
            sealed,
        }
    }
}

/// The bytes of a sealed note.
pub fn bytes(sealed: &Sealed) -> Vec<u8> {
    match sealed.body() {
        StoredBody::Sealed(bytes) => bytes.clone(),
        StoredBody::Object { .. } => panic!("a note"),
    }
}

pub fn patient_name(number: usize) -> String {
    format!("patient-{number:08}")
}

pub fn note_name(number: usize) -> String {
    format!("session-{number:010}")
}
