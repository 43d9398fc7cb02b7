//! Sealing on the reader's path: symmetric only.

use alloc::vec::Vec;

use rand_core::TryCryptoRng;
use zeroize::Zeroize;

use super::context::{RecordContext, payload_context, reader_wrap_context};
use super::padding::MARKER;
use crate::choice::Padding;
use crate::chunked::{self, ChaCha20Poly1305, Layout};
use crate::digest::PayloadContextId;
use crate::error::{Result, Usage};
use crate::keys::labels;
use crate::keys::patient::PatientKey;
use crate::keys::record::{RecordSecrets, wrap};
use crate::vault::Vault;
use crate::wire::record::{Front, READER_FRONT_LEN, Wrap};

/// The length of a sealed note, in bytes: 192 more than the padded note, and 16 more for each full 16 KiB of it.
///
/// # Errors
/// [`Usage::TooLong`] if that does not fit into memory.
pub fn sealed_len(note_len: usize, padding: Padding) -> Result<usize> {
    payload_len(note_len, padding)?.checked_add(READER_FRONT_LEN).ok_or_else(|| Usage::TooLong.into())
}

/// The length of a note's payload, in bytes: 72 more than the padded note, and 16 more for each full 16 KiB of it.
pub(super) fn payload_len(note_len: usize, padding: Padding) -> Result<usize> {
    let note_len = u64::try_from(note_len).map_err(|_| Usage::TooLong)?;
    let padding_len = padding.zeros(note_len)?.map_or(Some(0), |zeros| zeros.checked_add(1));
    let plaintext_len = padding_len.and_then(|len| len.checked_add(note_len)).ok_or(Usage::TooLong)?;
    let layout = Layout::of_plaintext(plaintext_len).map_err(|_| Usage::TooLong)?;
    usize::try_from(layout.sealed_len()).map_err(|_| Usage::TooLong.into())
}

impl Vault {
    /// Seals a note; see [`sealed_len`](crate::sealed_len) for the length.
    ///
    /// # Errors
    /// [`Untrusted`](crate::error::Untrusted) if the card is closed; [`Usage`](crate::error::Usage) for a key of
    /// another vault or a note that is too long; [`Error::Randomness`](crate::Error::Randomness).
    ///
    /// # Security
    /// Seal each text of a field under its own revision. Two different texts sealed for the same record, field and
    /// revision by a generator that repeats itself, such as in two copies of a virtual machine, share a key.
    pub fn seal(
        &self,
        key: &PatientKey,
        context: &RecordContext<'_>,
        note: &[u8],
        rng: &mut impl TryCryptoRng,
    ) -> Result<Vec<u8>> {
        let mut record = Vec::new();
        self.seal_into(key, context, note, rng, &mut record)?;
        Ok(record)
    }

    /// Seals a note and appends the record to `out`, so that a service reuses its buffer.
    ///
    /// # Errors
    /// As [`Vault::seal`]; `out` is unchanged then.
    pub fn seal_into(
        &self,
        key: &PatientKey,
        context: &RecordContext<'_>,
        note: &[u8],
        rng: &mut impl TryCryptoRng,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        self.require_open(key.scope(), key.card())?;
        seal(key, context, note, rng, out)
    }
}

/// Seals a note and appends the record to `out`, which is unchanged on an error.
///
/// # Errors
/// [`Usage::TooLong`]; [`Error::Randomness`](crate::Error::Randomness).
pub(super) fn seal(
    key: &PatientKey,
    context: &RecordContext<'_>,
    note: &[u8],
    rng: &mut impl TryCryptoRng,
    out: &mut Vec<u8>,
) -> Result<()> {
    let total = sealed_len(note.len(), context.padding)?;
    out.try_reserve(total).map_err(|_| Usage::TooLong)?;
    let before = out.len();
    append(key, context, note, rng, out).inspect_err(|_| {
        out.get_mut(before..).unwrap_or_default().zeroize();
        out.truncate(before);
    })
}

fn append(
    key: &PatientKey,
    context: &RecordContext<'_>,
    note: &[u8],
    rng: &mut impl TryCryptoRng,
    out: &mut Vec<u8>,
) -> Result<()> {
    let mut secrets = RecordSecrets::empty();
    let payload_context = begin(key, context, &mut secrets, rng, out)?;
    // 4. payload = chunked encryption of the padded note, input key = record key, context = payload context id
    seal_payload(&secrets, payload_context, note, context.padding, out)
}

/// Draws record key, salt and wrap nonce, appends the front of the record to `out`, and gives the payload context id.
///
/// # Errors
/// [`Error::Randomness`](crate::Error::Randomness); nothing has been appended then.
pub(crate) fn begin(
    key: &PatientKey,
    context: &RecordContext<'_>,
    secrets: &mut RecordSecrets,
    rng: &mut impl TryCryptoRng,
    out: &mut Vec<u8>,
) -> Result<PayloadContextId> {
    // 1. payload context id = SHA-256(label, vault, patient, record, field, revision, padding)
    let payload_context = payload_context(key.scope().vault, key.patient_id(), context);
    // 2. record key || salt || wrap nonce = HKDF-Expand(r, label || payload context id, 80)
    secrets.draw(labels::RECORD_DRAW, [payload_context.as_bytes()], rng)?;
    // 3. wrapped = XChaCha20-Poly1305(patient KEK, wrap nonce, aad = wrap context, record key)
    let wrap_context = reader_wrap_context(key.card(), payload_context);
    let wrapped = wrap(key.kek(), &secrets.wrap_nonce, &wrap_context, secrets.key())?;
    Front { head: context.head(key), wrap: Wrap::Reader(wrapped.with_nonce(&secrets.wrap_nonce)) }.put(out);
    Ok(payload_context)
}

/// Pads a note, encrypts it in chunks, and appends salt, commitment and chunks to `out`.
pub(crate) fn seal_payload(
    secrets: &RecordSecrets,
    context: PayloadContextId,
    note: &[u8],
    padding: Padding,
    out: &mut Vec<u8>,
) -> Result<()> {
    let zeros = padding.zeros(u64::try_from(note.len()).map_err(|_| Usage::TooLong)?)?;
    let marker: &[u8] = if zeros.is_some() { &[MARKER] } else { &[] };
    let parts = [note, marker];
    let zeros = usize::try_from(zeros.unwrap_or(0)).map_err(|_| Usage::TooLong)?;
    chunked::seal_append::<ChaCha20Poly1305, 32>(secrets.key(), &secrets.salt, context.as_bytes(), &parts, zeros, out)
}
