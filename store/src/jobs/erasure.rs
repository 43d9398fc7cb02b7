//! Erasure: patients whose cards a roster has closed lose everything that opens their records.

use lukko::{PatientId, Vault};

use super::{Owned, Piece, Task, Worker};
use crate::attachments::Attachments;
use crate::change::{JobKind, Over, Records};
use crate::error::Result;
use crate::rows::{Claim, Patient};
use crate::store::Store;

/// Erases patients, each in one transaction with the parts of its receipt; then scrubs the database, and sweeps the
/// objects of their attachments.
///
/// A patient whose cards are not all closed as erased by the vault's roster stays, and is a finding. So a job that was
/// given a wrong patient erases nobody: what decides is the roster, which a registrar has signed.
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

    async fn piece<S: Store>(&self, on: &Worker<'_, S>, claim: &Claim) -> Result<Piece> {
        let patient = PatientId::new(&claim.patient)?;
        let stored = on.store.patient(on.vault, patient).await?;
        if stored == Patient::default() {
            return Ok(Piece::default());
        }
        if stored.cards.is_empty() {
            return Ok(Piece::failed(None, &"the patient's cards are gone, and other rows are not"));
        }
        let at = on.seconds()?;
        let erasure = self.vault.begin_erasure(patient, &stored.card_bytes(), stored.all_grants())?;
        let receipt = match erasure.receipt(self.vault, at) {
            Ok(receipt) => receipt,
            Err(error) => return Ok(Piece::failed(None, &error)),
        };
        let cards = receipt.cards().to_vec();
        let keys = receipt.keys().iter().map(|(key, _)| *key).collect();
        let roster_version = self.vault.roster().version();
        let last = vec![Owned::Erase { cards, keys, roster_version, at, records: self.records }];
        Ok(Piece { last, ..Piece::default() })
    }

    async fn finish<S: Store>(&self, on: &Worker<'_, S>) -> Result<()> {
        on.store.scrub(on.vault).await?;
        if let Some(attachments) = self.attachments {
            attachments.sweep_given_up(on.store, on.vault).await?;
        }
        on.require_all(self.patients, false).await
    }
}
