//! A session: one member at work, for one purpose, for a while.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use lukko::{OsRng, random_id};
use lukko_store::error::Conflict;
use lukko_store::{Store, enrolment};

use crate::clinic::Clinic;
use crate::clock::Life;
use crate::error::{Error, Result};
use crate::names;
use crate::open::{self, Opened};
use crate::patient::{Held, Patient};
use crate::purpose::Purpose;

/// A session of a member. It ends when it was idle for too long, when its longest time is over, or when it is closed; then
/// the keys of all patients that were opened in it are wiped. Cloning it gives another handle on the same one.
///
/// An end is noticed by the next call. A service calls [`Session::settle`] every second, so that keys are wiped in time
/// also where nobody calls.
///
/// ```
/// # use lukko_clinic::*;
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let store = SqliteStore::open(directory.path().join("clinic.db")).await?;
/// # let plan = Plan::custodians(3, 5).member("aalto", THERAPIST).member("niemi", READER);
/// # let founded = Clinic::found(store, Memory::in_memory(), plan).await?;
/// # let clinic = founded.clinic.clone().with_files(Attachments::local(directory.path())?);
/// let session = clinic.session(Purpose::care("appointment"));
/// let patient = session.enrol().await?;
/// let id = patient.id().into_owned();
/// // Later, and by everybody to whom the patient was shared:
/// let patient = session.patient(&id).await?;
/// patient.write("note", "slept better").await?;
/// session.close();
/// assert_eq!(patient.write("note", "slept well").await.unwrap_err().code(), "session-expired");
/// # Ok(()) }
/// ```
pub struct Session<S> {
    clinic: Clinic<S>,
    shared: Arc<Shared>,
}

struct Shared {
    purpose: Purpose,
    life: Life,
    /// The keys of every patient that is open.
    held: Mutex<Vec<Weak<Held>>>,
}

impl<S: Store> Session<S> {
    pub(crate) fn new(clinic: Clinic<S>, purpose: Purpose) -> Self {
        let life = Life::new(Arc::clone(clinic.clock()), clinic.limits());
        Self { clinic, shared: Arc::new(Shared { purpose, life, held: Mutex::default() }) }
    }

    /// Enrols a new patient under an id that is drawn at random, and grants the patient to this member: stored whole.
    ///
    /// # Errors
    /// [`Error::Core`] if this member may not enrol; [`Error::Expired`]; [`Error::Store`].
    pub async fn enrol(&self) -> Result<Patient<S>> {
        self.enrol_as(&random_id(&mut OsRng)?).await
    }

    /// Enrols a new patient under an id of the caller's.
    ///
    /// # Errors
    /// As [`Session::enrol`]; [`Error::PatientExists`]; [`Error::Name`].
    ///
    /// # Security
    /// The database shows the id as it is. A name or an identity code in it is read by whoever copies the database.
    pub async fn enrol_as(&self, patient: &str) -> Result<Patient<S>> {
        self.touch()?;
        let vault = self.clinic.vault().await?;
        let id = names::patient(patient.as_bytes())?;
        let (enrolled, grants) = open::enrol(&vault, self.clinic.me(), id.as_bytes())?;
        let changes = enrolment(id, vault.descriptor().generation(), &enrolled, &grants)?;
        self.clinic.apply(&changes).await.map_err(|error| match error {
            lukko_store::Error::Conflict(Conflict::Card) => Error::PatientExists,
            error => error.into(),
        })?;
        let memory = self.clinic.memory();
        let known = memory.card(id.as_bytes()).await?;
        if !memory.accept_card(id.as_bytes(), known, enrolled.card_id).await? {
            return Err(Error::NotNoted("another process has noted another card of this patient".into()));
        }
        Ok(self.holding(id.as_bytes(), Some(Opened::new(vault, enrolled.key))))
    }

    /// Opens a patient who was granted to this member. The card is verified, and must be the one that this member has
    /// accepted before, or follow from it.
    ///
    /// # Errors
    /// [`Error::NotGranted`], also where there is no such patient; [`Error::RolledBack`]; [`Error::Expired`];
    /// [`Error::Core`] for what does not verify; [`Error::Store`].
    pub async fn patient(&self, patient: &str) -> Result<Patient<S>> {
        let patient = self.holding(names::patient(patient.as_bytes())?.as_bytes(), None);
        patient.ready().await?;
        Ok(patient)
    }

    /// Wipes the keys of every patient if the session is over. Says whether it is.
    pub fn settle(&self) -> bool {
        let over = self.shared.life.is_over();
        if over {
            self.close();
        }
        over
    }

    /// Ends the session, and wipes the keys of every patient that was opened in it. Streams of attachments that are under
    /// way hold their key until they end.
    pub fn close(&self) {
        self.shared.life.close();
        self.held().drain(..).filter_map(|held| held.upgrade()).for_each(|held| held.wipe());
    }

    fn holding(&self, patient: &[u8], opened: Option<Opened>) -> Patient<S> {
        let held = Arc::new(Held::new(opened));
        let mut all = self.held();
        all.retain(|held| held.strong_count() > 0);
        all.push(Arc::downgrade(&held));
        drop(all);
        Patient::new(self.clone(), patient, held)
    }
}

impl<S> Session<S> {
    /// What the session is for.
    #[must_use]
    pub fn purpose(&self) -> &Purpose {
        &self.shared.purpose
    }

    /// The clinic.
    #[must_use]
    pub const fn clinic(&self) -> &Clinic<S> {
        &self.clinic
    }

    /// Uses the session now, or says that it is over and wipes its keys.
    pub(crate) fn touch(&self) -> Result<()> {
        let touched = self.shared.life.touch();
        if touched.is_err() {
            self.held().drain(..).filter_map(|held| held.upgrade()).for_each(|held| held.wipe());
        }
        touched
    }

    fn held(&self) -> MutexGuard<'_, Vec<Weak<Held>>> {
        self.shared.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> Clone for Session<S> {
    fn clone(&self) -> Self {
        Self { clinic: self.clinic.clone(), shared: Arc::clone(&self.shared) }
    }
}

impl<S> fmt::Debug for Session<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("purpose", &self.shared.purpose).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use lukko_store::MemoryStore;

    use crate::{Clinic, Clock, Limits, Memory, Patient, Plan, Purpose, THERAPIST};

    /// A clock that stands at two times: before and after everything is over.
    #[derive(Debug, Default)]
    struct Steps(std::sync::atomic::AtomicU64);

    impl Clock for Steps {
        fn elapsed(&self) -> Duration {
            Duration::from_secs(self.0.load(std::sync::atomic::Ordering::SeqCst))
        }

        fn unix(&self) -> Duration {
            self.elapsed()
        }
    }

    fn is_wiped(patient: &Patient<MemoryStore>) -> bool {
        patient.holds_no_key()
    }

    #[tokio::test]
    async fn t126_the_keys_of_every_patient_are_wiped_when_a_session_ends_whoever_notices() {
        let plan = Plan::custodians(2, 3).classical().member("aalto", THERAPIST);
        let founded = Clinic::found(MemoryStore::new(), Memory::in_memory(), plan).await.unwrap();
        let clock = Arc::new(Steps::default());
        let clinic = founded.clinic.with_clock(Arc::clone(&clock) as Arc<dyn Clock>).with_limits(Limits::default());
        for end in 0..3 {
            let session = clinic.session(Purpose::care("appointment"));
            let patients = [session.enrol().await.unwrap(), session.enrol().await.unwrap()];
            assert!(!patients.iter().any(is_wiped));
            let over = || clock.0.fetch_add(1 << 20, std::sync::atomic::Ordering::SeqCst);
            match end {
                0 => session.close(),
                1 => {
                    over();
                    assert!(session.settle());
                }
                _ => {
                    over();
                    // A call on one patient notices it for all.
                    assert_eq!(patients[0].write("note", "text").await.unwrap_err().code(), "session-expired");
                }
            }
            assert!(patients.iter().all(is_wiped));
        }
    }
}
