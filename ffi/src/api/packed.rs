//! The same as functions above, with lists that lie packed in one input instead of structures: the elements one behind the
//! other, and the length of each in an array beside them. `flat` says why.

use lukko::{CardId, PatientId, Pin, StoredPatient, Vault};

use super::{erasure, give, run};
use crate::buffer::{In, Ref, Slot};
use crate::handle::{Locked, get};
use crate::object::{lukko_access, lukko_card, lukko_erasure, lukko_pin, lukko_vault};
use crate::values;

/// lukko_vault_load, with the entries packed.
///
/// @param pin the pin
/// @param descriptor,descriptor_len the stored descriptor
/// @param roster,roster_len the stored roster
/// @param entries,entries_len all entries, one behind the other
/// @param entry_lens,entry_count the length of each; together they are entries_len
/// @param out_vault the vault; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_load_packed(
    pin: lukko_pin,
    descriptor: In<'_>,
    descriptor_len: usize,
    roster: In<'_>,
    roster_len: usize,
    entries: In<'_>,
    entries_len: usize,
    entry_lens: Ref<'_, usize>,
    entry_count: usize,
    out_vault: Slot<'_, lukko_vault>,
) -> i32 {
    give(out_vault, || {
        let (pin, entries) = (get::<Pin>(pin)?, entry_lens.cut(entry_count, entries.bytes(entries_len)?)?);
        Ok(Vault::load(Pin::clone(&pin), descriptor.some(descriptor_len)?, roster.some(roster_len)?, entries)?)
    })
}

/// lukko_vault_update_roster, with the entries packed.
///
/// @param vault the vault; it stays as it is
/// @param roster,roster_len the new roster
/// @param entries,entries_len all entries, one behind the other
/// @param entry_lens,entry_count the length of each; together they are entries_len
/// @param out_vault the vault with the new roster; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_update_roster_packed(
    vault: lukko_vault,
    roster: In<'_>,
    roster_len: usize,
    entries: In<'_>,
    entries_len: usize,
    entry_lens: Ref<'_, usize>,
    entry_count: usize,
    out_vault: Slot<'_, lukko_vault>,
) -> i32 {
    give(out_vault, || {
        let entries = entry_lens.cut(entry_count, entries.bytes(entries_len)?)?;
        let mut vault = Vault::clone(&*get::<Vault>(vault)?);
        vault.update_roster(roster.some(roster_len)?, entries)?;
        Ok(vault)
    })
}

/// lukko_vault_card, with the cards packed and the other parts as arguments.
///
/// @param vault the vault
/// @param patient,patient_len the patient's id
/// @param cards,cards_len every card of the patient, one behind the other
/// @param card_lens,card_count the length of each; together they are cards_len
/// @param endorsement,endorsement_len the endorsement of the newest card for the pinned generation
/// @param master_grant,master_grant_len the newest card's grant to the master key of the pinned generation
/// @param expect,expect_len the id of the card that the client remembers, 32 bytes; empty if it remembers none
/// @param out_card the card; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_card_packed(
    vault: lukko_vault,
    patient: In<'_>,
    patient_len: usize,
    cards: In<'_>,
    cards_len: usize,
    card_lens: Ref<'_, usize>,
    card_count: usize,
    endorsement: In<'_>,
    endorsement_len: usize,
    master_grant: In<'_>,
    master_grant_len: usize,
    expect: In<'_>,
    expect_len: usize,
    out_card: Slot<'_, lukko_card>,
) -> i32 {
    give(out_card, || {
        let (vault, patient) = (get::<Vault>(vault)?, PatientId::new(patient.some(patient_len)?)?);
        let cards = card_lens.cut(card_count, cards.bytes(cards_len)?)?;
        let (endorsement, master_grant) = (endorsement.some(endorsement_len)?, master_grant.some(master_grant_len)?);
        let stored = StoredPatient { cards: &cards, endorsement, master_grant };
        let expect: Option<CardId> = values::optional_card(expect, expect_len)?;
        Ok(vault.card(patient, &stored, expect)?)
    })
}

/// lukko_vault_who_can_open, with the grants packed.
///
/// @param vault the vault
/// @param card,card_len the id of the card, 32 bytes
/// @param grants,grants_len the stored grants, one behind the other
/// @param grant_lens,grant_count the length of each; together they are grants_len
/// @param out_access the list; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_who_can_open_packed(
    vault: lukko_vault,
    card: In<'_>,
    card_len: usize,
    grants: In<'_>,
    grants_len: usize,
    grant_lens: Ref<'_, usize>,
    grant_count: usize,
    out_access: Slot<'_, lukko_access>,
) -> i32 {
    give(out_access, || {
        let (vault, card) = (get::<Vault>(vault)?, values::card_id(card, card_len)?);
        Ok(vault.who_can_open(card, grant_lens.cut(grant_count, grants.bytes(grants_len)?)?))
    })
}

/// lukko_vault_begin_erasure, with cards and grants packed.
///
/// @param vault the vault
/// @param patient,patient_len the patient's id
/// @param cards,cards_len every card that the store or a backup holds of the patient, one behind the other
/// @param card_lens,card_count the length of each; together they are cards_len
/// @param grants,grants_len every grant of the patient, one behind the other
/// @param grant_lens,grant_count the length of each; together they are grants_len
/// @param out_erasure the erasure; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_begin_erasure_packed(
    vault: lukko_vault,
    patient: In<'_>,
    patient_len: usize,
    cards: In<'_>,
    cards_len: usize,
    card_lens: Ref<'_, usize>,
    card_count: usize,
    grants: In<'_>,
    grants_len: usize,
    grant_lens: Ref<'_, usize>,
    grant_count: usize,
    out_erasure: Slot<'_, lukko_erasure>,
) -> i32 {
    give(out_erasure, || {
        let (vault, patient) = (get::<Vault>(vault)?, PatientId::new(patient.some(patient_len)?)?);
        let cards = card_lens.cut(card_count, cards.bytes(cards_len)?)?;
        let grants = grant_lens.cut(grant_count, grants.bytes(grants_len)?)?;
        Ok(Locked::new(vault.begin_erasure(patient, &cards, grants)?))
    })
}

/// lukko_erasure_also_given, with the grants packed.
///
/// @param erasure the erasure
/// @param grants,grants_len the grants, one behind the other
/// @param grant_lens,grant_count the length of each; together they are grants_len
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_erasure_also_given_packed(
    erasure: lukko_erasure,
    grants: In<'_>,
    grants_len: usize,
    grant_lens: Ref<'_, usize>,
    grant_count: usize,
) -> i32 {
    run((), || {
        let grants = grant_lens.cut(grant_count, grants.bytes(grants_len)?)?;
        erasure::change(erasure, |erasure| {
            erasure.also_given(grants);
            Ok(())
        })
    })
}
