//! Attachments that are being read, from a source of the caller's.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use lukko::{AttachmentReader, DepositedAttachment, Place};
use zeroize::Zeroizing;

use super::{give, named, put, write};
use crate::buffer::{Output, Ref, Slot, Source, lukko_source};
use crate::error::{LUKKO_E_SPENT, LUKKO_E_VALUE, Refusal, Result};
use crate::handle::{Locked, get};
use crate::object::{
    Item, UnattributedItem, lukko_deposited, lukko_patient_key, lukko_reader, lukko_unattributed, lukko_vault,
};
use crate::values::{self, LUKKO_READ_MAX, LUKKO_SEEK_CURRENT, LUKKO_SEEK_END, LUKKO_SEEK_START, lukko_place};

pub(super) type Deposited = Locked<Option<DepositedAttachment<Source>>>;
pub(super) type Reader = Locked<AttachmentReader<Source>>;

/// Opens an attachment, or any record that a reader sealed, as a stream. One whose end is missing is refused here.
///
/// @param vault the vault
/// @param key the patient's key
/// @param place the record and field that the caller asked the store for
/// @param source where the sealed attachment is read from, as long as the reader lives
/// @param out_reader the reader; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_open_attachment(
    vault: lukko_vault,
    key: lukko_patient_key,
    place: Ref<'_, lukko_place<'_>>,
    source: Ref<'_, lukko_source>,
    out_reader: Slot<'_, lukko_reader>,
) -> i32 {
    give(out_reader, || open_attachment(vault, key, place.read()?, source.read()?))
}

pub(super) fn open_attachment(
    vault: lukko_vault,
    key: lukko_patient_key,
    place: lukko_place<'_>,
    source: lukko_source,
) -> Result<Reader> {
    let (vault, key, id, field) = named(vault, key, place)?;
    Ok(Locked::new(vault.open_attachment(&key, Place::new(id, field), Source::new(source)?)?))
}

/// Opens a deposited attachment. Its writer's signature has been verified, and the payload not yet compared with what was
/// signed: integrity, not authorship. lukko_deposited_verify proves the author.
///
/// @param vault the vault
/// @param key the patient's key
/// @param place the record and field that the caller asked the store for
/// @param source where the sealed attachment is read from, as long as the stream and its reader live
/// @param out_deposited the stream; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_open_deposited_attachment(
    vault: lukko_vault,
    key: lukko_patient_key,
    place: Ref<'_, lukko_place<'_>>,
    source: Ref<'_, lukko_source>,
    out_deposited: Slot<'_, lukko_deposited>,
) -> i32 {
    give(out_deposited, || open_deposited_attachment(vault, key, place.read()?, source.read()?))
}

pub(super) fn open_deposited_attachment(
    vault: lukko_vault,
    key: lukko_patient_key,
    place: lukko_place<'_>,
    source: lukko_source,
) -> Result<Deposited> {
    let (vault, key, id, field) = named(vault, key, place)?;
    Ok(Locked::new(Some(vault.open_deposited_attachment(&key, Place::new(id, field), Source::new(source)?)?)))
}

/// Opens a deposited attachment whose writer may have been revoked, for a person to look at.
///
/// @param vault the vault
/// @param key the patient's key
/// @param place the record and field that the caller asked the store for
/// @param source where the sealed attachment is read from, as long as the stream and its reader live
/// @param out_unattributed the attachment; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_open_unattributed_attachment(
    vault: lukko_vault,
    key: lukko_patient_key,
    place: Ref<'_, lukko_place<'_>>,
    source: Ref<'_, lukko_source>,
    out_unattributed: Slot<'_, lukko_unattributed>,
) -> i32 {
    give(out_unattributed, || open_unattributed_attachment(vault, key, place.read()?, source.read()?))
}

pub(super) fn open_unattributed_attachment(
    vault: lukko_vault,
    key: lukko_patient_key,
    place: lukko_place<'_>,
    source: lukko_source,
) -> Result<UnattributedItem> {
    let (vault, key, id, field) = named(vault, key, place)?;
    let opened = vault.open_unattributed_attachment(&key, Place::new(id, field), Source::new(source)?)?;
    let claimed_writer = *opened.claimed_writer().as_bytes();
    let attachment = Arc::new(Locked::new(Some(opened.into_inner())));
    Ok(UnattributedItem { claimed_writer, item: Item::Attachment(attachment) })
}

/// Reads from the position on. Every byte is authentic and stands where it says. Behind an error all later calls fail.
///
/// @param reader the reader
/// @param out up to out_capacity bytes, and at most LUKKO_READ_MAX; *out_written is 0 at the end. Secret; wipe them
///   afterwards. With capacity 0 the answer is LUKKO_E_TOO_SMALL while bytes are left, and *out_written says how many the
///   next call can give
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_reader_read(
    reader: lukko_reader,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| {
        get::<Reader>(reader)?.with(|reader| read_some(reader, out, AttachmentReader::plaintext_len))
    })
}

/// Moves the position.
///
/// @param reader the reader
/// @param offset how far
/// @param whence LUKKO_SEEK_...: from where
/// @param out_position the position, from the start
/// @return LUKKO_E_VALUE for a position before the start; everything stays as it was then
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_reader_seek(
    reader: lukko_reader,
    offset: i64,
    whence: u32,
    out_position: Slot<'_, u64>,
) -> i32 {
    put(out_position, || get::<Reader>(reader)?.with(|reader| Ok(reader.seek(target(offset, whence)?)?)))
}

/// The length of the note. The first call may decrypt all that may be padding, 12 % at most.
///
/// @param reader the reader
/// @param out_len the length in bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_reader_len(reader: lukko_reader, out_len: Slot<'_, u64>) -> i32 {
    put(out_len, || get::<Reader>(reader)?.with(|reader| Ok(reader.plaintext_len()?)))
}

/// The revision of an attachment.
///
/// @param reader the reader
/// @param out_revision 0 for a deposit
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_reader_revision(reader: lukko_reader, out_revision: Slot<'_, u64>) -> i32 {
    put(out_revision, || get::<Reader>(reader)?.with(|reader| Ok(reader.revision().get())))
}

/// How an attachment is padded.
///
/// @param reader the reader
/// @param out_padding LUKKO_PADDING_...
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_reader_padding(reader: lukko_reader, out_padding: Slot<'_, u32>) -> i32 {
    put(out_padding, || get::<Reader>(reader)?.with(|reader| Ok(values::padding_number(reader.padding()))))
}

/// What is known of the author of an attachment.
///
/// @param reader the reader
/// @param out_origin LUKKO_ORIGIN_...
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_reader_origin(reader: lukko_reader, out_origin: Slot<'_, u32>) -> i32 {
    put(out_origin, || get::<Reader>(reader)?.with(|reader| Ok(values::origin(reader.origin()).0)))
}

/// Who deposited an attachment.
///
/// @param reader the reader
/// @param out the fingerprint of the key that signed, 32 bytes; 0 bytes for an attachment that a reader wrote
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_reader_writer(
    reader: lukko_reader,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| {
        get::<Reader>(reader)?.with(|reader| {
            let (_, writer, _) = values::origin(reader.origin());
            out.write_key(writer.as_ref())
        })
    })
}

/// Reads before the author is proven, as lukko_reader_read.
///
/// @param deposited the stream
/// @param out up to out_capacity bytes, and at most LUKKO_READ_MAX; *out_written is 0 at the end. Secret; wipe them
///   afterwards. With capacity 0 the answer is LUKKO_E_TOO_SMALL while bytes are left, and *out_written says how many the
///   next call can give
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_deposited_read(
    deposited: lukko_deposited,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| {
        unproven(deposited, |deposited| read_some(deposited, out, DepositedAttachment::plaintext_len))
    })
}

/// Moves the position, as lukko_reader_seek.
///
/// @param deposited the stream
/// @param offset how far
/// @param whence LUKKO_SEEK_...: from where
/// @param out_position the position, from the start
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_deposited_seek(
    deposited: lukko_deposited,
    offset: i64,
    whence: u32,
    out_position: Slot<'_, u64>,
) -> i32 {
    put(out_position, || unproven(deposited, |deposited| Ok(deposited.seek(target(offset, whence)?)?)))
}

/// The length of the note, as lukko_reader_len.
///
/// @param deposited the stream
/// @param out_len the length in bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_deposited_len(deposited: lukko_deposited, out_len: Slot<'_, u64>) -> i32 {
    put(out_len, || unproven(deposited, |deposited| Ok(deposited.plaintext_len()?)))
}

/// How a deposited attachment is padded.
///
/// @param deposited the stream
/// @param out_padding LUKKO_PADDING_...
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_deposited_padding(deposited: lukko_deposited, out_padding: Slot<'_, u32>) -> i32 {
    put(out_padding, || unproven(deposited, |deposited| Ok(values::padding_number(deposited.padding()))))
}

/// The key that signed. What it signed may not be what is here: see lukko_deposited_verify.
///
/// @param deposited the stream
/// @param out the fingerprint of the key, 32 bytes
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_deposited_claimed_writer(
    deposited: lukko_deposited,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| {
        unproven(deposited, |deposited| out.write(deposited.claimed_writer().as_bytes()))
    })
}

/// Reads the whole payload once and compares it with what was signed. The source must not change from here on.
///
/// @param deposited the stream; used up, whatever the answer is
/// @param out_reader the reader, at position 0, which says who wrote the note; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_deposited_verify(deposited: lukko_deposited, out_reader: Slot<'_, lukko_reader>) -> i32 {
    give(out_reader, || {
        let deposited = get::<Deposited>(deposited)?;
        // Inside of the lock: a callback that comes back here meets BUSY.
        deposited.with(|deposited| {
            let deposited = deposited.take().ok_or(Refusal(LUKKO_E_SPENT))?;
            Ok(Locked::new(deposited.verify_authorship()?))
        })
    })
}

fn unproven<R>(
    deposited: lukko_deposited,
    call: impl FnOnce(&mut DepositedAttachment<Source>) -> Result<R>,
) -> Result<R> {
    get::<Deposited>(deposited)?.with_unspent(call)
}

/// One read gives at most as much as a chunk holds, so that this is all that lies in memory.
fn read_some<S: Read + Seek>(stream: &mut S, out: Output, len: impl FnOnce(&mut S) -> io::Result<u64>) -> Result<()> {
    if out.capacity() == 0 {
        let left = len(stream)?.saturating_sub(stream.stream_position()?);
        let next = usize::try_from(left).map_or(LUKKO_READ_MAX, |left| left.min(LUKKO_READ_MAX));
        return out.require(next)?.write(&[]);
    }
    let mut text = Zeroizing::new(vec![0; out.capacity().min(LUKKO_READ_MAX)]);
    let length = stream.read(&mut text)?;
    out.write(text.get(..length).unwrap_or_default())
}

fn target(offset: i64, whence: u32) -> Result<SeekFrom> {
    match whence {
        LUKKO_SEEK_START => u64::try_from(offset).map(SeekFrom::Start).map_err(|_| Refusal(LUKKO_E_VALUE)),
        LUKKO_SEEK_CURRENT => Ok(SeekFrom::Current(offset)),
        LUKKO_SEEK_END => Ok(SeekFrom::End(offset)),
        _ => Err(Refusal(LUKKO_E_VALUE)),
    }
}
