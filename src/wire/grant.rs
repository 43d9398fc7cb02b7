//! A grant's bytes (FORMAT.md, "Grant").

use alloc::vec::Vec;

use super::reader::Reader;
use crate::error::{Object, Result};
use crate::ident::{CardId, KeyFingerprint, Suite, VaultId};

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
pub(crate) struct Grant<'a> {
    pub(crate) suite: Suite,
    pub(crate) vault: VaultId,
    pub(crate) card: CardId,
    pub(crate) recipient: Recipient,
    /// Encapsulation, 32 bytes and tag, as long as the suite says.
    pub(crate) sealed: &'a [u8],
}

impl<'a> Grant<'a> {
    /// Gives the grant and everything before the sealed secret, which is its associated data.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<(Self, &'a [u8])> {
        let mut reader = Reader::new(Object::Grant, bytes, MAGIC)?;
        let suite = reader.suite()?;
        let vault = VaultId(reader.array("vault id")?);
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
        let (head, _) = bytes.split_at_checked(reader.offset()).unwrap_or((bytes, &[]));
        let sealed = reader.bytes("sealed secret", suite.sealed_secret_len())?;
        reader.finish()?;
        Ok((Self { suite, vault, card, recipient, sealed }, head))
    }

    /// Everything before the sealed secret.
    pub(crate) fn encode_head(suite: Suite, vault: &VaultId, card: &CardId, recipient: &Recipient) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&suite.kem_id().to_be_bytes());
        out.extend_from_slice(&vault.0);
        out.extend_from_slice(&card.0);
        match recipient {
            Recipient::Master { generation, key } => {
                out.push(1);
                out.extend_from_slice(&generation.to_be_bytes());
                out.extend_from_slice(&key.0);
            }
            Recipient::Member(key) => {
                out.push(2);
                out.extend_from_slice(&key.0);
            }
        }
        out
    }
}
