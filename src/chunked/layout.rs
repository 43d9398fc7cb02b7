//! Lengths and offsets of a message: public arithmetic, no key.

use core::ops::Range;

use super::{CHUNK_LEN, HEADER_LEN, SEALED_CHUNK_LEN, TAG_LEN};

const CHUNK: u64 = CHUNK_LEN as u64;
const TAG: u64 = TAG_LEN as u64;
const SEALED_CHUNK: u64 = SEALED_CHUNK_LEN as u64;
const HEADER: u64 = HEADER_LEN as u64;

/// The number of a chunk, counted from zero and below 2^38.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkIndex(u64);

impl ChunkIndex {
    /// The first chunk, number 0.
    pub const FIRST: Self = Self(0);
    /// The last number that there is, 2^38 - 1: a message has at most 2^38 chunks ("Message chunking").
    pub const MAX: Self = Self((1 << 38) - 1);

    /// A number below 2^38; `None` for any other.
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        if number <= Self::MAX.0 { Some(Self(number)) } else { None }
    }

    /// The number after this one; `None` after 2^38 - 1.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        Self::new(self.0.saturating_add(1))
    }

    /// The number that is so many after this one; `None` above 2^38 - 1.
    #[must_use]
    pub fn after(self, count: usize) -> Option<Self> {
        let count = u64::try_from(count).ok()?;
        Self::new(self.0.saturating_add(count))
    }

    /// The chunk that holds the plaintext byte at `offset`, and where in that chunk; `None` beyond 4 PiB.
    #[must_use]
    pub const fn containing(offset: u64) -> Option<(Self, u64)> {
        match Self::new(offset / CHUNK) {
            Some(index) => Some((index, offset % CHUNK)),
            None => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// Why no message has this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadLength {
    /// The message stops after a full chunk: its end is missing.
    Truncated,
    /// The header or a tag is incomplete.
    Impossible,
    /// The message would have more than 2^38 chunks.
    TooLong,
}

/// How a message of some length is divided. There is one layout for each plaintext length, and one length for each.
///
/// Source: c2sp.org/chunked-encryption@v1, "Message chunking" and "Implementation notes".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    last: ChunkIndex,
    plaintext_len: u64,
    sealed_len: u64,
}

impl Layout {
    /// The layout of a plaintext of `len` bytes, 0 to 4 PiB - 1.
    ///
    /// # Errors
    /// [`BadLength::TooLong`] above.
    pub fn of_plaintext(len: u64) -> Result<Self, BadLength> {
        let (last, last_len) = ChunkIndex::containing(len).ok_or(BadLength::TooLong)?;
        let sealed_len = last.sealed_offset().and_then(|start| start.checked_add(last_len)?.checked_add(TAG));
        Ok(Self { last, plaintext_len: len, sealed_len: sealed_len.ok_or(BadLength::TooLong)? })
    }

    /// The layout of a whole sealed message of `len` bytes, header included; the shortest has 72.
    ///
    /// # Errors
    /// [`BadLength`], for a length that no message has.
    pub fn of_sealed(len: u64) -> Result<Self, BadLength> {
        // "Implementation notes": 56 + k * (16 KiB + 16) is truncated; below 56, or less than a tag above that,
        // is invalid.
        let body = len.checked_sub(HEADER).ok_or(BadLength::Impossible)?;
        let (full_chunks, rest) = (body / SEALED_CHUNK, body % SEALED_CHUNK);
        if rest == 0 {
            return Err(BadLength::Truncated);
        }
        let last_len = rest.checked_sub(TAG).ok_or(BadLength::Impossible)?;
        let last = ChunkIndex::new(full_chunks).ok_or(BadLength::TooLong)?;
        let plaintext_len = full_chunks.checked_mul(CHUNK).and_then(|full| full.checked_add(last_len));
        Ok(Self { last, plaintext_len: plaintext_len.ok_or(BadLength::TooLong)?, sealed_len: len })
    }

    /// The last chunk, the only one that is shorter than 16 KiB.
    #[must_use]
    pub const fn last(&self) -> ChunkIndex {
        self.last
    }

    /// Length of the plaintext, in bytes.
    #[must_use]
    pub const fn plaintext_len(&self) -> u64 {
        self.plaintext_len
    }

    /// Length of the sealed message, in bytes: header, chunks and tags.
    #[must_use]
    pub const fn sealed_len(&self) -> u64 {
        self.sealed_len
    }

    /// Where chunk `index` lies in the sealed message, with its tag; `None` if there is no such chunk.
    #[must_use]
    pub fn sealed_chunk(&self, index: ChunkIndex) -> Option<Range<u64>> {
        let start = index.sealed_offset().filter(|_| index <= self.last)?;
        Some(start..start.checked_add(SEALED_CHUNK)?.min(self.sealed_len))
    }
}

impl ChunkIndex {
    /// Chunk k begins at 56 + k * (16 KiB + 16) in the sealed message ("Implementation notes").
    fn sealed_offset(self) -> Option<u64> {
        self.0.checked_mul(SEALED_CHUNK)?.checked_add(HEADER)
    }
}
