//! The thief with write access changes records, and Dr Salo's client says what it sees.
//!
//! Each change is made on the stolen copy, looked at, and taken back.

use std::error::Error as StdError;

use lukko::{Error, RecordId, error::Usage};

use crate::client::{Client, field};
use crate::notes::Notes;
use crate::report::{Checks, Outcome, count, fact};
use crate::store::Store;
use crate::thief::{Thief, renamed};

/// A record's place: patient and record id.
pub(crate) type Place = (String, String);

/// The records that he works on.
pub(crate) struct Targets {
    pub(crate) first: Place,
    /// Another record of the same patient, if there is one.
    pub(crate) same_patient: Option<Place>,
    /// A record of another patient, if there is one.
    pub(crate) other_patient: Option<Place>,
}

impl Targets {
    /// The first patient with two notes, or else the first patient.
    pub(crate) fn choose(notes: &Notes) -> Outcome<Self> {
        let patient = notes.patients().find(|patient| notes.of(patient).nth(1).is_some());
        let patient = patient.or(notes.patients().next()).ok_or("there are no patients")?;
        let other = notes.patients().find(|other| *other != patient);
        let place = |patient: &str, at| notes.of(patient).nth(at).map(|note| (patient.into(), note.record.clone()));
        Ok(Self {
            first: place(patient, 0).ok_or("there are no notes")?,
            same_patient: place(patient, 1),
            other_patient: other.and_then(|other| place(other, 0)),
        })
    }
}

/// What he has, and what he tries it on.
pub(crate) struct Tampering<'a> {
    pub(crate) thief: &'a Thief,
    pub(crate) salo: &'a Client,
    pub(crate) store: &'a Store,
    pub(crate) targets: &'a Targets,
    pub(crate) checks: &'a mut Checks,
}

impl Tampering<'_> {
    pub(crate) fn with_records(&mut self) -> Outcome<()> {
        let (patient, record) = &self.targets.first;
        // Without a change the record opens: what follows is refused because of the changes.
        let opens = self.salo.read(self.store, patient, record).is_ok();
        self.checks.holds("before he changes anything, Dr Salo's client opens the record", opens);
        self.altered()?;
        self.swapped_with_same_patient()?;
        self.swapped_with_other_patient()?;
        self.forged()
    }

    /// Makes a change, lets her client look, takes the change back, and checks that it was refused.
    pub(crate) fn refused<T, E: StdError + 'static>(
        &mut self,
        what: &str,
        change: impl FnOnce(&Store) -> Outcome<()>,
        look: impl FnOnce(&Client, &Store) -> Outcome<T>,
        reason: fn(&E) -> bool,
    ) -> Outcome<()> {
        let batch = self.store.batch()?;
        change(self.store)?;
        let result = look(self.salo, self.store);
        batch.rollback()?;
        self.checks.refused(what, result, reason);
        Ok(())
    }

    fn altered(&mut self) -> Outcome<()> {
        let (patient, record) = &self.targets.first;
        let sealed = self.store.record(patient, record)?;
        self.refused(
            "he flips one bit of a record",
            |store| overwrite(store, &self.targets.first, &flipped(&sealed, sealed.len() / 2, 0)),
            |salo, store| salo.read(store, patient, record),
            is_not_authentic,
        )?;
        let vault = self.salo.load(self.store)?;
        let key = self.salo.patient_key(&vault, self.store, patient)?;
        // One bit in each byte of a short record, in every so many of a long one.
        let places: Vec<usize> = (0..sealed.len()).step_by(sealed.len().div_ceil(4_000).max(1)).collect();
        let mut opened = 0;
        for (at, bit) in places.iter().zip((0..8).cycle()) {
            let altered = flipped(&sealed, *at, bit);
            opened += usize::from(vault.open(&key, RecordId::new(record)?, field()?, &altered).is_ok());
        }
        let places = count(places.len());
        self.checks.holds(format!("he flips a bit in {places} places, one at a time: {opened} open"), opened == 0);
        Ok(())
    }

    fn swapped_with_same_patient(&mut self) -> Outcome<()> {
        let (first, Some(second)) = (&self.targets.first, &self.targets.same_patient) else {
            fact("(no patient has two records to swap)");
            return Ok(());
        };
        self.refused(
            "he swaps two records of one patient",
            |store| swap(store, first, second),
            |salo, store| either(salo, store, first, second),
            is_not_authentic,
        )
    }

    fn swapped_with_other_patient(&mut self) -> Outcome<()> {
        let (first, Some(second)) = (&self.targets.first, &self.targets.other_patient) else {
            fact("(there is no second patient to swap records with)");
            return Ok(());
        };
        self.refused(
            "he swaps two records of two patients",
            |store| swap(store, first, second),
            |salo, store| either(salo, store, first, second),
            is_wrong_card,
        )?;
        let card = |place: &Place| self.salo.cards.get(&place.0).ok_or("Dr Salo enrolled every patient");
        let (own, foreign) = (card(first)?.as_bytes(), card(second)?.as_bytes());
        let moved = renamed(&self.store.record(&second.0, &second.1)?, foreign, own);
        self.refused(
            "he moves a record to another patient and changes the card's id in it",
            |store| overwrite(store, first, &moved),
            |salo, store| salo.read(store, &first.0, &first.1),
            is_not_authentic,
        )
    }

    fn forged(&mut self) -> Outcome<()> {
        let first = &self.targets.first;
        let forged = self.thief.forge(&first.1)?;
        self.refused(
            "he writes a note himself, sealed with his patient key",
            |store| overwrite(store, first, &forged),
            |salo, store| salo.read(store, &first.0, &first.1),
            is_wrong_card,
        )?;
        let true_card = self.salo.cards.get(&first.0).ok_or("Dr Salo enrolled every patient")?;
        let renamed = renamed(&forged, self.thief.patient.card_id.as_bytes(), true_card.as_bytes());
        self.refused(
            "the same, with the true card's id in it",
            |store| overwrite(store, first, &renamed),
            |salo, store| salo.read(store, &first.0, &first.1),
            is_not_authentic,
        )
    }
}

fn flipped(bytes: &[u8], at: usize, bit: u32) -> Vec<u8> {
    let mut altered = bytes.to_vec();
    if let Some(byte) = altered.get_mut(at) {
        *byte ^= 1 << bit;
    }
    altered
}

fn overwrite(store: &Store, place: &Place, sealed: &[u8]) -> Outcome<()> {
    store.write("UPDATE records SET sealed = ?3 WHERE patient = ?1 AND record = ?2", (&place.0, &place.1, sealed))
}

fn swap(store: &Store, first: &Place, second: &Place) -> Outcome<()> {
    let (one, two) = (store.record(&first.0, &first.1)?, store.record(&second.0, &second.1)?);
    overwrite(store, first, &two)?;
    overwrite(store, second, &one)
}

/// Opens the second record, or else the first: refused only if both are.
fn either(salo: &Client, store: &Store, first: &Place, second: &Place) -> Outcome<lukko::Opened> {
    salo.read(store, &second.0, &second.1).or_else(|_| salo.read(store, &first.0, &first.1))
}

fn is_not_authentic(error: &Error) -> bool {
    matches!(error, Error::NotAuthentic)
}

fn is_wrong_card(error: &Error) -> bool {
    matches!(error, Error::Usage(Usage::WrongCard { .. }))
}
