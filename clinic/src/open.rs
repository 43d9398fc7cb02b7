//! From a patient's rows to open keys: the calls of the core that judge cards and open grants, in one place.

use std::sync::{Arc, Mutex, PoisonError};

use lukko::error::Untrusted;
use lukko::{Card, CardId, Enroller, Enrolment, Grant, GrantKey, KeyFingerprint, MemberKey, OsRng, PatientKey, Vault};
use lukko_store::Patient as Rows;

use crate::error::{Error, Result, RolledBack};
use crate::names;
use crate::trust::is_erased;

/// The keys of one patient, as they were opened under one roster. Wiped when the last holder drops it.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) vault: Arc<Vault>,
    pub(crate) key: Arc<PatientKey>,
    /// Keys of older cards that records still stand under.
    older: Mutex<Vec<Arc<PatientKey>>>,
}

impl Opened {
    pub(crate) fn new(vault: Arc<Vault>, key: PatientKey) -> Self {
        Self { vault, key: Arc::new(key), older: Mutex::default() }
    }

    /// The key of a card, if it is open already.
    pub(crate) fn key_of(&self, card: CardId) -> Option<Arc<PatientKey>> {
        if self.key.card() == card {
            return Some(Arc::clone(&self.key));
        }
        let older = self.older.lock().unwrap_or_else(PoisonError::into_inner);
        older.iter().find(|key| key.card() == card).map(Arc::clone)
    }

    /// Wipes the keys of older cards: every record has left them.
    pub(crate) fn forget_older(&self) {
        self.older.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Opens the key of an older card, to which the current one leads back.
    pub(crate) fn open_older(&self, member: &MemberKey, rows: &Rows, card: CardId) -> Result<Arc<PatientKey>> {
        let patient = names::patient(self.key.patient())?;
        let (remembered, stored) = (self.key.card(), rows.current);
        if rows.cards.iter().all(|(met, _)| *met != remembered) {
            let patient = String::from_utf8_lossy(self.key.patient()).into_owned();
            return Err(RolledBack::Card { patient, remembered, stored }.into());
        }
        let grant = rows.grant(card, member.fingerprint()).ok_or(Error::NotGranted)?;
        let cards = rows.card_bytes();
        let stored = rows.stored(self.vault.descriptor().generation(), &cards).ok_or(Error::NoPatient)?;
        let with = GrantKey::Member { key: member, grant };
        let key = self.vault.open_older(patient, &stored, Some(self.key.card()), card, &with)?;
        let key = Arc::new(key);
        self.older.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&key));
        Ok(key)
    }
}

/// Verifies the card of a patient. Pass as `expect` the card that was accepted before.
pub(crate) fn card(vault: &Vault, patient: &[u8], rows: &Rows, expect: Option<CardId>) -> Result<Card> {
    let met = rows.current;
    let put_back = |remembered| {
        let patient = String::from_utf8_lossy(patient).into_owned();
        Error::RolledBack(RolledBack::Card { patient, remembered, stored: met })
    };
    // Who was erased may have been enrolled anew under the same id.
    let expect = expect.filter(|remembered| !is_erased(vault, *remembered));
    let cards = rows.card_bytes();
    let Some(stored) = rows.stored(vault.descriptor().generation(), &cards) else {
        // There are cards, and this generation has not endorsed the newest one: it is not brought here yet, or a row is gone.
        let there = |card: &CardId| rows.cards.iter().any(|(met, _)| met == card);
        return Err(match expect {
            Some(remembered) if !there(&remembered) => put_back(remembered),
            None if rows.cards.is_empty() => Error::NoPatient,
            _ => Error::NotEndorsed,
        });
    };
    vault.card(names::patient(patient)?, &stored, expect).map_err(|error| match (error, expect) {
        (lukko::Error::Untrusted(Untrusted::UnexpectedCard { .. }), Some(remembered)) => put_back(remembered),
        // The newest card that is stored is closed, and not the one that was accepted: that one was taken away.
        (lukko::Error::Untrusted(Untrusted::CardCompromised(met)), Some(remembered)) if met != remembered => {
            put_back(remembered)
        }
        (error, _) => error.into(),
    })
}

/// Opens a patient as a member. A member without a grant is told the same as for a patient that does not exist.
pub(crate) fn open(
    vault: &Arc<Vault>,
    member: &MemberKey,
    patient: &[u8],
    rows: &Rows,
    expect: Option<CardId>,
) -> Result<Opened> {
    let granted = rows.grants.iter().any(|grant| grant.to == member.fingerprint());
    let card = card(vault, patient, rows, expect).map_err(|error| match error {
        Error::NoPatient => Error::NotGranted,
        // Whoever has no grant does not learn that there is such a patient.
        Error::NotEndorsed if !granted => Error::NotGranted,
        error => error,
    })?;
    let grant = rows.grant(card.id(), member.fingerprint()).ok_or(Error::NotGranted)?;
    Ok(Opened::new(Arc::clone(vault), vault.open_grant(&card, member, grant)?))
}

/// A new patient, granted to the member who enrols.
pub(crate) fn enrol(vault: &Vault, member: &MemberKey, patient: &[u8]) -> Result<(Enrolment, Vec<Grant>)> {
    let enrolment = vault.enrol(Enroller::Member(member), names::patient(patient)?, &mut OsRng)?;
    let grant = vault.grant(&enrolment.key, member.fingerprint(), &mut OsRng)?;
    Ok((enrolment, vec![grant]))
}

/// A grant of an open patient.
pub(crate) fn grant(opened: &Opened, to: KeyFingerprint) -> Result<Grant> {
    Ok(opened.vault.grant(&opened.key, to, &mut OsRng)?)
}

/// The next version of a patient's key, granted to those keys that may still read. Gives also the keys that may not.
pub(crate) fn rekey(
    opened: &Opened,
    member: &MemberKey,
    to: impl IntoIterator<Item = KeyFingerprint>,
) -> Result<(Enrolment, Vec<Grant>, Vec<KeyFingerprint>)> {
    let enrolment = opened.vault.rekey(Enroller::Member(member), &opened.key, &mut OsRng)?;
    let (mut grants, mut left_out) = (Vec::new(), Vec::new());
    for key in to {
        match opened.vault.grant(&enrolment.key, key, &mut OsRng) {
            Ok(grant) => grants.push(grant),
            Err(lukko::Error::Untrusted(_)) => left_out.push(key),
            Err(error) => return Err(error.into()),
        }
    }
    Ok((enrolment, grants, left_out))
}
