//! Writes fields in order: the twin of the reader.

use alloc::vec::Vec;

use crate::ident::{Identifier, Scope};

/// Appends one object's fields to a vector.
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    /// Begins an object, magic first.
    pub(crate) fn new(magic: [u8; 4]) -> Self {
        Self::behind(Vec::new(), magic)
    }

    /// Begins an object behind bytes that are there already.
    pub(crate) fn behind(bytes: Vec<u8>, magic: [u8; 4]) -> Self {
        let mut writer = Self(bytes);
        writer.bytes(&magic);
        writer
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn u8(&mut self, number: u8) -> &mut Self {
        self.bytes(&[number])
    }

    pub(crate) fn u32(&mut self, number: u32) -> &mut Self {
        self.bytes(&number.to_be_bytes())
    }

    pub(crate) fn u64(&mut self, number: u64) -> &mut Self {
        self.bytes(&number.to_be_bytes())
    }

    /// A count of items that are in memory, which are fewer than 2^32.
    pub(crate) fn count(&mut self, items: usize) -> &mut Self {
        self.u32(u32::try_from(items).unwrap_or(u32::MAX))
    }

    /// One length byte, and the identifier.
    pub(crate) fn identifier(&mut self, identifier: Identifier<'_>) -> &mut Self {
        self.bytes(&identifier.lp()).bytes(identifier.as_bytes())
    }

    /// Suite and vault id.
    pub(crate) fn scope(&mut self, scope: &Scope) -> &mut Self {
        self.bytes(&scope.to_bytes())
    }

    /// The bytes.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}
