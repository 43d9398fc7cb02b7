//! Cards that no endorsement vouches for now: superseded ones, and those of an enroller who was revoked.

use alloc::vec::Vec;

use super::card::{StoredPatient, current};
use super::grant::{GrantKey, open_with};
use super::history::{before, older, read_card, read_history};
use crate::custody::PinnedDescriptor;
use crate::digest::CardId;
use crate::error::{Result, Usage};
use crate::ident::PatientId;
use crate::keys::patient::PatientKey;
use crate::roster::VerifiedRoster;

/// Opens the key of an older card, to which the current one leads back: for records that have not been moved yet.
///
/// # Errors
/// As [`Card::verify`](super::Card::verify) for the current card; [`Untrusted`](crate::error::Untrusted) if it does not
/// lead back to the older one or that one was erased; then as [`open_as_member`](super::open_as_member).
pub(crate) fn open_older(
    patient: PatientId<'_>,
    stored: &StoredPatient<'_>,
    expect: Option<CardId>,
    wanted: CardId,
    with: &GrantKey<'_>,
    descriptor: &PinnedDescriptor,
    roster: &VerifiedRoster,
) -> Result<PatientKey> {
    let history = read_history(stored.cards, descriptor, roster)?;
    let current = current(patient, stored, expect, &history, descriptor, roster)?;
    let card = older(current, wanted, &history)?;
    card.require_patient(patient)?;
    roster.require_not_erased(card.id)?;
    open_with(&card.public(descriptor), with, roster)
}

/// Opens the key of a card that the caller knows by its id, whatever became of its endorsement.
///
/// # Errors
/// [`Usage::NoCard`] if no stored card has this id; [`Usage::WrongPatient`]; [`Untrusted`](crate::error::Untrusted) if
/// it was erased; then as [`open_as_member`](super::open_as_member).
pub(crate) fn open_remembered(
    patient: PatientId<'_>,
    cards: &[&[u8]],
    known: CardId,
    with: &GrantKey<'_>,
    descriptor: &PinnedDescriptor,
    roster: &VerifiedRoster,
) -> Result<PatientKey> {
    let found = cards.iter().filter_map(|bytes| read_card(bytes, descriptor).ok()).find(|card| card.id == known);
    let card = found.ok_or(Usage::NoCard)?;
    card.require_patient(patient)?;
    roster.require_not_erased(card.id)?;
    open_with(&card.public(descriptor), with, roster)
}

/// The older cards, to which the current one leads back, that the roster does not close. Each still verifies, beside the
/// endorsement of its time, for a client that remembers no card of the patient.
///
/// # Errors
/// As [`Card::verify`](super::Card::verify) for the current card.
pub(crate) fn cards_left_open(
    patient: PatientId<'_>,
    stored: &StoredPatient<'_>,
    expect: Option<CardId>,
    descriptor: &PinnedDescriptor,
    roster: &VerifiedRoster,
) -> Result<Vec<CardId>> {
    let history = read_history(stored.cards, descriptor, roster)?;
    let current = current(patient, stored, expect, &history, descriptor, roster)?;
    Ok(before(current, &history).filter(|card| roster.closed(*card).is_none()).collect())
}
