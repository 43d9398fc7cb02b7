//! Erasure of a patient.

use lukko::{Erasure, PatientId, Vault};

use super::{draft, give, run, write};
use crate::buffer::{In, Ref, Slot, lukko_bytes};
use crate::handle::{Locked, get};
use crate::object::{lukko_draft, lukko_erasure, lukko_receipt, lukko_vault};
use crate::values;

/// Begins the erasure of a patient, from all cards and grants that are stored of it. Nothing changes by it yet.
///
/// In this order: lukko_erasure_close_in a draft, sign it, load it; destroy cards, endorsements and grants in the store;
/// then lukko_erasure_receipt.
///
/// @param vault the vault
/// @param patient,patient_len the patient's id
/// @param cards,card_count every card that the database or any backup has held of the patient
/// @param grants,grant_count the stored grants
/// @param out_erasure the erasure; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_begin_erasure(
    vault: lukko_vault,
    patient: In<'_>,
    patient_len: usize,
    cards: Ref<'_, lukko_bytes<'_>>,
    card_count: usize,
    grants: Ref<'_, lukko_bytes<'_>>,
    grant_count: usize,
    out_erasure: Slot<'_, lukko_erasure>,
) -> i32 {
    give(out_erasure, || {
        let (vault, patient) = (get::<Vault>(vault)?, PatientId::new(patient.some(patient_len)?)?);
        let (cards, grants) = (cards.list(card_count)?, grants.list(grant_count)?);
        Ok(Locked::new(vault.begin_erasure(patient, &cards, grants)?))
    })
}

/// The cards that are closed by an erasure.
///
/// @param erasure the erasure
/// @param out their ids, 32 bytes each, one behind the other
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_erasure_cards(
    erasure: lukko_erasure,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| {
        get::<Locked<Erasure>>(erasure)?
            .with(|erasure| out.write_ids(erasure.cards().iter().map(|card| card.as_bytes())))
    })
}

/// Cards that the given ones name and that were not given. No receipt before each was found or closed unseen.
///
/// @param erasure the erasure
/// @param out their ids, 32 bytes each, one behind the other
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_erasure_missing(
    erasure: lukko_erasure,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| {
        get::<Locked<Erasure>>(erasure)?
            .with(|erasure| out.write_ids(erasure.missing().iter().map(|card| card.as_bytes())))
    })
}

/// Closes a card unseen too. Make sure that it is of this patient: it is closed for ever.
///
/// @param erasure the erasure
/// @param card,card_len the card's id, 32 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_erasure_also_close(erasure: lukko_erasure, card: In<'_>, card_len: usize) -> i32 {
    run((), || {
        let card = values::card_id(card, card_len)?;
        get::<Locked<Erasure>>(erasure)?.with(|erasure| {
            erasure.also_close(card);
            Ok(())
        })
    })
}

/// Names a member's key on the receipt that was granted the patient, though the store shows no such grant.
///
/// @param erasure the erasure
/// @param key,key_len the fingerprint of the key, 32 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_erasure_also_granted(erasure: lukko_erasure, key: In<'_>, key_len: usize) -> i32 {
    run((), || {
        let key = values::key_fingerprint(key, key_len)?;
        get::<Locked<Erasure>>(erasure)?.with(|erasure| {
            erasure.also_granted(key);
            Ok(())
        })
    })
}

/// Closes the patient's cards in the next roster; those that are closed already stay so.
///
/// @param erasure the erasure
/// @param draft the draft
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_erasure_close_in(erasure: lukko_erasure, draft: lukko_draft) -> i32 {
    run((), || {
        get::<Locked<Erasure>>(erasure)?.with(|erasure| draft::change(draft, |draft| Ok(erasure.close_in(draft)?)))
    })
}

/// The receipt, once the vault's roster closes every card, and never before.
///
/// @param erasure the erasure
/// @param vault the vault with that roster
/// @param now the time, in seconds since 1970-01-01 UTC, at most LUKKO_TIME_MAX; the library has no clock
/// @param out_receipt the receipt; free it with lukko_free
/// @return LUKKO_E_NOT_YET
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_erasure_receipt(
    erasure: lukko_erasure,
    vault: lukko_vault,
    now: u64,
    out_receipt: Slot<'_, lukko_receipt>,
) -> i32 {
    give(out_receipt, || {
        let (erasure, vault) = (get::<Locked<Erasure>>(erasure)?, get::<Vault>(vault)?);
        erasure.with(|erasure| Ok(Locked::new(erasure.receipt(&vault, values::time(now)?)?)))
    })
}
