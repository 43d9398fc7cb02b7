//! Erasure of a patient.

use std::num::NonZeroU32;

use lukko::{Erasure, PatientId, Vault};

use super::{draft, give, put, run, write};
use crate::buffer::{In, Ref, Slot, lukko_bytes};
use crate::error::{LUKKO_E_VALUE, Refusal, Result};
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
        change(erasure, |erasure| out.write_ids(erasure.cards().iter().map(|card| card.as_bytes())))
    })
}

/// Cards that were not given, and that a given card or grant names. Look for each in backups and among the cards of other
/// patients, and give it to lukko_erasure_also_found. One that is not found is closed unseen: lukko_erasure_also_close.
/// There is no receipt before each is found or closed.
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
        change(erasure, |erasure| out.write_ids(erasure.missing().iter().map(|card| card.as_bytes())))
    })
}

/// Gives a card that was missing, or that a backup holds. A card of this patient is closed with the others. A card of
/// another patient is left alone, and grants that name it do not count.
///
/// @param erasure the erasure
/// @param vault the vault
/// @param card,card_len the card
/// @param out_is_patients 1 if the card is of this patient, else 0
/// @return LUKKO_E_MALFORMED for bytes that are no card; LUKKO_E_MISMATCH for a card or a vault that does not belong here.
///     Nothing changes then
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_erasure_also_found(
    erasure: lukko_erasure,
    vault: lukko_vault,
    card: In<'_>,
    card_len: usize,
    out_is_patients: Slot<'_, u32>,
) -> i32 {
    put(out_is_patients, || {
        let (vault, card) = (get::<Vault>(vault)?, card.some(card_len)?);
        change(erasure, |erasure| Ok(erasure.also_found(&vault, card)?.into()))
    })
}

/// Closes a card unseen too. Make sure that it is of this patient: it is closed for ever. A row that somebody planted can
/// name another patient's card, so look for the card first: lukko_erasure_also_found.
///
/// @param erasure the erasure
/// @param card,card_len the card's id, 32 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_erasure_also_close(erasure: lukko_erasure, card: In<'_>, card_len: usize) -> i32 {
    run((), || {
        let card = values::card_id(card, card_len)?;
        change(erasure, |erasure| {
            erasure.also_close(card);
            Ok(())
        })
    })
}

/// Gives more grants: those that were made since the erasure began, and those that backups hold. What is no grant of this
/// vault is passed over, and counted by lukko_receipt_sources.
///
/// @param erasure the erasure
/// @param grants,grant_count the grants
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_erasure_also_given(
    erasure: lukko_erasure,
    grants: Ref<'_, lukko_bytes<'_>>,
    grant_count: usize,
) -> i32 {
    run((), || {
        let grants = grants.list(grant_count)?;
        change(erasure, |erasure| {
            erasure.also_given(grants);
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
        change(erasure, |erasure| {
            erasure.also_granted(key);
            Ok(())
        })
    })
}

/// Names a generation on the receipt whose master key was granted the patient, though the store shows no such grant. The
/// vault's own generation and those before it are on the receipt anyway.
///
/// @param erasure the erasure
/// @param generation its number, from 1
/// @return LUKKO_E_VALUE for 0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_erasure_also_granted_to_generation(erasure: lukko_erasure, generation: u32) -> i32 {
    run((), || {
        let generation = NonZeroU32::new(generation).ok_or(Refusal(LUKKO_E_VALUE))?;
        change(erasure, |erasure| {
            erasure.also_granted_to_generation(generation);
            Ok(())
        })
    })
}

/// Names every key on the receipt that the vault's roster lists with the role read, whatever its status: for a store whose
/// rows of grants may have been hidden.
///
/// @param erasure the erasure
/// @param vault the vault
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_erasure_also_readers(erasure: lukko_erasure, vault: lukko_vault) -> i32 {
    run((), || {
        let vault = get::<Vault>(vault)?;
        change(erasure, |erasure| {
            erasure.also_readers(&vault);
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
    run((), || change(erasure, |erasure| draft::change(draft, |draft| Ok(erasure.close_in(draft)?))))
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
        let (vault, now) = (get::<Vault>(vault)?, values::time(now)?);
        change(erasure, |erasure| Ok(Locked::new(erasure.receipt(&vault, now)?)))
    })
}

/// Works on an erasure.
pub(super) fn change<R>(erasure: lukko_erasure, work: impl FnOnce(&mut Erasure) -> Result<R>) -> Result<R> {
    get::<Locked<Erasure>>(erasure)?.with(work)
}
