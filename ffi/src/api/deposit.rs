//! Deposits: the write-only door.

use std::sync::Arc;

use lukko::{Card, Deposit, MemberKey, Opened, OsRng, Place, Vault};

use super::{give, give_buffer, give_shared, named, write};
use crate::buffer::{In, Ref, Slot};
use crate::error::{LUKKO_E_HANDLE_TYPE, Refusal, Result};
use crate::handle::get;
use crate::object::{
    Item, UnattributedItem, lukko_buffer, lukko_card, lukko_deposit, lukko_deposited, lukko_member, lukko_opened,
    lukko_patient_key, lukko_unattributed, lukko_vault,
};
use crate::values::{self, lukko_place};

/// Seals a note to a patient's card, as a member who cannot read it back. The library draws the record's id.
///
/// @param vault the vault
/// @param card the patient's card: verify it with `expect`, the id that this front end remembers
/// @param writer the member's keys, with the role deposit
/// @param field,field_len the field, 1 to 255 bytes
/// @param padding LUKKO_PADDING_...
/// @param note,note_len the note
/// @param out_deposit the deposit; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_deposit(
    vault: lukko_vault,
    card: lukko_card,
    writer: lukko_member,
    field: In<'_>,
    field_len: usize,
    padding: u32,
    note: In<'_>,
    note_len: usize,
    out_deposit: Slot<'_, lukko_deposit>,
) -> i32 {
    give(out_deposit, || {
        let (vault, card, writer) = (get::<Vault>(vault)?, get::<Card>(card)?, get::<MemberKey>(writer)?);
        let (field, padding) = (values::field_label(field.some(field_len)?)?, values::padding(padding)?);
        Ok(vault.deposit(&card, &writer, field, padding, note.bytes(note_len)?, &mut OsRng)?)
    })
}

/// The id that the library drew for a deposit.
///
/// @param deposit the deposit
/// @param out 32 hexadecimal characters, without a NUL behind them
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_deposit_record(
    deposit: lukko_deposit,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(get::<Deposit>(deposit)?.record.as_bytes()))
}

/// The sealed note of a deposit, to be stored under its id.
///
/// @param deposit the deposit
/// @param out the sealed note
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_deposit_bytes(
    deposit: lukko_deposit,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(&get::<Deposit>(deposit)?.bytes))
}

/// Opens a deposit, or one that a reader took over, and says who wrote it: lukko_opened_writer.
///
/// @param vault the vault
/// @param key the patient's key
/// @param place the record and field that the caller asked the database for
/// @param record,record_len the sealed note
/// @param out_opened the note; free it with lukko_free, which wipes it
/// @return LUKKO_E_REVOKED if the writer is revoked: see lukko_vault_open_unattributed
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_open_deposit(
    vault: lukko_vault,
    key: lukko_patient_key,
    place: Ref<'_, lukko_place<'_>>,
    record: In<'_>,
    record_len: usize,
    out_opened: Slot<'_, lukko_opened>,
) -> i32 {
    give(out_opened, || open_deposit(vault, key, place.read()?, record.some(record_len)?))
}

pub(super) fn open_deposit(
    vault: lukko_vault,
    key: lukko_patient_key,
    place: lukko_place<'_>,
    record: &[u8],
) -> Result<Opened> {
    let (vault, key, id, field) = named(vault, key, place)?;
    Ok(vault.open_deposit(&key, Place::new(id, field), record)?)
}

/// Opens what a reader took over, and nothing that was only deposited.
///
/// @param vault the vault
/// @param key the patient's key
/// @param place the record and field that the caller asked the database for
/// @param record,record_len the sealed note
/// @param out_opened the note; free it with lukko_free, which wipes it
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_open_absorbed(
    vault: lukko_vault,
    key: lukko_patient_key,
    place: Ref<'_, lukko_place<'_>>,
    record: In<'_>,
    record_len: usize,
    out_opened: Slot<'_, lukko_opened>,
) -> i32 {
    give(out_opened, || open_absorbed(vault, key, place.read()?, record.some(record_len)?))
}

pub(super) fn open_absorbed(
    vault: lukko_vault,
    key: lukko_patient_key,
    place: lukko_place<'_>,
    record: &[u8],
) -> Result<Opened> {
    let (vault, key, id, field) = named(vault, key, place)?;
    Ok(vault.open_absorbed(&key, Place::new(id, field), record)?)
}

/// Opens a deposit whose writer may have been revoked, for a person to look at. Nobody vouches for the author.
///
/// @param vault the vault
/// @param key the patient's key
/// @param place the record and field that the caller asked the database for
/// @param record,record_len the sealed note
/// @param out_unattributed the note; free it with lukko_free, which wipes it
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_open_unattributed(
    vault: lukko_vault,
    key: lukko_patient_key,
    place: Ref<'_, lukko_place<'_>>,
    record: In<'_>,
    record_len: usize,
    out_unattributed: Slot<'_, lukko_unattributed>,
) -> i32 {
    give(out_unattributed, || open_unattributed(vault, key, place.read()?, record.some(record_len)?))
}

pub(super) fn open_unattributed(
    vault: lukko_vault,
    key: lukko_patient_key,
    place: lukko_place<'_>,
    record: &[u8],
) -> Result<UnattributedItem> {
    let (vault, key, id, field) = named(vault, key, place)?;
    let opened = vault.open_unattributed(&key, Place::new(id, field), record)?;
    let claimed_writer = *opened.claimed_writer().as_bytes();
    Ok(UnattributedItem { claimed_writer, item: Item::Note(Arc::new(opened.into_inner())) })
}

/// The key that signed what nobody vouches for. Whoever stole it may be the author.
///
/// @param unattributed the note or attachment
/// @param out the fingerprint of the key, 32 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_unattributed_claimed_writer(
    unattributed: lukko_unattributed,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| out.write(&get::<UnattributedItem>(unattributed)?.claimed_writer))
}

/// The note. Its origin still says LUKKO_ORIGIN_UNATTRIBUTED.
///
/// @param unattributed the note
/// @param out_opened the note; free it with lukko_free
/// @return LUKKO_E_HANDLE_TYPE for an attachment
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_unattributed_note(
    unattributed: lukko_unattributed,
    out_opened: Slot<'_, lukko_opened>,
) -> i32 {
    give_shared(out_opened, || note(&*get::<UnattributedItem>(unattributed)?))
}

fn note(unattributed: &UnattributedItem) -> Result<Arc<Opened>> {
    match &unattributed.item {
        Item::Note(opened) => Ok(Arc::clone(opened)),
        Item::Attachment(_) => Err(Refusal(LUKKO_E_HANDLE_TYPE)),
    }
}

/// The attachment. From here on only lukko_reader_origin says that its author is unknown.
///
/// @param unattributed the attachment
/// @param out_deposited the attachment; free it with lukko_free
/// @return LUKKO_E_HANDLE_TYPE for a note
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_unattributed_attachment(
    unattributed: lukko_unattributed,
    out_deposited: Slot<'_, lukko_deposited>,
) -> i32 {
    give_shared(out_deposited, || match &get::<UnattributedItem>(unattributed)?.item {
        Item::Attachment(attachment) => Ok(Arc::clone(attachment)),
        Item::Note(_) => Err(Refusal(LUKKO_E_HANDLE_TYPE)),
    })
}

/// Takes a deposit over: store the result in its place. From then on its writer can alter it no more, and the proof of
/// who wrote it stays with it.
///
/// @param vault the vault
/// @param key the patient's key
/// @param place the record and field
/// @param record,record_len the deposit
/// @param out_record the record to be stored in its place
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_absorb(
    vault: lukko_vault,
    key: lukko_patient_key,
    place: Ref<'_, lukko_place<'_>>,
    record: In<'_>,
    record_len: usize,
    out_record: Slot<'_, lukko_buffer>,
) -> i32 {
    give_buffer(out_record, || absorb(vault, key, place.read()?, record.some(record_len)?))
}

pub(super) fn absorb(
    vault: lukko_vault,
    key: lukko_patient_key,
    place: lukko_place<'_>,
    record: &[u8],
) -> Result<Vec<u8>> {
    let (vault, key, id, field) = named(vault, key, place)?;
    Ok(vault.absorb(&key, Place::new(id, field), record, &mut OsRng)?)
}
