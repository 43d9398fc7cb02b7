//! Verify: every object of a vault is read and checked.

use std::collections::BTreeSet;

use lukko::{CardId, FieldLabel, Holder, PatientId, PatientKey, Vault};

use super::keys::{Closed, KeyOf, Opener};
use super::objects::Placed;
use super::place::Place;
use super::{Finding, Piece, Task, Worker};
use crate::attachments::Attachments;
use crate::change::JobKind;
use crate::error::Result;
use crate::rows::{After, Claim, Patient, Record, StoredBody};
use crate::store::Store;

/// Records that are read at once.
const PAGE: u32 = 64;

/// Opens every patient's key and every record, and says which cannot be read and why. It changes nothing.
#[derive(Debug, Clone, Copy)]
pub struct VerifyJob<'a> {
    /// The vault.
    pub vault: &'a Vault,
    /// Whose key opens the patients: a member's reads those that were granted.
    pub by: KeyOf<'a>,
    /// Where objects of attachments are. Without it every attachment is a finding.
    pub attachments: Option<&'a Attachments>,
    /// The fields that hold deposits, taken over or not. Every other field holds what readers seal, and a deposit in it
    /// is a finding: the field says which call opens a record, and neither its bytes nor its columns do.
    pub deposits: &'a [FieldLabel<'a>],
}

impl Task for VerifyJob<'_> {
    const KIND: JobKind = JobKind::Verify;

    async fn piece<S: Store>(&self, on: &Worker<'_, S>, claim: &Claim) -> Result<Piece> {
        let patient = PatientId::new(&claim.patient)?;
        let vault = self.vault.descriptor().vault();
        let stored = on.store.patient(vault, patient).await?;
        let opener = Opener { vault: self.vault, by: self.by, patient, stored: &stored };
        let key = match opener.current() {
            Ok(key) => key,
            Err(closed) => return Ok(Piece::failed(None, &closed)),
        };
        let mut piece = Piece { findings: self.grants(&stored), ..Piece::default() };
        if let Err(closed) = opener.require_current(&key) {
            piece.findings.push(Finding { record: None, reason: closed.to_string() });
        }
        let (mut last, mut carrying) = (None::<Record>, BTreeSet::new());
        loop {
            let after = last.as_ref().map(|last| After { record: &last.record, field: &last.field });
            let page = on.store.records(vault, patient, after, PAGE).await?;
            for record in &page {
                carrying.insert(record.card);
                if let Err(closed) = self.record(&opener, &key, record).await? {
                    let place = Some((record.record.clone(), record.field.clone()));
                    piece.findings.push(Finding { record: place, reason: closed.to_string() });
                }
            }
            last = page.into_iter().next_back();
            if last.is_none() {
                piece.findings.extend(self.without_way(&stored, &carrying));
                return Ok(piece);
            }
        }
    }
}

impl VerifyJob<'_> {
    /// Cards that carry records and of which a generation has no master grant: the vault's own generation, and every other
    /// one into which the patient was brought.
    fn without_way(&self, stored: &Patient, carrying: &BTreeSet<CardId>) -> Vec<Finding> {
        let mut generations: BTreeSet<u32> = stored.endorsed.iter().map(|endorsed| endorsed.generation).collect();
        generations.insert(self.vault.descriptor().generation());
        let each = generations.iter().flat_map(|generation| carrying.iter().map(move |card| (*card, *generation)));
        let lost = each.filter(|(card, generation)| stored.master_grant(*card, *generation).is_none());
        let finding = |(card, generation)| Finding {
            record: None,
            reason: format!("card {card} carries records, and generation {generation} has no master grant of it"),
        };
        lost.map(finding).collect()
    }

    /// Without its recipients' keys a grant shows only whether it is one, of which card, and to whom.
    fn grants(&self, stored: &Patient) -> Vec<Finding> {
        let members = stored.grants.iter().filter(|grant| match self.holder(grant.card, &grant.bytes) {
            Some(Holder::Member { key, .. } | Holder::Unlisted { key }) => key != grant.to,
            _ => true,
        });
        let older = stored.master_grants.iter().map(|grant| (grant.card, grant.generation, &grant.bytes));
        let current = stored.endorsed.iter().map(|of| (of.card, of.generation, &of.master_grant));
        let masters = older.chain(current).filter(|(card, noted, bytes)| match self.holder(*card, bytes) {
            Some(Holder::Quorum { generation, .. }) => generation != *noted,
            _ => true,
        });
        let wrong = members.count().saturating_add(masters.count());
        let mut findings = Vec::new();
        if wrong > 0 {
            let reason =
                format!("{wrong} grants are damaged, or of another card or recipient than the store has noted");
            findings.push(Finding { record: None, reason });
        }
        findings
    }

    fn holder(&self, card: CardId, grant: &[u8]) -> Option<Holder> {
        self.vault.who_can_open(card, [grant]).holders.into_iter().next()
    }

    /// The outer error ends the piece, the inner one is a finding.
    async fn record(&self, opener: &Opener<'_>, key: &PatientKey, record: &Record) -> Result<Result<(), Closed>> {
        let older = if record.card == key.card() { Ok(None) } else { opener.older(record.card).map(Some) };
        let key = match &older {
            Ok(older) => older.as_ref().unwrap_or(key),
            Err(_) => return Ok(older.map(|_| ())),
        };
        let place = match Place::new(self.vault, record, self.deposits) {
            Ok(place) => place,
            Err(closed) => return Ok(Err(closed)),
        };
        let revision = match &record.body {
            StoredBody::Sealed(sealed) => place.open(key, sealed).map(|opened| opened.revision.get()),
            StoredBody::Object { object, .. } => match self.attachments {
                Some(attachments) => Placed { place, object }.verify(attachments, key).await?,
                None => Err(Closed::Missing("an attachment, and the job knows no object store")),
            },
        };
        Ok(match revision {
            Ok(revision) if revision == record.revision => Ok(()),
            Ok(_) => Err(Closed::Missing("its revision is not the one that the store has noted")),
            Err(closed) => Err(closed),
        })
    }
}
