//! Sealing an attachment on the reader's path.

use std::fmt;
use std::io::{self, Write};
#[cfg(feature = "parallel")]
use std::num::NonZeroUsize;

use rand_core::TryCryptoRng;

use super::failure::uninterrupted;
use super::sealer::{Payload, Sealer};
use crate::keys::patient::PatientKey;
use crate::keys::record::RecordSecrets;
use crate::record::{RecordContext, parts};
use crate::vault::Vault;

/// Seals an attachment while it is written; [`AttachmentWriter::finish`] ends it.
///
/// Made by [`Vault::seal_attachment`](crate::Vault::seal_attachment). Gives the sink a sealed chunk of 16,400 bytes for
/// every 16 KiB, with `write_all`, and holds no more plaintext than one chunk, which is wiped. Behind an error all
/// later calls fail with one of the same kind.
///
/// # Security
/// What was not finished never opens. If finishing fails or the writer is dropped before, discard what the sink holds.
pub struct AttachmentWriter<W>(Sealer<W>);

impl<W: Write> AttachmentWriter<W> {
    /// Collects `chunks` chunks of 16 KiB from now on, and seals them on the threads of the rayon pool that it is
    /// written in. Holds as much plaintext, which is wiped. What it writes is the same.
    ///
    /// # Errors
    /// The sink's; the one that stuck.
    #[cfg(feature = "parallel")]
    pub fn in_parallel(self, chunks: NonZeroUsize) -> io::Result<Self> {
        self.0.in_batches_of(chunks).map(Self)
    }

    /// Writes padding and last chunk, flushes the sink and gives it back.
    ///
    /// # Errors
    /// The sink's; the one that stuck; [`Usage::TooLong`](crate::error::Usage::TooLong) above 4 PiB.
    pub fn finish(self) -> io::Result<W> {
        let mut sink = self.0.finish()?;
        uninterrupted(|| sink.flush())?;
        Ok(sink)
    }
}

impl<W: Write> Write for AttachmentWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    /// Flushes the sink. A chunk that is not full stays here until more is written or the attachment is finished.
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<W> fmt::Debug for AttachmentWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttachmentWriter").finish_non_exhaustive()
    }
}

impl Vault {
    /// Seals an attachment of any length, as a stream. The front of 120 bytes is written at once, the rest as it comes;
    /// the result is a record, as long as [`sealed_len`](crate::sealed_len) says, and opens with [`Vault::open`] too.
    ///
    /// # Errors
    /// The sink's; as [`Vault::seal`].
    ///
    /// # Security
    /// As [`Vault::seal`]. An attachment that was begun a second time, after a failure, is another text: give it the
    /// next revision.
    pub fn seal_attachment<W: Write>(
        &self,
        key: &PatientKey,
        context: &RecordContext<'_>,
        sink: W,
        rng: &mut impl TryCryptoRng,
    ) -> io::Result<AttachmentWriter<W>> {
        self.require_open(key.scope(), key.card())?;
        seal(key, context, sink, rng)
    }
}

/// Begins an attachment: the same draw, wrap and front as a record's.
pub(super) fn seal<W: Write>(
    key: &PatientKey,
    context: &RecordContext<'_>,
    mut sink: W,
    rng: &mut impl TryCryptoRng,
) -> io::Result<AttachmentWriter<W>> {
    let (mut secrets, mut front) = (RecordSecrets::empty(), Vec::new());
    let payload_context = parts::begin(key, context, &mut secrets, rng, &mut front)?;
    let payload = Payload { secrets: &secrets, context: payload_context, padding: context.padding };
    sink.write_all(&front)?;
    Sealer::start(sink, &payload).map(AttachmentWriter)
}
