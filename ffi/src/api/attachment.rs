//! Attachments that are being sealed: plaintext is pushed in, sealed bytes are taken out.

use std::io::Write;
use std::mem;
use std::sync::Arc;

use lukko::{Card, MemberKey, OsRng, PatientKey, Vault};

use super::{give, put, run, write};
use crate::buffer::{In, Ref, Slot};
use crate::error::{LUKKO_E_SPENT, Refusal, Result};
use crate::handle::{Locked, get};
use crate::object::{
    Depositing, Queue, Sealing, Writing, lukko_card, lukko_member, lukko_patient_key, lukko_vault, lukko_writer,
};
use crate::values::{self, lukko_context};

/// Seals an attachment of any length, as a stream: lukko_writer_write, lukko_writer_take in between, and at the end
/// lukko_writer_finish and lukko_writer_take. What was not finished never opens.
///
/// @param vault the vault
/// @param key the patient's key
/// @param context record, field, revision and padding
/// @param out_writer the stream; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_seal_attachment(
    vault: lukko_vault,
    key: lukko_patient_key,
    context: Ref<'_, lukko_context<'_>>,
    out_writer: Slot<'_, lukko_writer>,
) -> i32 {
    give(out_writer, || seal_attachment(vault, key, context.read()?))
}

pub(super) fn seal_attachment(
    vault: lukko_vault,
    key: lukko_patient_key,
    context: lukko_context<'_>,
) -> Result<Locked<Writing>> {
    let (vault, key, queue) = (get::<Vault>(vault)?, get::<PatientKey>(key)?, Queue::default());
    let writer = vault.seal_attachment(&key, &context.context()?, queue.clone(), &mut OsRng)?;
    Ok(Locked::new(Writing { queue, stream: Sealing::Own(Box::new(writer)), record: String::new() }))
}

/// Seals an attachment to a patient's card, as a member who cannot read it back. The library draws the record's id:
/// lukko_writer_record.
///
/// @param vault the vault
/// @param card the patient's card
/// @param writer the member's keys, with the role deposit; they may be freed before the stream
/// @param field,field_len the field, 1 to 255 bytes
/// @param padding LUKKO_PADDING_...
/// @param out_writer the stream; free it with lukko_free
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_deposit_attachment(
    vault: lukko_vault,
    card: lukko_card,
    writer: lukko_member,
    field: In<'_>,
    field_len: usize,
    padding: u32,
    out_writer: Slot<'_, lukko_writer>,
) -> i32 {
    give(out_writer, || {
        let (vault, card, writer) = (get::<Vault>(vault)?, get::<Card>(card)?, get::<MemberKey>(writer)?);
        let (field, padding) = (values::field_label(field.some(field_len)?)?, values::padding(padding)?);
        let queue = Queue::default();
        let stream = Depositing::try_new(Arc::clone(&writer), |writer| {
            let sink = queue.clone();
            vault.deposit_attachment(&card, writer, field, padding, sink, &mut OsRng).map(Some)
        })?;
        let record = stream
            .with_dependent(|_, stream| stream.as_ref().map_or_else(String::new, |stream| stream.record().to_owned()));
        Ok(Locked::new(Writing { queue, stream: Sealing::Deposit(stream), record }))
    })
}

/// The id that the library drew for a deposited attachment: store it under that.
///
/// @param writer the stream
/// @param out 32 hexadecimal characters, without a NUL behind them; 0 bytes for an attachment of a reader's
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_writer_record(
    writer: lukko_writer,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| {
        get::<Locked<Writing>>(writer)?.with(|writing| out.write(writing.record.as_bytes()))
    })
}

/// Writes a part of the attachment. The stream holds what lukko_writer_take has not taken: take between writes, and
/// memory stays constant. Behind an error all later calls fail.
///
/// @param writer the stream
/// @param bytes,bytes_len the next part
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_writer_write(writer: lukko_writer, bytes: In<'_>, bytes_len: usize) -> i32 {
    run((), || {
        let (writer, bytes) = (get::<Locked<Writing>>(writer)?, bytes.bytes(bytes_len)?);
        writer.with(|writing| match &mut writing.stream {
            Sealing::Own(stream) => Ok(stream.write_all(bytes)?),
            Sealing::Deposit(stream) => stream
                .with_dependent_mut(|_, stream| Ok(stream.as_mut().ok_or(Refusal(LUKKO_E_SPENT))?.write_all(bytes)?)),
            Sealing::Finished => Err(Refusal(LUKKO_E_SPENT)),
        })
    })
}

/// Ends the attachment: padding, last chunk, and the signature of a deposit. What is left is then to be taken.
///
/// @param writer the stream
/// @return LUKKO_E_SPENT if it was finished before
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_writer_finish(writer: lukko_writer) -> i32 {
    run((), || {
        get::<Locked<Writing>>(writer)?.with(|writing| match mem::replace(&mut writing.stream, Sealing::Finished) {
            Sealing::Own(stream) => Ok(stream.finish().map(drop)?),
            Sealing::Deposit(mut stream) => finish_deposit(&mut stream),
            Sealing::Finished => Err(Refusal(LUKKO_E_SPENT)),
        })
    })
}

fn finish_deposit(stream: &mut Depositing) -> Result<()> {
    stream.with_dependent_mut(|_, stream| {
        let stream = stream.take().ok_or(Refusal(LUKKO_E_SPENT))?;
        Ok(stream.finish().map(drop)?)
    })
}

/// How many sealed bytes wait to be taken.
///
/// @param writer the stream
/// @param out_pending the number
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_writer_pending(writer: lukko_writer, out_pending: Slot<'_, usize>) -> i32 {
    put(out_pending, || get::<Locked<Writing>>(writer)?.with(|writing| Ok(writing.queue.with(|waiting| waiting.len()))))
}

/// Takes sealed bytes, in order, as many as wait and fit: append them to what is stored. The next call takes the rest.
///
/// @param writer the stream
/// @param out up to out_capacity bytes; *out_written is 0 when none wait. With capacity 0 the answer is
///   LUKKO_E_TOO_SMALL while bytes wait, and *out_written says how many
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_writer_take(
    writer: lukko_writer,
    out: Slot<'_, u8>,
    out_capacity: usize,
    out_written: Slot<'_, usize>,
) -> i32 {
    write(out, out_capacity, out_written, |out| {
        get::<Locked<Writing>>(writer)?.with(|writing| {
            writing.queue.with(|waiting| {
                let out = if out.capacity() == 0 { out.require(waiting.len())? } else { out };
                let taken: Vec<u8> = waiting.drain(..waiting.len().min(out.capacity())).collect();
                out.write(&taken)
            })
        })
    })
}
