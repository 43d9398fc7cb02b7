//! Keys outside of a vault: the registrar's, and those of recipients of disclosures.

use lukko::{OsRng, RecipientKey, RecipientPublicKey, RegistrarKey, RegistrarPublicKey};

use super::{give, run, write};
use crate::buffer::{In, Slot};
use crate::error::{LUKKO_E_MALFORMED, Refusal, Result};
use crate::handle::get;
use crate::object::{lukko_recipient, lukko_registrar};
use crate::values;

/// Draws a registrar's signing key. Whoever has it says who future grants go to; it opens nothing.
///
/// @param out_registrar the key; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_registrar_generate(out_registrar: Slot<'_, lukko_registrar>) -> i32 {
    give(out_registrar, || Ok(RegistrarKey::generate(&mut OsRng)?))
}

/// Restores a registrar's key from its seed.
///
/// @param seed,seed_len 32 bytes; wipe them afterwards
/// @param out_registrar the key; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_registrar_from_seed(
    seed: In<'_>,
    seed_len: usize,
    out_registrar: Slot<'_, lukko_registrar>,
) -> i32 {
    give(out_registrar, || Ok(RegistrarKey::from_seed(seed.array(seed_len)?)))
}

/// The seed of a registrar's key, for storage where only the registrar reads it.
///
/// @param registrar the key
/// @param out 32 secret bytes; wipe them afterwards
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_registrar_seed(
    registrar: lukko_registrar,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<RegistrarKey>(registrar)?.seed().expose()))
}

/// The public half of a registrar's key, for lukko_create.
///
/// @param registrar the key
/// @param out 32 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_registrar_public_key(
    registrar: lukko_registrar,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<RegistrarKey>(registrar)?.public().as_bytes()))
}

/// Refuses bytes that are not a registrar's public key.
///
/// @param public_key,public_key_len 32 bytes
/// @return LUKKO_E_MALFORMED if they are not a valid Ed25519 key
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_registrar_public_key_check(public_key: In<'_>, public_key_len: usize) -> i32 {
    run((), || registrar_public_key(public_key, public_key_len).map(drop))
}

/// A registrar's public key, as an argument.
pub(super) fn registrar_public_key(bytes: In<'_>, len: usize) -> Result<RegistrarPublicKey> {
    let bytes = bytes.some(len)?.try_into().map_err(|_| Refusal(LUKKO_E_MALFORMED))?;
    RegistrarPublicKey::from_bytes(bytes).ok_or(Refusal(LUKKO_E_MALFORMED))
}

/// Draws a key for someone outside who receives disclosures.
///
/// @param suite LUKKO_SUITE_... of the vault that discloses
/// @param out_recipient the key; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_recipient_generate(suite: u32, out_recipient: Slot<'_, lukko_recipient>) -> i32 {
    give(out_recipient, || Ok(RecipientKey::generate(values::suite(suite)?, &mut OsRng)?))
}

/// Restores a recipient's key from its seed.
///
/// @param suite LUKKO_SUITE_...
/// @param seed,seed_len 32 bytes; wipe them afterwards
/// @param out_recipient the key; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_recipient_from_seed(
    suite: u32,
    seed: In<'_>,
    seed_len: usize,
    out_recipient: Slot<'_, lukko_recipient>,
) -> i32 {
    give(out_recipient, || Ok(RecipientKey::from_seed(values::suite(suite)?, seed.array(seed_len)?)?))
}

/// The seed of a recipient's key, for storage where only the recipient reads it.
///
/// @param recipient the key
/// @param out 32 secret bytes; wipe them afterwards
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_recipient_seed(
    recipient: lukko_recipient,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<RecipientKey>(recipient)?.seed().expose()))
}

/// The public half of a recipient's key, for lukko_vault_disclose.
///
/// @param recipient the key
/// @param out 1,216 bytes with X-Wing, 32 with X25519
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_recipient_public_key(
    recipient: lukko_recipient,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<RecipientKey>(recipient)?.public().as_bytes()))
}

/// The fingerprint of a recipient's public key: compare it with the recipient before anything is disclosed.
///
/// @param suite LUKKO_SUITE_...
/// @param public_key,public_key_len the public key
/// @param out 32 bytes
/// @return LUKKO_E_MALFORMED if it is not a valid key of the suite
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_recipient_fingerprint(
    suite: u32,
    public_key: In<'_>,
    public_key_len: usize,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| {
        let key = RecipientPublicKey::from_bytes(values::suite(suite)?, public_key.some(public_key_len)?)?;
        out.write(key.fingerprint().as_bytes())
    })
}
