//! A front end: it leaves texts for patients, and can do nothing else.

use std::fmt;

use lukko_store::error::Conflict;
use lukko_store::{Change, Expect, NewRecord, Store};

use crate::clinic::Clinic;
use crate::error::{Error, Result};
use crate::memory::subject::Place;
use crate::names;
use crate::note::Note;
use crate::open;
use crate::place;

/// How often a deposit is made again because somebody has made the next key of the patient.
const ATTEMPTS: u32 = 3;

/// A clinic as a front end has it, with a key that may deposit. There is no call here that opens anything.
///
/// ```compile_fail,E0599
/// async fn read<S: lukko_store::Store>(desk: lukko_clinic::FrontDesk<S>) {
///     desk.session(lukko_clinic::Purpose::care("curious"));
/// }
/// ```
pub struct FrontDesk<S>(Clinic<S>);

impl<S: Store> From<Clinic<S>> for FrontDesk<S> {
    fn from(clinic: Clinic<S>) -> Self {
        Self(clinic)
    }
}

impl<S: Store> FrontDesk<S> {
    /// Leaves a text for those who treat a patient. Nobody here can read it again. Where it is may be shown to the
    /// depositor.
    ///
    /// # Errors
    /// [`Error::NoPatient`]; [`Error::RolledBack`] if the patient's card is not the one that this front end has met, and
    /// does not follow from it; [`Error::Core`] if the key may not deposit; [`Error::Name`]; [`Error::Store`].
    ///
    /// ```
    /// # use lukko_clinic::*;
    /// # use lukko_store::SqliteStore;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let store = SqliteStore::open(directory.path().join("clinic.db")).await?;
    /// # let plan = Plan::custodians(3, 5).member("aalto", THERAPIST).member("intake", DEPOSIT);
    /// # let founded = Clinic::found(store.clone(), Memory::in_memory(), plan).await?;
    /// # let patient = founded.clinic.session(Purpose::care("first visit")).enrol().await?;
    /// # let key = founded.key("intake").ok_or("no key")?;
    /// # let joined = Clinic::join(store, Memory::in_memory(), key, &founded.clinic.invitation()).await?;
    /// let desk = FrontDesk::from(joined.clinic);
    /// let form = desk.deposit(&patient.id(), "form", "not slept since the move").await?;
    /// // The therapist:
    /// patient.take_over(&form).await?;
    /// assert_eq!(patient.read_deposit(&form).await?.text(), "not slept since the move");
    /// # Ok(()) }
    /// ```
    pub async fn deposit(&self, patient: &str, field: &str, text: &str) -> Result<Note> {
        let (clinic, memory) = (&self.0, self.0.memory());
        let (id, field) = (names::patient(patient.as_bytes())?, names::deposit_field(field)?);
        let mut attempt = 1;
        loop {
            let vault = clinic.vault().await?;
            let known = memory.card(id.as_bytes()).await?;
            let rows = clinic.store().patient(clinic.id(), id).await?;
            let card = open::card(&vault, id.as_bytes(), &rows, known)?;
            // The memory has the card before something is sealed to it.
            if known != Some(card.id()) && !memory.accept_card(id.as_bytes(), known, card.id()).await? {
                continue;
            }
            let sealed = place::deposit(&vault, &card, clinic.me(), &field, text)?;
            let record = sealed.record().to_vec();
            let place = Place { patient: id.as_bytes().to_vec(), record, field: field.clone() };
            match clinic.apply(&[Change::Record(NewRecord::new(&sealed, Expect::Absent))]).await {
                Ok(()) => return Ok(Note::at(&place, 0)),
                Err(lukko_store::Error::Conflict(Conflict::Card)) if attempt < ATTEMPTS => {
                    attempt = u32::saturating_add(attempt, 1);
                }
                Err(error) => return Err(Error::from(error)),
            }
        }
    }
}

impl<S> fmt::Debug for FrontDesk<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FrontDesk").field(&self.0).finish()
    }
}
