//! A disclosure's bytes, outside and inside (FORMAT.md, "Disclosure").

use alloc::vec::Vec;

use super::SIGNATURE_LEN;
use super::reader::{Reader, put_identifier};
use crate::error::{Object, Result};
use crate::ident::{KeyFingerprint, Revision, Suite, VaultId};

const MAGIC: [u8; 4] = *b"LKX\x01";
/// What begins the text inside; it is read only after authentication.
const INNER_MAGIC: [u8; 4] = *b"LKI\x01";

/// A note for someone outside, sealed to that one's key and signed by a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Disclosure<'a> {
    pub(crate) suite: Suite,
    pub(crate) vault: VaultId,
    pub(crate) recipient: KeyFingerprint,
    pub(crate) signer: KeyFingerprint,
    /// Version of the roster that the signer saw.
    pub(crate) roster_seen: u64,
    /// Encapsulation, 32 bytes and tag, as long as the suite says.
    pub(crate) sealed: &'a [u8],
    pub(crate) signature: [u8; SIGNATURE_LEN],
    pub(crate) payload_offset: usize,
    pub(crate) payload: &'a [u8],
}

impl<'a> Disclosure<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(Object::Disclosure, bytes, MAGIC)?;
        let suite = reader.suite()?;
        Ok(Self {
            suite,
            vault: VaultId(reader.array("vault id")?),
            recipient: KeyFingerprint(reader.array("recipient")?),
            signer: KeyFingerprint(reader.array("signer")?),
            roster_seen: reader.u64("roster version")?,
            sealed: reader.bytes("sealed key", suite.sealed_secret_len())?,
            signature: reader.array("signature")?,
            payload_offset: reader.offset(),
            payload: reader.rest(),
        })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&self.suite.kem_id().to_be_bytes());
        out.extend_from_slice(&self.vault.0);
        out.extend_from_slice(&self.recipient.0);
        out.extend_from_slice(&self.signer.0);
        out.extend_from_slice(&self.roster_seen.to_be_bytes());
        out.extend_from_slice(self.sealed);
        out.extend_from_slice(&self.signature);
        out.extend_from_slice(self.payload);
        out
    }
}

/// Where the note stood in the vault; it precedes the note in the encrypted text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Inner<'a> {
    /// 1 to 255 bytes, like the two that follow.
    pub(crate) patient: &'a [u8],
    pub(crate) record: &'a [u8],
    pub(crate) field: &'a [u8],
    /// That of a deposit is 0.
    pub(crate) revision: Revision,
    /// The writer of a deposit; a reader's note has none.
    pub(crate) writer: Option<KeyFingerprint>,
}

impl<'a> Inner<'a> {
    /// Gives where the note stood, and the length of what precedes the note.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<(Self, usize)> {
        let mut reader = Reader::new(Object::Disclosure, bytes, INNER_MAGIC)?;
        let patient = reader.identifier("patient id")?;
        let record = reader.identifier("record id")?;
        let field = reader.identifier("field")?;
        let revision_offset = reader.offset();
        let revision = Revision::from_number(reader.u64("revision")?);
        let revision = revision.ok_or_else(|| reader.refuse("revision", revision_offset))?;
        let writer_offset = reader.offset();
        let writer = match reader.u8("writer")? {
            0 => None,
            1 => Some(KeyFingerprint(reader.array("writer")?)),
            _ => return Err(reader.refuse("writer", writer_offset)),
        };
        Ok((Self { patient, record, field, revision, writer }, reader.offset()))
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(&INNER_MAGIC);
        for identifier in [self.patient, self.record, self.field] {
            put_identifier(&mut out, identifier);
        }
        out.extend_from_slice(&self.revision.get().to_be_bytes());
        out.push(u8::from(self.writer.is_some()));
        if let Some(writer) = self.writer {
            out.extend_from_slice(&writer.0);
        }
        out
    }
}
