//! A record's bytes (FORMAT.md, "Record").

use super::reader::Reader;
use crate::error::{Object, Result};
use crate::ident::{CardId, Suite};

const MAGIC: [u8; 4] = *b"LKN\x01";
/// Length of everything before the payload on the reader's path, in bytes.
pub(crate) const READER_HEAD_LEN: usize = 120;

/// The path of a record that a reader sealed.
pub(crate) const PATH_READER: u8 = 1;

/// What stands in a record before the wrapped key; its values are bound in the contexts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) suite: Suite,
    pub(crate) card: CardId,
    pub(crate) revision: u64,
    /// 0 none, 1 Padmé.
    pub(crate) padding: u8,
}

/// A record sealed by a reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub(crate) head: Head,
    pub(crate) wrap_nonce: &'a [u8; 24],
    pub(crate) wrapped_key: &'a [u8; 32],
    pub(crate) wrap_tag: &'a [u8; 16],
    pub(crate) payload_offset: usize,
    /// Salt, commitment and chunks; the room `chunked` reads it.
    pub(crate) payload: &'a [u8],
}

impl<'a> Record<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(Object::Record, bytes, MAGIC)?;
        let suite = reader.suite()?;
        let path_offset = reader.offset();
        let path = reader.u8("path")?;
        reader.require("path", path_offset, path == PATH_READER)?;
        let card = CardId(reader.array("card id")?);
        let revision_offset = reader.offset();
        let revision = reader.u64("revision")?;
        reader.require("revision", revision_offset, revision != 0 && revision != u64::MAX)?;
        let padding_offset = reader.offset();
        let padding = reader.u8("padding")?;
        reader.require("padding", padding_offset, padding <= 1)?;
        let wrap_nonce = reader.array_ref("wrap nonce")?;
        let wrapped_key = reader.array_ref("wrapped key")?;
        let wrap_tag = reader.array_ref("wrap tag")?;
        let payload_offset = reader.offset();
        let head = Head { suite, card, revision, padding };
        Ok(Self { head, wrap_nonce, wrapped_key, wrap_tag, payload_offset, payload: reader.rest() })
    }
}

impl Head {
    /// The bytes before the payload: magic, suite, path, card id, revision, padding, wrap nonce, wrapped key and tag.
    pub(crate) fn encode(
        &self,
        wrap_nonce: &[u8; 24],
        wrapped_key: &[u8; 32],
        wrap_tag: &[u8; 16],
    ) -> [u8; READER_HEAD_LEN] {
        let suite = self.suite.kem_id().to_be_bytes();
        let revision = self.revision.to_be_bytes();
        let path = [PATH_READER];
        let padding = [self.padding];
        let fields: [&[u8]; 9] =
            [&MAGIC, &suite, &path, &self.card.0, &revision, &padding, wrap_nonce, wrapped_key, wrap_tag];
        let mut out = [0; READER_HEAD_LEN];
        for (slot, byte) in out.iter_mut().zip(fields.into_iter().flatten()) {
            *slot = *byte;
        }
        out
    }
}
