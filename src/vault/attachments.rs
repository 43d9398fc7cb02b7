//! Attachments: records of any length, as streams.

use std::io::{self, Read, Seek, Write};

use rand_core::TryCryptoRng;

use super::Vault;
use crate::attachment::{
    self, AttachmentReader, AttachmentWriter, DepositWriter, DepositedAttachment, StoredAttachment,
};
use crate::choice::Padding;
use crate::ident::{FieldLabel, RecordId};
use crate::keys::member::MemberKey;
use crate::keys::patient::PatientKey;
use crate::patient::Card;
use crate::record::{RecordContext, Unattributed};

/// Every call here answers with an [`io::Result`]: the error is the sink's or the source's, or one of this crate inside
/// an [`io::Error`], which [`Error::from_io`](crate::Error::from_io) takes out.
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
        attachment::seal(key, context, sink, rng)
    }

    /// Opens an attachment, or any record that a reader sealed, as a stream. It is the whole of `source`, from offset 0.
    /// Reads the front, the header and the last chunk.
    ///
    /// # Errors
    /// The source's; as [`Vault::open`]. An attachment whose end is missing is refused here.
    pub fn open_attachment<R: Read + Seek>(
        &self,
        key: &PatientKey,
        record: RecordId<'_>,
        field: FieldLabel<'_>,
        source: R,
    ) -> io::Result<AttachmentReader<R>> {
        self.require_open(key.scope(), key.card())?;
        attachment::open(key, record, field, source)
    }

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
        sink: W,
        rng: &mut impl TryCryptoRng,
    ) -> io::Result<DepositWriter<'key, W>> {
        self.require_depositor(card, writer)?;
        attachment::deposit(card, writer, field, padding, self.roster.version(), sink, rng)
    }

    /// Opens a deposited attachment. Its writer's signature has been verified, and the payload not yet compared with
    /// what was signed: [`DepositedAttachment::verify_authorship`].
    ///
    /// # Errors
    /// The source's; as [`Vault::open_deposit`].
    pub fn open_deposited_attachment<R: Read + Seek>(
        &self,
        key: &PatientKey,
        record: RecordId<'_>,
        field: FieldLabel<'_>,
        source: R,
    ) -> io::Result<DepositedAttachment<R>> {
        self.require_open(key.scope(), key.card())?;
        attachment::open_deposited(key, record, field, source, &self.roster)
    }

    /// Opens a deposited attachment whose writer may have been revoked, for a person to look at.
    ///
    /// # Errors
    /// As [`Vault::open_deposited_attachment`], without the refusal of a revoked writer, and of a card closed as
    /// compromised.
    pub fn open_unattributed_attachment<R: Read + Seek>(
        &self,
        key: &PatientKey,
        record: RecordId<'_>,
        field: FieldLabel<'_>,
        source: R,
    ) -> io::Result<Unattributed<DepositedAttachment<R>>> {
        self.require_not_erased(key)?;
        attachment::open_unattributed(key, record, field, source, &self.roster)
    }

    /// Seals a reader's attachment anew under another key of its patient, in its place, in constant memory.
    ///
    /// # Errors
    /// Those of source and sink; as [`Vault::open_attachment`] and [`Vault::rewrap`]. What `sink` has received until then
    /// does not open.
    pub fn reseal_attachment<R: Read + Seek, W: Write>(
        &self,
        from: &PatientKey,
        to: &PatientKey,
        stored: StoredAttachment<'_, R>,
        sink: W,
        rng: &mut impl TryCryptoRng,
    ) -> io::Result<W> {
        self.require_movable(from, to)?;
        attachment::reseal(from, to, stored, sink, rng)
    }

    /// Takes a deposited attachment over, in constant memory: seals it as a reader's own, in a place that the caller
    /// chooses. The author is verified before anything is written to `sink`, and from then on known to the caller only:
    /// keep a note of [`DepositedAttachment::claimed_writer`].
    ///
    /// # Errors
    /// Those of source and sink; as [`Vault::open_deposited_attachment`] and [`Vault::rewrap`];
    /// [`Usage::DepositsPlace`](crate::error::Usage::DepositsPlace) for the record id of the deposit, which its writer
    /// may have chosen.
    pub fn take_over_attachment<R: Read + Seek, W: Write>(
        &self,
        from: &PatientKey,
        to: &PatientKey,
        stored: StoredAttachment<'_, R>,
        place: &RecordContext<'_>,
        sink: W,
        rng: &mut impl TryCryptoRng,
    ) -> io::Result<W> {
        self.require_movable(from, to)?;
        attachment::take_over(from, to, stored, place, sink, &self.roster, rng)
    }
}
