//! What a record is bound to.

use alloc::vec::Vec;

use super::padding::Padding;
use crate::ident::{CardId, FieldLabel, Path, RecordId, Revision, VaultId};
use crate::keys::labels;
use crate::keys::patient::PatientKey;
use crate::prim::hash::{hash, lp};
use crate::wire::record::{Head, Origin};
use crate::wire::write_fields;

/// Where a note belongs: record, field and revision, and how it is padded. All of it is bound to the ciphertext.
///
/// With the vault and the patient, which the key brings, this is the context that a record opens in, and no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordContext<'a> {
    pub(super) record: RecordId<'a>,
    pub(super) field: FieldLabel<'a>,
    pub(crate) revision: Revision,
    pub(crate) padding: Padding,
}

impl<'a> RecordContext<'a> {
    /// One revision of one field of a record, with padding.
    #[must_use]
    pub const fn new(record: RecordId<'a>, field: FieldLabel<'a>, revision: Revision) -> Self {
        Self { record, field, revision, padding: Padding::Padme }
    }

    /// The same with another padding rule.
    ///
    /// # Security
    /// [`Padding::None`] shows the exact length of the note to whoever reads the database.
    #[must_use]
    pub const fn with_padding(self, padding: Padding) -> Self {
        Self { padding, ..self }
    }

    /// The record.
    #[must_use]
    pub const fn record(&self) -> RecordId<'a> {
        self.record
    }

    /// The field.
    #[must_use]
    pub const fn field(&self) -> FieldLabel<'a> {
        self.field
    }

    /// The revision.
    #[must_use]
    pub const fn revision(&self) -> Revision {
        self.revision
    }

    /// The place of a deposit, whose revision is always 0.
    pub(crate) const fn of_deposit(record: RecordId<'a>, field: FieldLabel<'a>, padding: Padding) -> Self {
        Self { record, field, revision: Revision::DEPOSIT, padding }
    }

    /// The place that a record has in a store, with what its head says of itself.
    pub(crate) const fn claimed(record: RecordId<'a>, field: FieldLabel<'a>, head: &Head) -> Self {
        Self { record, field, revision: Revision::from_wire(head.revision), padding: Padding::from_wire(head.padding) }
    }

    pub(super) fn head(&self, key: &PatientKey) -> Head {
        let (suite, _) = key.belongs_to();
        Head { suite, card: key.card(), revision: self.revision.get(), padding: self.padding as u8 }
    }
}

/// `SHA-256(lp(label) || vault id || lp(patient id) || lp(record id) || lp(field) || revision || padding)`.
///
/// Every variable part carries its length, so no two contexts have the same bytes.
pub(crate) fn payload_context(vault: &VaultId, patient: &[u8], context: &RecordContext<'_>) -> [u8; 32] {
    let record = context.record.as_bytes();
    let field = context.field.as_bytes();
    let revision = context.revision.get().to_be_bytes();
    let padding = [context.padding as u8];
    let ids: [&[u8]; 6] = [&lp(patient), patient, &lp(record), record, &lp(field), field];
    let [patient_lp, patient, record_lp, record, field_lp, field] = ids;
    hash(
        labels::PAYLOAD_CONTEXT,
        &[vault.as_bytes(), patient_lp, patient, record_lp, record, field_lp, field, &revision, &padding],
    )
}

/// Length of the label's text in front of a reader's wrap context.
const LABEL_LEN: usize = labels::READER_WRAP.as_bytes().len();
/// Length of a reader's wrap context, in bytes.
const WRAP_CONTEXT_LEN: usize = 1 + LABEL_LEN + 1 + 32 + 32;

/// `lp(label) || path || card id || payload context id`: what a reader's wrapped record key is bound to.
pub(super) fn reader_wrap_context(card: &CardId, payload_context: &[u8; 32]) -> [u8; WRAP_CONTEXT_LEN] {
    let prefix = labels::READER_WRAP.prefix();
    let path = [Path::Reader as u8];
    let mut out = [0; WRAP_CONTEXT_LEN];
    write_fields(&mut out, &[&prefix, labels::READER_WRAP.as_bytes(), &path, card.as_bytes(), payload_context]);
    out
}

/// `lp(label) || path || card id || payload context id`, for a record key sealed to a card.
pub(super) fn deposit_wrap_context(path: Path, card: &CardId, payload_context: &[u8; 32]) -> Vec<u8> {
    let label = labels::DEPOSIT_WRAP;
    [&label.prefix(), label.as_bytes(), &[path as u8], card.as_bytes(), payload_context].concat()
}

/// `lp(label) || path || card id || payload context id || origin || payload digest`: with the payload bound, whoever
/// held the record key before cannot rewrite it.
pub(super) fn absorbed_wrap_context(
    card: &CardId,
    payload_context: &[u8; 32],
    origin: &Origin,
    payload_digest: &[u8; 32],
) -> Vec<u8> {
    let label = labels::ABSORBED_WRAP;
    let path = [Path::Absorbed as u8];
    let origin = origin.encode();
    [&label.prefix(), label.as_bytes(), &path, card.as_bytes(), payload_context, &origin, payload_digest].concat()
}
