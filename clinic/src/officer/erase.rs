//! Erasure of one patient, and its receipt.

use std::fmt;

use lukko::{ErasureReceipt, KeyFingerprint, PatientId};
use lukko_store::{Change, Erase, Records, Scrub, Store};

use super::Officer;
use crate::error::{Error, Result};
use crate::names;
use crate::trust::name_of;

/// What an erasure has reached, and what must still be destroyed before every copy is dead. `Display` says it with names.
#[derive(Debug, Clone)]
pub struct Receipt {
    receipt: ErasureReceipt,
    /// The members' keys that could open the patient, by name.
    keys: Vec<(String, KeyFingerprint)>,
    scrubbed: Scrub,
}

impl Receipt {
    /// The core's receipt, to be noted on and kept.
    #[must_use]
    pub const fn receipt(&self) -> &ErasureReceipt {
        &self.receipt
    }

    /// Whose keys open copies from before the erasure, until they are destroyed.
    pub fn keys(&self) -> impl Iterator<Item = (&str, KeyFingerprint)> {
        self.keys.iter().map(|(name, key)| (name.as_str(), *key))
    }

    /// How far the database's own files were cleaned.
    #[must_use]
    pub const fn scrubbed(&self) -> Scrub {
        self.scrubbed
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cards = self.receipt.cards().len();
        writeln!(f, "The patient is erased: {cards} cards are closed, and nothing in this database opens a note.")?;
        let files = match self.scrubbed {
            Scrub::Files => "The database's files hold nothing of the patient's keys.",
            Scrub::Tables => {
                "The database's tables hold nothing of the patient's keys; its logs and archives still may."
            }
        };
        writeln!(f, "{files}")?;
        write!(f, "Copies from before open until these are destroyed:")?;
        for (generation, _) in self.receipt.generations() {
            write!(f, "\n  the shares of generation {generation}")?;
        }
        for (name, key) in &self.keys {
            write!(f, "\n  the key of {name} ({key})")?;
        }
        Ok(())
    }
}

impl<S: Store> Officer<S> {
    /// Erases a patient: closes the cards in the list of members, deletes cards, grants and records in the same change,
    /// cleans the database's files as far as it can, and gives the receipt. The store keeps its parts.
    ///
    /// Interrupted, it is called again. Where the patient's rows are gone already there is nothing to close, and the answer
    /// is [`Error::NoPatient`].
    ///
    /// # Errors
    /// [`Error::NoPatient`]; [`Error::Core`] with [`CardMissing`](lukko::error::Usage::CardMissing) if a row names a card
    /// that is not stored; [`Error::Store`], among it that another generation is in use whose list must close the cards too.
    ///
    /// # Security
    /// Backups and other members' memories are not reached. The receipt names what still opens old copies.
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
    /// let officer = clinic.officer(founded.registrar);
    /// let receipt = officer.erase(&patient.id()).await?;
    /// assert!(receipt.to_string().contains("the key of aalto"));
    /// # Ok(()) }
    /// ```
    pub async fn erase(&self, patient: &str) -> Result<Receipt> {
        let clinic = self.clinic();
        let id = names::patient(patient.as_bytes())?;
        let vault = clinic.follow().await?;
        // 1. What is stored of the patient, whose grant was withdrawn among it.
        let rows = clinic.store().patient(clinic.id(), id).await?;
        if rows.cards.is_empty() {
            return Err(Error::NoPatient);
        }
        let mut erasure = vault.begin_erasure(id, &rows.card_bytes(), rows.all_grants())?;
        for key in &rows.withdrawn {
            erasure.also_granted(*key);
        }
        // 2. The list of members that closes the cards, stored in one change with the deletion.
        let mut draft = vault.roster().next()?;
        erasure.close_in(&mut draft)?;
        let (generation, version) = (vault.descriptor().generation(), draft.version());
        let roster = draft.sign_as_registrar(&self.registrar, vault.descriptor())?;
        let mut closing = lukko::Vault::clone(&vault);
        closing.update_roster(&roster, clinic.store().members(clinic.id()).await?)?;
        let at = clinic.seconds();
        let (cards, records) = (erasure.cards(), Records::Delete);
        let erase = Erase { patient: id, vault: &closing, cards, keys: &[], at, records, claim: None };
        clinic.apply(&[Change::Roster { generation, version, roster: &roster }, Change::Erase(erase)]).await?;
        // 3. What is left in files, and in this member's memory.
        let vault = clinic.follow().await?;
        let scrubbed = self.clean(id).await?;
        let receipt = erasure.receipt(&vault, at)?;
        let keys = receipt
            .keys()
            .iter()
            .map(|(key, _)| (name_of(&vault, *key).unwrap_or_else(|| "somebody who is not listed".to_owned()), *key));
        let keys = keys.collect();
        Ok(Receipt { receipt, keys, scrubbed })
    }

    async fn clean(&self, patient: PatientId<'_>) -> Result<Scrub> {
        let clinic = self.clinic();
        clinic.memory().forget_patient(patient.as_bytes()).await?;
        if let Ok(files) = clinic.files() {
            files.sweep_given_up(clinic.store(), clinic.id()).await?;
        }
        Ok(clinic.store().scrub(clinic.id()).await?)
    }
}
