//! The making of rosters.

use lukko::{MasterKey, MemberEntry, PinnedDescriptor, RegistrarKey, RosterDraft, Vault};

use super::{give, give_buffer, put, run};
use crate::buffer::{In, Slot};
use crate::error::Result;
use crate::handle::{Locked, get};
use crate::object::{lukko_buffer, lukko_draft, lukko_entry, lukko_master, lukko_pinned, lukko_registrar, lukko_vault};
use crate::values;

/// Begins the first roster of a vault, version 1, without members.
///
/// @param pinned the pinned descriptor
/// @param out_draft the draft; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_draft_first(pinned: lukko_pinned, out_draft: Slot<'_, lukko_draft>) -> i32 {
    give(out_draft, || Ok(Locked::new(Some(RosterDraft::first(&*get::<PinnedDescriptor>(pinned)?)))))
}

/// Begins the roster after the one of a vault, with everything that it lists.
///
/// @param vault the vault
/// @param out_draft the draft; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_draft_next(vault: lukko_vault, out_draft: Slot<'_, lukko_draft>) -> i32 {
    give(out_draft, || Ok(Locked::new(Some(get::<Vault>(vault)?.roster().next()?))))
}

/// Begins the first roster of the next generation, with everything that the vault's lists. lukko_vault_rotate signs it.
///
/// @param vault the vault
/// @param out_draft the draft; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_draft_next_generation(vault: lukko_vault, out_draft: Slot<'_, lukko_draft>) -> i32 {
    give(out_draft, || Ok(Locked::new(Some(get::<Vault>(vault)?.roster().next_generation()?))))
}

/// The version that the roster will have.
///
/// @param draft the draft
/// @param out_version from 1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_draft_version(draft: lukko_draft, out_version: Slot<'_, u64>) -> i32 {
    put(out_version, || change(draft, |draft| Ok(draft.version())))
}

/// Admits a key with its roles, as active. The roles of a key never change.
///
/// @param draft the draft
/// @param entry the verified entry; compare its fingerprint with the person first
/// @param roles LUKKO_ROLE_..., one or several added up
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_draft_admit(draft: lukko_draft, entry: lukko_entry, roles: u32) -> i32 {
    run((), || {
        let (entry, roles) = (get::<MemberEntry>(entry)?, values::roles(roles)?);
        change(draft, |draft| Ok(draft.admit(&entry, roles).map(drop)?))
    })
}

/// Moves the status of a key forward: active, retired, revoked.
///
/// @param draft the draft
/// @param key,key_len the fingerprint of the key, 32 bytes
/// @param status LUKKO_STATUS_...
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_draft_set_status(draft: lukko_draft, key: In<'_>, key_len: usize, status: u32) -> i32 {
    run((), || {
        let (key, status) = (values::key_fingerprint(key, key_len)?, values::status(status)?);
        change(draft, |draft| Ok(draft.set_status(key, status).map(drop)?))
    })
}

/// Replaces a lost or stolen key: revokes it and admits the member's new key with the same roles. Afterwards grant the
/// member's patients to the new key, and endorse anew what the old one endorsed.
///
/// @param draft the draft
/// @param lost,lost_len the fingerprint of the lost key, 32 bytes
/// @param entry the verified entry of the new key
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_draft_replace(
    draft: lukko_draft,
    lost: In<'_>,
    lost_len: usize,
    entry: lukko_entry,
) -> i32 {
    run((), || {
        let (lost, entry) = (values::key_fingerprint(lost, lost_len)?, get::<MemberEntry>(entry)?);
        change(draft, |draft| Ok(draft.replace(lost, &entry).map(drop)?))
    })
}

/// Closes a card for ever. One that is closed as compromised can still be closed as erased.
///
/// @param draft the draft
/// @param card,card_len the card's id, 32 bytes
/// @param reason LUKKO_CLOSED_ERASED or LUKKO_CLOSED_COMPROMISED
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_draft_close(draft: lukko_draft, card: In<'_>, card_len: usize, reason: u32) -> i32 {
    run((), || {
        let (card, reason) = (values::card_id(card, card_len)?, values::reason(reason)?);
        change(draft, |draft| Ok(draft.close(card, reason).map(drop)?))
    })
}

/// Signs a draft as the registrar.
///
/// @param draft the draft; used up, also if the signature is refused
/// @param registrar the key
/// @param pinned the pinned descriptor
/// @param out_roster the roster's bytes: 153, and 34 for each key, 33 for each closed card
/// @return LUKKO_E_MISMATCH for another vault's or generation's key, descriptor or draft
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_draft_sign_as_registrar(
    draft: lukko_draft,
    registrar: lukko_registrar,
    pinned: lukko_pinned,
    out_roster: Slot<'_, lukko_buffer>,
) -> i32 {
    give_buffer(out_roster, || {
        let (registrar, pinned) = (get::<RegistrarKey>(registrar)?, get::<PinnedDescriptor>(pinned)?);
        Ok(take(draft)?.sign_as_registrar(&registrar, &pinned)?)
    })
}

/// Signs a draft as the root: for the first day, and for when the registrar's key is lost.
///
/// @param draft the draft; used up, also if the signature is refused
/// @param master the master key
/// @param pinned the pinned descriptor
/// @param out_roster the roster's bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_draft_sign_as_root(
    draft: lukko_draft,
    master: lukko_master,
    pinned: lukko_pinned,
    out_roster: Slot<'_, lukko_buffer>,
) -> i32 {
    give_buffer(out_roster, || {
        let (master, pinned) = (get::<MasterKey>(master)?, get::<PinnedDescriptor>(pinned)?);
        Ok(take(draft)?.sign_as_root(&master, &pinned)?)
    })
}

/// One change of a draft that is not signed yet.
pub(super) fn change<R>(draft: lukko_draft, change: impl FnOnce(&mut RosterDraft) -> Result<R>) -> Result<R> {
    get::<Locked<Option<RosterDraft>>>(draft)?.with_unspent(change)
}

/// Takes a draft out of its handle.
pub(super) fn take(draft: lukko_draft) -> Result<RosterDraft> {
    get::<Locked<Option<RosterDraft>>>(draft)?.spend()
}
