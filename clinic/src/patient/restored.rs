//! What of a patient is older in the database than in the memory, and how a person accepts that.

use std::collections::BTreeMap;

use lukko_store::{Record, Store};

use super::Patient;
use crate::error::{Error, Result, RolledBack};
use crate::memory::Memory;
use crate::memory::notes::Seen;
use crate::memory::subject::Place;
use crate::names::{self, Holds};

/// One thing that is older in the database than this member has seen: what [`Patient::differences`] lists, and what an
/// officer [accepts](crate::Officer::accept_restore).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    what: RolledBack,
    place: Place,
    /// What is stored, by its row.
    stored: Option<Seen>,
}

impl Difference {
    /// What it is.
    #[must_use]
    pub const fn what(&self) -> &RolledBack {
        &self.what
    }
}

impl<S: Store> Patient<S> {
    /// Compares everything that this member remembers of the patient's records with what is stored, by the rows. A row that
    /// lies about its revision is found when the record is read.
    ///
    /// # Errors
    /// [`Error::Expired`]; [`Error::Store`]; [`Error::Memory`]; as [`Session::patient`](crate::Session::patient).
    pub async fn differences(&self) -> Result<Vec<Difference>> {
        self.ready().await?;
        let known = self.clinic().memory().seen_of(&self.id).await?;
        let mut differences = Vec::new();
        for (place, seen) in known {
            let stored = self.stored(&place).await?;
            if let Some(what) = different(self.clinic().memory(), &place, seen, stored.as_ref()).await? {
                let stored = stored.map(|record| of_row(&place, &record));
                differences.push(Difference { what, place, stored });
            }
        }
        Ok(differences)
    }

    /// Sets the memory back to what is stored, and writes that down.
    pub(crate) async fn accept(&self, differences: &[Difference]) -> Result<()> {
        self.session.touch()?;
        let memory = self.clinic().memory();
        let lines: Vec<String> = differences.iter().map(|difference| difference.what.to_string()).collect();
        memory.write_down(self.clinic().seconds(), &lines).await?;
        for Difference { place, stored, .. } in differences {
            self.own_patient(place)?;
            memory.accept_older(place, *stored).await?;
        }
        Ok(())
    }
}

/// What differs, by what was seen before and by the row.
async fn different(memory: &Memory, place: &Place, seen: Seen, stored: Option<&Record>) -> Result<Option<RolledBack>> {
    let compared = match stored {
        None => memory.missing(place).await,
        Some(record) => seen.allows(place, record.revision),
    };
    match compared {
        Ok(()) => Ok(None),
        Err(Error::RolledBack(what)) => Ok(Some(what)),
        Err(error) => Err(error),
    }
}

fn of_row(place: &Place, record: &Record) -> Seen {
    match names::holds(&place.field) {
        Holds::Deposit => Seen::Deposit,
        _ => Seen::Revision(record.revision),
    }
}

/// Everything that differs, over all patients that this member has accepted a card of.
pub(crate) async fn everywhere<S: Store>(clinic: &crate::Clinic<S>) -> Result<BTreeMap<Vec<u8>, Vec<RolledBack>>> {
    let (memory, vault) = (clinic.memory(), clinic.vault().await?);
    let (mut all, mut last) = (BTreeMap::new(), None::<Vec<u8>>);
    loop {
        let page = memory.patients(last.as_deref()).await?;
        for patient in &page {
            let found = of_patient(clinic, &vault, patient).await?;
            if !found.is_empty() {
                all.insert(patient.clone(), found);
            }
        }
        last = page.into_iter().next_back();
        if last.is_none() {
            return Ok(all);
        }
    }
}

async fn of_patient<S: Store>(
    clinic: &crate::Clinic<S>,
    vault: &lukko::Vault,
    patient: &[u8],
) -> Result<Vec<RolledBack>> {
    let memory = clinic.memory();
    let id = names::patient(patient)?;
    let (card, known) = (memory.card(patient).await?, memory.seen_of(patient).await?);
    if card.is_some_and(|card| crate::trust::is_erased(vault, card)) {
        memory.forget_patient(patient).await?;
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let rows = clinic.store().patient(clinic.id(), id).await?;
    if let Err(Error::RolledBack(what)) = crate::open::card(vault, patient, &rows, card) {
        found.push(what);
    }
    for (place, seen) in known {
        let stored = clinic.store().record(clinic.id(), id, place.record()?, place.field()?).await?;
        found.extend(different(memory, &place, seen, stored.as_ref()).await?);
    }
    Ok(found)
}
