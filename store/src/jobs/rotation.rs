//! Rotation: every patient's way into the next generation.

use lukko::{OsRng, PatientId, PatientRotation};

use super::{Owned, Piece, Task, Worker};
use crate::change::JobKind;
use crate::error::Result;
use crate::rows::{Claim, Patient};
use crate::store::Store;

/// Re-wraps master grants and endorses cards for the next generation. No record is read.
#[derive(Debug, Clone, Copy)]
pub struct RotationJob<'a> {
    /// The core's step for one patient.
    pub step: PatientRotation<'a>,
}

impl Task for RotationJob<'_> {
    const KIND: JobKind = JobKind::Rotation;

    async fn piece<S: Store>(&self, on: &Worker<'_, S>, claim: &Claim) -> Result<Piece> {
        let patient = PatientId::new(&claim.patient)?;
        let vault = self.step.from.descriptor().vault();
        let stored = on.store.patient(vault, patient).await?;
        self.rewrap(patient, &stored)
    }
}

impl RotationJob<'_> {
    fn rewrap(&self, patient: PatientId<'_>, stored: &Patient) -> Result<Piece> {
        let (from, to) = (self.step.from.descriptor().generation(), self.step.to.descriptor().generation());
        let cards = stored.card_bytes();
        let done = stored.stored(to, &cards);
        let Some(old) = stored.stored(from, &cards) else {
            // Enrolled when the next generation was there already.
            let done = done.ok_or(lukko::error::Usage::NoCard).map_err(lukko::Error::from)?;
            self.step.to.card(patient, &done, None)?;
            return Ok(Piece::default());
        };
        let mut piece = Piece::default();
        if let Some(endorsed) = self.step.patient(patient, &old, done.as_ref(), &mut OsRng)? {
            let card = self.step.from.card(patient, &old, None)?.id();
            let replaces = stored.endorsed(to).map(|endorsed| endorsed.endorsement.clone());
            piece.last.push(Owned::Endorse { card, generation: to, endorsed, replaces });
        }
        for older in stored.master_grants.iter().filter(|grant| grant.generation == from) {
            if stored.master_grant(older.card, to).is_none() {
                let grant = self.step.older(patient, &old, older.card, &older.bytes, &mut OsRng)?;
                piece.last.push(Owned::MasterGrant { card: older.card, generation: to, grant });
            }
        }
        Ok(piece)
    }
}
