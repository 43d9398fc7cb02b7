//! Older and remembered cards, and their keys.

use lukko::{PatientId, Vault};

use super::{give, write};
use crate::buffer::{In, Ref, Slot, lukko_bytes};
use crate::handle::get;
use crate::object::{MemberOrMaster, lukko_handle, lukko_patient_key, lukko_vault};
use crate::values::{self, Stored, lukko_stored_patient};

/// The older cards of a patient whose re-key has not ended: the current card leads back to each, and the roster closes
/// none of them. To end the re-key, move the records to the current card, and let the registrar close these cards as
/// LUKKO_CLOSED_COMPROMISED, which also means: superseded. If the row of an older card is missing, the list ends with that
/// card.
///
/// @param vault the vault
/// @param patient,patient_len the patient's id
/// @param stored what the store holds, the older cards among it
/// @param expect,expect_len the id of the card that this client accepted before, 32 bytes; length 0 for none
/// @param out their ids from the newest to the oldest, 32 bytes each, one behind the other
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_cards_left_open(
    vault: lukko_vault,
    patient: In<'_>,
    patient_len: usize,
    stored: Ref<'_, lukko_stored_patient<'_>>,
    expect: In<'_>,
    expect_len: usize,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| {
        let (vault, stored) = (get::<Vault>(vault)?, Stored::read(stored.read()?)?);
        let patient = PatientId::new(patient.some(patient_len)?)?;
        let ids = vault.cards_left_open(patient, &stored.as_stored(), values::optional_card(expect, expect_len)?)?;
        out.write_ids(ids.iter().map(|id| id.as_bytes()))
    })
}

/// Opens the key of an older card, to which the current one leads back, for lukko_vault_rewrap and lukko_vault_reseal.
///
/// @param vault the vault
/// @param patient,patient_len the patient's id
/// @param stored what the store holds, the older cards among it
/// @param expect,expect_len the id of the card that this client accepted before, 32 bytes; length 0 for none
/// @param older,older_len the id of the older card, 32 bytes
/// @param with the lukko_member or lukko_master that the grant is addressed to
/// @param grant,grant_len the older card's grant to it
/// @param out_key the older key; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_open_older(
    vault: lukko_vault,
    patient: In<'_>,
    patient_len: usize,
    stored: Ref<'_, lukko_stored_patient<'_>>,
    expect: In<'_>,
    expect_len: usize,
    older: In<'_>,
    older_len: usize,
    with: lukko_handle,
    grant: In<'_>,
    grant_len: usize,
    out_key: Slot<'_, lukko_patient_key>,
) -> i32 {
    give(out_key, || {
        let (vault, stored) = (get::<Vault>(vault)?, Stored::read(stored.read()?)?);
        let (patient, with) = (PatientId::new(patient.some(patient_len)?)?, MemberOrMaster::of(with)?);
        let expect = values::optional_card(expect, expect_len)?;
        let older = values::card_id(older, older_len)?;
        let with = with.with_grant(grant.some(grant_len)?);
        Ok(vault.open_older(patient, &stored.as_stored(), expect, older, &with)?)
    })
}

/// Opens the key of a card by its id, without asking for its endorsement: after its enroller was revoked, to endorse it
/// anew. The id must come from a client's memory or from paper: one from the database alone may be a thief's.
///
/// @param vault the vault
/// @param patient,patient_len the patient's id
/// @param cards,card_count the patient's cards
/// @param known,known_len the id of the card, 32 bytes
/// @param with the lukko_member or lukko_master that the grant is addressed to
/// @param grant,grant_len the card's grant to it
/// @param out_key the key; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_open_remembered(
    vault: lukko_vault,
    patient: In<'_>,
    patient_len: usize,
    cards: Ref<'_, lukko_bytes<'_>>,
    card_count: usize,
    known: In<'_>,
    known_len: usize,
    with: lukko_handle,
    grant: In<'_>,
    grant_len: usize,
    out_key: Slot<'_, lukko_patient_key>,
) -> i32 {
    give(out_key, || {
        let (vault, cards) = (get::<Vault>(vault)?, cards.list(card_count)?);
        let (patient, with) = (PatientId::new(patient.some(patient_len)?)?, MemberOrMaster::of(with)?);
        let known = values::card_id(known, known_len)?;
        Ok(vault.open_remembered(patient, &cards, known, &with.with_grant(grant.some(grant_len)?))?)
    })
}
