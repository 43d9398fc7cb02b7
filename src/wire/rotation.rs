//! A rotation statement's bytes (FORMAT.md, "Rotation").

use alloc::vec::Vec;

use super::reader::Reader;
use super::{LEN_32, SIGNATURE_LEN};
use crate::error::{Object, Result};
use crate::ident::{Fingerprint, VaultId};

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
pub(crate) type RootSignatures = [[u8; SIGNATURE_LEN]; 2];

impl Rotation {
    /// Gives the statement, the signed bytes and the signatures.
    pub(crate) fn parse(bytes: &[u8]) -> Result<(Self, &[u8], RootSignatures)> {
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
        let (body, _) = bytes.split_at_checked(reader.offset()).unwrap_or((bytes, &[]));
        let signatures = [reader.array("old root's signature")?, reader.array("new root's signature")?];
        reader.finish()?;
        Ok((Self { vault, generation, old, new, roster_version, roster_digest }, body, signatures))
    }

    /// Everything before the signatures.
    pub(crate) fn encode_body(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&self.vault.0);
        out.extend_from_slice(&self.generation.to_be_bytes());
        out.extend_from_slice(&self.old.0);
        out.extend_from_slice(&self.new.0);
        out.extend_from_slice(&self.roster_version.to_be_bytes());
        out.extend_from_slice(&self.roster_digest);
        out
    }
}
