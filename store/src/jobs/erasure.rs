//! Erasure: patients whose cards a roster has closed lose everything that opens their records.

use lukko::{PatientId, Vault};

use super::owned::Owned;
use super::{Piece, Task, Worker};
use crate::attachments::Attachments;
use crate::change::{JobKind, Over, Records};
use crate::error::{Error, Result, Usage};
use crate::rows::{Claim, Patient};
use crate::store::Store;

/// Erases patients, each in one transaction with the parts of its receipt; then scrubs the database, and sweeps the
/// objects of their attachments.
///
/// A patient whose cards are not all closed as erased by the vault's roster stays, and is a finding. So a job that was
/// given a wrong patient erases nobody: what decides is the roster, which a registrar has signed.
///
/// One that is over may be run again, under its name or another one. Under its name it is refused with
/// [`WrongJob`](crate::error::Usage::WrongJob) where something is stored that it should have deleted.
///
/// A card that is named and not stored is a finding, unless another patient has it: then somebody planted the row that names
/// it, and it is left alone. Take a card that nobody has from a backup, or let the registrar close it by its id.
#[derive(Debug, Clone, Copy)]
pub struct ErasureJob<'a> {
    /// The vault, with the roster that closes the cards. The store has that roster too.
    pub vault: &'a Vault,
    /// Who is erased.
    pub patients: &'a [PatientId<'a>],
    /// What happens to their sealed records.
    pub records: Records,
    /// Where objects of attachments are, if the vault has any.
    pub attachments: Option<&'a Attachments>,
}

impl Task for ErasureJob<'_> {
    const KIND: JobKind = JobKind::Erasure;
    const AGAIN: bool = true;

    fn over(&self) -> Over<'_> {
        Over::These(self.patients)
    }

    async fn piece<S: Store>(&self, on: &Worker<'_, S>, _claim: &Claim) -> Result<Piece> {
        // Also where nothing is left: the piece itself names the patient, and goes with the change.
        let erase = Owned::Erase { vault: Box::new(self.vault.clone()), at: on.seconds()?, records: self.records };
        Ok(Piece { last: vec![erase], ..Piece::default() })
    }

    async fn finish<S: Store>(&self, on: &Worker<'_, S>) -> Result<()> {
        on.store.scrub(on.vault).await?;
        if let Some(attachments) = self.attachments {
            attachments.sweep_given_up(on.store, on.vault).await?;
        }
        for patient in on.not_failed(self.patients).await? {
            if !self.is_empty(on, patient).await? {
                return Err(Usage::WrongJob.into());
            }
        }
        Ok(())
    }
}

impl ErasureJob<'_> {
    /// Whether nothing is stored of the patient that this job would delete. Damaged rows are something.
    async fn is_empty<S: Store>(&self, on: &Worker<'_, S>, patient: PatientId<'_>) -> Result<bool> {
        match on.store.patient(on.vault, patient).await {
            Ok(stored) if stored == Patient::default() => {}
            Ok(_) | Err(Error::Corrupt { .. }) => return Ok(false),
            Err(error) => return Err(error),
        }
        if self.records == Records::Keep {
            return Ok(true);
        }
        match on.store.records(on.vault, patient, None, 1).await {
            Ok(records) => Ok(records.is_empty()),
            Err(Error::Corrupt { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
