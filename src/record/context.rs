//! What a record is bound to.

use alloc::vec::Vec;

use crate::choice::{Padding, Path};
use crate::digest::{CardId, PayloadContextId, PayloadDigest, VaultId};
use crate::ident::{PatientId, Place, Revision};
use crate::keys::labels;
use crate::keys::patient::PatientKey;
use crate::prim::hash::hash;
use crate::wire::record::{Head, Origin};
use crate::wire::write_fields;

/// Where a note belongs: record, field and revision, and how it is padded. All of it is bound to the ciphertext.
///
/// With the vault and the patient, which the key brings, this is the context that a record opens in, and no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordContext<'a> {
    pub(crate) place: Place<'a>,
    pub(crate) revision: Revision,
    pub(crate) padding: Padding,
}

impl<'a> RecordContext<'a> {
    /// One revision of one field of a record, with padding.
    #[must_use]
    pub const fn new(place: Place<'a>, revision: Revision) -> Self {
        Self { place, revision, padding: Padding::Padme }
    }

    /// The same with another padding rule.
    ///
    /// # Security
    /// [`Padding::None`] shows the exact length of the note to whoever reads the database.
    #[must_use]
    pub const fn with_padding(self, padding: Padding) -> Self {
        Self { padding, ..self }
    }

    /// The record and the field.
    #[must_use]
    pub const fn place(&self) -> Place<'a> {
        self.place
    }

    /// The revision.
    #[must_use]
    pub const fn revision(&self) -> Revision {
        self.revision
    }

    /// The place of a deposit, whose revision is always 0.
    pub(crate) const fn of_deposit(place: Place<'a>, padding: Padding) -> Self {
        Self { place, revision: Revision::DEPOSIT, padding }
    }

    /// The place that a record has in a store, with what its head says of itself.
    pub(crate) const fn claimed(place: Place<'a>, head: &Head) -> Self {
        Self { place, revision: head.revision, padding: head.padding }
    }

    pub(super) fn head(&self, key: &PatientKey) -> Head {
        Head { suite: key.scope().suite, card: key.card(), revision: self.revision, padding: self.padding }
    }
}

/// `SHA-256(lp(label) || vault id || lp(patient id) || lp(record id) || lp(field) || revision || padding)`.
///
/// Every variable part carries its length, so no two contexts have the same bytes.
pub(crate) fn payload_context(vault: VaultId, patient: PatientId<'_>, context: &RecordContext<'_>) -> PayloadContextId {
    let RecordContext { place: Place { record, field }, revision, padding } = context;
    let parts: [&[u8]; 9] = [
        vault.as_bytes(),
        &patient.0.lp(),
        patient.as_bytes(),
        &record.0.lp(),
        record.as_bytes(),
        &field.0.lp(),
        field.as_bytes(),
        &revision.get().to_be_bytes(),
        &[*padding as u8],
    ];
    PayloadContextId(hash(labels::PAYLOAD_CONTEXT, &parts))
}

/// Length of the label's text in front of a reader's wrap context.
const LABEL_LEN: usize = labels::READER_WRAP.as_bytes().len();
/// Length of a reader's wrap context, in bytes.
const WRAP_CONTEXT_LEN: usize = 1 + LABEL_LEN + 1 + 32 + 32;

/// `lp(label) || path || card id || payload context id`: what a reader's wrapped record key is bound to.
pub(super) fn reader_wrap_context(card: CardId, context: PayloadContextId) -> [u8; WRAP_CONTEXT_LEN] {
    let (label, path) = (labels::READER_WRAP, [Path::Reader as u8]);
    let mut out = [0; WRAP_CONTEXT_LEN];
    write_fields(&mut out, &[&label.lp(), label.as_bytes(), &path, card.as_bytes(), context.as_bytes()]);
    out
}

/// `lp(label) || path || card id || payload context id`, for a record key sealed to a card.
pub(super) fn deposit_wrap_context(path: Path, card: CardId, context: PayloadContextId) -> Vec<u8> {
    labels::DEPOSIT_WRAP.frame(&[&[path as u8], card.as_bytes(), context.as_bytes()])
}

/// `lp(label) || path || card id || payload context id || origin || payload digest`: with the payload bound, whoever
/// held the record key before cannot rewrite it.
pub(super) fn absorbed_wrap_context(
    card: CardId,
    context: PayloadContextId,
    origin: &Origin,
    payload_digest: PayloadDigest,
) -> Vec<u8> {
    let path = [Path::Absorbed as u8];
    let parts = [&path, card.as_bytes().as_slice(), context.as_bytes(), &origin.encode(), payload_digest.as_bytes()];
    labels::ABSORBED_WRAP.frame(&parts)
}
