//! The only owners of secret bytes.
//!
//! [`Secret`] lives on the heap, so that moving it leaves no copy behind; [`Scratch`] lives on the stack of one
//! operation and is only borrowed. Both are filled in place, wiped on drop, redacted in `Debug`, and neither `Copy`,
//! `Clone` nor comparable. [`Plaintext`] is an opened note.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

use zeroize::Zeroize;

use crate::error::Result;

/// Wipes all of the memory that a vector has, also behind its end.
///
/// As one slice: `zeroize` wipes slices in bulk, but a vector and an array byte by byte, which takes a third as long as
/// decrypting them.
pub(crate) fn wipe(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.capacity(), 0);
    bytes.as_mut_slice().zeroize();
    bytes.clear();
}

/// N secret bytes on the heap.
pub(crate) struct Secret<const N: usize>(Box<[u8; N]>);

impl<const N: usize> Secret<N> {
    /// Fills a new secret in place; on an error what was written is wiped.
    pub(crate) fn try_filled(fill: impl FnOnce(&mut [u8; N]) -> Result<()>) -> Result<Self> {
        let mut secret = Self(Box::new([0; N]));
        fill(&mut secret.0)?;
        Ok(secret)
    }

    /// Fills a new secret in place.
    pub(crate) fn filled(fill: impl FnOnce(&mut [u8; N])) -> Self {
        let mut secret = Self(Box::new([0; N]));
        fill(&mut secret.0);
        secret
    }

    /// Copies bytes that the caller owns and wipes.
    pub(crate) fn copied(bytes: &[u8; N]) -> Self {
        Self::filled(|secret| secret.copy_from_slice(bytes))
    }

    pub(crate) fn expose(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.0.as_mut_slice().zeroize();
    }
}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").finish_non_exhaustive()
    }
}

/// N secret bytes on the stack. Declare it where it is used, fill it through `as_mut`, and do not move it.
pub(crate) struct Scratch<const N: usize>([u8; N]);

impl<const N: usize> Scratch<N> {
    pub(crate) const fn zeroed() -> Self {
        Self([0; N])
    }

    pub(crate) fn expose(&self) -> &[u8; N] {
        &self.0
    }

    pub(crate) fn as_mut(&mut self) -> &mut [u8; N] {
        &mut self.0
    }
}

impl<const N: usize> Drop for Scratch<N> {
    fn drop(&mut self) {
        self.0.as_mut_slice().zeroize();
    }
}

impl<const N: usize> fmt::Debug for Scratch<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch").finish_non_exhaustive()
    }
}

/// An opened note. Wiped when dropped; `Debug` shows neither its bytes nor its length.
///
/// Security: a copy that the caller makes (`to_vec`, a `String`) is the caller's to wipe.
pub struct Plaintext(Vec<u8>);

impl Plaintext {
    pub(crate) const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The note's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Deref for Plaintext {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Plaintext {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Plaintext {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plaintext").finish_non_exhaustive()
    }
}

/// A secret as text, such as a share for a custodian. Wiped when dropped; `Debug` shows nothing of it.
pub struct SecretText(String);

impl SecretText {
    pub(crate) const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text, to be shown to the one person that it is for.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for SecretText {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretText").finish_non_exhaustive()
    }
}

/// A secret in bytes, such as a share or a member's seed on its way to safe storage. Wiped when dropped.
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    pub(crate) const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// The bytes, to be stored where only their owner reads them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretBytes").finish_non_exhaustive()
    }
}
