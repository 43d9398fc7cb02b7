//! Patients: enrolment, re-key, endorsement, cards and keys.

use std::sync::Arc;

use lukko::{Card, Endorsed, Enrolment, OsRng, PatientId, PatientKey, Vault};

use super::{give, give_shared, put, write};
use crate::buffer::{In, Ref, Slot, lukko_bytes};
use crate::handle::get;
use crate::object::{
    Enrolled, MemberOrMaster, lukko_card, lukko_endorsed, lukko_enrolment, lukko_handle, lukko_patient_key, lukko_vault,
};
use crate::values::{self, Stored, lukko_stored_patient};

/// Enrols a patient: draws the patient's key, makes its card, endorses it, and wraps the key to the master key. Store
/// card, endorsement and master grant together.
///
/// @param vault the vault
/// @param by a lukko_member with the role enrol, or the lukko_master
/// @param patient,patient_len the patient's id, 1 to 255 bytes, stored in clear: never a name
/// @param out_enrolment the enrolment; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_enrol(
    vault: lukko_vault,
    by: lukko_handle,
    patient: In<'_>,
    patient_len: usize,
    out_enrolment: Slot<'_, lukko_enrolment>,
) -> i32 {
    give(out_enrolment, || {
        let (vault, by) = (get::<Vault>(vault)?, MemberOrMaster::of(by)?);
        let patient = PatientId::new(patient.some(patient_len)?)?;
        Ok(enrolled(vault.enrol(by.as_enroller(), patient, &mut OsRng)?))
    })
}

/// Makes the next version of a patient's key. Store its card beside the old one, which vouches for it.
///
/// @param vault the vault
/// @param by a lukko_member with the role enrol, or the lukko_master
/// @param old the present key
/// @param out_enrolment the enrolment; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_rekey(
    vault: lukko_vault,
    by: lukko_handle,
    old: lukko_patient_key,
    out_enrolment: Slot<'_, lukko_enrolment>,
) -> i32 {
    give(out_enrolment, || {
        let (vault, by, old) = (get::<Vault>(vault)?, MemberOrMaster::of(by)?, get::<PatientKey>(old)?);
        Ok(enrolled(vault.rekey(by.as_enroller(), &old, &mut OsRng)?))
    })
}

fn enrolled(enrolment: Enrolment) -> Enrolled {
    let Enrolment { card, endorsement, master_grant, key, .. } = enrolment;
    Enrolled { card, endorsement, master_grant, key: Arc::new(key) }
}

/// The id of the new card, for clients that remember it.
///
/// @param enrolment the enrolment
/// @param out 32 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_enrolment_card_id(
    enrolment: lukko_enrolment,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<Enrolled>(enrolment)?.key.card().as_bytes()))
}

/// The new card.
///
/// @param enrolment the enrolment
/// @param out the card, to be stored
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_enrolment_card(
    enrolment: lukko_enrolment,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(&get::<Enrolled>(enrolment)?.card))
}

/// The endorsement of the new card and its master grant.
///
/// @param enrolment the enrolment
/// @param out the endorsement, to be stored
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_enrolment_endorsement(
    enrolment: lukko_enrolment,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(&get::<Enrolled>(enrolment)?.endorsement))
}

/// The patient's secret, wrapped to the master key: what a quorum opens when all members are gone.
///
/// @param enrolment the enrolment
/// @param out the master grant, to be stored
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_enrolment_master_grant(
    enrolment: lukko_enrolment,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(&get::<Enrolled>(enrolment)?.master_grant))
}

/// The patient's key, to seal and to grant with.
///
/// @param enrolment the enrolment
/// @param out_key the key; free it, and the enrolment, with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_enrolment_key(enrolment: lukko_enrolment, out_key: Slot<'_, lukko_patient_key>) -> i32 {
    give_shared(out_key, || Ok(Arc::clone(&get::<Enrolled>(enrolment)?.key)))
}

/// Endorses a patient's card for this vault's generation, with a new master grant.
///
/// @param vault the vault
/// @param by a lukko_member with the role enrol, or the lukko_master
/// @param key the patient's key
/// @param out_endorsed both objects; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_endorse(
    vault: lukko_vault,
    by: lukko_handle,
    key: lukko_patient_key,
    out_endorsed: Slot<'_, lukko_endorsed>,
) -> i32 {
    give(out_endorsed, || {
        let (vault, by, key) = (get::<Vault>(vault)?, MemberOrMaster::of(by)?, get::<PatientKey>(key)?);
        Ok(vault.endorse(by.as_enroller(), &key, &mut OsRng)?)
    })
}

/// The new endorsement.
///
/// @param endorsed both objects
/// @param out the endorsement, to be stored
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_endorsed_endorsement(
    endorsed: lukko_endorsed,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(&get::<Endorsed>(endorsed)?.endorsement))
}

/// The new master grant.
///
/// @param endorsed both objects
/// @param out the master grant, to be stored
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_endorsed_master_grant(
    endorsed: lukko_endorsed,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(&get::<Endorsed>(endorsed)?.master_grant))
}

/// Verifies what is stored of a patient and gives the current card.
///
/// @param vault the vault
/// @param patient,patient_len the patient that the caller asked the store for
/// @param stored what the store holds
/// @param expect,expect_len the id of the card that this client accepted before, 32 bytes; length 0 for none
/// @param out_card the card; free it with lukko_free
/// @return LUKKO_E_CLOSED, LUKKO_E_CONFLICT, LUKKO_E_STALE, LUKKO_E_UNTRUSTED, LUKKO_E_REVOKED, LUKKO_E_MISMATCH
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_card(
    vault: lukko_vault,
    patient: In<'_>,
    patient_len: usize,
    stored: Ref<'_, lukko_stored_patient<'_>>,
    expect: In<'_>,
    expect_len: usize,
    out_card: Slot<'_, lukko_card>,
) -> i32 {
    give(out_card, || {
        let (vault, stored) = (get::<Vault>(vault)?, Stored::read(stored.read()?)?);
        let patient = PatientId::new(patient.some(patient_len)?)?;
        Ok(vault.card(patient, &stored.as_stored(), values::optional_card(expect, expect_len)?)?)
    })
}

/// The ids of a patient's cards, each once, whatever the roster says of them: for a list of what is to be re-wrapped or
/// looked for. None of them has been verified.
///
/// @param vault the vault
/// @param patient,patient_len the patient's id
/// @param cards,card_count the cards
/// @param out 32 bytes for each, one behind the other
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_card_ids(
    vault: lukko_vault,
    patient: In<'_>,
    patient_len: usize,
    cards: Ref<'_, lukko_bytes<'_>>,
    card_count: usize,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| {
        let (vault, cards) = (get::<Vault>(vault)?, cards.list(card_count)?);
        let ids = vault.card_ids(PatientId::new(patient.some(patient_len)?)?, &cards)?;
        out.write_ids(ids.iter().map(|id| id.as_bytes()))
    })
}

/// The id of a card, for the store and for `expect`.
///
/// @param card the card
/// @param out 32 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_card_id(
    card: lukko_card,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<Card>(card)?.id().as_bytes()))
}

/// The patient of a card.
///
/// @param card the card
/// @param out 1 to 255 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_card_patient(
    card: lukko_card,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<Card>(card)?.patient()))
}

/// The version of the patient's key on a card.
///
/// @param card the card
/// @param out_version from 1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_card_version(card: lukko_card, out_version: Slot<'_, u32>) -> i32 {
    put(out_version, || Ok(get::<Card>(card)?.version()))
}

/// The id of the card that a key belongs to.
///
/// @param key the patient's key
/// @param out 32 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_patient_key_card_id(
    key: lukko_patient_key,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<PatientKey>(key)?.card().as_bytes()))
}

/// The patient that a key belongs to.
///
/// @param key the patient's key
/// @param out 1 to 255 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_patient_key_patient(
    key: lukko_patient_key,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<PatientKey>(key)?.patient()))
}

/// The version of a patient's key.
///
/// @param key the patient's key
/// @param out_version from 1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_patient_key_version(key: lukko_patient_key, out_version: Slot<'_, u32>) -> i32 {
    put(out_version, || Ok(get::<PatientKey>(key)?.version()))
}
