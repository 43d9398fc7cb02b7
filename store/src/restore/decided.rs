//! What the registrar decided before the disk died, and how a quorum reads behind it. A decision is no damage: it is listed
//! apart, with what to do.

use std::fmt;

use lukko::error::Untrusted;
use lukko::{
    CardId, ClosedReason, Enroller, GrantKey, KeyFingerprint, MasterKey, OsRng, PatientId, PatientKey, Roles, Status,
    Vault,
};

use super::failure::shown;
use crate::jobs::keys::{Closed, KeyOf, Opener};
use crate::rows::Patient;

/// Why a patient's key does not open as on other days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// The key that endorsed the patient's card was revoked.
    Enroller(KeyFingerprint),
    /// The card is closed as compromised, and no other one has taken its place yet.
    Compromised(CardId),
    /// The patient was erased.
    Erased(CardId),
    /// A rotation is half done: another generation has the patient.
    Generation(u32),
}

/// The key of a patient, and what was decided of it.
pub(super) struct Decided {
    pub(super) key: PatientKey,
    pub(super) decision: Option<Decision>,
}

/// Why a patient's key does not open.
pub(super) enum Barred {
    Decision(Decision),
    Damage(Closed),
}

/// Opens a patient's current key with the master key, also where a decision stands in the way.
pub(super) fn open(
    (vault, master): (&Vault, &MasterKey),
    patient: PatientId<'_>,
    stored: &Patient,
) -> Result<Decided, Barred> {
    let opener = Opener { vault, by: KeyOf::Master(master), patient, stored };
    let closed = match opener.current() {
        Ok(key) => return Ok(Decided { key, decision: None }),
        Err(closed) => closed,
    };
    let decision = decision(vault, stored, &closed).ok_or(Barred::Damage(closed))?;
    let card = match decision {
        Decision::Enroller(_) => endorsed(vault, stored),
        Decision::Compromised(card) => Some(card),
        Decision::Erased(_) | Decision::Generation(_) => None,
    };
    let card = card.ok_or(Barred::Decision(decision))?;
    let key = remembered((vault, master), patient, stored, card).map_err(Barred::Damage)?;
    Ok(Decided { key, decision: Some(decision) })
}

fn endorsed(vault: &Vault, stored: &Patient) -> Option<CardId> {
    stored.endorsed(vault.descriptor().generation()).map(|endorsed| endorsed.card)
}

fn decision(vault: &Vault, stored: &Patient, closed: &Closed) -> Option<Decision> {
    match closed {
        Closed::Refused(lukko::Error::Untrusted(Untrusted::Revoked(key))) => Some(Decision::Enroller(*key)),
        Closed::Refused(lukko::Error::Untrusted(Untrusted::CardCompromised(card))) => {
            Some(Decision::Compromised(*card))
        }
        Closed::Refused(lukko::Error::Untrusted(Untrusted::CardErased(card))) => Some(Decision::Erased(*card)),
        _ if endorsed(vault, stored).is_none() => {
            stored.endorsed.first().map(|other| Decision::Generation(other.generation))
        }
        _ => None,
    }
}

/// The key of a card that no endorsement vouches for today: the current one, or one before it.
pub(super) fn remembered(
    (vault, key): (&Vault, &MasterKey),
    patient: PatientId<'_>,
    stored: &Patient,
    card: CardId,
) -> Result<PatientKey, Closed> {
    let grant = stored.master_grant(card, vault.descriptor().generation());
    let grant = grant.ok_or(Closed::Missing("no grant of this card to the quorum is stored"))?;
    Ok(vault.open_remembered(patient, &stored.card_bytes(), card, &GrantKey::Master { key, grant })?)
}

/// The key under which records of a compromised card are read: the current one, or one that is made for this and never
/// stored.
pub(super) fn open_card(
    (vault, master): (&Vault, &MasterKey),
    current: &PatientKey,
) -> Result<Option<PatientKey>, lukko::Error> {
    if vault.roster().closed(current.card()) != Some(ClosedReason::Compromised) {
        return Ok(None);
    }
    Ok(Some(vault.rekey(Enroller::Root(master), current, &mut OsRng)?.key))
}

/// A member as people know it: the id, if the roster has it, and the key.
pub(super) fn whose(vault: &Vault, key: KeyFingerprint) -> String {
    match vault.roster().member(key) {
        Ok(member) => format!("{} (key {key})", shown(member.entry().id())),
        Err(_) => format!("the key {key}"),
    }
}

/// Whether the roster lists a depositor's key as revoked.
pub(super) fn is_revoked(vault: &Vault, key: KeyFingerprint) -> bool {
    let member = vault.roster().member(key);
    member.is_ok_and(|member| member.status() == Status::Revoked && member.roles().contains(Roles::DEPOSIT))
}

/// A decision, with what to do about it.
pub(super) struct Advice<'a>(pub(super) &'a Vault, pub(super) Decision);

impl fmt::Display for Advice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Decision::Enroller(key) => write!(
                f,
                "{} endorsed this patient's card and was revoked since. Who had that key may have made the card, and so the \
                 records: compare them with what the therapist knows",
                whose(self.0, key)
            ),
            Decision::Compromised(card) => write!(
                f,
                "the card {card} is closed, because its key was compromised. Who had that key may have written any record \
                 of this patient: compare them with what the therapist knows"
            ),
            Decision::Erased(_) => f.write_str("the patient was erased: nothing of it is to be read"),
            Decision::Generation(generation) => write!(
                f,
                "a change of custodians was not brought to its end: generation {generation} has this patient, and this one \
                 does not. Begin again with the pin and the shares of generation {generation}"
            ),
        }
    }
}
