//! What front ends have left for a patient.

use std::sync::Arc;

use lukko_store::error::Conflict;
use lukko_store::{Body, Change, Expect, NewRecord, Record, Store, StoredBody};

use super::Patient;
use super::notes::not_noted;
use super::walk::Walk;
use crate::error::{Error, Result, RolledBack};
use crate::memory::notes::Seen;
use crate::memory::subject::Place;
use crate::names::Holds;
use crate::note::{Items, Note, Text};
use crate::open::Opened;
use crate::place::{self, Reads};

impl<S: Store> Patient<S> {
    /// Every deposit, taken over or not, with the name of its author.
    pub fn deposits(&self) -> Items<Text>
    where
        S: 'static,
    {
        Walk::over(self, Holds::Deposit)
    }

    /// Reads one deposit.
    ///
    /// # Errors
    /// As [`Patient::read`]; [`Error::RolledBack`] if it was taken over, and another one is in its place.
    pub async fn read_deposit(&self, deposit: &Note) -> Result<Text> {
        let place = self.own(deposit, Holds::Deposit)?;
        let opened = self.ready().await?;
        let (seen, record) = self.stored_deposit(place).await?;
        self.open_deposit(&opened, place, seen, &record).await
    }

    /// Takes a deposit over: from then on its author, who once knew its key, cannot alter it, and it stays valid when the
    /// author's key is stolen later. Done twice, it changes nothing.
    ///
    /// # Errors
    /// As [`Patient::read_deposit`]; [`Error::Core`] if its author was revoked.
    pub async fn take_over(&self, deposit: &Note) -> Result<()> {
        let place = self.own(deposit, Holds::Deposit)?;
        let opened = self.ready().await?;
        let (seen, record) = self.stored_deposit(place).await?;
        let StoredBody::Sealed(sealed) = &record.body else { return Err(Error::Misplaced) };
        let key = self.key_of(&opened, record.card).await?;
        if seen == Some(Seen::TakenOver) {
            // It opens as what was taken over, or another one is in its place.
            self.open_deposit(&opened, place, seen, &record).await?;
        }
        let Some(taken) = place::take_over(&opened.vault, (&key, &opened.key), place, sealed)? else {
            return self.clinic().memory().note(place, seen, Seen::TakenOver).await;
        };
        let new = NewRecord::new(&taken, Expect::Body(Body::Sealed(sealed)));
        match self.clinic().apply(&[Change::Record(new)]).await {
            Ok(()) => self.clinic().memory().note(place, seen, Seen::TakenOver).await.map_err(not_noted),
            Err(lukko_store::Error::Conflict(Conflict::Record { .. })) => Err(Error::Overtaken(Box::default())),
            Err(error) => Err(error.into()),
        }
    }

    async fn stored_deposit(&self, place: &Place) -> Result<(Option<Seen>, Record)> {
        let seen = self.clinic().memory().seen(place).await?;
        match self.stored(place).await? {
            Some(record) => Ok((seen, record)),
            None => Err(self.clinic().memory().missing(place).await.err().unwrap_or(Error::NoRecord)),
        }
    }

    pub(super) async fn open_deposit(
        &self,
        opened: &Arc<Opened>,
        place: &Place,
        seen: Option<Seen>,
        record: &Record,
    ) -> Result<Text> {
        let StoredBody::Sealed(sealed) = &record.body else { return Err(Error::Misplaced) };
        seen.map_or(Ok(()), |seen| seen.allows(place, 0))?;
        let key = self.key_of(opened, record.card).await?;
        let reads = if seen == Some(Seen::TakenOver) { Reads::TakenOver } else { Reads::Deposit };
        let found = place::open(&opened.vault, &key, place, reads, sealed).map_err(|error| match (error, reads) {
            (Error::Misplaced, Reads::TakenOver) => RolledBack::TakenOver(Note::at(place, 0)).into(),
            (error, _) => error,
        })?;
        // A re-key takes deposits over as it moves them.
        let now = if matches!(found.origin, lukko::Origin::Absorbed { .. }) { Seen::TakenOver } else { Seen::Deposit };
        self.clinic().memory().note(place, seen, now).await?;
        let author = place::author(&opened.vault, found.origin);
        Text::new(Note::at(place, 0), found.plaintext, author)
    }
}
