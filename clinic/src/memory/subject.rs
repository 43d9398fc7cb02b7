//! The names under which a memory keeps its notes: a kind, then parts that each begin with their length.

/// The pin, the descriptor and the last roster.
pub(crate) const CLINIC: &[u8] = &[1];

const CARD: u8 = 2;
const RECORD: u8 = 3;
const CONFIRMED: u8 = 4;
const COLLEAGUE: u8 = 5;
const TASK: u8 = 6;
const ACCEPTED: u8 = 7;

/// Where a record is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) patient: Vec<u8>,
    pub(crate) record: Vec<u8>,
    pub(crate) field: Vec<u8>,
}

/// The accepted card of a patient.
pub(crate) fn card(patient: &[u8]) -> Vec<u8> {
    parts(CARD, &[patient])
}

/// Every accepted card.
pub(crate) const CARDS: &[u8] = &[CARD];

/// The patient of an accepted card.
pub(crate) fn patient_of(about: &[u8]) -> Option<Vec<u8>> {
    let [CARD, rest @ ..] = about else { return None };
    take(rest).map(|(patient, _)| patient.to_vec())
}

/// What was seen of a record.
pub(crate) fn record(place: &Place) -> Vec<u8> {
    parts(RECORD, &[&place.patient, &place.record, &place.field])
}

/// Every record of a patient.
pub(crate) fn records(patient: &[u8]) -> Vec<u8> {
    parts(RECORD, &[patient])
}

/// The place that a record's subject names.
pub(crate) fn place_of(about: &[u8]) -> Option<Place> {
    let [RECORD, rest @ ..] = about else { return None };
    let (patient, rest) = take(rest)?;
    let (record, rest) = take(rest)?;
    let (field, _) = take(rest)?;
    Some(Place { patient: patient.to_vec(), record: record.to_vec(), field: field.to_vec() })
}

/// That a person has confirmed a fingerprint: of a generation, or of a council.
pub(crate) fn confirmed(fingerprint: &[u8; 32]) -> Vec<u8> {
    parts(CONFIRMED, &[fingerprint])
}

/// The key that a colleague is known by.
pub(crate) fn colleague(member: &[u8]) -> Vec<u8> {
    parts(COLLEAGUE, &[member])
}

/// A card of a patient that a roster must still close.
pub(crate) fn task(patient: &[u8], card: &[u8; 32]) -> Vec<u8> {
    parts(TASK, &[patient, card])
}

/// Every open task.
pub(crate) const TASKS: &[u8] = &[TASK];

/// Patient and card of an open task.
pub(crate) fn task_of(about: &[u8]) -> Option<(Vec<u8>, [u8; 32])> {
    let [TASK, rest @ ..] = about else { return None };
    let (patient, rest) = take(rest)?;
    let (card, _) = take(rest)?;
    Some((patient.to_vec(), card.try_into().ok()?))
}

/// That a person accepted older states, in the order in which it was done.
pub(crate) fn accepted(at: u64, number: u32) -> Vec<u8> {
    let (at, number) = (at.to_be_bytes(), number.to_be_bytes());
    [&[ACCEPTED], at.as_slice(), &number].concat()
}

/// Everything that was accepted.
pub(crate) const ACCEPTANCES: &[u8] = &[ACCEPTED];

/// Ids have at most 255 bytes, so that one byte holds their length.
fn parts(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut subject = vec![kind];
    for part in parts {
        subject.push(u8::try_from(part.len()).unwrap_or(u8::MAX));
        subject.extend_from_slice(part);
    }
    subject
}

fn take(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(*length))
}
