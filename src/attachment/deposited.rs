//! Opening a deposited attachment: the writer first, then the text, and who wrote it only after all of it.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};
#[cfg(feature = "parallel")]
use std::num::NonZeroUsize;

use subtle::ConstantTimeEq;

use super::failure::uninterrupted;
use super::front::{payload_layout, read_front};
use super::reader::AttachmentReader;
use super::stream::{Payload, Stream};
use crate::choice::{Padding, Path, Status};
use crate::digest::{KeyFingerprint, PayloadDigest};
use crate::error::{Error, Result, Usage};
use crate::ident::Place;
use crate::keys::patient::PatientKey;
use crate::prim::hpke::open_secret;
use crate::record::parts::{Statement, Writer, payload_context, require_own, sealed_key_info};
use crate::record::{Origin, RecordContext, Unattributed};
use crate::roster::VerifiedRoster;
use crate::vault::Vault;
use crate::wire::record::{Front, SealedKey, Wrap};
use crate::wire::trailer::{TRAILER_LEN, Trailer};

/// A deposited attachment, to be read before it is known who wrote it: integrity, not authorship.
///
/// Made by [`Vault::open_deposited_attachment`](crate::Vault::open_deposited_attachment). Reads and seeks as
/// [`AttachmentReader`] does.
///
/// # Security
/// The writer's signature was verified, but it is over a digest of the payload, and the payload has not been compared
/// with it. Whoever knew the record key may have rewritten it: the writer, and everyone who ever read the attachment,
/// if they can write to the store. [`DepositedAttachment::verify_authorship`] says that it is what the writer signed.
pub struct DepositedAttachment<R> {
    stream: Stream<R>,
    writer: Writer,
}

impl<R> DepositedAttachment<R> {
    /// The key that signed: its signature holds, and what it signed may not be what is here.
    #[must_use]
    pub const fn claimed_writer(&self) -> KeyFingerprint {
        self.writer.key
    }

    /// How it is padded.
    #[must_use]
    pub const fn padding(&self) -> Padding {
        self.stream.padding
    }
}

impl<R: Read + Seek> DepositedAttachment<R> {
    /// As [`AttachmentReader::in_parallel`].
    #[cfg(feature = "parallel")]
    #[must_use]
    pub fn in_parallel(self, chunks: NonZeroUsize) -> Self {
        Self { stream: self.stream.in_batches_of(chunks), ..self }
    }

    /// The length of the note, in bytes, without padding. The position stays where it is.
    ///
    /// # Errors
    /// As [`AttachmentReader::plaintext_len`].
    pub fn plaintext_len(&mut self) -> io::Result<u64> {
        self.stream.len()
    }

    /// Reads the whole payload once, in constant memory, and compares its digest with the one that was signed. The
    /// reader that comes back begins at position 0 and says who wrote the note: [`AttachmentReader::origin`].
    ///
    /// # Errors
    /// [`Error::NotAuthentic`] if the payload is not the one that was signed, and also if the source fails; the error
    /// that stuck, if reading failed before.
    ///
    /// # Security
    /// The source must not change from here to the last read: who knows the record key could change it in between.
    pub fn verify_authorship(self) -> io::Result<AttachmentReader<R>> {
        let Self { mut stream, writer } = self;
        stream.check()?;
        let digest = stream.payload_digest().map_err(|_| Error::NotAuthentic)?;
        if bool::from(digest.as_bytes().ct_eq(writer.payload_digest.as_bytes())) {
            Ok(AttachmentReader::new(stream, origin(&writer)))
        } else {
            Err(Error::NotAuthentic.into())
        }
    }
}

impl<R: Read + Seek> Read for DepositedAttachment<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.stream.read(out)
    }
}

impl<R: Read + Seek> Seek for DepositedAttachment<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.stream.seek(to)
    }
}

impl<R> fmt::Debug for DepositedAttachment<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DepositedAttachment").field("claimed_writer", &self.writer.key).finish_non_exhaustive()
    }
}

impl Vault {
    /// Opens a deposited attachment. Its writer's signature has been verified, and the payload not yet compared with
    /// what was signed: [`DepositedAttachment::verify_authorship`].
    ///
    /// # Errors
    /// The source's; as [`Vault::open_deposit`].
    pub fn open_deposited_attachment<R: Read + Seek>(
        &self,
        key: &PatientKey,
        place: Place<'_>,
        source: R,
    ) -> io::Result<DepositedAttachment<R>> {
        self.require_open(key.scope(), key.card())?;
        open_if(Writer::require_unrevoked, key, place, source, &self.roster)
    }

    /// Opens a deposited attachment whose writer may have been revoked, for a person to look at.
    ///
    /// # Errors
    /// As [`Vault::open_deposited_attachment`], without the refusal of a revoked writer, and of a card closed as
    /// compromised.
    pub fn open_unattributed_attachment<R: Read + Seek>(
        &self,
        key: &PatientKey,
        place: Place<'_>,
        source: R,
    ) -> io::Result<Unattributed<DepositedAttachment<R>>> {
        self.require_not_erased(key)?;
        let opened = open_if(|_| Ok(()), key, place, source, &self.roster)?;
        Ok(Unattributed::new(opened.claimed_writer(), opened))
    }
}

pub(super) fn open_if<R: Read + Seek>(
    acceptable: impl FnOnce(&Writer) -> Result<()>,
    key: &PatientKey,
    place: Place<'_>,
    mut source: R,
    roster: &VerifiedRoster,
) -> io::Result<DepositedAttachment<R>> {
    // 1. Well-formed, of this card, in its place
    let bytes = read_front(&mut source)?;
    let front = Front::parse(&bytes)?;
    require_own(key, &front, &[Path::DepositedAttachment])?;
    let sealed = sealed_key(&front)?;
    let layout = payload_layout(&mut source, bytes.len(), TRAILER_LEN)?;
    let context = RecordContext::claimed(place, &front.head);
    let payload_context = payload_context(key.scope().vault, key.patient_id(), &context);
    // 2. the writer, by the digest that the trailer claims
    let trailer = read_trailer(&mut source)?;
    let path = Path::DepositedAttachment;
    let statement =
        Statement::of_deposit(path, front.head.card, payload_context, sealed, PayloadDigest(trailer.payload_digest));
    let writer = statement.verify(&trailer.signature, roster)?;
    acceptable(&writer)?;
    // 3. record key = OpenBase(patient's key, info = wrap context || writer, sealed key)
    let info = sealed_key_info(path, key.card(), payload_context, writer.key, None);
    let record_key = open_secret(&key.hpke()?, &info, &[], sealed.sealed)?;
    // 4. commitment and length of the payload
    let payload = Payload { offset: bytes.len(), layout, payload_context, context: &context };
    Ok(DepositedAttachment { stream: Stream::open(source, &payload, record_key.expose())?, writer })
}

/// A revoked writer's attachment is there for triage only, and nobody vouches for its author.
const fn origin(writer: &Writer) -> Origin {
    match writer.status {
        Status::Revoked => Origin::Unattributed { claimed_writer: writer.key },
        Status::Active | Status::Retired => Origin::Deposit { writer: writer.key },
    }
}

fn sealed_key<'front, 'a>(front: &'front Front<'a>) -> Result<&'front SealedKey<'a>> {
    match &front.wrap {
        Wrap::DepositedAttachment(sealed) => Ok(sealed),
        Wrap::Reader(_) | Wrap::Deposit { .. } | Wrap::Absorbed { .. } => {
            Err(Usage::WrongPath { met: front.path() }.into())
        }
    }
}

fn read_trailer<R: Read + Seek>(source: &mut R) -> io::Result<Trailer> {
    let mut trailer = [0; TRAILER_LEN];
    let length = i64::try_from(TRAILER_LEN).unwrap_or(0).saturating_neg();
    uninterrupted(|| source.seek(SeekFrom::End(length)))?;
    source.read_exact(&mut trailer)?;
    Trailer::parse(&trailer).ok_or(Error::NotAuthentic.into())
}
