//! Labels: what keeps one use of a hash or key from another.

use alloc::vec::Vec;

use crate::ident::lp;

/// A label, written length-prefixed in front of every hash, HKDF info and signature input.
///
/// All of them are in `keys/labels.rs`; a test sees to it that no other file makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Label(&'static str);

impl Label {
    pub(crate) const fn new(text: &'static str) -> Self {
        Self(text)
    }

    pub(crate) const fn as_bytes(self) -> &'static [u8] {
        self.0.as_bytes()
    }

    /// The length byte in front of the label. A test holds every label under 256 bytes.
    pub(crate) const fn lp(self) -> [u8; 1] {
        lp(self.as_bytes())
    }

    /// `lp(label) || part || part ...`.
    ///
    /// Parts are concatenated as they are: the caller gives fixed lengths or length prefixes.
    pub(crate) fn frame(self, parts: &[&[u8]]) -> Vec<u8> {
        let length = parts.iter().fold(self.0.len().saturating_add(1), |sum, part| sum.saturating_add(part.len()));
        let mut framed = Vec::with_capacity(length);
        framed.extend_from_slice(&self.lp());
        framed.extend_from_slice(self.as_bytes());
        parts.iter().for_each(|part| framed.extend_from_slice(part));
        framed
    }
}
