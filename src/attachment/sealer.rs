//! The sealing half of a stream: collects one chunk or more, seals them, and hands them to the sink.

use std::io::{self, Write};
use std::num::NonZeroUsize;

use super::buffer::{Buffer, copy_some};
use super::failure::{Guard, uninterrupted};
use crate::choice::Padding;
use crate::chunked::{CHUNK_LEN, ChaCha20Poly1305, SealingKey};
use crate::digest::PayloadContextId;
use crate::error::{Error, Usage};
use crate::keys::record::RecordSecrets;
use crate::record::parts::MARKER;

/// What one payload is sealed with.
#[derive(Clone, Copy)]
pub(super) struct Payload<'a> {
    pub(super) secrets: &'a RecordSecrets,
    /// The payload context id.
    pub(super) context: PayloadContextId,
    pub(super) padding: Padding,
}

/// Seals what is written to it: header and chunks, and at the end the padding and the last chunk.
///
/// Holds at most as many chunks of plaintext as it seals at once. They are encrypted where they lie, and wiped when
/// dropped.
pub(super) struct Sealer<W> {
    sink: W,
    key: SealingKey<ChaCha20Poly1305, 32>,
    chunks: Buffer,
    /// How many chunks at the beginning of the buffer are full and not sealed yet; not all of them between calls.
    full: usize,
    /// Bytes in the chunk behind these; fewer than a chunk between calls.
    pending: usize,
    /// Bytes of the note until now, without padding.
    note_len: u64,
    padding: Padding,
    guard: Guard,
}

impl<W: Write> Sealer<W> {
    /// Writes the header of the payload; the front of the record is in the sink already.
    pub(super) fn start(mut sink: W, payload: &Payload<'_>) -> io::Result<Self> {
        let Payload { secrets, context, padding } = *payload;
        let key = SealingKey::derive(secrets.key(), &secrets.salt, context.as_bytes());
        sink.write_all(&secrets.salt)?;
        sink.write_all(key.commitment())?;
        let (chunks, guard) = (Buffer::new(NonZeroUsize::MIN), Guard::default());
        Ok(Self { sink, key, chunks, full: 0, pending: 0, note_len: 0, padding, guard })
    }

    /// Seals so many chunks at once from now on.
    #[cfg(feature = "parallel")]
    pub(super) fn in_batches_of(mut self, count: NonZeroUsize) -> io::Result<Self> {
        self.guard.check()?;
        self.seal_full()?;
        let mut chunks = Buffer::new(count);
        if let (Some(to), Some(from)) = (chunks.first_mut(), self.chunks.first()) {
            to.copy_from_slice(from);
        }
        self.chunks = chunks;
        Ok(self)
    }

    /// Pads, seals the last chunk, and gives back the sink, not flushed yet.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.guard.check()?;
        if let Some(zeros) = self.padding.zeros(self.note_len)? {
            self.push_all(&[MARKER])?;
            self.push_zeros(zeros)?;
        }
        self.seal_full()?;
        let Self { mut sink, key, mut chunks, pending, .. } = self;
        let last = chunks.first_mut().and_then(|chunk| chunk.get_mut(..pending)).unwrap_or_default();
        let tag = key.seal_last(last)?;
        sink.write_all(last)?;
        sink.write_all(&tag)?;
        Ok(sink)
    }

    fn take(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.push(bytes)?;
        let note_len = u64::try_from(taken).ok().and_then(|taken| self.note_len.checked_add(taken));
        self.note_len = note_len.ok_or(Error::Usage(Usage::TooLong))?;
        Ok(taken)
    }

    /// Takes what finds room in this chunk, and seals all chunks if there is no further one.
    fn push(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let chunk = self.chunks.get_mut(self.full).ok_or(Error::Usage(Usage::TooLong))?;
        let room = chunk.get_mut(self.pending..CHUNK_LEN).unwrap_or_default();
        let taken = copy_some(bytes, room);
        self.pending = self.pending.saturating_add(taken);
        if self.pending == CHUNK_LEN {
            self.full = self.full.saturating_add(1);
            self.pending = 0;
        }
        if self.full == self.chunks.len() {
            self.seal_full()?;
        }
        Ok(taken)
    }

    fn push_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let taken = self.push(bytes)?;
            bytes = bytes.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    fn push_zeros(&mut self, mut count: u64) -> io::Result<()> {
        const ZEROS: &[u8] = &[0; 1024];
        while count > 0 {
            let some = usize::try_from(count).map_or(ZEROS, |count| ZEROS.get(..count).unwrap_or(ZEROS));
            let taken = self.push(some)?;
            count = u64::try_from(taken).map_or(0, |taken| count.saturating_sub(taken));
        }
        Ok(())
    }

    /// Seals the chunks that are full, writes them, and moves the one that is not to the beginning.
    fn seal_full(&mut self) -> io::Result<()> {
        let (full, rest) = self.chunks.split_at_mut_checked(self.full).ok_or(Error::Usage(Usage::TooLong))?;
        self.key.seal_full_batch(full)?;
        self.sink.write_all(full.as_flattened())?;
        if let (Some(first), Some(pending)) = (full.first_mut(), rest.first_mut()) {
            first.copy_from_slice(pending);
        }
        self.full = 0;
        Ok(())
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.guard.check()?;
        let taken = self.take(bytes);
        self.guard.note(taken)
    }

    /// Flushes the sink. A chunk that is not full stays here: sealing it would end the attachment.
    fn flush(&mut self) -> io::Result<()> {
        self.guard.check()?;
        let flushed = uninterrupted(|| self.sink.flush());
        self.guard.note(flushed)
    }
}
