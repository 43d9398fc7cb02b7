//! A grant's bytes (FORMAT.md, "Grant").

use alloc::vec::Vec;

use super::frame::Framed;
use super::reader::Reader;
use super::writer::Writer;
use crate::digest::{CardId, KeyFingerprint};
use crate::error::{Object, Result};
use crate::ident::Scope;

const MAGIC: [u8; 4] = *b"LKG\x01";

/// Whom a grant is addressed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recipient {
    /// The master key of a generation.
    Master { generation: u32, key: KeyFingerprint },
    /// A member's key.
    Member(KeyFingerprint),
}

/// A patient secret wrapped to one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) scope: Scope,
    pub(crate) card: CardId,
    pub(crate) recipient: Recipient,
}

impl Grant {
    /// The body is the associated data of the sealed secret behind it: encapsulation, 32 bytes and tag.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Framed<'_, Self, &[u8]>> {
        let mut reader = Reader::new(Object::Grant, bytes, MAGIC)?;
        let scope = reader.scope()?;
        let card = CardId(reader.array("card id")?);
        let recipient_offset = reader.offset();
        let recipient = match reader.u8("recipient")? {
            1 => Recipient::Master {
                generation: reader.positive_u32("generation")?,
                key: KeyFingerprint(reader.array("recipient key")?),
            },
            2 => Recipient::Member(KeyFingerprint(reader.array("recipient key")?)),
            _ => return Err(reader.refuse("recipient", recipient_offset)),
        };
        let body = reader.body();
        let end = reader.bytes("sealed secret", scope.suite.sealed_secret_len())?;
        reader.finish()?;
        Ok(Framed { value: Self { scope, card, recipient }, body, end })
    }

    /// Everything before the sealed secret.
    pub(crate) fn encode_body(&self) -> Vec<u8> {
        let mut out = Writer::new(MAGIC);
        out.scope(&self.scope).bytes(&self.card.0);
        match &self.recipient {
            Recipient::Master { generation, key } => out.u8(1).u32(*generation).bytes(&key.0),
            Recipient::Member(key) => out.u8(2).bytes(&key.0),
        };
        out.finish()
    }
}
