//! Rotation: the next generation of the master secret, and the patients' way into it.

use std::sync::Arc;

use lukko::{MasterKey, OsRng, PatientId, PatientRotation, Vault};

use super::create::made;
use super::keys::registrar_public_key;
use super::{draft, give, give_buffer, give_shared, put, write};
use crate::buffer::{In, Ref, Slot};
use crate::handle::{get, insert};
use crate::object::{
    MemberOrMaster, Rotated, lukko_buffer, lukko_descriptor, lukko_draft, lukko_endorsed, lukko_handle, lukko_master,
    lukko_rotation, lukko_share, lukko_vault,
};
use crate::values::{self, Stored, lukko_stored_patient};

/// Makes the next generation: other custodians, another policy, another registrar if need be. Nothing changes by it yet.
///
/// It makes old shares useless against databases that no longer hold the old master grants.
///
/// @param vault the vault
/// @param master the present master key
/// @param k,n,rule the new policy, LUKKO_POLICY_...
/// @param registrar_key,registrar_key_len the public key of the registrar from then on, 32 bytes
/// @param roster the draft from lukko_draft_next_generation; used up, also if it is refused
/// @param out_rotation the rotation; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_rotate(
    vault: lukko_vault,
    master: lukko_master,
    k: u32,
    n: u32,
    rule: u32,
    registrar_key: In<'_>,
    registrar_key_len: usize,
    roster: lukko_draft,
    out_rotation: Slot<'_, lukko_rotation>,
) -> i32 {
    give(out_rotation, || {
        let (vault, master, policy) = (get::<Vault>(vault)?, get::<MasterKey>(master)?, values::policy(k, n, rule)?);
        let registrar = registrar_public_key(registrar_key, registrar_key_len)?;
        let rotation = vault.rotate(&master, policy, &registrar, draft::take(roster)?, &mut OsRng)?;
        let lukko::Rotation { descriptor, statement, roster, shares, master } = rotation;
        Ok(Rotated { made: made(descriptor, shares, master), statement, roster })
    })
}

/// The descriptor of the new generation, to be stored beside the old one.
///
/// @param rotation the rotation
/// @param out_descriptor the descriptor; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_rotation_descriptor(
    rotation: lukko_rotation,
    out_descriptor: Slot<'_, lukko_descriptor>,
) -> i32 {
    give_shared(out_descriptor, || Ok(Arc::clone(&get::<Rotated>(rotation)?.made.descriptor)))
}

/// That the old generation is followed by the new one, signed by both roots.
///
/// @param rotation the rotation
/// @param out 272 bytes, to be stored
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_rotation_statement(
    rotation: lukko_rotation,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(&get::<Rotated>(rotation)?.statement))
}

/// The first roster of the new generation, signed by its root.
///
/// @param rotation the rotation
/// @param out the roster, to be stored
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_rotation_roster(
    rotation: lukko_rotation,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(&get::<Rotated>(rotation)?.roster))
}

/// How many shares the new generation has.
///
/// @param rotation the rotation
/// @param out_count n
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_rotation_share_count(rotation: lukko_rotation, out_count: Slot<'_, usize>) -> i32 {
    put(out_count, || Ok(get::<Rotated>(rotation)?.made.shares.len()))
}

/// One share of the new generation.
///
/// @param rotation the rotation
/// @param at which one, from 0
/// @param out_share the share; free it with lukko_free
/// @return LUKKO_E_VALUE past the last one
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_rotation_share(
    rotation: lukko_rotation,
    at: usize,
    out_share: Slot<'_, lukko_share>,
) -> i32 {
    give_shared(out_share, || get::<Rotated>(rotation)?.made.share(at))
}

/// The new master key, to endorse the patients' cards with.
///
/// @param rotation the rotation
/// @param out_master the master key; free it, and the rotation, as soon as that is done
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_rotation_master(rotation: lukko_rotation, out_master: Slot<'_, lukko_master>) -> i32 {
    give_shared(out_master, || Ok(Arc::clone(&get::<Rotated>(rotation)?.made.master)))
}

/// Re-wraps one patient's master grant and endorses the card for the new generation: store both beside the old ones.
/// No record is read. Run it for every patient, and again from the beginning after an interruption.
///
/// @param from the vault in the old generation
/// @param master the old master key
/// @param to the vault in the new generation
/// @param by who endorses: a lukko_member with the role enrol, or the new lukko_master
/// @param patient,patient_len the patient's id
/// @param stored what is stored for the old generation
/// @param done what is stored for the new generation; NULL if nothing is
/// @param out_endorsed both objects, or 0 if `done` is valid already; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_rotate_patient(
    from: lukko_vault,
    master: lukko_master,
    to: lukko_vault,
    by: lukko_handle,
    patient: In<'_>,
    patient_len: usize,
    stored: Ref<'_, lukko_stored_patient<'_>>,
    done: Ref<'_, lukko_stored_patient<'_>>,
    out_endorsed: Slot<'_, lukko_endorsed>,
) -> i32 {
    put(out_endorsed, || {
        let (from, master, to) = (get::<Vault>(from)?, get::<MasterKey>(master)?, get::<Vault>(to)?);
        let (by, stored) = (MemberOrMaster::of(by)?, Stored::read(stored.read()?)?);
        let done = done.read_or_null()?.map(Stored::read).transpose()?;
        let rotation = PatientRotation { from: &from, master: &master, to: &to, by: by.as_enroller() };
        let (patient, done) = (PatientId::new(patient.some(patient_len)?)?, done.as_ref().map(Stored::as_stored));
        let endorsed = rotation.patient(patient, &stored.as_stored(), done.as_ref(), &mut OsRng)?;
        endorsed.map_or(Ok(0), |endorsed| insert(Arc::new(endorsed)))
    })
}

/// Re-wraps the master grant of an older card, whose records have not all been moved: store it beside the old one.
///
/// @param from the vault in the old generation
/// @param master the old master key
/// @param to the vault in the new generation
/// @param patient,patient_len the patient's id
/// @param stored what is stored for the old generation, the older cards among it
/// @param older,older_len the id of the older card, 32 bytes
/// @param grant,grant_len the older card's master grant
/// @param out_grant the new master grant
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_rotate_older(
    from: lukko_vault,
    master: lukko_master,
    to: lukko_vault,
    patient: In<'_>,
    patient_len: usize,
    stored: Ref<'_, lukko_stored_patient<'_>>,
    older: In<'_>,
    older_len: usize,
    grant: In<'_>,
    grant_len: usize,
    out_grant: Slot<'_, lukko_buffer>,
) -> i32 {
    give_buffer(out_grant, || {
        let (from, master, to) = (get::<Vault>(from)?, get::<MasterKey>(master)?, get::<Vault>(to)?);
        let (stored, patient) = (Stored::read(stored.read()?)?, PatientId::new(patient.some(patient_len)?)?);
        let (older, grant) = (values::card_id(older, older_len)?, grant.some(grant_len)?);
        // Re-wrapping an older grant endorses nothing, so `by` is not used.
        let by = lukko::Enroller::Root(&master);
        let rotation = PatientRotation { from: &from, master: &master, to: &to, by };
        Ok(rotation.older(patient, &stored.as_stored(), older, grant, &mut OsRng)?)
    })
}
