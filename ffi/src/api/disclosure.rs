//! Disclosure: a copy of one note for someone outside.

use lukko::{Disclosed, MemberKey, OsRng, Place, RecipientKey, RecipientPublicKey, StoredNote, Vault};

use super::{give, give_buffer, named, put, write};
use crate::buffer::{In, Ref, Slot};
use crate::error::Result;
use crate::handle::get;
use crate::object::{lukko_buffer, lukko_disclosed, lukko_member, lukko_patient_key, lukko_recipient, lukko_vault};
use crate::values::{self, lukko_place};

/// Hands out a copy of one note: opens it and seals its text under a fresh key to someone outside, signed by a member who
/// may read. What is disclosed is outside for ever.
///
/// @param vault the vault
/// @param key the patient's key
/// @param place the record and field
/// @param path LUKKO_PATH_...: the path that the note is expected to have
/// @param record,record_len the sealed note
/// @param to,to_len the recipient's public key: compare its fingerprint with the recipient first
/// @param signer the member's keys, with the role read
/// @param out_disclosure the disclosure, to be handed out
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_disclose(
    vault: lukko_vault,
    key: lukko_patient_key,
    place: Ref<'_, lukko_place<'_>>,
    path: u32,
    record: In<'_>,
    record_len: usize,
    to: In<'_>,
    to_len: usize,
    signer: lukko_member,
    out_disclosure: Slot<'_, lukko_buffer>,
) -> i32 {
    give_buffer(out_disclosure, || {
        let (record, to) = (record.some(record_len)?, to.some(to_len)?);
        disclose(vault, key, place.read()?, path, record, to, signer)
    })
}

pub(super) fn disclose(
    vault: lukko_vault,
    key: lukko_patient_key,
    place: lukko_place<'_>,
    path: u32,
    bytes: &[u8],
    to: &[u8],
    signer: lukko_member,
) -> Result<Vec<u8>> {
    let ((vault, key, record, field), signer) = (named(vault, key, place)?, get::<MemberKey>(signer)?);
    let to = RecipientPublicKey::from_bytes(vault.descriptor().suite(), to)?;
    let note = StoredNote { place: Place::new(record, field), path: values::path(path)?, bytes };
    Ok(vault.disclose(&key, &note, &to, &signer, &mut OsRng)?)
}

/// Verifies who handed out a disclosure, without opening it.
///
/// @param vault the vault
/// @param disclosure,disclosure_len the disclosure
/// @param out the fingerprint of the member's key, 32 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_disclosure_signer(
    vault: lukko_vault,
    disclosure: In<'_>,
    disclosure_len: usize,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| {
        let signer = get::<Vault>(vault)?.disclosure_signer(disclosure.some(disclosure_len)?)?;
        out.write(signer.as_bytes())
    })
}

/// Opens a disclosure as its recipient, who needs of the vault only what is public.
///
/// @param vault the vault
/// @param recipient the recipient's key
/// @param disclosure,disclosure_len the disclosure
/// @param out_disclosed the note; free it with lukko_free, which wipes it
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_open_disclosure(
    vault: lukko_vault,
    recipient: lukko_recipient,
    disclosure: In<'_>,
    disclosure_len: usize,
    out_disclosed: Slot<'_, lukko_disclosed>,
) -> i32 {
    give(out_disclosed, || {
        let (vault, recipient) = (get::<Vault>(vault)?, get::<RecipientKey>(recipient)?);
        Ok(vault.open_disclosure(&recipient, disclosure.some(disclosure_len)?)?)
    })
}

/// The text of a disclosed note.
///
/// @param disclosed the note
/// @param out secret bytes; wipe them afterwards
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_disclosed_plaintext(
    disclosed: lukko_disclosed,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<Disclosed>(disclosed)?.plaintext.as_bytes()))
}

/// The patient's id in the vault.
///
/// @param disclosed the note
/// @param out 1 to 255 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_disclosed_patient(
    disclosed: lukko_disclosed,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(&get::<Disclosed>(disclosed)?.patient))
}

/// The record's id in the vault.
///
/// @param disclosed the note
/// @param out 1 to 255 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_disclosed_record(
    disclosed: lukko_disclosed,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(&get::<Disclosed>(disclosed)?.record))
}

/// The field.
///
/// @param disclosed the note
/// @param out 1 to 255 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_disclosed_field(
    disclosed: lukko_disclosed,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(&get::<Disclosed>(disclosed)?.field))
}

/// The revision that was handed out.
///
/// @param disclosed the note
/// @param out_revision 0 for a deposit
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_disclosed_revision(disclosed: lukko_disclosed, out_revision: Slot<'_, u64>) -> i32 {
    put(out_revision, || Ok(get::<Disclosed>(disclosed)?.revision.get()))
}

/// Who deposited the note, as the signer says.
///
/// @param disclosed the note
/// @param out the fingerprint of the key, 32 bytes; 0 bytes for a note that a reader wrote, or whose writer is revoked
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_disclosed_writer(
    disclosed: lukko_disclosed,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| {
        let disclosed = get::<Disclosed>(disclosed)?;
        out.write_key(disclosed.writer.as_ref())
    })
}

/// The member who handed the note out and signed for it.
///
/// @param disclosed the note
/// @param out the fingerprint of the key, 32 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_disclosed_signer(
    disclosed: lukko_disclosed,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<Disclosed>(disclosed)?.signer.as_bytes()))
}
