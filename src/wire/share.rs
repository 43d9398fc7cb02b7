//! A share's bytes (FORMAT.md, "Share").

use super::reader::Reader;
use super::{LEN_32, write_fields};
use crate::digest::VaultId;
use crate::error::{Object, Result};

const MAGIC: [u8; 4] = *b"LKS\x01";

/// Length of an encoded share, in bytes.
pub(crate) const SHARE_LEN: usize = 75;

/// One custodian's point of the polynomial, and what it belongs to.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Share<'a> {
    pub(crate) vault: VaultId,
    pub(crate) generation: u32,
    pub(crate) k: u8,
    pub(crate) n: u8,
    /// 1 <= x <= n.
    pub(crate) x: u8,
    pub(crate) y: &'a [u8; LEN_32],
}

impl<'a> Share<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(Object::Share, bytes, MAGIC)?;
        let vault = VaultId(reader.array("vault id")?);
        let generation = reader.positive_u32("generation")?;
        let k_offset = reader.offset();
        let k = reader.u8("k")?;
        let n = reader.u8("n")?;
        reader.require("k", k_offset, 2 <= k && k <= n)?;
        let x_offset = reader.offset();
        let x = reader.u8("x")?;
        reader.require("x", x_offset, 1 <= x && x <= n)?;
        let y = reader.array_ref("y")?;
        reader.finish()?;
        Ok(Self { vault, generation, k, n, x, y })
    }

    /// Writes into memory that the caller wipes.
    pub(crate) fn encode_into(&self, out: &mut [u8; SHARE_LEN]) {
        let generation = self.generation.to_be_bytes();
        write_fields(out, &[&MAGIC, &self.vault.0, &generation, &[self.k, self.n, self.x], self.y]);
    }
}
