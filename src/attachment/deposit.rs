//! Sealing an attachment as a deposit: the writer's signature comes last, because it is over everything.

use std::fmt;
use std::io::{self, Write};
#[cfg(feature = "parallel")]
use std::num::NonZeroUsize;

use rand_core::TryCryptoRng;

use super::failure::uninterrupted;
use super::sealer::{Payload, Sealer};
use crate::choice::{Padding, Path};
use crate::digest::{CardId, PayloadContextId, PayloadDigest};
use crate::ident::{FieldLabel, Place, RecordId, Scope, random_id};
use crate::keys::labels;
use crate::keys::member::MemberKey;
use crate::keys::record::RecordSecrets;
use crate::patient::Card;
use crate::prim::hash::Hasher;
use crate::prim::hpke::{Coins, seal_secret};
use crate::record::RecordContext;
use crate::record::parts::{Statement, payload_context, sealed_key_info};
use crate::vault::Vault;
use crate::wire::record::{Front, Head, SealedKey, Wrap};
use crate::wire::trailer::Trailer;

/// Seals a deposited attachment while it is written; [`DepositWriter::finish`] signs and ends it.
///
/// Made by [`Vault::deposit_attachment`](crate::Vault::deposit_attachment). Writes as
/// [`AttachmentWriter`](crate::AttachmentWriter) does, and borrows the writer's key until the signature.
///
/// # Security
/// What was not finished never opens. If finishing fails or the writer is dropped before, discard what the sink holds.
pub struct DepositWriter<'key, W> {
    sealer: Sealer<Digested<W>>,
    record: String,
    writer: &'key MemberKey,
    card: CardId,
    payload_context: PayloadContextId,
    roster_seen: u64,
    /// The record key, sealed to the card.
    sealed_key: Vec<u8>,
}

impl<W: Write> DepositWriter<'_, W> {
    /// The id that the library drew for the record, 32 hexadecimal characters: store the attachment under it.
    #[must_use]
    pub fn record(&self) -> &str {
        &self.record
    }

    /// As [`AttachmentWriter::in_parallel`](crate::AttachmentWriter::in_parallel).
    ///
    /// # Errors
    /// As there.
    #[cfg(feature = "parallel")]
    pub fn in_parallel(self, chunks: NonZeroUsize) -> io::Result<Self> {
        Ok(Self { sealer: self.sealer.in_batches_of(chunks)?, ..self })
    }

    /// Writes padding, last chunk and the 96 bytes of the trailer, flushes the sink and gives it back.
    ///
    /// # Errors
    /// The sink's; the one that stuck; [`Usage::TooLong`](crate::error::Usage::TooLong) above 4 PiB.
    pub fn finish(self) -> io::Result<W> {
        let Self { sealer, writer, card, payload_context, roster_seen, sealed_key, .. } = self;
        let Digested { mut sink, hasher } = sealer.finish()?;
        let payload_digest = PayloadDigest(hasher.finish());
        let key = SealedKey { writer: writer.fingerprint(), roster_seen, sealed: &sealed_key };
        let path = Path::DepositedAttachment;
        let statement = Statement::of_deposit(path, card, payload_context, &key, payload_digest);
        sink.write_all(
            &Trailer { payload_digest: payload_digest.0, signature: statement.sign(&writer.signing) }.encode(),
        )?;
        uninterrupted(|| sink.flush())?;
        Ok(sink)
    }
}

impl<W: Write> Write for DepositWriter<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sealer.write(bytes)
    }

    /// Flushes the sink. A chunk that is not full stays here until more is written or the attachment is finished.
    fn flush(&mut self) -> io::Result<()> {
        self.sealer.flush()
    }
}

impl<W> fmt::Debug for DepositWriter<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DepositWriter").field("record", &self.record).finish_non_exhaustive()
    }
}

/// A sink, and the digest of the payload that it has received.
struct Digested<W> {
    sink: W,
    hasher: Hasher,
}

impl<W: Write> Write for Digested<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.sink.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or(bytes));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

impl Vault {
    /// Seals an attachment to a patient's card, as a member who cannot read it back. The library draws the record's id:
    /// [`DepositWriter::record`].
    ///
    /// # Errors
    /// The sink's; as [`Vault::deposit`].
    ///
    /// # Security
    /// As [`Vault::deposit`], with one difference: the text does not hedge the draw, because it is not known yet. A
    /// generator that repeats itself, such as in two copies of a virtual machine, gives two attachments one id, one key
    /// and the same nonces.
    pub fn deposit_attachment<'key, W: Write>(
        &self,
        card: &Card,
        writer: &'key MemberKey,
        field: FieldLabel<'_>,
        padding: Padding,
        mut sink: W,
        rng: &mut impl TryCryptoRng,
    ) -> io::Result<DepositWriter<'key, W>> {
        self.require_depositor(card, writer)?;
        let roster_seen = self.roster.version();
        // 1. A record id that nobody chose, and revision 0: a deposit never displaces a record.
        let record = random_id(rng)?;
        let Scope { suite, vault } = card.scope();
        let place = RecordContext::of_deposit(Place::new(RecordId::new(&record)?, field), padding);
        let context = payload_context(vault, card.patient_id(), &place);
        // 2. record key || salt = HKDF-Expand(r, label || payload context id, 80); the text is not known yet
        let mut secrets = RecordSecrets::empty();
        secrets.draw(labels::DEPOSITED_ATTACHMENT_DRAW, [context.as_bytes()], rng)?;
        // 3. sealed key = SealBase(card's key, info = wrap context || writer, record key)
        let info = sealed_key_info(Path::DepositedAttachment, card.id(), context, writer.fingerprint(), None);
        let sealed_key = seal_secret(card.hpke_key(), &info, &[], secrets.key(), &Coins::draw(suite, rng)?)?;
        // 4. the front, and then the payload as it comes
        let head = Head { suite, card: card.id(), revision: place.revision, padding };
        let key = SealedKey { writer: writer.fingerprint(), roster_seen, sealed: &sealed_key };
        let mut front = Vec::new();
        Front { head, wrap: Wrap::DepositedAttachment(key) }.put(&mut front);
        let payload = Payload { secrets: &secrets, context, padding };
        sink.write_all(&front)?;
        let sealer = Sealer::start(Digested { sink, hasher: Hasher::new(labels::PAYLOAD_DIGEST) }, &payload)?;
        Ok(DepositWriter { sealer, record, writer, card: card.id(), payload_context: context, roster_seen, sealed_key })
    }
}
