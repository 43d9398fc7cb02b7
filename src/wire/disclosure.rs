//! A disclosure's bytes, outside and inside (FORMAT.md, "Disclosure").

use alloc::vec::Vec;

use super::frame::{Field, Signature};
use super::reader::Reader;
use super::writer::Writer;
use crate::digest::KeyFingerprint;
use crate::error::{Object, Result};
use crate::ident::{FieldLabel, PatientId, RecordId, Revision, Scope};

const MAGIC: [u8; 4] = *b"LKX\x01";
/// What begins the text inside; it is read only after authentication.
const INNER_MAGIC: [u8; 4] = *b"LKI\x01";

/// A note for someone outside, sealed to that one's key and signed by a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Disclosure<'a> {
    pub(crate) scope: Scope,
    pub(crate) recipient: KeyFingerprint,
    pub(crate) signer: KeyFingerprint,
    /// Version of the roster that the signer saw.
    pub(crate) roster_seen: u64,
    /// Encapsulation, 32 bytes and tag, as long as the suite says.
    pub(crate) sealed: &'a [u8],
    pub(crate) signature: Signature,
    pub(crate) payload: Field<&'a [u8]>,
}

impl<'a> Disclosure<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(Object::Disclosure, bytes, MAGIC)?;
        let scope = reader.scope()?;
        Ok(Self {
            scope,
            recipient: KeyFingerprint(reader.array("recipient")?),
            signer: KeyFingerprint(reader.array("signer")?),
            roster_seen: reader.u64("roster version")?,
            sealed: reader.bytes("sealed key", scope.suite.sealed_secret_len())?,
            signature: reader.array("signature")?,
            payload: reader.rest(),
        })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new(MAGIC);
        out.scope(&self.scope).bytes(&self.recipient.0).bytes(&self.signer.0).u64(self.roster_seen);
        out.bytes(self.sealed).bytes(&self.signature).bytes(self.payload.value);
        out.finish()
    }
}

/// Where the note stood in the vault; it precedes the note in the encrypted text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Inner<'a> {
    pub(crate) patient: PatientId<'a>,
    pub(crate) record: RecordId<'a>,
    pub(crate) field: FieldLabel<'a>,
    /// That of a deposit is 0.
    pub(crate) revision: Revision,
    /// The writer of a deposit; a reader's note has none.
    pub(crate) writer: Option<KeyFingerprint>,
}

impl<'a> Inner<'a> {
    /// Where the note stood, and the note behind it.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<(Self, &'a [u8])> {
        let mut reader = Reader::new(Object::Disclosure, bytes, INNER_MAGIC)?;
        let patient = PatientId(reader.identifier("patient id")?);
        let record = RecordId(reader.identifier("record id")?);
        let field = FieldLabel(reader.identifier("field")?);
        let revision_offset = reader.offset();
        let revision = Revision::from_number(reader.u64("revision")?);
        let revision = revision.ok_or_else(|| reader.refuse("revision", revision_offset))?;
        let writer_offset = reader.offset();
        let writer = match reader.u8("writer")? {
            0 => None,
            1 => Some(KeyFingerprint(reader.array("writer")?)),
            _ => return Err(reader.refuse("writer", writer_offset)),
        };
        Ok((Self { patient, record, field, revision, writer }, reader.rest().value))
    }

    /// Everything before the note.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new(INNER_MAGIC);
        out.identifier(self.patient.0).identifier(self.record.0).identifier(self.field.0).u64(self.revision.get());
        out.u8(u8::from(self.writer.is_some()));
        out.bytes(self.writer.as_ref().map_or(&[], |writer| writer.0.as_slice()));
        out.finish()
    }
}
