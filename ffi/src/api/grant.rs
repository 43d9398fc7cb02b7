//! Grants, and break-glass.

use lukko::{Card, MasterKey, MemberKey, OsRng, PatientKey, Vault};

use super::{give, give_buffer};
use crate::buffer::{In, Slot};
use crate::handle::get;
use crate::object::{lukko_buffer, lukko_card, lukko_master, lukko_member, lukko_patient_key, lukko_vault};
use crate::values;

/// Grants a patient to a member. Whoever may read may copy.
///
/// @param vault the vault
/// @param key the patient's key
/// @param to,to_len the fingerprint of the member's key, 32 bytes: show it to the person who grants
/// @param out_grant the grant, to be stored: 1,271 bytes with X-Wing, 183 with X25519
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_grant(
    vault: lukko_vault,
    key: lukko_patient_key,
    to: In<'_>,
    to_len: usize,
    out_grant: Slot<'_, lukko_buffer>,
) -> i32 {
    give_buffer(out_grant, || {
        let (vault, key) = (get::<Vault>(vault)?, get::<PatientKey>(key)?);
        Ok(vault.grant(&key, values::key_fingerprint(to, to_len)?, &mut OsRng)?.bytes)
    })
}

/// Opens a grant as the member that it is addressed to.
///
/// @param vault the vault
/// @param card the patient's card
/// @param member the member's keys
/// @param grant,grant_len the grant
/// @param out_key the patient's key; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_open_grant(
    vault: lukko_vault,
    card: lukko_card,
    member: lukko_member,
    grant: In<'_>,
    grant_len: usize,
    out_key: Slot<'_, lukko_patient_key>,
) -> i32 {
    give(out_key, || {
        let (vault, card, member) = (get::<Vault>(vault)?, get::<Card>(card)?, get::<MemberKey>(member)?);
        Ok(vault.open_grant(&card, &member, grant.some(grant_len)?)?)
    })
}

/// Breaks the glass: opens a patient's key with the master key that a quorum has recovered.
///
/// @param vault the vault
/// @param card the patient's card
/// @param master the master key
/// @param out_key the patient's key; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_break_glass(
    vault: lukko_vault,
    card: lukko_card,
    master: lukko_master,
    out_key: Slot<'_, lukko_patient_key>,
) -> i32 {
    give(out_key, || {
        let (vault, card, master) = (get::<Vault>(vault)?, get::<Card>(card)?, get::<MasterKey>(master)?);
        Ok(vault.break_glass(&card, &master)?)
    })
}

/// Wraps a patient's secret to the master key, without an endorsement: for the key of an older card, whose records have
/// not all been moved yet.
///
/// @param vault the vault
/// @param key the patient's key
/// @param out_grant the master grant, to be stored
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_grant_to_master(
    vault: lukko_vault,
    key: lukko_patient_key,
    out_grant: Slot<'_, lukko_buffer>,
) -> i32 {
    give_buffer(out_grant, || {
        let (vault, key) = (get::<Vault>(vault)?, get::<PatientKey>(key)?);
        Ok(vault.grant_to_master(&key, &mut OsRng)?)
    })
}
