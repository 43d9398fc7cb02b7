//! The making of a vault.

use std::sync::Arc;

use lukko::OsRng;

use super::keys::registrar_public_key;
use super::{give, give_shared, put};
use crate::buffer::{In, Slot};
use crate::handle::get;
use crate::object::{Made, NewVault, lukko_descriptor, lukko_master, lukko_new_vault, lukko_share};
use crate::values;

/// Makes a vault: draws its master secret, splits it into shares, and describes it publicly.
///
/// Give each share to one custodian and nowhere else, store the descriptor, and hand its fingerprint to every client by a
/// trusted way. Free the new vault and the handles of shares and master key as soon as that is done: what is secret is
/// wiped when the last handle that holds it is freed.
///
/// @param k,n,rule how many shares open the vault, how many there are, LUKKO_POLICY_...
/// @param suite LUKKO_SUITE_...
/// @param registrar_key,registrar_key_len the registrar's public key, 32 bytes
/// @param out_new_vault the new vault; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_create(
    k: u32,
    n: u32,
    rule: u32,
    suite: u32,
    registrar_key: In<'_>,
    registrar_key_len: usize,
    out_new_vault: Slot<'_, lukko_new_vault>,
) -> i32 {
    give(out_new_vault, || {
        let registrar = registrar_public_key(registrar_key, registrar_key_len)?;
        let (policy, suite) = (values::policy(k, n, rule)?, values::suite(suite)?);
        let lukko::NewVault { descriptor, shares, master } = lukko::create(policy, suite, &registrar, &mut OsRng)?;
        Ok(NewVault(made(descriptor, shares, master)))
    })
}

pub(super) fn made(descriptor: lukko::Descriptor, shares: Vec<lukko::Share>, master: lukko::MasterKey) -> Made {
    let shares = shares.into_iter().map(Arc::new).collect();
    Made { descriptor: Arc::new(descriptor), shares, master: Arc::new(master) }
}

/// The descriptor of a new vault.
///
/// @param new_vault the new vault
/// @param out_descriptor the descriptor; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_new_vault_descriptor(
    new_vault: lukko_new_vault,
    out_descriptor: Slot<'_, lukko_descriptor>,
) -> i32 {
    give_shared(out_descriptor, || Ok(Arc::clone(&get::<NewVault>(new_vault)?.0.descriptor)))
}

/// How many shares a new vault has.
///
/// @param new_vault the new vault
/// @param out_count n
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_new_vault_share_count(new_vault: lukko_new_vault, out_count: Slot<'_, usize>) -> i32 {
    put(out_count, || Ok(get::<NewVault>(new_vault)?.0.shares.len()))
}

/// One share of a new vault.
///
/// @param new_vault the new vault
/// @param at which one, from 0
/// @param out_share the share; free it with lukko_free
/// @return LUKKO_E_VALUE past the last one
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_new_vault_share(
    new_vault: lukko_new_vault,
    at: usize,
    out_share: Slot<'_, lukko_share>,
) -> i32 {
    give_shared(out_share, || get::<NewVault>(new_vault)?.0.share(at))
}

/// The master key of a new vault, for what only the root does on the first day.
///
/// @param new_vault the new vault
/// @param out_master the master key; free it, and the new vault, as soon as that is done
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_new_vault_master(new_vault: lukko_new_vault, out_master: Slot<'_, lukko_master>) -> i32 {
    give_shared(out_master, || Ok(Arc::clone(&get::<NewVault>(new_vault)?.0.master)))
}
