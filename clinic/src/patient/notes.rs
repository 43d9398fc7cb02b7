//! Writing, reading and deleting notes.

use futures_util::TryStreamExt as _;
use lukko::{OsRng, random_id};
use lukko_store::error::Conflict;
use lukko_store::{Change, Expect, NewRecord, Record, Store, StoredBody};
use zeroize::Zeroizing;

use super::Patient;
use super::walk::Walk;
use crate::error::{Error, Overtaken, Result};
use crate::memory::notes::Seen;
use crate::memory::subject::Place;
use crate::names::{self, Holds};
use crate::note::{Hit, Items, Note, Text};
use crate::place::{self, Reads};

/// How often a write is made again because somebody has made the next key of the patient.
const ATTEMPTS: u32 = 3;

impl<S: Store> Patient<S> {
    /// Writes a new note. Its record id is drawn at random.
    ///
    /// # Errors
    /// [`Error::Name`]; [`Error::NotGranted`] if the grant was withdrawn meanwhile; [`Error::Expired`]; [`Error::Store`];
    /// [`Error::NotNoted`] if it is stored and the memory failed.
    pub async fn write(&self, field: &str, text: &str) -> Result<Note> {
        let place = self.place(random_id(&mut OsRng)?, names::note_field(field)?);
        match self.store_text(&place, (None, 1), Expect::Absent, text).await {
            Err(Error::Store(lukko_store::Error::Conflict(Conflict::Record { .. }))) => {
                Err(self.overtaken(&place).await?)
            }
            Err(error) => Err(error),
            Ok(note) => Ok(note),
        }
    }

    /// The place of a note by its field and its id, such as from an address: for [`Patient::read`].
    ///
    /// # Errors
    /// [`Error::Name`].
    pub fn note(&self, field: &str, id: &str) -> Result<Note> {
        let place = self.place(id, names::note_field(field)?);
        place.record()?;
        Ok(Note::at(&place, 0))
    }

    /// Writes the next revision of a note, in place of the one that `note` names.
    ///
    /// # Errors
    /// [`Error::Overtaken`], with what is stored, if that is another revision; as [`Patient::write`] and [`Patient::read`].
    pub async fn edit(&self, note: &Note, text: &str) -> Result<Note> {
        let place = self.own(note, Holds::Note)?;
        // Where the memory knows a later revision, the caller was overtaken, or the database was put back.
        let seen = self.clinic().memory().seen(place).await?;
        if seen.is_some_and(|seen| !matches!(seen, Seen::Revision(seen) if seen <= note.revision)) {
            return Err(self.overtaken(place).await?);
        }
        let next = note.revision.checked_add(1).ok_or(Error::Name)?;
        match self.store_text(place, (seen, next), Expect::Revision(note.revision), text).await {
            Err(Error::Store(lukko_store::Error::Conflict(Conflict::Record { .. }))) => {
                Err(self.overtaken(place).await?)
            }
            Err(error) => Err(error),
            Ok(note) => Ok(note),
        }
    }

    /// Reads a note: the newest revision that is stored, which must not be below the one that this member has seen.
    ///
    /// # Errors
    /// [`Error::RolledBack`]; [`Error::NoRecord`]; [`Error::Misplaced`]; [`Error::NotText`]; [`Error::Expired`];
    /// [`Error::Core`] for what does not open; [`Error::Store`].
    pub async fn read(&self, note: &Note) -> Result<Text> {
        self.read_place(self.own(note, Holds::Note)?).await
    }

    /// Deletes a note at the revision that `note` names.
    ///
    /// # Errors
    /// As [`Patient::edit`].
    pub async fn delete(&self, note: &Note) -> Result<()> {
        let (place, revision) = (&note.place, note.revision);
        self.own_patient(place)?;
        self.ready().await?;
        let memory = self.clinic().memory();
        // Noted before, so that a process that is killed in between does not take its own deletion for a theft.
        let (seen, deleting) = (memory.seen(place).await?, Seen::Deleting(revision));
        memory.note(place, seen, deleting).await?;
        let (patient, record, field) = (names::patient(&place.patient)?, place.record()?, place.field()?);
        match self.clinic().apply(&[Change::Delete { patient, record, field, revision }]).await {
            Ok(()) => memory.note(place, Some(deleting), Seen::Deleted(revision)).await.map_err(not_noted),
            Err(lukko_store::Error::Conflict(Conflict::Record { .. })) => Err(self.overtaken(place).await?),
            Err(error) => Err(error.into()),
        }
    }

    /// Every note of the patient, opened one by one. A note that this member has seen and that is gone is an error at the
    /// end of the stream, which goes on behind each error.
    pub fn notes(&self) -> Items<Text>
    where
        S: 'static,
    {
        Walk::over(self, Holds::Note)
    }

    /// Notes that contain these words, in capitals or not. Every note is opened here; there is no index of texts.
    ///
    /// # Errors
    /// The first one that [`Patient::notes`] gives.
    pub async fn search(&self, words: &str) -> Result<Vec<Hit>>
    where
        S: 'static,
    {
        let words = words.to_lowercase();
        let mut hits = Vec::new();
        let mut notes = self.notes();
        while let Some(text) = notes.try_next().await? {
            let lower = Zeroizing::new(text.text().to_lowercase());
            if lower.contains(&words) {
                hits.push(Hit(text));
            }
        }
        Ok(hits)
    }

    /// What is at a place, as the store has it now and the memory allows.
    pub(super) async fn read_place(&self, place: &Place) -> Result<Text> {
        let opened = self.ready().await?;
        let seen = self.clinic().memory().seen(place).await?;
        match self.stored(place).await? {
            Some(record) => self.open_record(&opened, place, seen, &record).await,
            None => Err(self.clinic().memory().missing(place).await.err().unwrap_or(Error::NoRecord)),
        }
    }

    /// Opens a note's row. Its revision is the sealed one; the memory has it before the text is given.
    pub(super) async fn open_record(
        &self,
        opened: &std::sync::Arc<crate::open::Opened>,
        place: &Place,
        seen: Option<Seen>,
        record: &Record,
    ) -> Result<Text> {
        let StoredBody::Sealed(sealed) = &record.body else { return Err(Error::Misplaced) };
        let key = self.key_of(opened, record.card).await?;
        let found = place::open(&opened.vault, &key, place, Reads::Note, sealed)?;
        let revision = found.revision.get();
        seen.map_or(Ok(()), |seen| seen.allows(place, revision))?;
        self.clinic().memory().note(place, seen, Seen::Revision(revision)).await?;
        let author = place::author(&opened.vault, found.origin);
        Text::new(Note::at(place, revision), found.plaintext, author)
    }

    /// Seals a text and stores it under the patient's current key.
    async fn store_text(
        &self,
        place: &Place,
        (seen, revision): (Option<Seen>, u64),
        expect: Expect<'_>,
        text: &str,
    ) -> Result<Note> {
        let mut opened = self.ready().await?;
        let mut attempt = 1;
        loop {
            let sealed = place::seal(&opened.vault, &opened.key, place, revision, text)?;
            match self.clinic().apply(&[Change::Record(NewRecord::new(&sealed, expect))]).await {
                Ok(()) => break,
                // Somebody has made the next key of the patient.
                Err(lukko_store::Error::Conflict(Conflict::Card)) if attempt < ATTEMPTS => {
                    attempt = u32::saturating_add(attempt, 1);
                    opened = self.reopen().await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.clinic().memory().note(place, seen, Seen::Revision(revision)).await.map_err(not_noted)?;
        Ok(Note::at(place, revision))
    }

    /// Reads what is stored for a caller who was overtaken. What was put back is named instead.
    pub(super) async fn overtaken(&self, place: &Place) -> Result<Error> {
        let stored = match self.read_place(place).await {
            Ok(stored) => Some(stored),
            Err(Error::NoRecord | Error::Misplaced | Error::NotText) => None,
            Err(error) => return Err(error),
        };
        Ok(Error::Overtaken(Box::new(Overtaken { stored })))
    }

    /// Refuses a note of another patient, or one that another call reads.
    pub(super) fn own<'n>(&self, note: &'n Note, holds: Holds) -> Result<&'n Place> {
        self.own_patient(&note.place)?;
        if names::holds(&note.place.field) == holds { Ok(&note.place) } else { Err(Error::Misplaced) }
    }

    pub(super) fn own_patient(&self, place: &Place) -> Result<()> {
        if place.patient == *self.id { Ok(()) } else { Err(Error::NoRecord) }
    }
}

/// The change was made, and only the memory failed.
pub(super) fn not_noted(error: Error) -> Error {
    match error {
        Error::Memory(error) => Error::NotNoted(error),
        error => error,
    }
}
