//! What is noted, with its rules: each note only moves forward.
//!
//! A note is read before the database is asked. So what the database answers is compared with what was known before, and a
//! colleague who writes meanwhile raises no false alarm.

use lukko::{CardId, KeyFingerprint, Pin};

use super::Memory;
use super::subject::{self, Place};
use crate::error::{Error, Result, RolledBack};
use crate::note::Note;

/// Notes that are read at once.
const PAGE: u32 = 500;
/// Length of a pin, in bytes.
const PIN: usize = 112;

/// The pinned clinic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pinned {
    pub(crate) pin: Pin,
    pub(crate) descriptor: Vec<u8>,
    /// The roster whose digest the pin holds.
    pub(crate) roster: Vec<u8>,
}

/// What was seen of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It had this revision.
    Revision(u64),
    /// This member is about to delete it at this revision.
    Deleting(u64),
    /// It was deleted at this revision.
    Deleted(u64),
    /// A deposit.
    Deposit,
    /// A deposit that was taken over.
    TakenOver,
}

impl Memory {
    pub(crate) async fn pinned(&self) -> Result<Option<Pinned>> {
        self.read(subject::CLINIC).await?.map(|bytes| Pinned::decode(&bytes)).transpose()
    }

    /// Moves the pin; false if another process has moved it meanwhile.
    pub(crate) async fn pin(&self, was: Option<&Pinned>, now: &Pinned) -> Result<bool> {
        let was = was.map(Pinned::encode);
        self.write(subject::CLINIC, was.as_deref(), Some(&now.encode())).await
    }

    pub(crate) async fn card(&self, patient: &[u8]) -> Result<Option<CardId>> {
        self.read(&subject::card(patient)).await?.map(|bytes| array(&bytes).map(CardId::from_bytes)).transpose()
    }

    /// Accepts the next card of a patient; false if another process has done so meanwhile.
    pub(crate) async fn accept_card(&self, patient: &[u8], was: Option<CardId>, now: CardId) -> Result<bool> {
        let was = was.as_ref().map(|card| card.as_bytes().as_slice());
        self.write(&subject::card(patient), was, Some(now.as_bytes())).await
    }

    pub(crate) async fn seen(&self, place: &Place) -> Result<Option<Seen>> {
        self.read(&subject::record(place)).await?.map(|bytes| Seen::decode(&bytes)).transpose()
    }

    /// What was seen of every record of a patient.
    pub(crate) async fn seen_of(&self, patient: &[u8]) -> Result<Vec<(Place, Seen)>> {
        let noted = self.all(&subject::records(patient)).await?;
        let each = |(about, value): &(Vec<u8>, Vec<u8>)| {
            let place = subject::place_of(about).ok_or_else(damaged)?;
            Ok((place, Seen::decode(value)?))
        };
        noted.iter().map(each).collect()
    }

    /// Notes what was seen or done, where `known` was noted when it was asked last. What is noted already and is further
    /// stays.
    pub(crate) async fn note(&self, place: &Place, mut known: Option<Seen>, now: Seen) -> Result<()> {
        let about = subject::record(place);
        loop {
            if known.is_some_and(|known| !now.is_after(known)) {
                return Ok(());
            }
            let was = known.map(Seen::encode);
            if self.write(&about, was.as_deref(), Some(&now.encode())).await? {
                return Ok(());
            }
            // Another call, or another process, has noted something meanwhile.
            known = self.seen(place).await?;
        }
    }

    /// What it means that the database has just shown nothing in a place: an error if this member has seen something there.
    /// Asked after the database: another process of this member notes a deletion before it deletes.
    pub(crate) async fn missing(&self, place: &Place) -> Result<()> {
        self.seen(place).await?.map_or(Ok(()), |seen| seen.missing(place))
    }

    /// Sets a note to whatever is stored: a person has accepted that it is older.
    pub(crate) async fn accept_older(&self, place: &Place, now: Option<Seen>) -> Result<()> {
        self.set(&subject::record(place), now.map(|now| now.encode()).as_deref()).await
    }

    /// Forgets a patient who was erased.
    pub(crate) async fn forget_patient(&self, patient: &[u8]) -> Result<()> {
        for (about, _) in self.all(&subject::records(patient)).await? {
            self.set(&about, None).await?;
        }
        self.set(&subject::card(patient), None).await
    }

    /// Patients of whom a card was accepted, `PAGE` of them at most.
    pub(crate) async fn patients(&self, after: Option<&[u8]>) -> Result<Vec<Vec<u8>>> {
        let after = after.map(subject::card);
        let page = self.inner().list(subject::CARDS, after.as_deref(), PAGE).await.map_err(Error::Memory)?;
        page.iter().map(|(about, _)| subject::patient_of(about).ok_or_else(damaged)).collect()
    }

    pub(crate) async fn colleague(&self, member: &[u8]) -> Result<Option<KeyFingerprint>> {
        let noted = self.read(&subject::colleague(member)).await?;
        noted.map(|bytes| array(&bytes).map(KeyFingerprint::from_bytes)).transpose()
    }

    pub(crate) async fn know_colleague(&self, member: &[u8], key: KeyFingerprint) -> Result<()> {
        self.set(&subject::colleague(member), Some(key.as_bytes())).await
    }

    pub(crate) async fn confirm(&self, fingerprint: &[u8; 32]) -> Result<()> {
        self.set(&subject::confirmed(fingerprint), Some(&[1])).await
    }

    pub(crate) async fn is_confirmed(&self, fingerprint: &[u8; 32]) -> Result<bool> {
        Ok(self.read(&subject::confirmed(fingerprint)).await?.is_some())
    }

    pub(crate) async fn open_task(&self, patient: &[u8], card: CardId) -> Result<()> {
        self.set(&subject::task(patient, card.as_bytes()), Some(&[1])).await
    }

    pub(crate) async fn end_task(&self, patient: &[u8], card: CardId) -> Result<()> {
        self.set(&subject::task(patient, card.as_bytes()), None).await
    }

    pub(crate) async fn tasks(&self) -> Result<Vec<(Vec<u8>, CardId)>> {
        let task = |(about, _): &(Vec<u8>, Vec<u8>)| {
            subject::task_of(about).map(|(patient, card)| (patient, CardId::from_bytes(card))).ok_or_else(damaged)
        };
        self.all(subject::TASKS).await?.iter().map(task).collect()
    }

    /// Writes down that older states were accepted: a line for each.
    pub(crate) async fn write_down(&self, at: u64, lines: &[String]) -> Result<()> {
        for line in lines {
            let mut number = 0;
            while !self.write(&subject::accepted(at, number), None, Some(line.as_bytes())).await? {
                number = u32::saturating_add(number, 1);
            }
        }
        Ok(())
    }

    /// What was written down.
    pub(crate) async fn written_down(&self) -> Result<Vec<String>> {
        let text = |(_, line): (Vec<u8>, Vec<u8>)| String::from_utf8(line).map_err(|_| damaged());
        self.all(subject::ACCEPTANCES).await?.into_iter().map(text).collect()
    }

    async fn read(&self, about: &[u8]) -> Result<Option<Vec<u8>>> {
        self.inner().read(about).await.map_err(Error::Memory)
    }

    async fn write(&self, about: &[u8], was: Option<&[u8]>, now: Option<&[u8]>) -> Result<bool> {
        self.inner().write(about, was, now).await.map_err(Error::Memory)
    }

    async fn set(&self, about: &[u8], now: Option<&[u8]>) -> Result<()> {
        loop {
            let was = self.read(about).await?;
            if was.as_deref() == now || self.write(about, was.as_deref(), now).await? {
                return Ok(());
            }
        }
    }

    async fn all(&self, prefix: &[u8]) -> Result<super::Page> {
        let mut all: super::Page = Vec::new();
        loop {
            let after = all.last().map(|(about, _)| about.as_slice());
            let page = self.inner().list(prefix, after, PAGE).await.map_err(Error::Memory)?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }
}

impl Seen {
    /// Whether a record of this revision may be there, after what was known of it.
    pub(crate) fn allows(self, place: &Place, stored: u64) -> Result<()> {
        match self {
            Self::Revision(known) | Self::Deleting(known) if stored < known => {
                let (note, remembered) = (Note::at(place, stored), known);
                Err(RolledBack::Record { note, remembered }.into())
            }
            Self::Deleted(_) => Err(RolledBack::Undeleted(Note::at(place, stored)).into()),
            _ => Ok(()),
        }
    }

    /// What it means that nothing is stored where this was seen.
    fn missing(self, place: &Place) -> Result<()> {
        match self {
            Self::Deleting(_) | Self::Deleted(_) => Ok(()),
            Self::Revision(revision) => Err(RolledBack::Dropped(Note::at(place, revision)).into()),
            Self::Deposit | Self::TakenOver => Err(RolledBack::Dropped(Note::at(place, 0)).into()),
        }
    }

    /// Whether a note of this moves forward from one that is there.
    fn is_after(self, known: Self) -> bool {
        match (known, self) {
            (Self::Revision(known), Self::Revision(now)) => now > known,
            (Self::Revision(known), Self::Deleting(now) | Self::Deleted(now)) => now >= known,
            (Self::Deleting(known), Self::Revision(now)) => now > known,
            (Self::Deleting(_), Self::Deleted(_))
            | (Self::Deposit, Self::TakenOver | Self::Deleting(_))
            | (Self::TakenOver, Self::Deleting(_)) => true,
            _ => false,
        }
    }

    fn encode(self) -> Vec<u8> {
        let (kind, revision) = match self {
            Self::Revision(revision) => (1, revision),
            Self::Deleting(revision) => (2, revision),
            Self::Deleted(revision) => (3, revision),
            Self::Deposit => (4, 0),
            Self::TakenOver => (5, 0),
        };
        let mut bytes = vec![kind];
        bytes.extend_from_slice(&revision.to_be_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        let (kind, revision) = bytes.split_first().ok_or_else(damaged)?;
        let revision = u64::from_be_bytes(revision.try_into().map_err(|_| damaged())?);
        match kind {
            1 => Ok(Self::Revision(revision)),
            2 => Ok(Self::Deleting(revision)),
            3 => Ok(Self::Deleted(revision)),
            4 => Ok(Self::Deposit),
            5 => Ok(Self::TakenOver),
            _ => Err(damaged()),
        }
    }
}

impl Pinned {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = self.pin.to_bytes();
        let length = u32::try_from(self.descriptor.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&self.descriptor);
        bytes.extend_from_slice(&self.roster);
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        let (pin, rest) = bytes.split_at_checked(PIN).ok_or_else(damaged)?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| damaged())?;
        let (descriptor, roster) = rest.split_at_checked(length).ok_or_else(damaged)?;
        Ok(Self { pin: Pin::from_bytes(pin)?, descriptor: descriptor.to_vec(), roster: roster.to_vec() })
    }
}

fn array(bytes: &[u8]) -> Result<[u8; 32]> {
    bytes.try_into().map_err(|_| damaged())
}

fn damaged() -> Error {
    Error::Memory("what is noted there is damaged".into())
}
