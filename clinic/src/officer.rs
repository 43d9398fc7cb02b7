//! What an officer does: members come and go, keys are closed, patients are erased, everything is verified.

mod erase;
mod verify;

use std::fmt;

use lukko::{CardId, ClosedReason, KeyFingerprint, MemberEntry, RegistrarKey, RosterDraft, Status};
use lukko_store::{Change, Store};

pub use erase::Receipt;
pub use verify::Progress;

use crate::clinic::{Application, Clinic};
use crate::error::{Error, Result, RolledBack};
use crate::patient::{Difference, OpenTask, Patient, Rekeyed, everywhere};
use crate::role::Role;

/// A clinic in the hands of who has the registrar's key.
pub struct Officer<S> {
    clinic: Clinic<S>,
    registrar: RegistrarKey,
}

impl<S: Store> Officer<S> {
    pub(crate) const fn new(clinic: Clinic<S>, registrar: RegistrarKey) -> Self {
        Self { clinic, registrar }
    }

    /// Admits a member. `compared` is the fingerprint that the officer has read aloud with the person.
    ///
    /// # Errors
    /// [`Error::NewKey`] if the application has another fingerprint; [`Error::Core`] for an entry of another clinic, or for
    /// a key that is listed already; [`Error::Store`].
    ///
    /// ```
    /// # use lukko_clinic::*;
    /// # use lukko_store::SqliteStore;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let store = SqliteStore::open(directory.path().join("clinic.db")).await?;
    /// # let plan = Plan::custodians(3, 5).member("aalto", THERAPIST);
    /// # let Founded { clinic, registrar, .. } = Clinic::found(store.clone(), Memory::in_memory(), plan).await?;
    /// # let invitation = clinic.invitation();
    /// // Dr Niemi, on her own machine:
    /// let key = Key::draw("niemi")?;
    /// let application = Clinic::apply_for(&store, &key, &invitation).await?;
    /// // The officer, with the fingerprint from the telephone:
    /// # let compared = application.fingerprint;
    /// clinic.officer(registrar).admit(&application, compared, THERAPIST).await?;
    /// // Dr Niemi again:
    /// let joined = Clinic::join(store, Memory::in_memory(), &key, &invitation).await?;
    /// # let _ = joined; Ok(()) }
    /// ```
    pub async fn admit(&self, application: &Application, compared: KeyFingerprint, role: Role) -> Result<()> {
        let vault = self.clinic.follow().await?;
        let entry = MemberEntry::verify(&application.entry, vault.descriptor())?;
        if entry.fingerprint() != compared {
            return Err(Error::NewKey(entry.fingerprint()));
        }
        let member = Change::Member { key: compared, entry: &application.entry };
        self.sign(&[member], |draft| draft.admit(&entry, role.roles()?).map(drop)).await?;
        self.clinic.memory().know_colleague(entry.id(), compared).await
    }

    /// Retires a member's key: what it signed stands, and it receives nothing new. For somebody who leaves in peace.
    ///
    /// # Errors
    /// [`Error::Core`] for a key that is not listed, or not active; [`Error::Store`].
    pub async fn retire(&self, key: KeyFingerprint) -> Result<()> {
        self.sign(&[], |draft| draft.set_status(key, Status::Retired).map(drop)).await
    }

    /// Revokes a member's key: nothing that it signed counts any more. For a key that was lost or stolen.
    ///
    /// # Errors
    /// As [`Officer::retire`].
    ///
    /// # Security
    /// A thief of the key keeps what it opened. Make the [next key](Patient::rekey) of each patient that it could read.
    pub async fn revoke(&self, key: KeyFingerprint) -> Result<()> {
        self.sign(&[], |draft| draft.set_status(key, Status::Revoked).map(drop)).await
    }

    /// As [`Patient::rekey`], and closes the older card: nothing is left open.
    ///
    /// # Errors
    /// As [`Patient::rekey`] and [`Officer::close`].
    pub async fn rekey(&self, patient: &Patient<S>) -> Result<Rekeyed> {
        let mut rekeyed = patient.rekey().await?;
        if let Some(task) = rekeyed.open.take() {
            self.close(&task).await?;
        }
        Ok(rekeyed)
    }

    /// Closes the older card that a re-key has left: nobody opens it again, and the task is done.
    ///
    /// # Errors
    /// [`Error::Store`]; [`Error::Memory`].
    pub async fn close(&self, task: &OpenTask) -> Result<()> {
        let card = task.card;
        if self.clinic.follow().await?.roster().closed(card).is_none() {
            self.sign(&[], |draft| draft.close(card, ClosedReason::Compromised).map(drop)).await?;
        }
        self.clinic.memory().end_task(&task.patient, card).await
    }

    /// Accepts that these are older, because a backup was restored rightly: the memory of this member is set back to what is
    /// stored, and that is written down. Show the list to a person first.
    ///
    /// # Errors
    /// [`Error::Expired`]; [`Error::Memory`].
    ///
    /// # Security
    /// From then on the older texts open without a warning. Each member's memory is set back by itself. An older list of
    /// members and an older card are not accepted here: join anew, with an empty memory.
    pub async fn accept_restore(&self, patient: &Patient<S>, differences: &[Difference]) -> Result<()> {
        patient.accept(differences).await
    }

    /// Signs the next list of members, stores it with what belongs to it, and follows.
    pub(crate) async fn sign(
        &self,
        with: &[Change<'_>],
        change: impl Fn(&mut RosterDraft) -> lukko::Result<()>,
    ) -> Result<()> {
        let vault = self.clinic.follow().await?;
        let mut draft = vault.roster().next()?;
        change(&mut draft)?;
        let (generation, version) = (vault.descriptor().generation(), draft.version());
        let roster = draft.sign_as_registrar(&self.registrar, vault.descriptor())?;
        let roster = Change::Roster { generation, version, roster: &roster };
        self.clinic.apply(&[&[roster], with].concat()).await?;
        self.clinic.follow().await.map(drop)
    }

    /// The clinic.
    #[must_use]
    pub const fn clinic(&self) -> &Clinic<S> {
        &self.clinic
    }
}

impl<S: Store> Clinic<S> {
    /// Confirms the key of a colleague, after its fingerprint was compared with the colleague: from then on
    /// [`Patient::share_with`] accepts it.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub async fn confirm_colleague(&self, name: &str, compared: KeyFingerprint) -> Result<()> {
        self.memory().know_colleague(name.as_bytes(), compared).await
    }

    /// Confirms the fingerprint of a generation, after it was compared with a person: what is not confirmed is not followed.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub async fn confirm(&self, compared: lukko::Fingerprint) -> Result<()> {
        self.memory().confirm(compared.as_bytes()).await
    }

    /// Whether a person has confirmed this fingerprint.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub async fn is_confirmed(&self, fingerprint: lukko::Fingerprint) -> Result<bool> {
        self.memory().is_confirmed(fingerprint.as_bytes()).await
    }

    /// What officers must still do, as this member's memory has it.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub async fn open_tasks(&self) -> Result<Vec<OpenTask>> {
        let vault = self.vault().await?;
        let open = |(_, card): &(Vec<u8>, CardId)| vault.roster().closed(*card).is_none();
        let tasks = self.memory().tasks().await?.into_iter().filter(open);
        Ok(tasks.map(|(patient, card)| OpenTask { patient, card }).collect())
    }

    /// Everything that is older in the database than this member has seen, over all patients, by the rows. A service calls it
    /// after each start and each restore, beside its work: it reads a row for each note of the memory.
    ///
    /// # Errors
    /// [`Error::RolledBack`] for an older list of members; [`Error::Store`]; [`Error::Memory`].
    pub async fn differences(&self) -> Result<Vec<RolledBack>> {
        Ok(everywhere(self).await?.into_values().flatten().collect())
    }

    /// What was [accepted](Officer::accept_restore) with this memory, in order.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub async fn accepted(&self) -> Result<Vec<String>> {
        self.memory().written_down().await
    }
}

impl<S> fmt::Debug for Officer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Officer").field("clinic", &self.clinic).finish_non_exhaustive()
    }
}
