//! The descriptor's bytes (FORMAT.md, "Descriptor").

use alloc::vec::Vec;

use super::LEN_32;
use super::frame::Field;
use super::reader::Reader;
use super::writer::Writer;
use crate::error::{Object, Result};
use crate::ident::Scope;

const MAGIC: [u8; 4] = *b"LKD\x01";

/// Everything public about one generation of a vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Descriptor<'a> {
    pub(crate) scope: Scope,
    /// 1 for the first master secret.
    pub(crate) generation: u32,
    /// The threshold, 2 <= k <= n.
    pub(crate) k: u8,
    /// The number of shares.
    pub(crate) n: u8,
    /// The master HPKE key, as long as the suite says.
    pub(crate) master_key: Field<&'a [u8]>,
    pub(crate) root_key: Field<[u8; LEN_32]>,
    pub(crate) registrar_key: Field<[u8; LEN_32]>,
    /// n digests of 32 bytes, that of share x at position x - 1.
    pub(crate) share_digests: &'a [u8],
}

impl<'a> Descriptor<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(Object::Descriptor, bytes, MAGIC)?;
        let scope = reader.scope()?;
        let generation = reader.positive_u32("generation")?;
        let policy_offset = reader.offset();
        let k = reader.u8("k")?;
        let n = reader.u8("n")?;
        reader.require("k", policy_offset, 2 <= k && k <= n)?;
        let master_key = reader.field(|reader| reader.bytes("master key", scope.suite.public_key_len()))?;
        let root_key = reader.field(|reader| reader.array("root key"))?;
        let registrar_key = reader.field(|reader| reader.array("registrar key"))?;
        let share_digests = reader.bytes("share digests", usize::from(n).saturating_mul(LEN_32))?;
        reader.finish()?;
        Ok(Self { scope, generation, k, n, master_key, root_key, registrar_key, share_digests })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new(MAGIC);
        out.scope(&self.scope).u32(self.generation).u8(self.k).u8(self.n);
        out.bytes(self.master_key.value).bytes(&self.root_key.value).bytes(&self.registrar_key.value);
        out.bytes(self.share_digests);
        out.finish()
    }
}
