//! Rotation: every patient's way into the next generation.

use std::collections::BTreeSet;

use lukko::{CardId, ClosedReason, Enroller, GrantKey, OsRng, PatientId, PatientRotation, StoredPatient};

use super::keys::{Closed, NOT_CURRENT};
use super::owned::Owned;
use super::{Finding, Piece, Task, Worker};
use crate::change::JobKind;
use crate::error::Result;
use crate::rows::{After, Claim, Patient, Record};
use crate::store::Store;

const HIDDEN: &str = "its row is not stored, and a record or a grant names it: take the row from a backup, and rotate again before you \
                      retire";
/// Records that are read at once.
const PAGE: u32 = 64;

/// Re-wraps master grants and endorses cards for the next generation: of the current card, and of every older card that
/// is stored. An older card that carries records, and that no quorum of the next generation can open afterwards, is a
/// finding, also where the card's own row is missing. All records are listed to find that out, and none is opened.
///
/// Where the verified card is not the one that the patient's row names, nothing is written, and that is a finding:
/// somebody may have put an older card back, and the next generation must not vouch for it.
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
        let carrying = carrying(on, patient).await?;
        let mut piece = Piece::default();
        let mut lost = self.rewrap(patient, (&stored, &carrying), &mut piece.last)?;
        let hidden = without_row(&stored, carrying).into_iter().filter(|card| !self.is_erased(*card));
        lost.extend(hidden.map(|card| (card, Closed::Missing(HIDDEN))));
        let finding = |(card, closed)| Finding { record: None, reason: format!("card {card}: {closed}") };
        piece.findings.extend(lost.into_iter().map(finding));
        Ok(piece)
    }
}

/// The cards that records name.
async fn carrying<S: Store>(on: &Worker<'_, S>, patient: PatientId<'_>) -> Result<BTreeSet<CardId>> {
    let (mut carrying, mut last) = (BTreeSet::new(), None::<Record>);
    loop {
        let after = last.as_ref().map(|last| After { record: &last.record, field: &last.field });
        let page = on.store.records(on.vault, patient, after, PAGE).await?;
        carrying.extend(page.iter().map(|record| record.card));
        last = page.into_iter().next_back();
        if last.is_none() {
            return Ok(carrying);
        }
    }
}

/// Cards that a record or a grant names and whose rows are not there, each once.
fn without_row(stored: &Patient, mut named: BTreeSet<CardId>) -> BTreeSet<CardId> {
    named.extend(stored.grants.iter().map(|grant| grant.card));
    named.extend(stored.master_grants.iter().map(|grant| grant.card));
    named.retain(|named| stored.cards.iter().all(|(card, _)| card != named));
    named
}

impl RotationJob<'_> {
    /// Records that an erasure kept are under such a card, and nobody is to open them.
    fn is_erased(&self, card: CardId) -> bool {
        [self.step.from, self.step.to].iter().any(|vault| vault.roster().closed(card) == Some(ClosedReason::Erased))
    }

    /// Gives what is to be written, and the cards that no quorum of the next generation opens after that.
    fn rewrap(
        &self,
        patient: PatientId<'_>,
        (stored, carrying): (&Patient, &BTreeSet<CardId>),
        write: &mut Vec<Owned>,
    ) -> Result<Vec<(CardId, Closed)>> {
        let (from, to) = (self.step.from.descriptor().generation(), self.step.to.descriptor().generation());
        let cards = stored.card_bytes();
        let done = stored.stored(to, &cards);
        let old = stored.stored(from, &cards);
        let endorsed = match &old {
            Some(old) => self.step.patient(patient, old, done.as_ref(), &mut OsRng)?,
            // Enrolled when the next generation was there already.
            None => None,
        };
        let new = endorsed.as_ref().map(|new| StoredPatient {
            cards: &cards,
            endorsement: &new.endorsement,
            master_grant: &new.master_grant,
        });
        let after = new.or(done).ok_or(lukko::error::Usage::NoCard).map_err(lukko::Error::from)?;
        let current = self.step.to.card(patient, &after, None)?.id();
        if stored.current != Some(current) {
            return Ok(vec![(current, Closed::Missing(NOT_CURRENT))]);
        }
        let (mut older, mut lost) = (Vec::new(), Vec::new());
        for (card, _) in stored.cards.iter().filter(|(card, _)| *card != current) {
            match self.older(patient, stored, (old.as_ref(), &after), *card) {
                Ok(None) => {}
                Ok(Some(grant)) => older.push(grant),
                Err(Closed::Missing(_)) if !carrying.contains(card) => {}
                Err(closed) => lost.push((*card, closed)),
            }
        }
        if let Some(endorsed) = endorsed {
            let replaces = stored.endorsed(to).map(|endorsed| endorsed.endorsement.clone());
            write.push(Owned::Endorse { card: current, generation: to, endorsed, replaces });
        }
        write.extend(older);
        Ok(lost)
    }

    /// The master grant of an older card for the next generation; none if the stored one opens. An enroller who does not
    /// have the new root's key cannot see that, and writes it anew.
    fn older(
        &self,
        patient: PatientId<'_>,
        stored: &Patient,
        (old, after): (Option<&StoredPatient<'_>>, &StoredPatient<'_>),
        card: CardId,
    ) -> Result<Option<Owned>, Closed> {
        let (from, to) = (self.step.from.descriptor().generation(), self.step.to.descriptor().generation());
        let there = stored.master_grant(card, to);
        if let (Some(grant), Enroller::Root(key)) = (there, self.step.by)
            && self.step.to.open_older(patient, after, None, card, &GrantKey::Master { key, grant }).is_ok()
        {
            return Ok(None);
        }
        let (Some(old), Some(grant)) = (old, stored.master_grant(card, from)) else {
            return match (there, self.step.by) {
                // Nobody here can say that it does not open.
                (Some(_), Enroller::Member(_)) => Ok(None),
                _ => Err(Closed::Missing("it carries records, and no grant of it to the quorum is stored that opens")),
            };
        };
        let grant = self.step.older(patient, old, card, grant, &mut OsRng)?;
        let replaces = there.map(<[u8]>::to_vec);
        Ok(Some(Owned::MasterGrant { card, generation: to, grant, replaces }))
    }
}
