//! Several full chunks at once, and with the feature `parallel` on several threads: each has a key and a nonce of its
//! own, so that their order does not matter.

use core::ops::DerefMut;

use super::{ChunkIndex, Instantiation, KeySlot, OpeningKey, SEALED_CHUNK_LEN, SealingKey, TAG_LEN};
use crate::error::{Error, Result, Usage};

/// A full chunk of 16 KiB with the 16 bytes of its tag behind it.
pub type SealedChunk = [u8; SEALED_CHUNK_LEN];

impl<I, const KEY_LEN: usize, S> SealingKey<I, KEY_LEN, S>
where
    I: Instantiation<KEY_LEN>,
    S: DerefMut<Target = KeySlot<KEY_LEN>> + Sync,
{
    /// Encrypts the next full chunks in place, and writes each one's tag into the last 16 bytes.
    ///
    /// # Errors
    /// [`Usage::TooLong`] if no number would be left for the last chunk; the chunks are then untouched.
    pub fn seal_full_batch(&mut self, chunks: &mut [SealedChunk]) -> Result<()> {
        let first = self.take_numbers(chunks.len())?;
        let key = &*self;
        each(chunks, |position, chunk| {
            let index = first.after(position).ok_or(Usage::TooLong)?;
            let (chunk, tag) = chunk.split_last_chunk_mut::<TAG_LEN>().ok_or(Usage::TooLong)?;
            *tag = key.seal_numbered(index, chunk)?;
            Ok(())
        })
    }
}

impl<I, const KEY_LEN: usize, S> OpeningKey<I, KEY_LEN, S>
where
    I: Instantiation<KEY_LEN>,
    S: DerefMut<Target = KeySlot<KEY_LEN>> + Sync,
{
    /// Decrypts full chunks in place, `first` and those after it. The tags stay behind them.
    ///
    /// # Errors
    /// [`Error::NotAuthentic`] if one of them is not; the chunks then hold nothing to be used.
    pub fn open_full_batch(&self, first: ChunkIndex, chunks: &mut [SealedChunk]) -> Result<()> {
        each(chunks, |position, chunk| {
            let index = first.after(position).ok_or(Error::NotAuthentic)?;
            let (chunk, tag) = chunk.split_last_chunk_mut::<TAG_LEN>().ok_or(Error::NotAuthentic)?;
            self.open(index, chunk, tag)
        })
    }
}

#[cfg(not(feature = "parallel"))]
fn each(chunks: &mut [SealedChunk], mut work: impl FnMut(usize, &mut SealedChunk) -> Result<()>) -> Result<()> {
    chunks.iter_mut().enumerate().try_for_each(|(position, chunk)| work(position, chunk))
}

/// On the threads of the pool that this is called in. A single chunk does not leave its thread.
#[cfg(feature = "parallel")]
fn each(chunks: &mut [SealedChunk], work: impl Fn(usize, &mut SealedChunk) -> Result<()> + Sync) -> Result<()> {
    use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};

    if let [one] = chunks {
        return work(0, one);
    }
    chunks.par_iter_mut().enumerate().try_for_each(|(position, chunk)| work(position, chunk))
}
