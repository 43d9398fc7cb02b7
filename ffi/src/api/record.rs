//! Records on the reader's path.

use lukko::{Opened, OsRng, PatientKey, Place, Vault};

use super::{give, give_buffer_or_none, named, put, write};
use crate::buffer::{In, Output, Ref, Slot};
use crate::error::Result;
use crate::handle::get;
use crate::object::{lukko_buffer, lukko_opened, lukko_patient_key, lukko_vault};
use crate::values::{self, lukko_context, lukko_place};

/// Seals a note. Seal each text of a field under a revision of its own.
///
/// @param vault the vault
/// @param key the patient's key
/// @param context record, field, revision and padding
/// @param note,note_len the note
/// @param out lukko_sealed_len bytes. Nothing is drawn and nothing sealed if the capacity is too small
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_seal(
    vault: lukko_vault,
    key: lukko_patient_key,
    context: Ref<'_, lukko_context<'_>>,
    note: In<'_>,
    note_len: usize,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| seal(vault, key, context.read()?, note.bytes(note_len)?, out))
}

pub(super) fn seal(
    vault: lukko_vault,
    key: lukko_patient_key,
    context: lukko_context<'_>,
    note: &[u8],
    out: Output,
) -> Result<()> {
    let (vault, key, padding) = (get::<Vault>(vault)?, get::<PatientKey>(key)?, values::padding(context.padding)?);
    let (context, length) = (context.context()?, lukko::sealed_len(note.len(), padding)?);
    let out = out.require(length)?;
    // A vector of its own: the caller's buffer holds nothing until the record is whole, and may overlap the note.
    let mut record = Vec::with_capacity(length);
    vault.seal_into(&key, &context, note, &mut OsRng, &mut record)?;
    out.write(&record)
}

/// Opens a sealed note in its place.
///
/// @param vault the vault
/// @param key the patient's key
/// @param place the record and field that the caller asked the database for
/// @param record,record_len the sealed note
/// @param out_opened the note; free it with lukko_free, which wipes it
/// @return LUKKO_E_NOT_AUTHENTIC for everything that is wrong once the key is used
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_open(
    vault: lukko_vault,
    key: lukko_patient_key,
    place: Ref<'_, lukko_place<'_>>,
    record: In<'_>,
    record_len: usize,
    out_opened: Slot<'_, lukko_opened>,
) -> i32 {
    give(out_opened, || open(vault, key, place.read()?, record.some(record_len)?))
}

pub(super) fn open(
    vault: lukko_vault,
    key: lukko_patient_key,
    place: lukko_place<'_>,
    record: &[u8],
) -> Result<Opened> {
    let (vault, key, id, field) = named(vault, key, place)?;
    Ok(vault.open(&key, Place::new(id, field), record)?)
}

/// The text of an opened note.
///
/// @param opened the note
/// @param out secret bytes; wipe them afterwards
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_opened_plaintext(
    opened: lukko_opened,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<Opened>(opened)?.plaintext.as_bytes()))
}

/// The revision of an opened note: a client that remembers the last one it saw notices an old text put back.
///
/// @param opened the note
/// @param out_revision 0 for a deposit
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_opened_revision(opened: lukko_opened, out_revision: Slot<'_, u64>) -> i32 {
    put(out_revision, || Ok(get::<Opened>(opened)?.revision.get()))
}

/// How an opened note was padded.
///
/// @param opened the note
/// @param out_padding LUKKO_PADDING_...
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_opened_padding(opened: lukko_opened, out_padding: Slot<'_, u32>) -> i32 {
    put(out_padding, || Ok(values::padding_number(get::<Opened>(opened)?.padding)))
}

/// What is known of the author of an opened note.
///
/// @param opened the note
/// @param out_origin LUKKO_ORIGIN_...
/// @param out_status for LUKKO_ORIGIN_ABSORBED what the roster says of the writer's key today, LUKKO_STATUS_...; for
///   LUKKO_ORIGIN_UNATTRIBUTED LUKKO_STATUS_REVOKED; else 0
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_opened_origin(
    opened: lukko_opened,
    out_origin: Slot<'_, u32>,
    out_status: Slot<'_, u32>,
) -> i32 {
    put((out_origin, out_status), || {
        let (origin, _, status) = values::origin(get::<Opened>(opened)?.origin);
        Ok((origin, status))
    })
}

/// Who deposited an opened note.
///
/// @param opened the note
/// @param out the fingerprint of the key that signed, 32 bytes; 0 bytes for a note that a reader wrote
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_opened_writer(
    opened: lukko_opened,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| {
        let (_, writer, _) = values::origin(get::<Opened>(opened)?.origin);
        out.write_key(writer.as_ref())
    })
}

/// Moves a record to another version of its patient's key without touching the payload: hygiene after a re-key. A deposit
/// is absorbed by it. If someone who had the old key is not trusted any more, use lukko_vault_reseal.
///
/// @param vault the vault
/// @param from,to the old and the new key
/// @param place the record and field
/// @param record,record_len the sealed note
/// @param out_record the record to be stored in its place, or 0 if it is under the new key already
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_rewrap(
    vault: lukko_vault,
    from: lukko_patient_key,
    to: lukko_patient_key,
    place: Ref<'_, lukko_place<'_>>,
    record: In<'_>,
    record_len: usize,
    out_record: Slot<'_, lukko_buffer>,
) -> i32 {
    give_buffer_or_none(out_record, || rewrap(vault, from, to, place.read()?, record.some(record_len)?))
}

pub(super) fn rewrap(
    vault: lukko_vault,
    from: lukko_patient_key,
    to: lukko_patient_key,
    place: lukko_place<'_>,
    record: &[u8],
) -> Result<Option<Vec<u8>>> {
    let (vault, from, id, field) = named(vault, from, place)?;
    Ok(vault.rewrap(&from, &*get::<PatientKey>(to)?, Place::new(id, field), record, &mut OsRng)?)
}

/// Moves a record to another version of its patient's key under a new record key: the text is encrypted again.
///
/// @param vault the vault
/// @param from,to the old and the new key
/// @param place the record and field
/// @param record,record_len the sealed note
/// @param out_record the record to be stored in its place, or 0 if it is under the new key already
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_reseal(
    vault: lukko_vault,
    from: lukko_patient_key,
    to: lukko_patient_key,
    place: Ref<'_, lukko_place<'_>>,
    record: In<'_>,
    record_len: usize,
    out_record: Slot<'_, lukko_buffer>,
) -> i32 {
    give_buffer_or_none(out_record, || reseal(vault, from, to, place.read()?, record.some(record_len)?))
}

pub(super) fn reseal(
    vault: lukko_vault,
    from: lukko_patient_key,
    to: lukko_patient_key,
    place: lukko_place<'_>,
    record: &[u8],
) -> Result<Option<Vec<u8>>> {
    let (vault, from, id, field) = named(vault, from, place)?;
    Ok(vault.reseal(&from, &*get::<PatientKey>(to)?, Place::new(id, field), record, &mut OsRng)?)
}
