//! A therapist's client: what her machine keeps, and what she does with the database.

use std::collections::BTreeMap;

use lukko::{Card, CardId, FieldLabel, MemberKey, Opened, PatientKey, Pin, RecordId, StoredPatient, Vault};

use crate::report::Outcome;
use crate::store::Store;

/// The name of the field that notes are sealed in. A record can have others, such as a title.
pub(crate) fn field() -> lukko::Result<FieldLabel<'static>> {
    FieldLabel::new("note")
}

/// What a therapist's machine keeps from day to day, where whoever writes the database cannot reach it.
pub(crate) struct Client {
    /// Her private keys.
    pub(crate) key: MemberKey,
    /// The vault that she trusts, and the newest roster that she has seen.
    pub(crate) pin: Pin,
    /// The card that she accepted for each patient.
    pub(crate) cards: BTreeMap<String, CardId>,
}

impl Client {
    /// A client that has a pin and has not met any patient yet.
    pub(crate) fn new(key: MemberKey, pin: &Pin) -> Self {
        Self { key, pin: pin.clone(), cards: BTreeMap::new() }
    }

    /// Reads descriptor, roster and members from the database and verifies them against the pin.
    pub(crate) fn load(&self, store: &Store) -> Outcome<Vault> {
        load(&self.pin, store)
    }

    /// Opens her grant for a patient: the patient's key, from which on records are read without public-key work.
    pub(crate) fn patient_key(&self, vault: &Vault, store: &Store, patient: &str) -> Outcome<PatientKey> {
        let card = verified_card(vault, store, patient, self.cards.get(patient).copied())?;
        let grant = store.grant(card.id(), self.key.fingerprint())?;
        Ok(vault.open_grant(&card, &self.key, &grant)?)
    }

    /// Reads one note, from the pin down: what she does after a start of her machine.
    pub(crate) fn read(&self, store: &Store, patient: &str, record: &str) -> Outcome<Opened> {
        let vault = self.load(store)?;
        let key = self.patient_key(&vault, store, patient)?;
        read(&vault, store, &key, patient, record)
    }
}

/// Verifies a vault against a pin.
pub(crate) fn load(pin: &Pin, store: &Store) -> Outcome<Vault> {
    Ok(Vault::load(pin.clone(), &store.descriptor()?, &store.roster()?, store.entries()?)?)
}

/// Verifies a patient's card, and that it is the patient's.
pub(crate) fn verified_card(vault: &Vault, store: &Store, patient: &str, expect: Option<CardId>) -> Outcome<Card> {
    let row = store.patient(patient)?;
    let stored = StoredPatient { cards: &[&row.card], endorsement: &row.endorsement, master_grant: &row.master_grant };
    let card = vault.card(&stored, expect)?;
    // The card is genuine; is it the one that was asked for? A thief can put a whole file under another name.
    if card.patient() == patient.as_bytes() { Ok(card) } else { Err(OtherPatient.into()) }
}

/// Opens one record.
pub(crate) fn read(vault: &Vault, store: &Store, key: &PatientKey, patient: &str, record: &str) -> Outcome<Opened> {
    let sealed = store.record(patient, record)?;
    Ok(vault.open(key, RecordId::new(record)?, field()?, &sealed)?)
}

/// The database shows a genuine card of another patient than the one that was asked for.
#[derive(Debug)]
pub(crate) struct OtherPatient;

impl std::error::Error for OtherPatient {}

impl std::fmt::Display for OtherPatient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the card is genuine, but of another patient than the one asked for")
    }
}
