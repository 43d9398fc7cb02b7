//! Attachments that move to another key, from a source to a sink of the caller's.

use lukko::{OsRng, PatientKey, Place, StoredAttachment};

use super::{named, run};
use crate::buffer::{Ref, Sink, Source, lukko_sink, lukko_source};
use crate::error::Result;
use crate::handle::get;
use crate::object::{lukko_patient_key, lukko_vault};
use crate::values::{lukko_context, lukko_place};

/// Seals a reader's attachment anew under another key of its patient, in its place, in constant memory. What the sink has
/// received until an error does not open.
///
/// @param vault the vault
/// @param from,to the old and the new key
/// @param place the record and field
/// @param source the sealed attachment; used during the call only
/// @param sink where the new one goes; used during the call only
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_reseal_attachment(
    vault: lukko_vault,
    from: lukko_patient_key,
    to: lukko_patient_key,
    place: Ref<'_, lukko_place<'_>>,
    source: Ref<'_, lukko_source>,
    sink: Ref<'_, lukko_sink>,
) -> i32 {
    run((), || reseal_attachment(vault, from, to, place.read()?, source.read()?, sink.read()?))
}

pub(super) fn reseal_attachment(
    vault: lukko_vault,
    from: lukko_patient_key,
    to: lukko_patient_key,
    place: lukko_place<'_>,
    source: lukko_source,
    sink: lukko_sink,
) -> Result<()> {
    let ((vault, from, record, field), to) = (named(vault, from, place)?, get::<PatientKey>(to)?);
    let (source, sink) = (Source::new(source)?, Sink::new(sink)?);
    vault.reseal_attachment(
        &from,
        &to,
        StoredAttachment { place: Place::new(record, field), source },
        sink,
        &mut OsRng,
    )?;
    Ok(())
}

/// Takes a deposited attachment over: seals it as a reader's own, in another place. The author is verified before anything
/// is written, and from then on known to the caller only: note lukko_deposited_claimed_writer.
///
/// @param vault the vault
/// @param from,to the key that opens it, and the one that it is sealed under
/// @param place the deposit's record and field
/// @param source the deposited attachment; used during the call only
/// @param context where it is sealed for; another record than the deposit's
/// @param sink where it goes; used during the call only
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lukko_vault_take_over_attachment(
    vault: lukko_vault,
    from: lukko_patient_key,
    to: lukko_patient_key,
    place: Ref<'_, lukko_place<'_>>,
    source: Ref<'_, lukko_source>,
    context: Ref<'_, lukko_context<'_>>,
    sink: Ref<'_, lukko_sink>,
) -> i32 {
    run((), || {
        let (place, context) = (place.read()?, context.read()?);
        take_over_attachment(vault, from, to, place, source.read()?, context, sink.read()?)
    })
}

pub(super) fn take_over_attachment(
    vault: lukko_vault,
    from: lukko_patient_key,
    to: lukko_patient_key,
    place: lukko_place<'_>,
    source: lukko_source,
    context: lukko_context<'_>,
    sink: lukko_sink,
) -> Result<()> {
    let ((vault, from, record, field), to) = (named(vault, from, place)?, get::<PatientKey>(to)?);
    let (source, sink, context) = (Source::new(source)?, Sink::new(sink)?, context.context()?);
    let stored = StoredAttachment { place: Place::new(record, field), source };
    vault.take_over_attachment(&from, &to, stored, &context, sink, &mut OsRng)?;
    Ok(())
}
