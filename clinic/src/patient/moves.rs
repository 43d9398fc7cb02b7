//! The next key of a patient, and the records that move to it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use lukko::{CardId, KeyFingerprint};
use lukko_store::{Body, Change, Expect, NewRecord, Record, Replaced, Store, StoredBody, next_card};

use super::{Patient, files};
use crate::error::{Error, Result};
use crate::memory::subject::Place;
use crate::names;
use crate::open::{self, Opened};
use crate::place;

/// Records that are read at once.
const PAGE: u32 = 64;

/// What a re-key has done, and what is left to do.
#[derive(Debug)]
pub struct Rekeyed {
    /// How many records were moved.
    pub moved: u64,
    /// Keys that had a grant and got none, because the list of members lets them read no more.
    pub left_out: Vec<KeyFingerprint>,
    /// What an officer must still do: until then the old key still counts.
    pub open: Option<OpenTask>,
}

/// An older card of a patient that an officer must close: [`Officer::close`](crate::Officer::close).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenTask {
    pub(crate) patient: Vec<u8>,
    pub(crate) card: CardId,
}

impl fmt::Display for OpenTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let patient = String::from_utf8_lossy(&self.patient);
        write!(f, "an officer must close card {} of patient {patient}: until then the old key still counts", self.card)
    }
}

impl<S: Store> Patient<S> {
    /// Makes the next key of the patient, grants it to everybody who can read the patient today, and moves every record to
    /// it. For a patient whose key may be in wrong hands: after a colleague left in anger, after a theft.
    ///
    /// Interrupted, it is called again: records that have moved are passed over. It leaves an [open task](Rekeyed::open)
    /// for an officer, unless an officer does it ([`Officer::rekey`](crate::Officer::rekey)).
    ///
    /// # Errors
    /// [`Error::Core`] if this member may not enrol, or a record does not open; [`Error::NoFiles`] if the patient has
    /// attachments and the clinic no place for them; [`Error::Expired`]; [`Error::Store`].
    pub async fn rekey(&self) -> Result<Rekeyed> {
        let opened = self.ready().await?;
        // What an interrupted one has left is finished, and no further key made.
        let left = self.left_open(&opened).await?;
        let (opened, left_out) = match left.is_empty() {
            true => self.next_key(&opened).await?,
            false => (opened, Vec::new()),
        };
        let moved = self.move_records(&opened).await?;
        opened.forget_older();
        let open = self.left_open(&opened).await?.into_iter().next();
        if let Some(task) = &open {
            self.clinic().memory().open_task(&task.patient, task.card).await?;
        }
        Ok(Rekeyed { moved, left_out, open })
    }

    /// Older cards of the patient that no list of members closes.
    async fn left_open(&self, opened: &Opened) -> Result<Vec<OpenTask>> {
        let patient = names::patient(&self.id)?;
        let rows = self.clinic().store().patient(self.clinic().id(), patient).await?;
        let cards = rows.card_bytes();
        let stored = rows.stored(opened.vault.descriptor().generation(), &cards).ok_or(Error::NoPatient)?;
        let left = opened.vault.cards_left_open(patient, &stored, Some(opened.key.card()))?;
        Ok(left.into_iter().map(|card| OpenTask { patient: self.id.to_vec(), card }).collect())
    }

    async fn next_key(&self, opened: &Arc<Opened>) -> Result<(Arc<Opened>, Vec<KeyFingerprint>)> {
        let (clinic, patient) = (self.clinic(), names::patient(&self.id)?);
        let generation = opened.vault.descriptor().generation();
        let rows = clinic.store().patient(clinic.id(), patient).await?;
        let old = opened.key.card();
        let readers: BTreeSet<_> = rows.grants.iter().filter(|grant| grant.card == old).map(|grant| grant.to).collect();
        let (next, grants, left_out) = open::rekey(opened, clinic.me(), readers)?;
        let endorsed = rows.endorsed(generation).ok_or(Error::NoPatient)?;
        let replaces = Replaced { card: old, endorsement: &endorsed.endorsement, master_grant: &endorsed.master_grant };
        clinic.apply(&next_card(patient, generation, Some(replaces), &next, &grants)?).await?;
        // Through the grant to this member, as everybody else opens it: so it is verified, and the memory has the card.
        Ok((self.reopen().await?, left_out))
    }

    async fn move_records(&self, opened: &Arc<Opened>) -> Result<u64> {
        let (mut moved, mut last) = (0_u64, None::<Place>);
        loop {
            let clinic = self.clinic();
            let after = last.as_ref().map(|last| lukko_store::After { record: &last.record, field: &last.field });
            let page = clinic.store().records(clinic.id(), names::patient(&self.id)?, after, PAGE).await?;
            for record in page.iter().filter(|record| record.card != opened.key.card()) {
                self.move_record(opened, record).await?;
                moved = moved.saturating_add(1);
            }
            last = page.last().map(|last| self.place(last.record.clone(), last.field.clone()));
            if last.is_none() {
                return Ok(moved);
            }
        }
    }

    async fn move_record(&self, opened: &Arc<Opened>, record: &Record) -> Result<()> {
        let place = self.place(record.record.clone(), record.field.clone());
        let from = self.key_of(opened, record.card).await?;
        let (moved, old) = match &record.body {
            StoredBody::Sealed(sealed) => {
                place::require_kind(&place, sealed)?;
                let moved = match place::reseal(&opened.vault, (&from, &opened.key), &place, sealed)? {
                    Some(moved) => moved,
                    None => place::there(&opened.vault, &opened.key, &place, record.revision, sealed)?,
                };
                (moved, Body::Sealed(sealed))
            }
            StoredBody::Object { object, length } => {
                let moved = files::reseal(self, (opened, &from), (&place, record.revision), object).await?;
                (moved, Body::Object { object, length: *length })
            }
        };
        let new = NewRecord::new(&moved, Expect::Body(old));
        Ok(self.clinic().apply(&[Change::Record(new)]).await?)
    }
}
