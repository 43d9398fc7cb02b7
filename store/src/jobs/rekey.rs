//! Re-key: records move to their patients' current cards.

use lukko::{CardId, FieldLabel, OsRng, PatientId, PatientKey, Vault};

use super::keys::{Closed, KeyOf, Opener};
use super::objects::Placed;
use super::place::Place;
use super::{Finding, Piece, Task, Worker};
use crate::attachments::Attachments;
use crate::change::{Change, Expect, JobKind};
use crate::error::Result;
use crate::placed::{How, NewRecord, Sealed, Spot};
use crate::rows::{After, Claim, Record, StoredBody};
use crate::store::Store;

const DEPOSITED: &str = "an attachment in a field of deposits: a reader takes it over (`Vault::take_over_attachment`)";
const NO_OBJECTS: &str = "an attachment, and the job knows no object store";
const NOT_ITS_REVISION: &str = "its revision is not the one that the store has noted";
/// Records that are read, and written in one change.
const PAGE: u32 = 64;

/// Moves every record that is not under its patient's current card. Begin it after the new cards are stored; a record
/// that is written later is under the new card already, because the store takes no other.
///
/// # Security
/// The older card stays valid until a roster closes it: whoever has a grant of it, and a client that remembers nothing,
/// can use it. [`Progress::still_open`](crate::Progress::still_open) names such cards: close each as compromised, in the
/// roster of every generation that is not retired.
///
/// A deposit that moves is taken over. The field decides whether a record may be a deposit, and its bytes do not; but
/// nothing says which deposits were taken over before. So whoever can write the database and has the key of a depositor
/// can put another deposit of its own where one was. It moves under the depositor's name: see [`lukko::Opened::origin`].
#[derive(Debug, Clone, Copy)]
pub struct RekeyJob<'a> {
    /// The vault.
    pub vault: &'a Vault,
    /// Whose key opens old and new cards.
    pub by: KeyOf<'a>,
    /// How.
    pub how: How,
    /// Where objects of attachments are. Without it every attachment is a finding.
    pub attachments: Option<&'a Attachments>,
    /// The fields that hold deposits, taken over or not. Every other field holds what readers seal. A record of the other
    /// kind is a finding, and stays where it is.
    pub deposits: &'a [FieldLabel<'a>],
}

impl Task for RekeyJob<'_> {
    const KIND: JobKind = JobKind::Rekey;

    async fn piece<S: Store>(&self, on: &Worker<'_, S>, claim: &Claim) -> Result<Piece> {
        let patient = PatientId::new(&claim.patient)?;
        let stored = on.store.patient(on.vault, patient).await?;
        let opener = Opener { vault: self.vault, by: self.by, patient, stored: &stored };
        let begun = || -> Result<_, Closed> {
            let to = opener.current()?;
            opener.require_current(&to)?;
            Ok((to, opener.left_open()?))
        };
        let (to, still_open) = match begun() {
            Ok(begun) => begun,
            Err(closed) => return Ok(Piece::failed(None, &closed)),
        };
        let mut move_ = Move { job: self, opener, to, from: Vec::new() };
        let mut piece = Piece { still_open, ..Piece::default() };
        let mut last = None::<Record>;
        loop {
            let after = last.as_ref().map(|last| After { record: &last.record, field: &last.field });
            let page = on.store.records(on.vault, patient, after, PAGE).await?;
            move_.page((on, claim), &page, &mut piece).await?;
            last = page.into_iter().next_back();
            if last.is_none() {
                return Ok(piece);
            }
        }
    }
}

fn finding(record: &Record, closed: &Closed) -> Finding {
    Finding { record: Some((record.record.clone(), record.field.clone())), reason: closed.to_string() }
}

/// A record, and what it became under the current card.
type Moved<'a> = (&'a Record, Sealed);

/// Writes records as one change, while the worker still has the piece.
async fn write<S: Store>((on, claim): (&Worker<'_, S>, &Claim), moved: &[Moved<'_>]) -> Result<()> {
    if moved.is_empty() {
        return Ok(());
    }
    let mut changes: Vec<Change<'_>> = Vec::with_capacity(moved.len().saturating_add(1));
    for (record, sealed) in moved {
        changes.push(Change::Record(NewRecord::new(sealed, Expect::Body(record.body.as_written()))));
    }
    changes.push(Change::Hold { claim });
    on.store.apply(on.vault, &changes).await
}

struct Move<'a> {
    job: &'a RekeyJob<'a>,
    opener: Opener<'a>,
    to: PatientKey,
    /// Keys of older cards that were opened already.
    from: Vec<(CardId, PatientKey)>,
}

impl Move<'_> {
    /// Moves those of a page that are not under the current card. What cannot be moved is a finding. An attachment is named
    /// as soon as its new object is there: a sweep deletes objects that are announced for too long.
    async fn page<S: Store>(
        &mut self,
        (on, claim): (&Worker<'_, S>, &Claim),
        page: &[Record],
        piece: &mut Piece,
    ) -> Result<()> {
        let (mut moved, current) = (Vec::new(), self.to.card());
        for record in page {
            let result = match &record.body {
                // The column is only what the database says. A record that is there already gives none.
                body if record.card == current => self.is_there(record, body).await?.map(|()| None),
                _ => self.record(on, record).await?.map(Some),
            };
            match result {
                Ok(None) => {}
                Ok(Some(sealed)) if sealed.revision() != record.revision => {
                    piece.findings.push(finding(record, &Closed::Missing(NOT_ITS_REVISION)));
                }
                Ok(Some(sealed)) if matches!(record.body, StoredBody::Object { .. }) => {
                    piece.written = piece.written.saturating_add(1);
                    write((on, claim), &[(record, sealed)]).await?;
                }
                Ok(Some(sealed)) => moved.push((record, sealed)),
                Err(closed) => piece.findings.push(finding(record, &closed)),
            }
        }
        piece.written = piece.written.saturating_add(moved.len() as u64);
        write((on, claim), &moved).await
    }

    /// The outer error ends the piece, the inner one is a finding.
    async fn record<S: Store>(&mut self, on: &Worker<'_, S>, record: &Record) -> Result<Result<Sealed, Closed>> {
        if let Err(closed) = self.open(record.card) {
            return Ok(Err(closed));
        }
        let from = self.from.iter().find(|(card, _)| *card == record.card).map(|(_, key)| key);
        let Some(from) = from else { return Ok(Err(Closed::Missing("the older card's key"))) };
        match &record.body {
            StoredBody::Sealed(sealed) => Ok(self.sealed(from, record, sealed)),
            StoredBody::Object { object, .. } => {
                let place = match self.place(record) {
                    Ok(place) if place.deposits => return Ok(Err(Closed::Missing(DEPOSITED))),
                    Ok(place) => place,
                    Err(closed) => return Ok(Err(closed)),
                };
                let Some(attachments) = self.job.attachments else {
                    return Ok(Err(Closed::Missing(NO_OBJECTS)));
                };
                Placed { place, object }.reseal((attachments, on), (from, &self.to), record.revision).await
            }
        }
    }

    fn place<'r>(&'r self, record: &'r Record) -> Result<Place<'r>, Closed> {
        Place::new(self.job.vault, record, self.job.deposits)
    }

    fn sealed(&self, from: &PatientKey, record: &Record, sealed: &[u8]) -> Result<Sealed, Closed> {
        let place = self.place(record)?;
        place.require_kind(sealed)?;
        let Place { vault, record: id, field, .. } = place;
        match Sealed::moved(vault, (from, &self.to), (id, field), sealed, self.job.how, &mut OsRng)? {
            Some(moved) => Ok(moved),
            // It is under the current card, and only the column said otherwise.
            None => {
                let spot = Spot { patient: self.opener.patient, record: id, field };
                let place = (self.to.card(), record.revision);
                Sealed::from_bytes(vault, spot, place, sealed.to_vec()).map_err(|_| Closed::Missing(NOT_ITS_REVISION))
            }
        }
    }

    /// The outer error ends the piece, the inner one is a finding.
    async fn is_there(&self, record: &Record, body: &StoredBody) -> Result<Result<(), Closed>> {
        let place = match self.place(record) {
            Ok(place) => place,
            Err(closed) => return Ok(Err(closed)),
        };
        match (body, self.job.attachments) {
            (StoredBody::Sealed(sealed), _) => Ok(self.is_under_current(place, sealed)),
            (StoredBody::Object { object, .. }, Some(attachments)) => {
                Placed { place, object }.is_under(attachments, &self.to).await
            }
            (StoredBody::Object { .. }, None) => Ok(Err(Closed::Missing(NO_OBJECTS))),
        }
    }

    fn is_under_current(&self, place: Place<'_>, sealed: &[u8]) -> Result<(), Closed> {
        place.require_kind(sealed)?;
        match place.vault.rewrap(&self.to, &self.to, place.record, place.field, sealed, &mut OsRng)? {
            None => Ok(()),
            Some(_) => Err(Closed::Missing("it is not under the card that the store has noted")),
        }
    }

    fn open(&mut self, card: CardId) -> Result<(), Closed> {
        if !self.from.iter().any(|(known, _)| *known == card) {
            self.from.push((card, self.opener.older(card)?));
        }
        Ok(())
    }
}
