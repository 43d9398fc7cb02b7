//! Re-key: records move to their patients' current cards.

use lukko::{CardId, FieldLabel, OsRng, PatientId, PatientKey, RecordId, Vault};

use super::keys::{Closed, KeyOf, Opener};
use super::{Finding, Piece, Task};
use crate::change::{Body, Change, Expect, JobKind, NewRecord};
use crate::error::Result;
use crate::rows::{After, Record, StoredBody};
use crate::store::Store;

/// Records that are read, and written in one change.
const PAGE: u32 = 64;

/// Moves every record that is not under its patient's current card. Begin it after the new cards are stored; a record
/// that is written later is under the new card already, because the store takes no other.
#[derive(Debug, Clone, Copy)]
pub struct RekeyJob<'a> {
    /// The vault.
    pub vault: &'a Vault,
    /// Whose key opens old and new cards.
    pub by: KeyOf<'a>,
    /// How.
    pub how: How,
}

/// How records move to another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Their keys are wrapped anew: enough while nobody mistrusted had the old key. See [`lukko::Vault::rewrap`].
    Rewrap,
    /// They are encrypted anew. See [`lukko::Vault::reseal`].
    Reseal,
}

impl Task for RekeyJob<'_> {
    const KIND: JobKind = JobKind::Rekey;

    async fn piece<S: Store>(&self, store: &S, patient: PatientId<'_>) -> Result<Piece> {
        let vault = self.vault.descriptor().vault();
        let stored = store.patient(vault, patient).await?;
        let opener = Opener { vault: self.vault, by: self.by, patient, stored: &stored };
        let to = match opener.current() {
            Ok(key) => key,
            Err(closed) => return Ok(Piece::failed(None, &closed)),
        };
        let mut move_ = Move { job: self, opener, to, from: Vec::new() };
        let (mut piece, mut last) = (Piece::default(), None::<Record>);
        loop {
            let after = last.as_ref().map(|last| After { record: &last.record, field: &last.field });
            let page = store.records(vault, patient, after, PAGE).await?;
            let moved: Vec<(&Record, Vec<u8>)> =
                page.iter().filter_map(|record| move_.record(record, &mut piece.findings)).collect();
            let changes = changes(patient, move_.to.card(), &moved)?;
            if !changes.is_empty() {
                store.apply(vault, &changes).await?;
                piece.written = piece.written.saturating_add(changes.len() as u64);
            }
            last = page.into_iter().next_back();
            if last.is_none() {
                return Ok(piece);
            }
        }
    }
}

fn changes<'a>(patient: PatientId<'a>, card: CardId, moved: &'a [(&Record, Vec<u8>)]) -> Result<Vec<Change<'a>>> {
    let change = |(record, sealed): &'a (&Record, Vec<u8>)| {
        let StoredBody::Sealed(old) = &record.body else { return Ok(None) };
        Ok(Some(Change::Record(NewRecord {
            patient,
            record: RecordId::new(&record.record)?,
            field: FieldLabel::new(&record.field)?,
            revision: record.revision,
            card,
            body: Body::Sealed(sealed),
            expect: Expect::Body(Body::Sealed(old)),
        })))
    };
    moved.iter().filter_map(|moved| change(moved).transpose()).collect()
}

struct Move<'a> {
    job: &'a RekeyJob<'a>,
    opener: Opener<'a>,
    to: PatientKey,
    /// Keys of older cards that were opened already.
    from: Vec<(CardId, PatientKey)>,
}

impl Move<'_> {
    /// The record under the current card; none if it is there already or cannot be moved, which is a finding.
    fn record<'r>(&mut self, record: &'r Record, findings: &mut Vec<Finding>) -> Option<(&'r Record, Vec<u8>)> {
        if record.card == self.to.card() {
            return None;
        }
        match self.reseal(record) {
            Ok(sealed) => Some((record, sealed)),
            Err(closed) => {
                let place = Some((record.record.clone(), record.field.clone()));
                findings.push(Finding { record: place, reason: closed.to_string() });
                None
            }
        }
    }

    fn reseal(&mut self, record: &Record) -> Result<Vec<u8>, Closed> {
        let StoredBody::Sealed(sealed) = &record.body else {
            return Err(Closed::Missing("an attachment, which is resealed by itself"));
        };
        let (id, field) = (RecordId::new(&record.record)?, FieldLabel::new(&record.field)?);
        self.open(record.card)?;
        let from = self.from.iter().find(|(card, _)| *card == record.card).map(|(_, key)| key);
        let from = from.ok_or(Closed::Missing("the older card's key"))?;
        let RekeyJob { vault, how, .. } = self.job;
        let moved = match how {
            How::Rewrap => vault.rewrap(from, &self.to, id, field, sealed, &mut OsRng)?,
            How::Reseal => vault.reseal(from, &self.to, id, field, sealed, &mut OsRng)?,
        };
        // None: it is under the current card, and only the column said otherwise.
        Ok(moved.unwrap_or_else(|| sealed.clone()))
    }

    fn open(&mut self, card: CardId) -> Result<(), Closed> {
        if !self.from.iter().any(|(known, _)| *known == card) {
            self.from.push((card, self.opener.older(card)?));
        }
        Ok(())
    }
}
