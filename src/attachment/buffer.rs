//! Memory for the chunks that a stream holds.

use std::num::NonZeroUsize;
use std::ops::{Deref, DerefMut};

use zeroize::Zeroize;

use crate::chunked::{SEALED_CHUNK_LEN, SealedChunk};

/// One chunk or more, each with room for its tag. Wiped when dropped.
pub(super) struct Buffer(Vec<SealedChunk>);

impl Buffer {
    pub(super) fn new(chunks: NonZeroUsize) -> Self {
        Self(vec![[0; SEALED_CHUNK_LEN]; chunks.get()])
    }
}

impl Deref for Buffer {
    type Target = [SealedChunk];

    fn deref(&self) -> &[SealedChunk] {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [SealedChunk] {
        &mut self.0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.0.as_flattened_mut().zeroize();
    }
}

/// Copies as much as there is and as finds room, and gives its length.
pub(super) fn copy_some(from: &[u8], to: &mut [u8]) -> usize {
    let length = from.len().min(to.len());
    if let (Some(from), Some(to)) = (from.get(..length), to.get_mut(..length)) {
        to.copy_from_slice(from);
    }
    length
}
