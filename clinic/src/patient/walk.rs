//! A walk over a patient's records, page by page, beside what the memory knows of them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use lukko_store::{After, Record, Store};

use super::Patient;
use crate::error::Result;
use crate::memory::notes::Seen;
use crate::memory::subject::Place;
use crate::names::{self, Holds};
use crate::note::{Items, Text};
use crate::open::Opened;

/// Records that are read at once.
const PAGE: u32 = 64;

/// Where a walk is.
pub(crate) struct Walk<S> {
    patient: Patient<S>,
    opened: Arc<Opened>,
    holds: Holds,
    /// What was known before the database was asked, and was not met yet.
    known: BTreeMap<Place, Seen>,
    page: VecDeque<Record>,
    last: Option<Place>,
    listed: bool,
}

impl<S: Store> Walk<S> {
    /// Every text on the way, then an error for each record that is gone.
    pub(crate) fn over(patient: &Patient<S>, holds: Holds) -> Items<Text>
    where
        S: 'static,
    {
        let patient = patient.clone();
        let begun = stream::once(async move { Self::begin(patient, holds).await });
        Box::pin(begun.flat_map(|walk| match walk {
            Ok(walk) => walk.stream(),
            Err(error) => Box::pin(stream::once(async { Err(error) })),
        }))
    }

    async fn begin(patient: Patient<S>, holds: Holds) -> Result<Self> {
        let opened = patient.ready().await?;
        let known = patient.clinic().memory().seen_of(&patient.id).await?;
        let known = known.into_iter().filter(|(place, _)| names::holds(&place.field) == holds).collect();
        Ok(Self { patient, opened, holds, known, page: VecDeque::new(), last: None, listed: false })
    }

    fn stream(self) -> Items<Text>
    where
        S: 'static,
    {
        Box::pin(stream::unfold(self, |mut walk| async move {
            let next = walk.next().await?;
            Some((next, walk))
        }))
    }

    async fn next(&mut self) -> Option<Result<Text>> {
        loop {
            match self.record().await {
                Err(error) => {
                    // The database does not answer: what is not met now says nothing.
                    (self.listed, self.known) = (true, BTreeMap::new());
                    return Some(Err(error));
                }
                Ok(Some((place, record))) => return Some(self.open(&place, &record).await),
                Ok(None) => {
                    let (place, _) = self.known.pop_first()?;
                    if let Err(error) = self.gone(&place).await {
                        return Some(Err(error));
                    }
                }
            }
        }
    }

    /// The next record of the kind that is walked over.
    async fn record(&mut self) -> Result<Option<(Place, Record)>> {
        loop {
            while let Some(record) = self.page.pop_front() {
                let place = self.patient.place(record.record.clone(), record.field.clone());
                if names::holds(&place.field) == self.holds {
                    return Ok(Some((place, record)));
                }
            }
            if self.listed {
                return Ok(None);
            }
            let clinic = self.patient.clinic();
            let after = self.last.as_ref().map(|last| After { record: &last.record, field: &last.field });
            let patient = names::patient(&self.patient.id)?;
            let page = clinic.store().records(clinic.id(), patient, after, PAGE).await?;
            self.last = page.last().map(|last| self.patient.place(last.record.clone(), last.field.clone()));
            self.listed = self.last.is_none();
            self.page = page.into();
        }
    }

    async fn open(&mut self, place: &Place, record: &Record) -> Result<Text> {
        let seen = self.known.remove(place);
        // A session that is over, and a newer list of members, count in the middle of a stream too.
        self.opened = self.patient.ready().await?;
        match self.holds {
            Holds::Deposit => self.patient.open_deposit(&self.opened, place, seen, record).await,
            _ => self.patient.open_record(&self.opened, place, seen, record).await,
        }
    }

    /// What it means that a record was not met. It may have been written behind the walk meanwhile.
    async fn gone(&self, place: &Place) -> Result<()> {
        match self.patient.stored(place).await? {
            Some(_) => Ok(()),
            None => self.patient.clinic().memory().missing(place).await,
        }
    }
}
