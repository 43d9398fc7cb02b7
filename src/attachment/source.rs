//! The opening half of a stream: any chunk of a payload, decrypted when it is asked for.

use std::io::{self, Read, Seek, SeekFrom};
use std::num::NonZeroUsize;

use super::buffer::Buffer;
use super::failure::uninterrupted;
use crate::chunked::{
    CHUNK_LEN, ChaCha20Poly1305, ChunkIndex, HEADER_LEN, Header, Layout, OpeningKey, SEALED_CHUNK_LEN, TAG_LEN,
};
use crate::digest::{PayloadContextId, PayloadDigest};
use crate::error::{Error, Result};
use crate::keys::labels;
use crate::prim::hash::Hasher;

/// A payload in a source, opened chunk by chunk. Holds one chunk of plaintext, or as many as it opens at once, wiped
/// when dropped.
pub(super) struct Chunks<R> {
    source: R,
    /// Where the payload begins in the source.
    offset: u64,
    layout: Layout,
    key: OpeningKey<ChaCha20Poly1305, 32>,
    /// Sealed chunks with their tags, decrypted in place.
    buffer: Buffer,
    held: Option<Held>,
}

/// Which chunks the buffer holds, authenticated: `first`, and so many after it.
#[derive(Clone, Copy)]
struct Held {
    first: ChunkIndex,
    further: usize,
    /// How many bytes the last of them has.
    last_len: usize,
}

impl Held {
    /// Where the buffer has this chunk, and how many bytes of it.
    fn find(&self, index: ChunkIndex) -> Option<(usize, usize)> {
        let position = usize::try_from(index.get().checked_sub(self.first.get())?).ok()?;
        let further = self.further.checked_sub(position)?;
        Some((position, if further == 0 { self.last_len } else { CHUNK_LEN }))
    }
}

impl<R: Read + Seek> Chunks<R> {
    /// Checks the commitment, and opens the last chunk.
    ///
    /// The last chunk is the only short one, and its number is in its nonce: where it opens, nobody has made the
    /// payload longer or shorter. So no byte is handed out before the length is known to be the true one.
    ///
    /// # Errors
    /// The source's; [`Error::NotAuthentic`].
    pub(super) fn open(
        mut source: R,
        offset: u64,
        layout: Layout,
        record_key: &[u8; 32],
        payload_context: PayloadContextId,
    ) -> io::Result<Self> {
        let mut header = [0; HEADER_LEN];
        uninterrupted(|| source.seek(SeekFrom::Start(offset)))?;
        source.read_exact(&mut header)?;
        let (header, _) = Header::split(&header).ok_or(Error::NotAuthentic)?;
        let key = OpeningKey::derive_checked(record_key, &header, payload_context.as_bytes())?;
        let buffer = Buffer::new(NonZeroUsize::MIN);
        let mut chunks = Self { source, offset, layout, key, buffer, held: None };
        chunks.get(layout.last())?;
        Ok(chunks)
    }

    /// Reads and opens so many chunks at once from now on, where it reads ahead.
    #[cfg(feature = "parallel")]
    pub(super) fn in_batches_of(mut self, count: NonZeroUsize) -> Self {
        self.held = None;
        self.buffer = Buffer::new(count);
        self
    }

    pub(super) const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The plaintext of a chunk: 16 KiB, or fewer of the last.
    ///
    /// # Errors
    /// The source's, `UnexpectedEof` if it has become shorter; [`Error::NotAuthentic`].
    pub(super) fn get(&mut self, index: ChunkIndex) -> io::Result<&[u8]> {
        self.get_ahead(index, 1)
    }

    /// The plaintext of a chunk; if it has to be read, those after it that find room are read too.
    ///
    /// # Errors
    /// As [`Chunks::get`], of any chunk that was read.
    pub(super) fn get_and_read_ahead(&mut self, index: ChunkIndex) -> io::Result<&[u8]> {
        self.get_ahead(index, self.buffer.len())
    }

    fn get_ahead(&mut self, index: ChunkIndex, most: usize) -> io::Result<&[u8]> {
        let place = match self.held.and_then(|held| held.find(index)) {
            Some(place) => Some(place),
            None => self.load(index, most)?.find(index),
        };
        let (position, length) = place.ok_or(Error::NotAuthentic)?;
        Ok(self.buffer.get(position).and_then(|chunk| chunk.get(..length)).unwrap_or_default())
    }

    /// Loads full chunks from this one on, `most` of them, or the last chunk, which is not full.
    fn load(&mut self, first: ChunkIndex, most: usize) -> io::Result<Held> {
        // From here to its end nothing in the buffer is authenticated.
        self.held = None;
        let (start, length) = self.place(first).ok_or(Error::NotAuthentic)?;
        uninterrupted(|| self.source.seek(SeekFrom::Start(start)))?;
        let full_left = self.layout.last().get().saturating_sub(first.get());
        let held = match usize::try_from(full_left).unwrap_or(usize::MAX).min(most).checked_sub(1) {
            Some(further) => {
                let chunks = self.buffer.get_mut(..=further).ok_or(Error::NotAuthentic)?;
                self.source.read_exact(chunks.as_flattened_mut())?;
                self.key.open_full_batch(first, chunks)?;
                Held { first, further, last_len: CHUNK_LEN }
            }
            None => {
                let sealed = self.buffer.as_flattened_mut().get_mut(..length).ok_or(Error::NotAuthentic)?;
                self.source.read_exact(sealed)?;
                Held { first, further: 0, last_len: open_in_place(&self.key, first, sealed)? }
            }
        };
        self.held = Some(held);
        Ok(held)
    }

    /// Where a sealed chunk lies in the source, and its length.
    fn place(&self, index: ChunkIndex) -> Option<(u64, usize)> {
        let range = self.layout.sealed_chunk(index)?;
        let length = usize::try_from(range.end.checked_sub(range.start)?).ok()?;
        Some((self.offset.checked_add(range.start)?, length))
    }

    /// The digest by which a writer's signature names the payload, over all of it as it lies in the source.
    pub(super) fn payload_digest(&mut self) -> io::Result<PayloadDigest> {
        // The buffer serves for reading too.
        self.held = None;
        let mut hasher = Hasher::new(labels::PAYLOAD_DIGEST);
        let mut left = self.layout.sealed_len();
        uninterrupted(|| self.source.seek(SeekFrom::Start(self.offset)))?;
        while left > 0 {
            let length = usize::try_from(left).map_or(SEALED_CHUNK_LEN, |left| left.min(SEALED_CHUNK_LEN));
            let part = self.buffer.as_flattened_mut().get_mut(..length).ok_or(Error::NotAuthentic)?;
            self.source.read_exact(part)?;
            hasher.update(part);
            left = u64::try_from(length).map_or(0, |length| left.saturating_sub(length));
        }
        Ok(PayloadDigest(hasher.finish()))
    }
}

fn open_in_place(key: &OpeningKey<ChaCha20Poly1305, 32>, index: ChunkIndex, sealed: &mut [u8]) -> Result<usize> {
    let (chunk, tag) = sealed.split_last_chunk_mut::<TAG_LEN>().ok_or(Error::NotAuthentic)?;
    key.open(index, chunk, tag)?;
    Ok(chunk.len())
}
