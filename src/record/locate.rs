//! The first steps of every opening: well-formed, in its place, of this key. No key has been used after them.

use alloc::vec::Vec;

use super::context::{RecordContext, payload_context};
use super::statement::payload_digest;
use crate::choice::{Padding, Path};
use crate::chunked::{self, ChaCha20Poly1305, SealedMessage};
use crate::digest::{PayloadContextId, PayloadDigest};
use crate::error::{Object, Result, Usage};
use crate::ident::{Place, Revision, Scope};
use crate::keys::patient::PatientKey;
use crate::secret::{Plaintext, wipe};
use crate::wire::record::{Front, Record};

/// Refuses a front of another path, and one of another suite or card than the key's.
///
/// # Errors
/// [`Usage::WrongPath`], [`Usage::WrongSuite`], [`Usage::WrongCard`].
pub(crate) fn require_own(key: &PatientKey, front: &Front<'_>, paths: &[Path]) -> Result<()> {
    if !paths.contains(&front.path()) {
        return Err(Usage::WrongPath { met: front.path() }.into());
    }
    key.scope().require(Scope { suite: front.head.suite, ..key.scope() })?;
    if front.head.card == key.card() {
        Ok(())
    } else {
        Err(Usage::WrongCard { key: key.card(), object: front.head.card }.into())
    }
}

/// A record in the place that the caller asked for; nothing in it has been authenticated.
pub(super) struct Located<'a> {
    pub(super) front: Front<'a>,
    /// Salt, commitment and chunks, of a length that a payload can have.
    pub(super) payload: SealedMessage<'a>,
    payload_bytes: &'a [u8],
    /// The payload context id.
    pub(super) context: PayloadContextId,
    pub(super) revision: Revision,
    pub(super) padding: Padding,
}

impl<'a> Located<'a> {
    /// Reads a record of one of these paths and computes the context that it must have been sealed in.
    ///
    /// # Errors
    /// [`Error::Malformed`]; [`Usage::WrongPath`], [`Usage::WrongSuite`], [`Usage::WrongCard`].
    pub(super) fn read(key: &PatientKey, place: Place<'_>, bytes: &'a [u8], paths: &[Path]) -> Result<Self> {
        let Record { front, payload } = Record::parse(bytes)?;
        let head = front.head;
        require_own(key, &front, paths)?;
        let message = SealedMessage::parse(payload.value).map_err(|_| payload.refuse(Object::Record, "payload"))?;
        let context = RecordContext::claimed(place, &head);
        Ok(Self {
            front,
            payload: message,
            payload_bytes: payload.value,
            context: payload_context(key.scope().vault, key.patient_id(), &context),
            revision: context.revision,
            padding: context.padding,
        })
    }

    /// Memory for the padded text: that it runs out is reported before a key is used, never after.
    pub(super) fn reserve(&self) -> Result<Vec<u8>> {
        let mut plaintext = Vec::new();
        let length = usize::try_from(self.payload.layout().plaintext_len()).map_err(|_| Usage::TooLong)?;
        plaintext.try_reserve_exact(length).map_err(|_| Usage::TooLong)?;
        Ok(plaintext)
    }

    /// The digest by which a writer's signature names the payload.
    pub(super) fn payload_digest(&self) -> PayloadDigest {
        payload_digest(self.payload_bytes)
    }

    /// Opens the payload: commitment first, then the chunks, then the exact padding.
    ///
    /// # Errors
    /// [`Error::NotAuthentic`].
    pub(super) fn open_payload(&self, record_key: &[u8; 32], mut plaintext: Vec<u8>) -> Result<Plaintext> {
        chunked::open_append::<ChaCha20Poly1305, 32>(
            record_key,
            &self.payload,
            self.context.as_bytes(),
            &mut plaintext,
        )?;
        let note_len = self.padding.note_len(&plaintext).inspect_err(|_| wipe(&mut plaintext))?;
        plaintext.truncate(note_len);
        Ok(Plaintext::new(plaintext))
    }

    /// A record with another front and the same payload.
    pub(super) fn with_front(&self, front: &Front<'_>) -> Result<Vec<u8>> {
        let length = Front::len(front.head.suite, front.path()).checked_add(self.payload_bytes.len());
        let mut record = Vec::new();
        record.try_reserve_exact(length.ok_or(Usage::TooLong)?).map_err(|_| Usage::TooLong)?;
        front.put(&mut record);
        record.extend_from_slice(self.payload_bytes);
        Ok(record)
    }
}
