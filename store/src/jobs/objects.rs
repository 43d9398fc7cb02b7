//! Attachments in jobs: streams that block, beside a runtime that must not be.

use lukko::{KeyFingerprint, OsRng, PatientId, PatientKey, StoredAttachment, Vault};

use super::Worker;
use super::keys::Closed;
use super::place::{Place, refused};
use crate::attachments::{Attachments, ObjectSource};
use crate::error::{Error, Result, Usage};
use crate::placed::{Sealed, Spot};
#[cfg(unix)]
use crate::restore::Part;
use crate::store::Store;

/// What of an object could not be read; an outer error says that the store or the object store did not answer.
type Read<T> = Result<Result<T, Closed>>;

/// Waits for work that blocks, and lets the runtime's other work move to another thread.
///
/// The streams wait with `block_on`. On this thread that could take a wake-up that was meant for the future which called
/// us, so that they get a thread of their own.
fn blocking<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T> {
    use tokio::runtime::{Handle, RuntimeFlavor};
    if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
        return Err(Usage::OneThread.into());
    }
    let wait = || std::thread::scope(|scope| scope.spawn(work).join());
    tokio::task::block_in_place(wait).map_err(|_| Error::unavailable("a thread that read an attachment panicked"))
}

/// Opens an object; a missing one is no reason to stop.
async fn source(attachments: &Attachments, vault: &Vault, object: &str) -> Read<ObjectSource> {
    match attachments.source(vault.descriptor().vault(), object).await {
        Ok(source) => Ok(Ok(source)),
        Err(Error::Missing(_)) => Ok(Err(Closed::Missing("its object is gone"))),
        Err(error) => Err(error),
    }
}

/// What the core said, or that the object store did not answer.
fn answer<T>(result: std::io::Result<T>) -> Read<T> {
    match result.map_err(Error::from) {
        Ok(value) => Ok(Ok(value)),
        Err(Error::Core(error)) => Ok(Err(refused(error))),
        Err(error) => Err(error),
    }
}

/// An attachment in its place.
pub(crate) struct Placed<'a> {
    pub(crate) place: Place<'a>,
    pub(crate) object: &'a str,
}

impl Placed<'_> {
    /// Reads a whole attachment. Gives its revision; 0 for a deposit.
    pub(super) async fn verify(&self, attachments: &Attachments, key: &PatientKey) -> Read<u64> {
        self.copy(attachments, key, &mut std::io::sink()).await
    }

    /// Reads a whole attachment into `sink`. Gives its revision; 0 for a deposit, of which nothing is written before its
    /// author is verified.
    pub(crate) async fn copy(
        &self,
        attachments: &Attachments,
        key: &PatientKey,
        sink: &mut (impl std::io::Write + Send),
    ) -> Read<u64> {
        match source(attachments, self.place.vault, self.object).await? {
            Ok(source) => answer(blocking(|| self.read(key, source, sink))?),
            Err(closed) => Ok(Err(closed)),
        }
    }

    /// Whether the attachment is under this key: its beginning and its last chunk are opened.
    pub(super) async fn is_under(&self, attachments: &Attachments, key: &PatientKey) -> Read<()> {
        let Place { vault, record, field, deposits } = self.place;
        let open = |source| {
            if deposits {
                return vault.open_deposited_attachment(key, record, field, source).map(|_| ());
            }
            vault.open_attachment(key, record, field, source).map(|_| ())
        };
        match source(attachments, vault, self.object).await? {
            Ok(source) => answer(blocking(|| open(source))?),
            Err(closed) => Ok(Err(closed)),
        }
    }

    /// Reads a whole attachment into `sink`, for a person. Gives the author of a deposit, who may be revoked. One of a card
    /// that is closed as compromised is sealed anew into `moved` first, under a key of the patient that is open.
    #[cfg(unix)]
    pub(crate) async fn copy_for_reading(
        &self,
        attachments: &Attachments,
        (key, moves_to): (&PatientKey, Option<&PatientKey>),
        moved: &mut Part,
        sink: &mut (impl std::io::Write + Send),
    ) -> Read<Option<KeyFingerprint>> {
        let Place { vault, record, field, deposits } = self.place;
        let mut read = |source| {
            if deposits {
                let opened = vault.open_unattributed_attachment(key, record, field, source)?;
                let writer = opened.claimed_writer();
                std::io::copy(&mut opened.into_inner().verify_authorship()?, sink)?;
                return Ok(Some(writer));
            }
            if let Some(to) = moves_to {
                let stored = StoredAttachment { record, field, source };
                vault.reseal_attachment(key, to, stored, &mut *moved.file(), &mut OsRng)?;
                std::io::copy(&mut vault.open_attachment(to, record, field, moved.reopened()?)?, sink)?;
            } else {
                std::io::copy(&mut vault.open_attachment(key, record, field, source)?, sink)?;
            }
            Ok(None)
        };
        match source(attachments, vault, self.object).await? {
            Ok(source) => answer(blocking(|| read(source))?),
            Err(closed) => Ok(Err(closed)),
        }
    }

    fn read(&self, key: &PatientKey, source: ObjectSource, sink: &mut impl std::io::Write) -> std::io::Result<u64> {
        let Place { vault, record, field, deposits } = self.place;
        let (mut reader, revision) = if deposits {
            (vault.open_deposited_attachment(key, record, field, source)?.verify_authorship()?, 0)
        } else {
            let reader = vault.open_attachment(key, record, field, source)?;
            let revision = reader.revision().get();
            (reader, revision)
        };
        std::io::copy(&mut reader, sink)?;
        Ok(revision)
    }

    /// Seals an attachment anew into an object of its own.
    pub(super) async fn reseal<S: Store>(
        &self,
        (attachments, on): (&Attachments, &Worker<'_, S>),
        (from, to): (&PatientKey, &PatientKey),
        revision: u64,
    ) -> Read<Sealed> {
        let Place { vault, record, field, .. } = self.place;
        let source = match source(attachments, vault, self.object).await? {
            Ok(source) => source,
            Err(closed) => return Ok(Err(closed)),
        };
        let sink = attachments.begin(on.store, on.vault, on.seconds()?).await?;
        let stored = StoredAttachment { record, field, source };
        let work = || vault.reseal_attachment(from, to, stored, sink, &mut OsRng)?.finish();
        let uploaded = match answer(blocking(work)?)? {
            Ok(uploaded) => uploaded,
            Err(closed) => return Ok(Err(closed)),
        };
        let spot = Spot { patient: PatientId::new(to.patient())?, record, field };
        let sealed = Sealed::from_object(vault, spot, (to.card(), revision), uploaded);
        Ok(sealed.map_err(|_| Closed::Missing("its revision is not the one that the store has noted")))
    }
}
