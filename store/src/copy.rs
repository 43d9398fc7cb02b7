//! A vault, from one store into another: from SQLite to PostgreSQL when one machine is not enough any more, and back.

use lukko::error::Object;
use lukko::{CardId, MemberEntry, PatientId, Vault, VaultId};

use crate::change::{Change, Expect, NewGeneration};
use crate::error::{Error, Result};
use crate::placed::{CardRow, EndorsementRow, GrantRow, MasterGrantRow, Placed, RecordRow};
use crate::rows::{After, Generation, Patient, Record, StoredBody};
use crate::store::Store;

/// Patients, or objects, that are listed at once.
const PATIENTS: u32 = 500;
/// Records that are read, and written in one change.
const PAGE: u32 = 64;

/// What [`copy`] has gone through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Copied {
    /// Patients.
    pub patients: u64,
    /// Records.
    pub records: u64,
}

/// Copies a vault from one store into another, byte for byte: generations, members, patients' keys, records, receipts of
/// erasures and the list of unnamed objects. It opens nothing, and needs the vault for the members' fingerprints.
///
/// Nobody may write to either store meanwhile. Interrupted, it is called again with the same arguments and goes on. Run a
/// [`VerifyJob`](crate::VerifyJob) over the copy before it serves.
///
/// Not copied are jobs, which begin anew; the objects of attachments, which are where they were; and records that an erasure
/// [kept](crate::Records::Keep), which nothing opens. Unnamed objects count as announced long ago. Call
/// [`Store::scrub`] on the copy: whether an erasure was scrubbed is said of one store's files.
///
/// # Errors
/// As [`Store::apply`] and [`Store::generations`]; [`Error::Stale`] where a late roster of an older generation has overtaken
/// that of the next; [`Error::Conflict`] where `to` holds something else already;
/// [`Error::Core`] for a member's entry that does not verify; [`Error::Corrupt`] for a record that names no card of its
/// patient; [`CardAlone`](crate::error::Usage::CardAlone) for a patient of whom every endorsement was retired.
pub async fn copy(from: &impl Store, to: &impl Store, vault: &Vault) -> Result<Copied> {
    let id = vault.descriptor().vault();
    let generations = from.generations(id).await?;
    for generation in &generations {
        copy_generation(to, id, generation).await?;
    }
    // One that an earlier run has retired stays so: it would be judged anew by the patients that are there meanwhile.
    let there = to.generations(id).await?;
    let retired = |number: u32| there.iter().any(|there| there.generation == number && there.retired);
    let left = generations.iter().filter(|generation| generation.retired && !retired(generation.generation));
    for Generation { generation, .. } in left {
        to.apply(id, &[Change::Retire { generation: *generation, losing: &[] }]).await?;
    }
    for erasure in &from.erasures(id).await? {
        to.apply(id, &[Change::Receipt(erasure)]).await?;
    }
    for entry in from.members(id).await? {
        let key = MemberEntry::verify(&entry, vault.descriptor())?.fingerprint();
        to.apply(id, &[Change::Member { key, entry: &entry }]).await?;
    }
    let (mut copied, mut after) = (Copied::default(), None::<Vec<u8>>);
    loop {
        let page = from.patients(id, after.as_deref(), PATIENTS).await?;
        for patient in &page {
            let records = copy_patient(from, to, id, PatientId::new(patient)?).await?;
            copied.patients = copied.patients.saturating_add(1);
            copied.records = copied.records.saturating_add(records);
        }
        after = page.into_iter().next_back();
        if after.is_none() {
            break;
        }
    }
    let objects = from.unnamed_objects(id, i64::MAX.unsigned_abs(), u32::MAX).await?;
    for object in &objects {
        to.apply(id, &[Change::Upload { object, at: 0 }]).await?;
    }
    Ok(copied)
}

/// A generation with its newest roster.
async fn copy_generation(to: &impl Store, id: VaultId, stored: &Generation) -> Result<()> {
    let Generation { generation, descriptor, statement, version, roster, .. } = stored;
    let (generation, version, statement) = (*generation, *version, statement.as_deref());
    let changes = [
        Change::Generation(NewGeneration { generation, descriptor, statement, version, roster }),
        Change::Roster { generation, version, roster },
    ];
    to.apply(id, &changes).await
}

/// One patient: card after card, each with the records that are under it, because a store takes records only under the
/// current card. Gives the number of records.
async fn copy_patient(from: &impl Store, to: &impl Store, id: VaultId, patient: PatientId<'_>) -> Result<u64> {
    let stored = from.patient(id, patient).await?;
    let (mut copied, mut all, mut previous) = (0_u64, 0, None);
    for (at, (card, bytes)) in stored.cards.iter().enumerate() {
        let there = to.patient(id, patient).await?;
        // Where the copy has a later card already, this one is done, and so are its records.
        let mut later = stored.cards.iter().skip(at.saturating_add(1));
        let passed = later.any(|(later, _)| there.current == Some(*later));
        if !passed && there.current != Some(*card) {
            let row = CardRow { patient, card: *card, bytes, previous };
            let mut changes = vec![Change::Card(Placed::stored(Object::Card, row))];
            changes.extend(endorsements(&stored, patient, at, &there));
            to.apply(id, &changes).await?;
        }
        let of_card = copy_records(from, to, id, (patient, *card), passed).await?;
        copied = copied.saturating_add(of_card.0);
        (all, previous) = (of_card.1, Some(*card));
    }
    if copied != all {
        return Err(Error::Corrupt { table: "record", what: "a record names no card of its patient" });
    }
    let grants = stored.grants.iter().map(|grant| {
        let row = GrantRow { patient, card: grant.card, to: grant.to, grant: &grant.bytes, replaces: None };
        Change::Grant(Placed::stored(Object::Grant, row))
    });
    let master_grants = stored.master_grants.iter().map(|stored| {
        let (card, generation, grant) = (stored.card, stored.generation, &stored.bytes);
        let row = MasterGrantRow { patient, card, generation, grant, replaces: None };
        Change::MasterGrant(Placed::stored(Object::Grant, row))
    });
    let withdrawn = stored.withdrawn.iter().map(|from| Change::Withdrawn { patient, from: *from });
    to.apply(id, &grants.chain(master_grants).chain(withdrawn).collect::<Vec<_>>()).await?;
    Ok(copied)
}

/// The endorsements of one card. Those of an older card are gone where every generation has endorsed a later one; the store
/// takes no card alone, so that one of these stands in until the later card takes its place.
fn endorsements<'a>(stored: &'a Patient, patient: PatientId<'a>, at: usize, there: &'a Patient) -> Vec<Change<'a>> {
    let Some((card, _)) = stored.cards.get(at) else { return Vec::new() };
    let own = stored.endorsed.iter().filter(|endorsed| endorsed.card == *card).count();
    let later = |endorsed: CardId| stored.cards.iter().skip(at).any(|(card, _)| *card == endorsed);
    let of_card = stored.endorsed.iter().filter(|endorsed| endorsed.card == *card);
    let stand_in = stored.endorsed.iter().filter(|endorsed| later(endorsed.card)).take(usize::from(own == 0));
    let change = |endorsed: &'a crate::rows::Endorsed| {
        let row = EndorsementRow {
            patient,
            card: *card,
            generation: endorsed.generation,
            endorsement: &endorsed.endorsement,
            master_grant: &endorsed.master_grant,
            replaces: there.endorsed(endorsed.generation).map(|there| there.endorsement.as_slice()),
        };
        Change::Endorse(Placed::stored(Object::Endorsement, row))
    };
    of_card.chain(stand_in).map(change).collect()
}

/// Copies the records that are under this card, unless that was done. Gives their number, and that of all.
async fn copy_records(
    from: &impl Store,
    to: &impl Store,
    id: VaultId,
    (patient, card): (PatientId<'_>, CardId),
    done: bool,
) -> Result<(u64, u64)> {
    let (mut copied, mut all, mut last) = (0_u64, 0_u64, None::<Record>);
    loop {
        let after = last.as_ref().map(|last| After { record: &last.record, field: &last.field });
        let page = from.records(id, patient, after, PAGE).await?;
        let of_card: Vec<&Record> = page.iter().filter(|record| record.card == card).collect();
        copied = copied.saturating_add(of_card.len() as u64);
        all = all.saturating_add(page.len() as u64);
        if !done && !of_card.is_empty() {
            let objects = of_card.iter().filter_map(|record| match &record.body {
                StoredBody::Object { object, .. } => Some(Change::Upload { object, at: 1 }),
                StoredBody::Sealed(_) => None,
            });
            let records = of_card.iter().map(|record| new_record(patient, record));
            let changes: Vec<_> = objects.chain(records).collect();
            to.apply(id, &changes).await?;
        }
        last = page.into_iter().next_back();
        if last.is_none() {
            return Ok((copied, all));
        }
    }
}

/// As it is stored, damaged or not.
fn new_record<'a>(patient: PatientId<'a>, stored: &'a Record) -> Change<'a> {
    let Record { record, field, revision, card, body } = stored;
    let (patient, body, expect) = (patient.as_bytes(), body.as_written(), Expect::Absent);
    let row = RecordRow { patient, record, field, revision: *revision, card: *card, body, expect };
    Change::Record(Placed::stored(Object::Record, row))
}
