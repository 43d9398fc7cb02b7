//! The same as functions above, with record and field as pointers and lengths instead of a structure.
//!
//! A structure holds pointers. In a language that collects memory, what they lead to may be gone before the call: the
//! note would then be sealed under garbage. An argument of a call lives as long as the call.

use super::write;
use super::{
    attachment, deposit, disclosure, give, give_buffer, give_buffer_or_none, moving, reader, record as note, run,
};
use crate::buffer::{In, Ref, Slot, lukko_sink, lukko_source};
use crate::object::{
    lukko_buffer, lukko_deposited, lukko_member, lukko_opened, lukko_patient_key, lukko_reader, lukko_unattributed,
    lukko_vault, lukko_writer,
};
use crate::values::{lukko_context, lukko_place};

const fn context<'call>(place: lukko_place<'call>, revision: u64, padding: u32) -> lukko_context<'call> {
    lukko_context { record: place.record, field: place.field, revision, padding }
}

/// lukko_vault_seal, with record and field as arguments.
///
/// @param vault the vault
/// @param key the patient's key
/// @param id,id_len the record's id, 1 to 255 bytes
/// @param field,field_len the field, 1 to 255 bytes
/// @param revision counts the texts of this field, from 1
/// @param padding LUKKO_PADDING_...
/// @param note,note_len the note
/// @param out lukko_sealed_len bytes. Nothing is drawn and nothing sealed if the capacity is too small
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_seal_at(
    vault: lukko_vault,
    key: lukko_patient_key,
    id: In<'_>,
    id_len: usize,
    field: In<'_>,
    field_len: usize,
    revision: u64,
    padding: u32,
    note: In<'_>,
    note_len: usize,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    let context = context(lukko_place::of(id, id_len, field, field_len), revision, padding);
    write(out, out_capacity, out_written, |out| note::seal(vault, key, context, note.bytes(note_len)?, out))
}

/// lukko_vault_open, with record and field as arguments.
///
/// @param vault the vault
/// @param key the patient's key
/// @param id,id_len the record's id, 1 to 255 bytes
/// @param field,field_len the field, 1 to 255 bytes
/// @param record,record_len the sealed note
/// @param out_opened the note; free it with lukko_free, which wipes it
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_open_at(
    vault: lukko_vault,
    key: lukko_patient_key,
    id: In<'_>,
    id_len: usize,
    field: In<'_>,
    field_len: usize,
    record: In<'_>,
    record_len: usize,
    out_opened: Slot<'_, lukko_opened>,
) -> i32 {
    let place = lukko_place::of(id, id_len, field, field_len);
    give(out_opened, || note::open(vault, key, place, record.some(record_len)?))
}

/// lukko_vault_rewrap, with record and field as arguments.
///
/// @param vault the vault
/// @param from,to the old and the new key
/// @param id,id_len the record's id, 1 to 255 bytes
/// @param field,field_len the field, 1 to 255 bytes
/// @param record,record_len the sealed note
/// @param out_record the record to be stored in its place, or 0 if it is under the new key already
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_rewrap_at(
    vault: lukko_vault,
    from: lukko_patient_key,
    to: lukko_patient_key,
    id: In<'_>,
    id_len: usize,
    field: In<'_>,
    field_len: usize,
    record: In<'_>,
    record_len: usize,
    out_record: Slot<'_, lukko_buffer>,
) -> i32 {
    let place = lukko_place::of(id, id_len, field, field_len);
    give_buffer_or_none(out_record, || note::rewrap(vault, from, to, place, record.some(record_len)?))
}

/// lukko_vault_reseal, with record and field as arguments.
///
/// @param vault the vault
/// @param from,to the old and the new key
/// @param id,id_len the record's id, 1 to 255 bytes
/// @param field,field_len the field, 1 to 255 bytes
/// @param record,record_len the sealed note
/// @param out_record the record to be stored in its place, or 0 if it is under the new key already
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_reseal_at(
    vault: lukko_vault,
    from: lukko_patient_key,
    to: lukko_patient_key,
    id: In<'_>,
    id_len: usize,
    field: In<'_>,
    field_len: usize,
    record: In<'_>,
    record_len: usize,
    out_record: Slot<'_, lukko_buffer>,
) -> i32 {
    let place = lukko_place::of(id, id_len, field, field_len);
    give_buffer_or_none(out_record, || note::reseal(vault, from, to, place, record.some(record_len)?))
}

/// lukko_vault_open_deposit, with record and field as arguments.
///
/// @param vault the vault
/// @param key the patient's key
/// @param id,id_len the record's id, 1 to 255 bytes
/// @param field,field_len the field, 1 to 255 bytes
/// @param record,record_len the sealed note
/// @param out_opened the note; free it with lukko_free, which wipes it
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_open_deposit_at(
    vault: lukko_vault,
    key: lukko_patient_key,
    id: In<'_>,
    id_len: usize,
    field: In<'_>,
    field_len: usize,
    record: In<'_>,
    record_len: usize,
    out_opened: Slot<'_, lukko_opened>,
) -> i32 {
    let place = lukko_place::of(id, id_len, field, field_len);
    give(out_opened, || deposit::open_deposit(vault, key, place, record.some(record_len)?))
}

/// lukko_vault_open_absorbed, with record and field as arguments.
///
/// @param vault the vault
/// @param key the patient's key
/// @param id,id_len the record's id, 1 to 255 bytes
/// @param field,field_len the field, 1 to 255 bytes
/// @param record,record_len the sealed note
/// @param out_opened the note; free it with lukko_free, which wipes it
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_open_absorbed_at(
    vault: lukko_vault,
    key: lukko_patient_key,
    id: In<'_>,
    id_len: usize,
    field: In<'_>,
    field_len: usize,
    record: In<'_>,
    record_len: usize,
    out_opened: Slot<'_, lukko_opened>,
) -> i32 {
    let place = lukko_place::of(id, id_len, field, field_len);
    give(out_opened, || deposit::open_absorbed(vault, key, place, record.some(record_len)?))
}

/// lukko_vault_open_unattributed, with record and field as arguments.
///
/// @param vault the vault
/// @param key the patient's key
/// @param id,id_len the record's id, 1 to 255 bytes
/// @param field,field_len the field, 1 to 255 bytes
/// @param record,record_len the sealed note
/// @param out_unattributed the note; free it with lukko_free, which wipes it
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_open_unattributed_at(
    vault: lukko_vault,
    key: lukko_patient_key,
    id: In<'_>,
    id_len: usize,
    field: In<'_>,
    field_len: usize,
    record: In<'_>,
    record_len: usize,
    out_unattributed: Slot<'_, lukko_unattributed>,
) -> i32 {
    let place = lukko_place::of(id, id_len, field, field_len);
    give(out_unattributed, || deposit::open_unattributed(vault, key, place, record.some(record_len)?))
}

/// lukko_vault_absorb, with record and field as arguments.
///
/// @param vault the vault
/// @param key the patient's key
/// @param id,id_len the record's id, 1 to 255 bytes
/// @param field,field_len the field, 1 to 255 bytes
/// @param record,record_len the deposit
/// @param out_record the record to be stored in its place
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_absorb_at(
    vault: lukko_vault,
    key: lukko_patient_key,
    id: In<'_>,
    id_len: usize,
    field: In<'_>,
    field_len: usize,
    record: In<'_>,
    record_len: usize,
    out_record: Slot<'_, lukko_buffer>,
) -> i32 {
    let place = lukko_place::of(id, id_len, field, field_len);
    give_buffer(out_record, || deposit::absorb(vault, key, place, record.some(record_len)?))
}

/// lukko_vault_seal_attachment, with record and field as arguments.
///
/// @param vault the vault
/// @param key the patient's key
/// @param id,id_len the record's id, 1 to 255 bytes
/// @param field,field_len the field, 1 to 255 bytes
/// @param revision counts the texts of this field, from 1
/// @param padding LUKKO_PADDING_...
/// @param out_writer the stream; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_seal_attachment_at(
    vault: lukko_vault,
    key: lukko_patient_key,
    id: In<'_>,
    id_len: usize,
    field: In<'_>,
    field_len: usize,
    revision: u64,
    padding: u32,
    out_writer: Slot<'_, lukko_writer>,
) -> i32 {
    let context = context(lukko_place::of(id, id_len, field, field_len), revision, padding);
    give(out_writer, || attachment::seal_attachment(vault, key, context))
}

/// lukko_vault_open_attachment, with record and field as arguments.
///
/// @param vault the vault
/// @param key the patient's key
/// @param id,id_len the record's id, 1 to 255 bytes
/// @param field,field_len the field, 1 to 255 bytes
/// @param source where the sealed attachment is read from, as long as the stream and its reader live
/// @param out_reader the reader; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_open_attachment_at(
    vault: lukko_vault,
    key: lukko_patient_key,
    id: In<'_>,
    id_len: usize,
    field: In<'_>,
    field_len: usize,
    source: Ref<'_, lukko_source>,
    out_reader: Slot<'_, lukko_reader>,
) -> i32 {
    let place = lukko_place::of(id, id_len, field, field_len);
    give(out_reader, || reader::open_attachment(vault, key, place, source.read()?))
}

/// lukko_vault_open_deposited_attachment, with record and field as arguments.
///
/// @param vault the vault
/// @param key the patient's key
/// @param id,id_len the record's id, 1 to 255 bytes
/// @param field,field_len the field, 1 to 255 bytes
/// @param source where the sealed attachment is read from, as long as the stream and its reader live
/// @param out_deposited the stream; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_open_deposited_attachment_at(
    vault: lukko_vault,
    key: lukko_patient_key,
    id: In<'_>,
    id_len: usize,
    field: In<'_>,
    field_len: usize,
    source: Ref<'_, lukko_source>,
    out_deposited: Slot<'_, lukko_deposited>,
) -> i32 {
    let place = lukko_place::of(id, id_len, field, field_len);
    give(out_deposited, || reader::open_deposited_attachment(vault, key, place, source.read()?))
}

/// lukko_vault_open_unattributed_attachment, with record and field as arguments.
///
/// @param vault the vault
/// @param key the patient's key
/// @param id,id_len the record's id, 1 to 255 bytes
/// @param field,field_len the field, 1 to 255 bytes
/// @param source where the sealed attachment is read from, as long as the stream and its reader live
/// @param out_unattributed the attachment; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_open_unattributed_attachment_at(
    vault: lukko_vault,
    key: lukko_patient_key,
    id: In<'_>,
    id_len: usize,
    field: In<'_>,
    field_len: usize,
    source: Ref<'_, lukko_source>,
    out_unattributed: Slot<'_, lukko_unattributed>,
) -> i32 {
    let place = lukko_place::of(id, id_len, field, field_len);
    give(out_unattributed, || reader::open_unattributed_attachment(vault, key, place, source.read()?))
}

/// lukko_vault_reseal_attachment, with record and field as arguments.
///
/// @param vault the vault
/// @param from,to the old and the new key
/// @param id,id_len the record's id, 1 to 255 bytes
/// @param field,field_len the field, 1 to 255 bytes
/// @param source the sealed attachment; used during the call only
/// @param sink where the new one goes; used during the call only
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_reseal_attachment_at(
    vault: lukko_vault,
    from: lukko_patient_key,
    to: lukko_patient_key,
    id: In<'_>,
    id_len: usize,
    field: In<'_>,
    field_len: usize,
    source: Ref<'_, lukko_source>,
    sink: Ref<'_, lukko_sink>,
) -> i32 {
    let place = lukko_place::of(id, id_len, field, field_len);
    run((), || moving::reseal_attachment(vault, from, to, place, source.read()?, sink.read()?))
}

/// lukko_vault_take_over_attachment, with record and field as arguments.
///
/// @param vault the vault
/// @param from,to the key that opens it, and the one that it is sealed under
/// @param id,id_len the deposit's id, 1 to 255 bytes
/// @param field,field_len its field, 1 to 255 bytes
/// @param source the deposited attachment; used during the call only
/// @param new_id,new_id_len the id of the record that it is sealed for, another one than the deposit's
/// @param new_field,new_field_len the field that it is sealed for
/// @param revision counts the texts of that field, from 1
/// @param padding LUKKO_PADDING_...
/// @param sink where it goes; used during the call only
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_take_over_attachment_at(
    vault: lukko_vault,
    from: lukko_patient_key,
    to: lukko_patient_key,
    id: In<'_>,
    id_len: usize,
    field: In<'_>,
    field_len: usize,
    source: Ref<'_, lukko_source>,
    new_id: In<'_>,
    new_id_len: usize,
    new_field: In<'_>,
    new_field_len: usize,
    revision: u64,
    padding: u32,
    sink: Ref<'_, lukko_sink>,
) -> i32 {
    let place = lukko_place::of(id, id_len, field, field_len);
    let context = context(lukko_place::of(new_id, new_id_len, new_field, new_field_len), revision, padding);
    run((), || moving::take_over_attachment(vault, from, to, place, source.read()?, context, sink.read()?))
}

/// lukko_vault_disclose, with record and field as arguments.
///
/// @param vault the vault
/// @param key the patient's key
/// @param id,id_len the record's id, 1 to 255 bytes
/// @param field,field_len the field, 1 to 255 bytes
/// @param path LUKKO_PATH_...: the path that the note is expected to have
/// @param record,record_len the sealed note
/// @param to,to_len the recipient's public key: compare its fingerprint with the recipient first
/// @param signer the member's keys, with the role read
/// @param out_disclosure the disclosure, to be handed out
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_disclose_at(
    vault: lukko_vault,
    key: lukko_patient_key,
    id: In<'_>,
    id_len: usize,
    field: In<'_>,
    field_len: usize,
    path: u32,
    record: In<'_>,
    record_len: usize,
    to: In<'_>,
    to_len: usize,
    signer: lukko_member,
    out_disclosure: Slot<'_, lukko_buffer>,
) -> i32 {
    let place = lukko_place::of(id, id_len, field, field_len);
    give_buffer(out_disclosure, || {
        disclosure::disclose(vault, key, place, path, record.some(record_len)?, to.some(to_len)?, signer)
    })
}
