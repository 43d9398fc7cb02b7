//! The opening half of a stream: any chunk of a payload, decrypted when it is asked for.

use std::io::{self, Read, Seek, SeekFrom};

use zeroize::Zeroizing;

use super::failure::uninterrupted;
use crate::chunked::{ChaCha20Poly1305, ChunkIndex, HEADER_LEN, Header, Layout, OpeningKey, SEALED_CHUNK_LEN, TAG_LEN};
use crate::error::{Error, Result};
use crate::keys::labels;
use crate::prim::hash::Hasher;

/// A payload in a source, opened chunk by chunk. Holds one chunk of plaintext, wiped when dropped.
pub(super) struct Chunks<R> {
    source: R,
    /// Where the payload begins in the source.
    offset: u64,
    layout: Layout,
    key: OpeningKey<ChaCha20Poly1305, 32>,
    /// One sealed chunk with its tag, decrypted in place.
    buffer: Zeroizing<Vec<u8>>,
    /// Which chunk the buffer holds, authenticated, and how many bytes it has.
    held: Option<(ChunkIndex, usize)>,
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
        payload_context: &[u8; 32],
    ) -> io::Result<Self> {
        let mut header = [0; HEADER_LEN];
        uninterrupted(|| source.seek(SeekFrom::Start(offset)))?;
        source.read_exact(&mut header)?;
        let (header, _) = Header::split(&header).ok_or(Error::NotAuthentic)?;
        let key = OpeningKey::derive_checked(record_key, &header, payload_context)?;
        let buffer = Zeroizing::new(vec![0; SEALED_CHUNK_LEN]);
        let mut chunks = Self { source, offset, layout, key, buffer, held: None };
        chunks.get(layout.last())?;
        Ok(chunks)
    }

    pub(super) const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The plaintext of a chunk: 16 KiB, or fewer of the last.
    ///
    /// # Errors
    /// The source's, `UnexpectedEof` if it has become shorter; [`Error::NotAuthentic`].
    pub(super) fn get(&mut self, index: ChunkIndex) -> io::Result<&[u8]> {
        let length = match self.held {
            Some((held, length)) if held == index => length,
            _ => self.load(index)?,
        };
        Ok(self.buffer.get(..length).unwrap_or_default())
    }

    fn load(&mut self, index: ChunkIndex) -> io::Result<usize> {
        // From here to its end nothing in the buffer is authenticated.
        self.held = None;
        let (start, length) = self.place(index).ok_or(Error::NotAuthentic)?;
        let sealed = self.buffer.get_mut(..length).ok_or(Error::NotAuthentic)?;
        uninterrupted(|| self.source.seek(SeekFrom::Start(start)))?;
        self.source.read_exact(sealed)?;
        let length = open_in_place(&self.key, index, sealed)?;
        self.held = Some((index, length));
        Ok(length)
    }

    /// Where a sealed chunk lies in the source, and its length.
    fn place(&self, index: ChunkIndex) -> Option<(u64, usize)> {
        let range = self.layout.sealed_chunk(index)?;
        let length = usize::try_from(range.end.checked_sub(range.start)?).ok()?;
        Some((self.offset.checked_add(range.start)?, length))
    }

    /// The digest by which a writer's signature names the payload, over all of it as it lies in the source.
    pub(super) fn payload_digest(&mut self) -> io::Result<[u8; 32]> {
        // The buffer serves for reading too.
        self.held = None;
        let mut hasher = Hasher::new(labels::PAYLOAD_DIGEST);
        let mut left = self.layout.sealed_len();
        uninterrupted(|| self.source.seek(SeekFrom::Start(self.offset)))?;
        while left > 0 {
            let length = usize::try_from(left).map_or(SEALED_CHUNK_LEN, |left| left.min(SEALED_CHUNK_LEN));
            let part = self.buffer.get_mut(..length).ok_or(Error::NotAuthentic)?;
            self.source.read_exact(part)?;
            hasher.update(part);
            left = u64::try_from(length).map_or(0, |length| left.saturating_sub(length));
        }
        Ok(hasher.finish())
    }
}

fn open_in_place(key: &OpeningKey<ChaCha20Poly1305, 32>, index: ChunkIndex, sealed: &mut [u8]) -> Result<usize> {
    let (chunk, tag) = sealed.split_last_chunk_mut::<TAG_LEN>().ok_or(Error::NotAuthentic)?;
    key.open(index, chunk, tag)?;
    Ok(chunk.len())
}
