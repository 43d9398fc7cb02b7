//! Records in their place. Their bytes name the suite, the card, the path and the revision; patient, record and field do not
//! stand in clear, so that the value that is sealed keeps them.

use lukko::error::Object;
use lukko::{CardId, FieldLabel, PatientId, RecordId};

use super::{NewRecord, Placed, Sealed};
use crate::change::{Body, Expect};

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot<'a> {
    /// The patient.
    pub patient: PatientId<'a>,
    /// The record.
    pub record: RecordId<'a>,
    /// The field.
    pub field: FieldLabel<'a>,
}

/// A row of a record.
#[derive(Debug, Clone, Copy)]
pub struct RecordRow<'a> {
    /// The patient, 1 to 255 bytes.
    pub patient: &'a [u8],
    /// The record, 1 to 255 bytes.
    pub record: &'a [u8],
    /// The field, 1 to 255 bytes.
    pub field: &'a [u8],
    /// The revision that was sealed; 0 for deposits and what became of them.
    pub revision: u64,
    /// The card of the key it was sealed under: the patient's current one.
    pub card: CardId,
    /// Its bytes, or where they are.
    pub body: Body<'a>,
    /// What it builds on.
    pub expect: Expect<'a>,
}

impl<'a> NewRecord<'a> {
    /// A sealed record in the place for which it was sealed.
    #[must_use]
    pub fn new(sealed: &'a Sealed, expect: Expect<'a>) -> Self {
        let row = RecordRow {
            patient: &sealed.patient,
            record: &sealed.record,
            field: &sealed.field,
            revision: sealed.revision,
            card: sealed.card,
            body: sealed.body.as_written(),
            expect,
        };
        Placed { row, vault: Some(sealed.vault), object: Object::Record }
    }
}
