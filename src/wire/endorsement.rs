//! An endorsement's bytes (FORMAT.md, "Endorsement").

use alloc::vec::Vec;

use super::reader::Reader;
use super::{LEN_32, SIGNATURE_LEN};
use crate::error::{Object, Result};
use crate::ident::{CardId, KeyFingerprint, VaultId};

const MAGIC: [u8; 4] = *b"LKE\x01";

/// Who signed an endorsement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endorser {
    Member(KeyFingerprint),
    Root,
}

/// What vouches for a card and for its master grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endorsement {
    pub(crate) vault: VaultId,
    pub(crate) card: CardId,
    pub(crate) generation: u32,
    pub(crate) master_grant: [u8; LEN_32],
    /// Version of the roster that the endorser saw.
    pub(crate) roster_seen: u64,
    pub(crate) endorser: Endorser,
}

impl Endorsement {
    /// Gives the endorsement, the signed bytes and the signature.
    pub(crate) fn parse(bytes: &[u8]) -> Result<(Self, &[u8], [u8; SIGNATURE_LEN])> {
        let mut reader = Reader::new(Object::Endorsement, bytes, MAGIC)?;
        let vault = VaultId(reader.array("vault id")?);
        let card = CardId(reader.array("card id")?);
        let generation = reader.positive_u32("generation")?;
        let master_grant = reader.array("master grant digest")?;
        let roster_seen = reader.u64("roster version")?;
        let endorser_offset = reader.offset();
        let endorser = match reader.u8("endorser")? {
            1 => Endorser::Member(KeyFingerprint(reader.array("endorser")?)),
            2 => Endorser::Root,
            _ => return Err(reader.refuse("endorser", endorser_offset)),
        };
        let (body, _) = bytes.split_at_checked(reader.offset()).unwrap_or((bytes, &[]));
        let signature = reader.array("signature")?;
        reader.finish()?;
        Ok((Self { vault, card, generation, master_grant, roster_seen, endorser }, body, signature))
    }

    /// Everything before the signature.
    pub(crate) fn encode_body(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&self.vault.0);
        out.extend_from_slice(&self.card.0);
        out.extend_from_slice(&self.generation.to_be_bytes());
        out.extend_from_slice(&self.master_grant);
        out.extend_from_slice(&self.roster_seen.to_be_bytes());
        match self.endorser {
            Endorser::Member(key) => {
                out.push(1);
                out.extend_from_slice(&key.0);
            }
            Endorser::Root => out.push(2),
        }
        out
    }
}
