//! A whole message at once, sealed into and opened into the end of a vector.

use alloc::vec::Vec;

use zeroize::Zeroize;

use super::{
    BadLength, CHUNK_LEN, COMMITMENT_LEN, ChunkIndex, Instantiation, KeySlot, Layout, OpeningKey, SALT_LEN,
    SEALED_CHUNK_LEN, SealingKey,
};
use crate::error::{Error, Result, Usage};

/// The first 56 bytes of a message: the salt (24) and the key commitment (32).
#[derive(Debug, Clone, Copy)]
pub struct Header<'a> {
    salt: &'a [u8; SALT_LEN],
    commitment: &'a [u8; COMMITMENT_LEN],
}

impl<'a> Header<'a> {
    /// Splits the header from what follows it; `None` below 56 bytes.
    #[must_use]
    pub fn split(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (salt, bytes) = bytes.split_first_chunk()?;
        let (commitment, bytes) = bytes.split_first_chunk()?;
        Some((Self { salt, commitment }, bytes))
    }

    pub(super) const fn salt(&self) -> &'a [u8; SALT_LEN] {
        self.salt
    }

    pub(super) const fn commitment(&self) -> &'a [u8; COMMITMENT_LEN] {
        self.commitment
    }
}

/// The bytes of a sealed message, of a length that a message can have. Nothing in them has been authenticated.
#[derive(Debug, Clone, Copy)]
pub struct SealedMessage<'a> {
    header: Header<'a>,
    chunks: &'a [u8],
    layout: Layout,
}

impl<'a> SealedMessage<'a> {
    /// Takes all bytes of a message, 72 or more.
    ///
    /// # Errors
    /// [`BadLength`], for a length that no message has. It is public, and no key has been touched.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BadLength> {
        let layout = Layout::of_sealed(u64::try_from(bytes.len()).map_err(|_| BadLength::TooLong)?)?;
        let (header, chunks) = Header::split(bytes).ok_or(BadLength::Impossible)?;
        Ok(Self { header, chunks, layout })
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Header<'a> {
        &self.header
    }

    /// Lengths and offsets.
    #[must_use]
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }
}

/// Appends a sealed message to `out`: the 56-byte header, and `parts` one after the other followed by `zeros` zero
/// bytes, in chunks.
///
/// The plaintext is copied to its place in `out` and encrypted there. `out` grows once, by [`Layout::sealed_len`];
/// if it has to move, its old place is not wiped.
///
/// # Errors
/// [`Usage::TooLong`] if the message does not fit into memory. On any error `out` is as before, and what had been
/// appended is wiped.
///
/// Security: `input_key` is uniformly random, and `salt` is never used with it again.
///
/// Source: c2sp.org/chunked-encryption@v1, with everything known in advance.
pub fn seal_append<I: Instantiation<KEY_LEN>, const KEY_LEN: usize>(
    input_key: &[u8; KEY_LEN],
    salt: &[u8; SALT_LEN],
    context: &[u8],
    parts: &[&[u8]],
    zeros: usize,
    out: &mut Vec<u8>,
) -> Result<()> {
    let plaintext_len = parts.iter().try_fold(zeros, |sum, part| sum.checked_add(part.len())).ok_or(Usage::TooLong)?;
    let layout = Layout::of_plaintext(u64::try_from(plaintext_len).map_err(|_| Usage::TooLong)?);
    reserve(out, layout.map_err(|_| Usage::TooLong)?.sealed_len())?;
    let mut slot = KeySlot::empty();
    let key = SealingKey::<I, KEY_LEN, _>::derive_in(&mut slot, input_key, salt, context);
    or_undo(out, |out| {
        out.extend_from_slice(salt);
        out.extend_from_slice(key.commitment());
        let mut sealer = Sealer { key, pending: 0, out };
        parts.iter().try_for_each(|part| sealer.push(part))?;
        sealer.push_zeros(zeros)?;
        sealer.finish()
    })
}

/// Checks the commitment of `message`, then opens its chunks in order, and appends the plaintext to `out`.
///
/// `out` grows once, by [`Layout::plaintext_len`]; if it has to move, its old place is not wiped.
///
/// # Errors
/// [`Error::NotAuthentic`], one value for every cause once the key is used; [`Usage::TooLong`] before that, if the
/// plaintext does not fit into memory. On any error `out` is as before, and what had been appended is wiped.
///
/// Source: c2sp.org/chunked-encryption@v1, with everything known in advance.
pub fn open_append<I: Instantiation<KEY_LEN>, const KEY_LEN: usize>(
    input_key: &[u8; KEY_LEN],
    message: &SealedMessage<'_>,
    context: &[u8],
    out: &mut Vec<u8>,
) -> Result<()> {
    reserve(out, message.layout.plaintext_len())?;
    let mut slot = KeySlot::empty();
    let key = OpeningKey::<I, KEY_LEN, _>::derive_checked_in(&mut slot, input_key, &message.header, context)?;
    or_undo(out, |out| open_chunks(&key, message.chunks, out))
}

fn open_chunks<I: Instantiation<KEY_LEN>, const KEY_LEN: usize>(
    key: &OpeningKey<I, KEY_LEN, &mut KeySlot<KEY_LEN>>,
    mut sealed: &[u8],
    out: &mut Vec<u8>,
) -> Result<()> {
    let mut index = ChunkIndex::FIRST;
    while let Some((chunk, rest)) = sealed.split_first_chunk::<SEALED_CHUNK_LEN>() {
        open_chunk(key, index, chunk, out)?;
        index = index.next().ok_or(Error::NotAuthentic)?;
        sealed = rest;
    }
    // "Message chunking": the last chunk is shorter. With nothing left here there is no tag, and that is refused.
    open_chunk(key, index, sealed, out)
}

fn open_chunk<I: Instantiation<KEY_LEN>, const KEY_LEN: usize>(
    key: &OpeningKey<I, KEY_LEN, &mut KeySlot<KEY_LEN>>,
    index: ChunkIndex,
    sealed: &[u8],
    out: &mut Vec<u8>,
) -> Result<()> {
    let (chunk, tag) = sealed.split_last_chunk().ok_or(Error::NotAuthentic)?;
    let start = out.len();
    out.extend_from_slice(chunk);
    key.open(index, out.get_mut(start..).unwrap_or_default(), tag)
}

/// Collects plaintext at the end of `out` and seals it there, chunk by chunk.
struct Sealer<'out, I, const KEY_LEN: usize> {
    key: SealingKey<I, KEY_LEN, &'out mut KeySlot<KEY_LEN>>,
    /// Bytes at the end of `out` that are not sealed yet; fewer than a chunk between calls.
    pending: usize,
    out: &'out mut Vec<u8>,
}

impl<I: Instantiation<KEY_LEN>, const KEY_LEN: usize> Sealer<'_, I, KEY_LEN> {
    fn push(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let room = CHUNK_LEN.saturating_sub(self.pending);
            let (now, later) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
            self.out.extend_from_slice(now);
            self.pending = self.pending.saturating_add(now.len());
            bytes = later;
            self.seal_if_full()?;
        }
        Ok(())
    }

    fn push_zeros(&mut self, mut count: usize) -> Result<()> {
        const ZEROS: &[u8] = &[0; 1024];
        while let Some(rest) = count.checked_sub(ZEROS.len()) {
            self.push(ZEROS)?;
            count = rest;
        }
        self.push(ZEROS.get(..count).unwrap_or_default())
    }

    fn seal_if_full(&mut self) -> Result<()> {
        if self.pending == CHUNK_LEN {
            let chunk = self.out.last_chunk_mut().ok_or(Usage::TooLong)?;
            let tag = self.key.seal_full(chunk)?;
            self.out.extend_from_slice(&tag);
            self.pending = 0;
        }
        Ok(())
    }

    fn finish(self) -> Result<()> {
        let start = self.out.len().saturating_sub(self.pending);
        let tag = self.key.seal_last(self.out.get_mut(start..).unwrap_or_default())?;
        self.out.extend_from_slice(&tag);
        Ok(())
    }
}

fn reserve(out: &mut Vec<u8>, additional: u64) -> Result<()> {
    let additional = usize::try_from(additional).map_err(|_| Usage::TooLong)?;
    out.try_reserve_exact(additional).map_err(|_| Usage::TooLong.into())
}

/// Runs `append`; if it fails, wipes and removes what it appended.
fn or_undo(out: &mut Vec<u8>, append: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<()> {
    let before = out.len();
    append(out).inspect_err(|_| {
        out.get_mut(before..).unwrap_or_default().zeroize();
        out.truncate(before);
    })
}
