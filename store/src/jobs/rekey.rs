//! Re-key: records move to their patients' current cards.

use lukko::{CardId, FieldLabel, OsRng, PatientId, PatientKey, RecordId, Vault};

use super::keys::{Closed, KeyOf, Opener};
use super::objects::Placed;
use super::place::Place;
use super::{Finding, Piece, Task, Worker};
use crate::attachments::Attachments;
use crate::change::{Change, Expect, JobKind, NewRecord};
use crate::error::Result;
use crate::rows::{After, Claim, Record, StoredBody};
use crate::store::Store;

const DEPOSITED: &str = "an attachment in a field of deposits: a reader takes it over (`Vault::take_over_attachment`)";
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

/// How records move to another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Their keys are wrapped anew: enough while nobody mistrusted had the old key. See [`lukko::Vault::rewrap`].
    /// Attachments are encrypted anew: objects cannot be altered, so that they are written again in any case.
    Rewrap,
    /// They are encrypted anew. See [`lukko::Vault::reseal`].
    Reseal,
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
            move_.page((on, claim), patient, &page, &mut piece).await?;
            last = page.into_iter().next_back();
            if last.is_none() {
                return Ok(piece);
            }
        }
    }
}

/// A record, and its body under the current card.
type Moved<'a> = (&'a Record, StoredBody);

fn changes<'a>(patient: PatientId<'a>, card: CardId, moved: &'a [Moved<'a>]) -> Result<Vec<Change<'a>>> {
    let change = |(record, new): &'a Moved<'a>| {
        Ok(Change::Record(NewRecord {
            patient,
            record: RecordId::new(&record.record)?,
            field: FieldLabel::new(&record.field)?,
            revision: record.revision,
            card,
            body: new.as_written(),
            expect: Expect::Body(record.body.as_written()),
        }))
    };
    moved.iter().map(change).collect()
}

/// Writes records as one change, while the worker still has the piece.
async fn write<S: Store>(
    (on, claim): (&Worker<'_, S>, &Claim),
    patient: PatientId<'_>,
    card: CardId,
    moved: &[Moved<'_>],
) -> Result<()> {
    if moved.is_empty() {
        return Ok(());
    }
    let mut changes = changes(patient, card, moved)?;
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
        patient: PatientId<'_>,
        page: &[Record],
        piece: &mut Piece,
    ) -> Result<()> {
        let (mut moved, current) = (Vec::new(), self.to.card());
        for record in page {
            let result = match &record.body {
                StoredBody::Object { .. } if record.card == current => continue,
                // The column is only what the database says. A record that is there already gives none.
                StoredBody::Sealed(sealed) if record.card == current => self.is_there(record, sealed).map(|()| None),
                _ => self.record(on, record).await?.map(Some),
            };
            match result {
                Ok(None) => {}
                Ok(Some(body @ StoredBody::Object { .. })) => {
                    piece.written = piece.written.saturating_add(1);
                    write((on, claim), patient, current, &[(record, body)]).await?;
                }
                Ok(Some(body)) => moved.push((record, body)),
                Err(closed) => {
                    let place = Some((record.record.clone(), record.field.clone()));
                    piece.findings.push(Finding { record: place, reason: closed.to_string() });
                }
            }
        }
        piece.written = piece.written.saturating_add(moved.len() as u64);
        write((on, claim), patient, current, &moved).await
    }

    /// The outer error ends the piece, the inner one is a finding.
    async fn record<S: Store>(&mut self, on: &Worker<'_, S>, record: &Record) -> Result<Result<StoredBody, Closed>> {
        if let Err(closed) = self.open(record.card) {
            return Ok(Err(closed));
        }
        let from = self.from.iter().find(|(card, _)| *card == record.card).map(|(_, key)| key);
        let Some(from) = from else { return Ok(Err(Closed::Missing("the older card's key"))) };
        match &record.body {
            StoredBody::Sealed(sealed) => Ok(self.sealed(from, record, sealed).map(StoredBody::Sealed)),
            StoredBody::Object { object, .. } => {
                let place = match self.place(record) {
                    Ok(place) if place.deposits => return Ok(Err(Closed::Missing(DEPOSITED))),
                    Ok(place) => place,
                    Err(closed) => return Ok(Err(closed)),
                };
                let Some(attachments) = self.job.attachments else {
                    return Ok(Err(Closed::Missing("an attachment, and the job knows no object store")));
                };
                let moved = Placed { place, object }.reseal((attachments, on), from, &self.to).await?;
                Ok(moved.map(|(object, length)| StoredBody::Object { object, length }))
            }
        }
    }

    fn place<'r>(&'r self, record: &'r Record) -> Result<Place<'r>, Closed> {
        Place::new(self.job.vault, record, self.job.deposits)
    }

    fn sealed(&self, from: &PatientKey, record: &Record, sealed: &[u8]) -> Result<Vec<u8>, Closed> {
        let place = self.place(record)?;
        place.require_kind(sealed)?;
        let Place { vault, at, .. } = place;
        let moved = match self.job.how {
            How::Rewrap => vault.rewrap(from, &self.to, at, sealed, &mut OsRng)?,
            How::Reseal => vault.reseal(from, &self.to, at, sealed, &mut OsRng)?,
        };
        // None: it is under the current card, and only the column said otherwise.
        Ok(moved.unwrap_or_else(|| sealed.to_vec()))
    }

    fn is_there(&self, record: &Record, sealed: &[u8]) -> Result<(), Closed> {
        let place = self.place(record)?;
        place.require_kind(sealed)?;
        match place.vault.rewrap(&self.to, &self.to, place.at, sealed, &mut OsRng)? {
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
