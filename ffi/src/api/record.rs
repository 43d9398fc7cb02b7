//! Records on the reader's path.

use lukko::{Opened, OsRng, PatientKey, Vault};

use super::{copy_key, copy_out, give, give_buffer_or_none, named, put, run};
use crate::buffer::{In, Ref, Slot};
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
    run(|| {
        let out = out.buffer(out_capacity, out_written)?;
        let (vault, key, context) = (get::<Vault>(vault)?, get::<PatientKey>(key)?, context.read()?);
        let (padding, context, note) = (values::padding(context.padding)?, context.context()?, note.bytes(note_len)?);
        let length = lukko::sealed_len(note.len(), padding)?;
        let out = out.require(length)?;
        // A vector of its own: the caller's buffer holds nothing until the record is whole, and may overlap the note.
        let mut record = Vec::with_capacity(length);
        vault.seal_into(&key, &context, note, &mut OsRng, &mut record)?;
        out.write(&record)
    })
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
    run(|| {
        give(out_opened, || {
            let (vault, key, id, field) = named(vault, key, place)?;
            Ok(vault.open(&key, id, field, record.bytes(record_len)?)?)
        })
    })
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
    run(|| copy_out(out, out_capacity, out_written, get::<Opened>(opened)?.plaintext.as_bytes()))
}

/// The revision of an opened note: a client that remembers the last one it saw notices an old text put back.
///
/// @param opened the note
/// @param out_revision 0 for a deposit
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_opened_revision(opened: lukko_opened, out_revision: Slot<'_, u64>) -> i32 {
    run(|| put(out_revision, || Ok(get::<Opened>(opened)?.revision.get())))
}

/// How an opened note was padded.
///
/// @param opened the note
/// @param out_padding LUKKO_PADDING_...
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_opened_padding(opened: lukko_opened, out_padding: Slot<'_, u32>) -> i32 {
    run(|| put(out_padding, || Ok(values::padding_number(get::<Opened>(opened)?.padding))))
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
    run(|| {
        let (out_origin, out_status) = (out_origin.check()?, out_status.check()?);
        let (origin, _, status) = values::origin(get::<Opened>(opened)?.origin);
        out_origin.put(origin);
        out_status.put(status);
        Ok(())
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
    run(|| {
        let (_, writer, _) = values::origin(get::<Opened>(opened)?.origin);
        copy_key(out, out_capacity, out_written, writer.as_ref())
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
    run(|| {
        give_buffer_or_none(out_record, || {
            let (vault, from, to) = (get::<Vault>(vault)?, get::<PatientKey>(from)?, get::<PatientKey>(to)?);
            let (place, record) = (place.read()?, record.bytes(record_len)?);
            let (id, field) = place.parts()?;
            Ok(vault.rewrap(&from, &to, id, field, record, &mut OsRng)?)
        })
    })
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
    run(|| {
        give_buffer_or_none(out_record, || {
            let (vault, from, to) = (get::<Vault>(vault)?, get::<PatientKey>(from)?, get::<PatientKey>(to)?);
            let (place, record) = (place.read()?, record.bytes(record_len)?);
            let (id, field) = place.parts()?;
            Ok(vault.reseal(&from, &to, id, field, record, &mut OsRng)?)
        })
    })
}
