//! An endorsement's bytes (FORMAT.md, "Endorsement").

use alloc::vec::Vec;

use super::LEN_32;
use super::frame::Signed;
use super::reader::Reader;
use super::writer::Writer;
use crate::digest::{CardId, KeyFingerprint, VaultId};
use crate::error::{Object, Result};

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
    pub(crate) fn parse(bytes: &[u8]) -> Result<Signed<'_, Self>> {
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
        reader.signed(Self { vault, card, generation, master_grant, roster_seen, endorser })
    }

    /// Everything before the signature.
    pub(crate) fn encode_body(&self) -> Vec<u8> {
        let mut out = Writer::new(MAGIC);
        out.bytes(&self.vault.0).bytes(&self.card.0).u32(self.generation);
        out.bytes(&self.master_grant).u64(self.roster_seen);
        match &self.endorser {
            Endorser::Member(key) => out.u8(1).bytes(&key.0),
            Endorser::Root => out.u8(2),
        };
        out.finish()
    }
}
