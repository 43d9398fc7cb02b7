//! Opening on the reader's path: symmetric only.

use alloc::vec::Vec;

use zeroize::Zeroize;

use super::context::{RecordContext, payload_context, wrap_context};
use super::padding::Padding;
use crate::chunked::{self, ChaCha20Poly1305, SealedMessage};
use crate::error::{Error, Object, Result, Usage};
use crate::ident::{FieldLabel, RecordId, Revision, require_vault};
use crate::keys::patient::PatientKey;
use crate::keys::record::RecordKey;
use crate::secret::Plaintext;
use crate::wire::record::Record;

/// An opened record.
#[derive(Debug)]
pub struct Opened {
    /// The note.
    pub plaintext: Plaintext,
    /// Its revision: a client that remembers the last one it saw notices an old text put back.
    pub revision: Revision,
    /// How it was padded.
    pub padding: Padding,
    /// How the record key reached the record, and so what is known of the author.
    pub origin: Origin,
}

/// What is known of a record's author.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// Some holder of the patient's key: any of its readers.
    Reader,
}

/// Opens a record in its place.
///
/// # Errors
/// [`Error::Malformed`]; [`Usage::WrongSuite`], [`Usage::WrongCard`] and [`Usage::TooLong`], which are public;
/// [`Error::NotAuthentic`] for everything once the key is used.
pub(crate) fn open(key: &PatientKey, record: RecordId<'_>, field: FieldLabel<'_>, bytes: &[u8]) -> Result<Opened> {
    // 1. Well-formed, of this card, and of a length that a payload can have.
    let parsed = Record::parse(bytes)?;
    let head = parsed.head;
    let (suite, vault) = key.belongs_to();
    require_vault((suite, vault), (head.suite, vault))?;
    if head.card != key.card() {
        return Err(Usage::WrongCard { key: key.card(), object: head.card }.into());
    }
    let payload = SealedMessage::parse(parsed.payload)
        .map_err(|_| Error::malformed(Object::Record, "payload", parsed.payload_offset))?;
    // 2. payload context id, from what the caller expects and what the record says of itself
    let padding = Padding::from_wire(head.padding);
    let revision = Revision::new(head.revision)?;
    let context = RecordContext::new(record, field, revision).with_padding(padding);
    let payload_context = payload_context(&vault, key.patient(), &context);
    // Memory that runs out is reported before a key is used, never after.
    let mut plaintext = Vec::new();
    let length = usize::try_from(payload.layout().plaintext_len()).map_err(|_| Usage::TooLong)?;
    plaintext.try_reserve_exact(length).map_err(|_| Usage::TooLong)?;
    // 3. record key = XChaCha20-Poly1305-Decrypt(patient KEK, wrap nonce, aad = wrap context, wrapped)
    let mut slot = RecordKey::empty();
    let wrap_context = wrap_context(&head.card, &payload_context);
    let record_key =
        slot.unwrap_in_place(key.kek(), parsed.wrap_nonce, &wrap_context, parsed.wrapped_key, parsed.wrap_tag)?;
    // 4. the payload: commitment first, then the chunks, then the exact padding
    chunked::open_append::<ChaCha20Poly1305, 32>(record_key, &payload, &payload_context, &mut plaintext)?;
    let note_len = padding.note_len(&plaintext).inspect_err(|_| plaintext.zeroize())?;
    plaintext.truncate(note_len);
    Ok(Opened { plaintext: Plaintext::new(plaintext), revision, padding, origin: Origin::Reader })
}
