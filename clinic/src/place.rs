//! Which call of the core opens or seals a place: the only file that chooses.
//!
//! The verb and the field decide, never the bytes or a column: a thief of the database chooses those. A call that meets a
//! record of another kind than it reads refuses it as [`Error::Misplaced`].
//!
//! Notes are sealed on the reader's path, on which any reader of the patient can write: the core has no signed record yet.
//! When it has, [`seal`] and [`open`] take the signed path here, and [`Author`] says who signed.

use std::io::{self, Read, Seek};

use lukko::error::{Untrusted, Usage};
use lukko::{
    AttachmentReader, Card, FieldLabel, MemberKey, Opened, Origin, OsRng, Padding, Path, PatientKey,
    RecipientPublicKey, RecordContext, RecordId, Revision, Status, StoredAttachment, StoredNote, Vault, path_of,
};

use lukko_store::{AttachmentSealer, How, ObjectSink, Sealed, Spot};

use crate::error::{Error, Result};
use crate::memory::subject::Place;
use crate::names::{self, Holds, holds};
use crate::note::Author;
use crate::trust::name_of;

/// What a call reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    /// A note.
    Note,
    /// A deposit. Re-keys take deposits over as they move them, so that one that was taken over opens as well.
    Deposit,
    /// A deposit that was taken over: no other deposit counts in its place any more.
    TakenOver,
}

impl Place {
    pub(crate) fn record(&self) -> Result<RecordId<'_>> {
        RecordId::new(&self.record).map_err(|_| Error::Name)
    }

    pub(crate) fn field(&self) -> Result<FieldLabel<'_>> {
        FieldLabel::new(&self.field).map_err(|_| Error::Name)
    }

    /// As the core takes it: the patient comes with the key.
    fn in_core(&self) -> Result<lukko::Place<'_>> {
        Ok(lukko::Place::new(self.record()?, self.field()?))
    }

    fn context(&self, revision: u64) -> Result<RecordContext<'_>> {
        Ok(RecordContext::new(self.in_core()?, Revision::new(revision)?))
    }
}

/// Seals a note.
pub(crate) fn seal(vault: &Vault, key: &PatientKey, place: &Place, revision: u64, text: &str) -> Result<Sealed> {
    Ok(Sealed::note(vault, key, &place.context(revision)?, text.as_bytes(), &mut OsRng)?)
}

/// Opens what the call reads, and nothing else.
pub(crate) fn open(vault: &Vault, key: &PatientKey, place: &Place, reads: Reads, sealed: &[u8]) -> Result<Opened> {
    let place = place.in_core()?;
    let opened = match reads {
        Reads::Note => vault.open(key, place, sealed),
        Reads::TakenOver => vault.open_absorbed(key, place, sealed),
        Reads::Deposit => match vault.open_deposit(key, place, sealed) {
            // Somebody has to look at it, and is told that its author may be a thief.
            Err(lukko::Error::Untrusted(Untrusted::Revoked(_))) => {
                vault.open_unattributed(key, place, sealed).map(lukko::Unattributed::into_inner)
            }
            opened => opened,
        },
    };
    opened.map_err(misplaced)
}

/// Takes a deposit over, and moves it to the newer key where it is under an older one. Gives none if it is done already.
pub(crate) fn take_over(
    vault: &Vault,
    (from, to): (&PatientKey, &PatientKey),
    place: &Place,
    sealed: &[u8],
) -> Result<Option<Sealed>> {
    if from.card() != to.card() {
        return reseal(vault, (from, to), place, sealed);
    }
    Sealed::absorbed(vault, to, place.in_core()?, sealed, &mut OsRng).map_err(misplaced)
}

/// Seals a deposit, as a member who cannot read it back.
pub(crate) fn deposit(vault: &Vault, card: &Card, writer: &MemberKey, field: &[u8], text: &str) -> Result<Sealed> {
    let field = FieldLabel::new(field).map_err(|_| Error::Name)?;
    Ok(Sealed::deposit(vault, card, writer, field, Padding::Padme, text.as_bytes(), &mut OsRng)?)
}

/// Refuses a deposit in a note's place, and a note in a deposit's, before it is moved: the field decides which one may
/// stand there, and the bytes only claim it.
pub(crate) fn require_kind(place: &Place, sealed: &[u8]) -> Result<()> {
    let deposit = holds(&place.field) == Holds::Deposit;
    if deposit == (path_of(sealed)? != Path::Reader) { Ok(()) } else { Err(Error::Misplaced) }
}

/// Moves a record to a newer key of its patient. Gives none if it is there already.
pub(crate) fn reseal(
    vault: &Vault,
    (from, to): (&PatientKey, &PatientKey),
    place: &Place,
    sealed: &[u8],
) -> Result<Option<Sealed>> {
    Ok(Sealed::moved(vault, (from, to), place.in_core()?, sealed, How::Reseal, &mut OsRng)?)
}

/// A record that is under this key already, where only its row says otherwise.
pub(crate) fn there(vault: &Vault, key: &PatientKey, place: &Place, revision: u64, sealed: &[u8]) -> Result<Sealed> {
    let spot = Spot { patient: names::patient(&place.patient)?, place: place.in_core()? };
    Ok(Sealed::from_bytes(vault, spot, (key.card(), revision), sealed.to_vec())?)
}

/// Seals a copy of one record for somebody outside.
pub(crate) fn disclose(
    vault: &Vault,
    key: &PatientKey,
    (place, reads): (&Place, Reads),
    sealed: &[u8],
    to: &RecipientPublicKey,
    signer: &MemberKey,
) -> Result<Vec<u8>> {
    let path = match reads {
        Reads::Note => Path::Reader,
        Reads::Deposit => Path::Deposit,
        Reads::TakenOver => Path::Absorbed,
    };
    let note = StoredNote { place: place.in_core()?, path, bytes: sealed };
    vault.disclose(key, &note, to, signer, &mut OsRng).map_err(misplaced)
}

/// Begins an attachment.
pub(crate) fn seal_file(
    vault: &Vault,
    key: &PatientKey,
    place: &Place,
    revision: u64,
    sink: ObjectSink,
) -> io::Result<AttachmentSealer> {
    let context = place.context(revision).map_err(io::Error::other)?;
    AttachmentSealer::begin(vault, key, &context, sink, &mut OsRng)
}

/// Opens an attachment.
pub(crate) fn open_file<R: Read + Seek>(
    vault: &Vault,
    key: &PatientKey,
    place: &Place,
    source: R,
) -> io::Result<AttachmentReader<R>> {
    vault.open_attachment(key, place.in_core().map_err(io::Error::other)?, source)
}

/// Moves an attachment to a newer key of its patient, into an object of its own.
pub(crate) fn reseal_file<R: Read + Seek>(
    vault: &Vault,
    (from, to): (&PatientKey, &PatientKey),
    (place, revision): (&Place, u64),
    source: R,
    sink: ObjectSink,
) -> io::Result<Sealed> {
    let other = io::Error::other::<Error>;
    let patient = names::patient(&place.patient).map_err(other)?;
    let place = place.in_core().map_err(other)?;
    let sink = vault.reseal_attachment(from, to, StoredAttachment { place, source }, sink, &mut OsRng)?;
    let spot = Spot { patient, place };
    Sealed::from_object(vault, spot, (to.card(), revision), sink.finish()?).map_err(io::Error::other)
}

/// Who wrote it.
pub(crate) fn author(vault: &Vault, origin: Origin) -> Author {
    let depositor = |key, revoked| Author::Depositor { name: name_of(vault, key), key, revoked };
    match origin {
        Origin::Deposit { writer } => depositor(writer, false),
        Origin::Unattributed { claimed_writer } => depositor(claimed_writer, true),
        Origin::Absorbed { writer, status } => depositor(writer, status == Status::Revoked),
        _ => Author::Reader,
    }
}

/// A record of another kind than the call reads is refused by name.
fn misplaced(error: lukko::Error) -> Error {
    match error {
        lukko::Error::Usage(Usage::WrongPath { .. } | Usage::NotTakenOver) => Error::Misplaced,
        error => error.into(),
    }
}
