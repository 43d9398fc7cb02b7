//! Reads fields in order, remembers where it is, and never past the end.

use super::frame::{Field, Framed, Signed};
use crate::choice::Suite;
use crate::digest::VaultId;
use crate::error::{Error, Object, Result};
use crate::ident::{Identifier, Scope};

/// A cursor over one object's bytes; every refusal names the object, the field and its offset.
pub(crate) struct Reader<'a> {
    object: Object,
    whole: &'a [u8],
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts to read an object, magic first.
    pub(crate) fn new(object: Object, bytes: &'a [u8], magic: [u8; 4]) -> Result<Self> {
        let mut reader = Self { object, whole: bytes, left: bytes };
        let met: [u8; 4] = reader.array("magic")?;
        reader.require("magic", 0, met == magic)?;
        Ok(reader)
    }

    /// Offset of the next field, in bytes.
    pub(crate) const fn offset(&self) -> usize {
        self.whole.len().saturating_sub(self.left.len())
    }

    /// The refusal of the field that begins at `offset`.
    pub(crate) const fn refuse(&self, field: &'static str, offset: usize) -> Error {
        Error::malformed(self.object, field, offset)
    }

    /// Refuses the field unless `holds`.
    pub(crate) const fn require(&self, field: &'static str, offset: usize, holds: bool) -> Result<()> {
        if holds { Ok(()) } else { Err(self.refuse(field, offset)) }
    }

    /// A field with its place, for the room that judges it.
    pub(crate) fn field<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<Field<T>> {
        let offset = self.offset();
        Ok(Field { value: read(self)?, offset })
    }

    pub(crate) fn bytes(&mut self, field: &'static str, length: usize) -> Result<&'a [u8]> {
        let (head, tail) = self.left.split_at_checked(length).ok_or_else(|| self.refuse(field, self.offset()))?;
        self.left = tail;
        Ok(head)
    }

    pub(crate) fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N]> {
        self.array_ref(field).copied()
    }

    pub(crate) fn array_ref<const N: usize>(&mut self, field: &'static str) -> Result<&'a [u8; N]> {
        let (head, tail) = self.left.split_first_chunk().ok_or_else(|| self.refuse(field, self.offset()))?;
        self.left = tail;
        Ok(head)
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8> {
        self.array(field).map(u8::from_be_bytes)
    }

    /// One byte that names one of several values, or is refused.
    pub(crate) fn choice<T>(&mut self, field: &'static str, from_byte: impl FnOnce(u8) -> Option<T>) -> Result<T> {
        let offset = self.offset();
        from_byte(self.u8(field)?).ok_or_else(|| self.refuse(field, offset))
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32> {
        self.array(field).map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self, field: &'static str) -> Result<u64> {
        self.array(field).map(u64::from_be_bytes)
    }

    /// A version or generation: 1 to 2^32 - 1.
    pub(crate) fn positive_u32(&mut self, field: &'static str) -> Result<u32> {
        let offset = self.offset();
        let number = self.u32(field)?;
        self.require(field, offset, number != 0)?;
        Ok(number)
    }

    /// An identifier: one length byte, 1 to 255, and as many bytes.
    pub(crate) fn identifier(&mut self, field: &'static str) -> Result<Identifier<'a>> {
        let offset = self.offset();
        let length = self.u8(field)?;
        self.require(field, offset, length != 0)?;
        Identifier::new(self.bytes(field, usize::from(length))?)
    }

    /// The KEM identifier of a suite that this version knows.
    pub(crate) fn suite(&mut self) -> Result<Suite> {
        let offset = self.offset();
        let id = self.array("suite").map(u16::from_be_bytes)?;
        Suite::from_kem_id(id).ok_or_else(|| self.refuse("suite", offset))
    }

    /// Suite and vault id.
    pub(crate) fn scope(&mut self) -> Result<Scope> {
        Ok(Scope { suite: self.suite()?, vault: VaultId(self.array("vault id")?) })
    }

    /// The bytes that were read until now.
    pub(crate) fn body(&self) -> &'a [u8] {
        self.whole.get(..self.offset()).unwrap_or_default()
    }

    /// Ends an object that ends in a signature over all before.
    pub(crate) fn signed<T>(mut self, value: T) -> Result<Signed<'a, T>> {
        let body = self.body();
        let end = self.array("signature")?;
        self.finish()?;
        Ok(Framed { value, body, end })
    }

    /// All that is left.
    pub(crate) const fn rest(self) -> Field<&'a [u8]> {
        Field { value: self.left, offset: self.offset() }
    }

    /// Ends the object: nothing may be left.
    pub(crate) fn finish(self) -> Result<()> {
        self.require("trailing bytes", self.offset(), self.left.is_empty())
    }
}
