//! A rotation statement's bytes (FORMAT.md, "Rotation").

use alloc::vec::Vec;

use super::LEN_32;
use super::frame::{Framed, Signature};
use super::reader::Reader;
use super::writer::Writer;
use crate::digest::{Fingerprint, VaultId};
use crate::error::{Object, Result};

const MAGIC: [u8; 4] = *b"LKT\x01";

/// That one generation of a vault is followed by the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rotation {
    pub(crate) vault: VaultId,
    /// The new generation, from 2.
    pub(crate) generation: u32,
    pub(crate) old: Fingerprint,
    pub(crate) new: Fingerprint,
    /// Version and digest of the first roster of the new generation.
    pub(crate) roster_version: u64,
    pub(crate) roster_digest: [u8; LEN_32],
}

/// The signatures of the old root and of the new one.
pub(crate) type RootSignatures = [Signature; 2];

impl Rotation {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Framed<'_, Self, RootSignatures>> {
        let mut reader = Reader::new(Object::Rotation, bytes, MAGIC)?;
        let vault = VaultId(reader.array("vault id")?);
        let generation_offset = reader.offset();
        let generation = reader.u32("generation")?;
        reader.require("generation", generation_offset, generation >= 2)?;
        let old = Fingerprint(reader.array("old fingerprint")?);
        let new = Fingerprint(reader.array("new fingerprint")?);
        let version_offset = reader.offset();
        let roster_version = reader.u64("roster version")?;
        reader.require("roster version", version_offset, roster_version != 0)?;
        let roster_digest = reader.array("roster digest")?;
        let body = reader.body();
        let end = [reader.array("old root's signature")?, reader.array("new root's signature")?];
        reader.finish()?;
        Ok(Framed { value: Self { vault, generation, old, new, roster_version, roster_digest }, body, end })
    }

    /// Everything before the signatures.
    pub(crate) fn encode_body(&self) -> Vec<u8> {
        let mut out = Writer::new(MAGIC);
        out.bytes(&self.vault.0).u32(self.generation).bytes(&self.old.0).bytes(&self.new.0);
        out.u64(self.roster_version).bytes(&self.roster_digest);
        out.finish()
    }
}
