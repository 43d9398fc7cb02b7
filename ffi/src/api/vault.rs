//! A vault, as one client sees it.

use lukko::{Pin, Vault};

use super::{give, put, write};
use crate::buffer::{In, Ref, Slot, lukko_bytes};
use crate::error::{LUKKO_E_VALUE, Refusal};
use crate::handle::get;
use crate::object::{lukko_pin, lukko_pinned, lukko_vault};
use crate::values;

/// Verifies what is stored of a vault against what the client remembers. Everything a service does begins with it.
///
/// Store lukko_vault_pin afterwards: it has moved forward.
///
/// @param pin the pin; it stays as it is
/// @param descriptor,descriptor_len the stored descriptor
/// @param roster,roster_len the latest roster
/// @param entries,entry_count the members' entries, in any order
/// @param out_vault the vault; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_load(
    pin: lukko_pin,
    descriptor: In<'_>,
    descriptor_len: usize,
    roster: In<'_>,
    roster_len: usize,
    entries: Ref<'_, lukko_bytes<'_>>,
    entry_count: usize,
    out_vault: Slot<'_, lukko_vault>,
) -> i32 {
    give(out_vault, || {
        let pin = Pin::clone(&*get::<Pin>(pin)?);
        let (descriptor, roster) = (descriptor.some(descriptor_len)?, roster.some(roster_len)?);
        Ok(Vault::load(pin, descriptor, roster, entries.list(entry_count)?)?)
    })
}

/// Follows to a newer roster, and refuses one that takes back what this one says.
///
/// @param vault the vault; it stays as it is, for calls that use it now
/// @param roster,roster_len the newer roster
/// @param entries,entry_count the members' entries, in any order
/// @param out_vault the vault with the newer roster; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_update_roster(
    vault: lukko_vault,
    roster: In<'_>,
    roster_len: usize,
    entries: Ref<'_, lukko_bytes<'_>>,
    entry_count: usize,
    out_vault: Slot<'_, lukko_vault>,
) -> i32 {
    give(out_vault, || {
        let mut vault = Vault::clone(&*get::<Vault>(vault)?);
        vault.update_roster(roster.some(roster_len)?, entries.list(entry_count)?)?;
        Ok(vault)
    })
}

/// What to remember of a vault.
///
/// @param vault the vault
/// @param out_pin the pin; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_pin(vault: lukko_vault, out_pin: Slot<'_, lukko_pin>) -> i32 {
    give(out_pin, || Ok(get::<Vault>(vault)?.pin().clone()))
}

/// The pinned descriptor of a vault.
///
/// @param vault the vault
/// @param out_pinned the pinned descriptor; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_pinned(vault: lukko_vault, out_pinned: Slot<'_, lukko_pinned>) -> i32 {
    give(out_pinned, || Ok(get::<Vault>(vault)?.descriptor().clone()))
}

/// The version of a vault's roster.
///
/// @param vault the vault
/// @param out_version from 1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_roster_version(vault: lukko_vault, out_version: Slot<'_, u64>) -> i32 {
    put(out_version, || Ok(get::<Vault>(vault)?.roster().version()))
}

/// The keys on a vault's roster whose entries were given.
///
/// @param vault the vault
/// @param out their fingerprints, 32 bytes each, one behind the other
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_members(
    vault: lukko_vault,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| {
        let vault = get::<Vault>(vault)?;
        let keys: Vec<_> = vault.roster().members().map(|member| member.entry().fingerprint()).collect();
        out.write_ids(keys.iter().map(|key| key.as_bytes()))
    })
}

/// The member of a key, whatever its status.
///
/// @param vault the vault
/// @param key,key_len the fingerprint of the key, 32 bytes
/// @param out_roles LUKKO_ROLE_..., added up
/// @param out_status LUKKO_STATUS_...
/// @return LUKKO_E_UNTRUSTED if the roster does not list the key or its entry was not given
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_member(
    vault: lukko_vault,
    key: In<'_>,
    key_len: usize,
    out_roles: Slot<'_, u32>,
    out_status: Slot<'_, u32>,
) -> i32 {
    put((out_roles, out_status), || {
        let (vault, key) = (get::<Vault>(vault)?, values::key_fingerprint(key, key_len)?);
        let member = vault.roster().member(key)?;
        Ok((member.roles().bits().into(), member.status() as u32))
    })
}

/// The id of the member of a key, as the member gave it.
///
/// @param vault the vault
/// @param key,key_len the fingerprint of the key, 32 bytes
/// @param out 1 to 255 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_member_id(
    vault: lukko_vault,
    key: In<'_>,
    key_len: usize,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| {
        let (vault, key) = (get::<Vault>(vault)?, values::key_fingerprint(key, key_len)?);
        out.write(vault.roster().member(key)?.entry().id())
    })
}

/// Whether, and why, a card is closed.
///
/// @param vault the vault
/// @param card,card_len the card's id, 32 bytes
/// @param out_reason LUKKO_CLOSED_...
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_closed(
    vault: lukko_vault,
    card: In<'_>,
    card_len: usize,
    out_reason: Slot<'_, u32>,
) -> i32 {
    put(out_reason, || {
        let (vault, card) = (get::<Vault>(vault)?, values::card_id(card, card_len)?);
        Ok(vault.roster().closed(card).map_or(values::LUKKO_CLOSED_NOT, |reason| reason as u32))
    })
}

/// Element `at` of a list, or `LUKKO_E_VALUE`.
pub(super) fn at<T>(list: &[T], at: usize) -> crate::error::Result<&T> {
    list.get(at).ok_or(Refusal(LUKKO_E_VALUE))
}
