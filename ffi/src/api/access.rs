//! What the store shows about who can open a patient's records.

use lukko::{AccessHint, Holder, Vault};

use super::vault::at as element;
use super::{give, put, write};
use crate::buffer::{In, Ref, Slot, lukko_bytes};
use crate::handle::get;
use crate::object::{lukko_access, lukko_vault};
use crate::values::{self, LUKKO_HOLDER_MEMBER, LUKKO_HOLDER_QUORUM, LUKKO_HOLDER_UNLISTED, lukko_holder};

/// Lists to whom the stored grants of a card are addressed. A hint and no proof: grants are not signed, and whoever opened
/// one may have kept the key.
///
/// @param vault the vault
/// @param card,card_len the card's id, 32 bytes
/// @param grants,grant_count the stored grants
/// @param out_access the list; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_who_can_open(
    vault: lukko_vault,
    card: In<'_>,
    card_len: usize,
    grants: Ref<'_, lukko_bytes<'_>>,
    grant_count: usize,
    out_access: Slot<'_, lukko_access>,
) -> i32 {
    give(out_access, || {
        let (vault, card) = (get::<Vault>(vault)?, values::card_id(card, card_len)?);
        Ok(vault.who_can_open(card, grants.list(grant_count)?))
    })
}

/// How many grants name a holder, and how many are of no use for the card.
///
/// @param access the list
/// @param out_holders,out_foreign the two numbers
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_access_count(
    access: lukko_access,
    out_holders: Slot<'_, usize>,
    out_foreign: Slot<'_, usize>,
) -> i32 {
    put((out_holders, out_foreign), || {
        let access = get::<AccessHint>(access)?;
        Ok((access.holders.len(), access.foreign))
    })
}

/// One holder.
///
/// @param access the list
/// @param at which one, from 0, in the order of the grants
/// @param out_holder the holder
/// @return LUKKO_E_VALUE past the last one
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_access_holder(
    access: lukko_access,
    at: usize,
    out_holder: Slot<'_, lukko_holder>,
) -> i32 {
    put(out_holder, || Ok(holder(element(&get::<AccessHint>(access)?.holders, at)?)))
}

/// The id of a holder that is a member.
///
/// @param access the list
/// @param at which one, from 0
/// @param out 1 to 255 bytes; 0 bytes for a holder that is no member
/// @return LUKKO_E_VALUE past the last one
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_access_holder_id(
    access: lukko_access,
    at: usize,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| match element(&get::<AccessHint>(access)?.holders, at)? {
        Holder::Member { id, .. } => out.write(id),
        _ => out.write(&[]),
    })
}

/// The list as English text, for a person.
///
/// @param access the list
/// @param out UTF-8, without a NUL behind it
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_access_text(
    access: lukko_access,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<AccessHint>(access)?.to_string().as_bytes()))
}

fn holder(holder: &Holder) -> lukko_holder {
    let nobody =
        lukko_holder { kind: LUKKO_HOLDER_UNLISTED, status: 0, roles: 0, generation: 0, is_current: 0, key: [0; 32] };
    match holder {
        Holder::Member { key, status, roles, .. } => lukko_holder {
            kind: LUKKO_HOLDER_MEMBER,
            status: *status as u32,
            roles: roles.bits().into(),
            key: *key.as_bytes(),
            ..nobody
        },
        Holder::Unlisted { key } => lukko_holder { key: *key.as_bytes(), ..nobody },
        Holder::Quorum { generation, current } => {
            lukko_holder { kind: LUKKO_HOLDER_QUORUM, generation: *generation, is_current: (*current).into(), ..nobody }
        }
        _ => nobody,
    }
}
