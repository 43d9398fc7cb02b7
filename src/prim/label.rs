//! Labels: what keeps one use of a hash or key from another.

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

    /// The one-byte length in front of the label. A test holds every label under 256 bytes.
    #[allow(clippy::cast_possible_truncation)]
    pub(crate) const fn prefix(self) -> [u8; 1] {
        [self.0.len() as u8]
    }
}
