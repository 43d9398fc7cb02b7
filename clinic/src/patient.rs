//! A patient, while a session has it open.

mod deposits;
mod files;
mod moves;
mod notes;
mod restored;
mod sharing;
mod walk;

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lukko::{CardId, PatientKey, Vault};
use lukko_store::{Record, Store};

pub use files::Attachment;
pub use moves::{OpenTask, Rekeyed};
pub use restored::Difference;
pub(crate) use restored::everywhere;

use crate::clinic::Clinic;
use crate::error::Result;
use crate::memory::subject::Place;
use crate::names;
use crate::open::{self, Opened};
use crate::session::Session;
use crate::trust;

/// A patient whose notes this member reads and writes.
///
/// It owns the patient's key, which is wiped when the handle is dropped and when the session ends. Cloning it gives another
/// handle on the same key.
///
/// ```
/// # use lukko_clinic::*;
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let store = SqliteStore::open(directory.path().join("clinic.db")).await?;
/// # let plan = Plan::custodians(3, 5).member("aalto", THERAPIST).member("niemi", READER);
/// # let founded = Clinic::found(store, Memory::in_memory(), plan).await?;
/// # let clinic = founded.clinic.clone().with_files(Attachments::local(directory.path())?);
/// # let session = clinic.session(Purpose::care("appointment"));
/// # let patient = session.enrol().await?;
/// let note = patient.write("note", "slept better").await?;
/// let edited = patient.edit(&note, "slept well").await?;
/// assert!(matches!(patient.edit(&note, "slept badly").await, Err(error) if error.is_overtaken()));
/// assert_eq!(patient.read(&note).await?.text(), "slept well");
///
/// // Every note, one by one. What somebody put back is an error that names it.
/// use futures_util::StreamExt as _;
/// let mut notes = patient.notes();
/// while let Some(note) = notes.next().await {
///     match note {
///         Ok(text) => println!("{}", text.text()),
///         Err(error) => eprintln!("{error}. {}", error.hint()),
///     }
/// }
/// patient.share_with("niemi").await?;
/// patient.delete(&edited).await?;
/// # Ok(()) }
/// ```
pub struct Patient<S> {
    session: Session<S>,
    id: Arc<[u8]>,
    held: Arc<Held>,
}

/// The place where a patient's keys are, until they are wiped.
pub(crate) struct Held(Mutex<Option<Arc<Opened>>>);

impl Held {
    pub(crate) fn new(opened: Option<Opened>) -> Self {
        Self(Mutex::new(opened.map(Arc::new)))
    }

    /// Forgets the keys. Their memory is wiped when the last stream that uses them ends.
    pub(crate) fn wipe(&self) {
        *self.opened() = None;
    }

    fn opened(&self) -> MutexGuard<'_, Option<Arc<Opened>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Store> Patient<S> {
    pub(crate) fn new(session: Session<S>, id: &[u8], held: Arc<Held>) -> Self {
        Self { session, id: id.into(), held }
    }

    /// The open keys, under the newest list of members: opened again if that has changed.
    pub(crate) async fn ready(&self) -> Result<Arc<Opened>> {
        self.session.touch()?;
        let vault = self.clinic().vault().await?;
        let held = self.held.opened().clone();
        match held {
            Some(opened) if Arc::ptr_eq(&opened.vault, &vault) => Ok(opened),
            _ => self.open(vault).await,
        }
    }

    /// Opens the grant anew: after a new list of members, and after somebody has made the next key of the patient.
    pub(crate) async fn reopen(&self) -> Result<Arc<Opened>> {
        self.open(self.clinic().follow().await?).await
    }

    async fn open(&self, vault: Arc<Vault>) -> Result<Arc<Opened>> {
        let memory = self.clinic().memory();
        loop {
            let known = memory.card(&self.id).await?;
            if known.is_some_and(|card| trust::is_erased(&vault, card)) {
                // Erased, and perhaps enrolled anew under the same id: what was known is of another life.
                memory.forget_patient(&self.id).await?;
                continue;
            }
            let rows = self.clinic().store().patient(self.clinic().id(), names::patient(&self.id)?).await?;
            let opened = open::open(&vault, self.clinic().me(), &self.id, &rows, known)?;
            let card = opened.key.card();
            // The memory has the card before its key is used.
            if known == Some(card) || memory.accept_card(&self.id, known, card).await? {
                let opened = Arc::new(opened);
                *self.held.opened() = Some(Arc::clone(&opened));
                return Ok(opened);
            }
        }
    }

    /// The key of the card that a record stands under.
    pub(crate) async fn key_of(&self, opened: &Arc<Opened>, card: CardId) -> Result<Arc<PatientKey>> {
        if let Some(key) = opened.key_of(card) {
            return Ok(key);
        }
        let rows = self.clinic().store().patient(self.clinic().id(), names::patient(&self.id)?).await?;
        opened.open_older(self.clinic().me(), &rows, card)
    }

    pub(crate) async fn stored(&self, place: &Place) -> Result<Option<Record>> {
        let patient = names::patient(&place.patient)?;
        let (record, field) = (place.record()?, place.field()?);
        Ok(self.clinic().store().record(self.clinic().id(), patient, record, field).await?)
    }

    /// The core's own values, for what this crate does not do: the verified vault and the patient's key.
    ///
    /// # Errors
    /// [`Error::Expired`](crate::Error::Expired); as [`Session::patient`].
    ///
    /// # Security
    /// What is done with them passes the memory by. Keep no copy of the key beyond the closure.
    pub async fn with_core<T>(&self, with: impl FnOnce(&Vault, &PatientKey) -> T) -> Result<T> {
        let opened = self.ready().await?;
        Ok(with(&opened.vault, &opened.key))
    }
}

impl<S> Patient<S> {
    /// The patient's id.
    #[must_use]
    pub fn id(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.id)
    }

    #[cfg(test)]
    pub(crate) fn holds_no_key(&self) -> bool {
        self.held.opened().is_none()
    }

    /// The clinic.
    #[must_use]
    pub fn clinic(&self) -> &Clinic<S> {
        self.session.clinic()
    }

    pub(crate) fn place(&self, record: impl Into<Vec<u8>>, field: Vec<u8>) -> Place {
        Place { patient: self.id.to_vec(), record: record.into(), field }
    }
}

impl<S> Clone for Patient<S> {
    fn clone(&self) -> Self {
        Self { session: self.session.clone(), id: Arc::clone(&self.id), held: Arc::clone(&self.held) }
    }
}

impl<S> fmt::Debug for Patient<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patient").field("id", &self.id()).finish_non_exhaustive()
    }
}
