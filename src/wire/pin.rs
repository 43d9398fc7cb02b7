//! A pin's bytes (FORMAT.md, "Pin").

use alloc::vec::Vec;

use super::LEN_32;
use super::frame::Framed;
use super::reader::Reader;
use super::writer::Writer;
use crate::digest::Fingerprint;
use crate::error::{Object, Result};

const MAGIC: [u8; 4] = *b"LKP\x01";

/// What a client remembers of a vault, and a checksum over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pin {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) generation: u32,
    /// 0 until a roster was seen.
    pub(crate) roster_version: u64,
    /// Digest of that roster; zeros until one was seen.
    pub(crate) roster_digest: [u8; LEN_32],
}

impl Pin {
    /// The checksum over the body stands behind it.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Framed<'_, Self, [u8; LEN_32]>> {
        let mut reader = Reader::new(Object::Pin, bytes, MAGIC)?;
        let fingerprint = Fingerprint(reader.array("fingerprint")?);
        let generation = reader.positive_u32("generation")?;
        let roster_version = reader.u64("roster version")?;
        let digest_offset = reader.offset();
        let roster_digest = reader.array("roster digest")?;
        reader.require("roster digest", digest_offset, (roster_version == 0) == (roster_digest == [0; LEN_32]))?;
        let body = reader.body();
        let end = reader.array("checksum")?;
        reader.finish()?;
        Ok(Framed { value: Self { fingerprint, generation, roster_version, roster_digest }, body, end })
    }

    /// Everything before the checksum.
    pub(crate) fn encode_body(&self) -> Vec<u8> {
        let mut out = Writer::new(MAGIC);
        out.bytes(&self.fingerprint.0).u32(self.generation).u64(self.roster_version).bytes(&self.roster_digest);
        out.finish()
    }
}
