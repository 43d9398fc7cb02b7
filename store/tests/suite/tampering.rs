//! What a thief with write access does by SQL, on both databases: swapped, moved, forged, altered, rolled back, dropped.
//!
//! There is no search index, so that nothing of T027 can be swapped. Attachments are in `attachments.rs`.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use crate::clinic::{Clinic, field, first, patient, record, rekeyed, with_notes, withdrawn};
use crate::sql::{Sql, hex};
use futures_util::StreamExt;
use lukko::{ClosedReason, Enrolment, FieldLabel, PatientId, Pin, RecordContext, RecordId, Revision, Vault};
use lukko_store::placed::RecordRow;
use lukko_store::{
    Body, Change, Error, Expect, JobKind, KeyOf, Over, Result, SqliteStore, Store, StoredBody, VerifyJob, Worker,
};

/// What somebody sees who reads all of the vault.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// The core or the store refuses something.
    Refused(String),
    /// Nothing is refused. This is what the store shows, without the bytes.
    Shown(String),
}

/// Opens the vault from what is stored, verifies every patient as a member and as a quorum, and reads everything.
async fn read(store: &impl Store, clinic: &Clinic, pin: &Pin) -> Result<Seen> {
    let generations = store.generations(clinic.id()).await?;
    let members = store.members(clinic.id()).await?;
    let Some(newest) = generations.last() else { return Ok(Seen::Refused("no generation".to_owned())) };
    let vault = match Vault::load(pin.clone(), &newest.descriptor, &newest.roster, &members) {
        Ok(vault) => vault,
        Err(error) => return Ok(Seen::Refused(error.to_string())),
    };
    let master = clinic.recover();
    for (job, by) in [("as a member", KeyOf::Member(&clinic.salo)), ("as a quorum", KeyOf::Master(&master))] {
        let worker = Worker { store, vault: clinic.id(), job, lease: Duration::from_secs(60), clock: SystemTime::now };
        let progress: Vec<_> =
            worker.run(VerifyJob { vault: &vault, by, attachments: None, deposits: &[] }).collect().await;
        for progress in progress {
            // The object of the attachment is not there to be looked at: `attachments.rs` and `jobs.rs` alter those.
            let progress = progress?;
            let unseen = |reason: &str| reason.contains("knows no object store");
            if let Some(finding) = progress.findings.iter().find(|finding| !unseen(&finding.reason)) {
                return Ok(Seen::Refused(finding.reason.clone()));
            }
        }
    }
    let (version, retired) = (newest.version, newest.retired);
    let mut shown = format!("{version} {retired} {} members ", members.len());
    for id in store.patients(clinic.id(), None, 100).await? {
        let id = PatientId::new(&id).unwrap();
        let stored = store.patient(clinic.id(), id).await?;
        shown += &format!(
            "{id:?} {:?} {:?} ",
            stored.current,
            stored.cards.iter().map(|(card, _)| card).collect::<Vec<_>>()
        );
        for grant in stored.grants {
            shown += &format!("{:?} {:?} ", grant.card, grant.to);
        }
        shown += &format!("{:?} ", stored.withdrawn);
        for record in store.records(clinic.id(), id, None, 100).await? {
            let object = if let StoredBody::Object { object, length } = record.body {
                format!("{object} {length}")
            } else {
                String::new()
            };
            shown += &format!("{} {} {} {object} ", hex(&record.record), hex(&record.field), record.revision);
        }
    }
    shown += &format!("{:?} ", store.erasures(clinic.id()).await?);
    shown += &format!("{:?} ", store.unnamed_objects(clinic.id(), 1_000, 10).await?);
    Ok(Seen::Shown(
        shown
            + &format!(
                "{:?} {:?}",
                store.job(clinic.id(), "j").await?,
                store.failures(clinic.id(), "j", None, 9).await
            ),
    ))
}

async fn look(store: &impl Store, clinic: &Clinic, pin: &Pin) -> Seen {
    match read(store, clinic, pin).await {
        Ok(seen) => seen,
        Err(error) => Seen::Refused(error.to_string()),
    }
}

struct World {
    clinic: Clinic,
    one: Enrolment,
    two: Enrolment,
}

impl World {
    /// Two patients with three notes each, of which one has a second field and one a second revision, a grant that was
    /// withdrawn, an attachment, an erased patient, an announced object, and a job that has begun.
    async fn make(store: &impl Store, seed: u64) -> Self {
        let mut clinic = Clinic::new(seed);
        let vault = clinic.id();
        store.apply(vault, &clinic.founding()).await.unwrap();
        let one = with_notes(store, &mut clinic, "p-1", 3).await;
        let two = with_notes(store, &mut clinic, "p-2", 3).await;
        withdrawn(store, &mut clinic, "p-1", &one).await;
        let title = FieldLabel::new("title").unwrap();
        let place = RecordContext::new(record("r-0000"), title, Revision::new(1).unwrap());
        let sealed = clinic.vault.seal(&one.key, &place, b"title", &mut clinic.rng).unwrap();
        let title = RecordRow { field: b"title", ..first("p-1", "r-0000", one.card_id, &sealed) };
        let object = Body::Object { object: "o-1", length: 9 };
        let attached = RecordRow { revision: 0, body: object, ..first("p-1", "r-a", one.card_id, b"") };
        let rest = [
            Change::Record(title.into()),
            Change::Upload { object: "o-1", at: 5 },
            Change::Upload { object: "o-2", at: 5 },
            Change::Record(attached.into()),
        ];
        store.apply(vault, &rest).await.unwrap();
        let gone = with_notes(store, &mut clinic, "p-3", 1).await;
        let cards = [gone.card_id];
        let closing = clinic.erasing(&cards);
        store.apply(vault, &[closing.publish(), Change::Erase(closing.erase("p-3", &cards))]).await.unwrap();
        clinic.follow(&closing.roster);
        store.apply(vault, &[Change::Job { job: "j", kind: JobKind::Rekey, over: Over::Everyone }]).await.unwrap();
        while store.claim(vault, "j", 1, 2).await.unwrap().is_some() {}
        Self { clinic, one, two }
    }

    fn vault(&self) -> String {
        format!("x'{}'", hex(self.clinic.id().as_bytes()))
    }

    async fn sealed(&self, store: &impl Store, id: &str, name: &str) -> Vec<u8> {
        let stored = store.record(self.clinic.id(), patient(id), record(name), field()).await.unwrap().unwrap();
        let StoredBody::Sealed(sealed) = stored.body else { panic!("sealed") };
        sealed
    }
}

fn name(text: &str) -> String {
    format!("x'{}'", hex(text.as_bytes()))
}

/// The columns that three items of a list name: "* **Refused** ... `table.column`, ...".
fn documented(docs: &str) -> BTreeMap<&str, &'static str> {
    let mut columns = BTreeMap::new();
    for (begin, outcome) in [("* **Refused**", "refused"), ("* **Shown**", "shown"), ("* **Unseen**", "unseen")] {
        let item = docs.split(begin).nth(1).expect("the item of the list");
        let end = item.find("\n\n").into_iter().chain(item.find("\n* ")).min().unwrap();
        for column in item[..end].split('`').skip(1).step_by(2).filter(|name| name.contains('.')) {
            assert_eq!(columns.insert(column, outcome), None, "{column} is named two times");
        }
    }
    columns
}

/// `docs/SCALING.md` says of every column what altering it does. The columns are those that the database has.
async fn each_column(store: impl Store, sql: Sql) {
    let documented = documented(include_str!("../../../docs/SCALING.md"));
    let world = World::make(&store, 0x24).await;
    let pin = world.clinic.vault.pin().clone();
    let columns = sql.columns().await;
    sql.save().await;
    let before = look(&store, &world.clinic, &pin).await;
    assert!(matches!(before, Seen::Shown(_)), "{before:?}");
    sql.restore_all().await;
    let mut met = BTreeMap::new();
    for column in &columns {
        let (place, kind) = column.split_once(' ').unwrap();
        let (table, name) = place.split_once('.').unwrap();
        if table == "lukko_schema" {
            continue;
        }
        sql.alter(table, name, kind == "blob").await;
        let after = look(&store, &world.clinic, &pin).await;
        let outcome = match &after {
            Seen::Refused(_) => "refused",
            after if *after == before => "unseen",
            Seen::Shown(_) => "shown",
        };
        met.insert(place, outcome);
        println!("| `{place}` | {outcome} |");
        sql.restore_all().await;
    }
    assert!(look(&store, &world.clinic, &pin).await == before, "the test itself has changed something");
    assert_eq!(met, documented, "docs/SCALING.md says otherwise");
}

/// Each statement, and a word of the reason for which it is refused.
async fn swapped_moved_and_forged(store: impl Store, sql: Sql) {
    let world = World::make(&store, 0x15).await;
    let other = World::make(&store, 0x16).await;
    let pin = world.clinic.vault.pin().clone();
    let (vault, other_vault) = (world.vault(), other.vault());
    let at = |id: &str, record: &str| {
        format!("vault = {vault} AND patient = {} AND record = {} AND field = {}", name(id), name(record), name("note"))
    };
    let mut sealed = BTreeMap::new();
    for (id, record) in [("p-1", "r-0000"), ("p-1", "r-0001"), ("p-2", "r-0000")] {
        sealed.insert((id, record), world.sealed(&store, id, record).await);
    }
    let set = |id: &str, record: &str, bytes: &[u8]| {
        format!("UPDATE record SET sealed = x'{}' WHERE {};", hex(bytes), at(id, record))
    };
    let swap = |one: (&str, &str), other: (&str, &str), from: usize, to: usize| {
        let (mut a, mut b) = (sealed[&one].clone(), sealed[&other].clone());
        a[from..to].swap_with_slice(&mut b[from..to]);
        set(one.0, one.1, &a) + &set(other.0, other.1, &b)
    };
    let (r0, r1, other_patient) = (("p-1", "r-0000"), ("p-1", "r-0001"), ("p-2", "r-0000"));
    let whole = sealed[&r0].len();
    let foreign = other.sealed(&store, "p-1", "r-0000").await;
    let p1 = format!("vault = {vault} AND patient = {}", name("p-1"));
    let from_p2 = |table: &str, column: &str| {
        format!(
            "UPDATE {table} SET {column} = (SELECT {column} FROM {table} WHERE vault = {vault} AND patient = {}) WHERE {p1}",
            name("p-2")
        )
    };
    let from_other = |table: &str, column: &str| {
        format!(
            "UPDATE {table} SET {column} = (SELECT {column} FROM {table} WHERE vault = {other_vault} AND patient = {}) WHERE {p1}",
            name("p-1")
        )
    };
    let statements = [
        ("T015 two records of one patient", swap(r0, r1, 0, whole)),
        ("T015 two patients", swap(r0, other_patient, 0, whole)),
        (
            "T016 another patient",
            format!(
                "UPDATE record SET patient = {}, record = {} WHERE {}",
                name("p-2"),
                name("r-m"),
                at("p-1", "r-0000")
            ),
        ),
        ("T017 wrapped keys", swap(r0, r1, 48, 120)),
        ("T017 wrapped keys of two patients", swap(r0, other_patient, 48, 120)),
        ("T018 another field", format!("UPDATE record SET field = {} WHERE {}", name("body"), at("p-1", "r-0001"))),
        (
            "T018 two fields",
            format!(
                "UPDATE record SET sealed = (SELECT sealed FROM saved_record r WHERE r.vault = record.vault
                     AND r.patient = record.patient AND r.record = record.record AND r.field <> record.field)
                 WHERE {p1} AND record = {}",
                name("r-0000")
            ),
        ),
        ("T019 another vault, with the same ids", set("p-1", "r-0000", &foreign)),
        ("T020 the card of another patient", from_p2("card", "bytes")),
        ("T020 the card of another vault", from_other("card", "bytes")),
        (
            "T020 the card and the endorsement of another vault",
            from_other("card", "bytes") + ";" + &from_other("endorsement", "endorsement"),
        ),
        ("T021 the grant of another patient", from_p2("patient_grant", "bytes")),
        ("T021 the grant of another vault", from_other("patient_grant", "bytes")),
        ("T021 the master grant of another patient", from_p2("endorsement", "master_grant")),
        ("T022 a record by somebody's own key", set("p-1", "r-0000", &foreign)),
        ("T031 endorsements of another patient", from_p2("endorsement", "endorsement")),
        ("T098 no endorsement", format!("DELETE FROM endorsement WHERE {p1}")),
        ("T098 no card", format!("DELETE FROM card WHERE {p1}")),
        ("T098 no grant", format!("DELETE FROM patient_grant WHERE {p1}")),
    ];
    sql.save().await;
    for (case, statement) in &statements {
        sql.run(statement).await;
        let seen = look(&store, &world.clinic, &pin).await;
        assert!(matches!(seen, Seen::Refused(_)), "{case}: {seen:?}");
        if case.starts_with("T020") {
            // Nobody writes under a key that is not the patient's: there is no card to write under.
            let stored = store.patient(world.clinic.id(), patient("p-1")).await.unwrap();
            let cards = stored.card_bytes();
            world.clinic.vault.card(patient("p-1"), &stored.stored(1, &cards).unwrap(), None).unwrap_err();
        }
        println!("{case}: {seen:?}");
        sql.restore_all().await;
    }
    assert!(matches!(look(&store, &world.clinic, &pin).await, Seen::Shown(_)));

    let key = if matches!(sql, Sql::Sqlite(_)) {
        "CREATE TABLE twice AS SELECT * FROM record; DROP TABLE record; ALTER TABLE twice RENAME TO record"
    } else {
        "ALTER TABLE record DROP CONSTRAINT record_pkey"
    };
    sql.run(&format!("{key}; INSERT INTO record SELECT * FROM saved_record")).await;
    let twice = store.record(world.clinic.id(), patient("p-1"), record("r-0000"), field()).await;
    assert!(matches!(twice, Err(Error::Corrupt { table: "record", .. })), "T025: {twice:?}");
}

/// What is put back to an earlier state, and what is dropped: which of it shows, and which does not.
async fn rolled_back_and_dropped(store: impl Store, sql: Sql) {
    let mut world = World::make(&store, 0x29).await;
    let (id, card) = (world.clinic.id(), world.one.card_id);
    let yesterday = world.clinic.vault.pin().clone();
    sql.save().await;
    let before = look(&store, &world.clinic, &yesterday).await;
    sql.restore_all().await;

    // T029: the second revision is written, and the first one put back.
    let second = world.clinic.seal(&world.one.key, "r-0000", 2, "second");
    let (body, expect) = (Body::Sealed(&second), Expect::Revision(1));
    let change =
        Change::Record(RecordRow { revision: 2, body, expect, ..first("p-1", "r-0000", card, &second) }.into());
    store.apply(id, &[change]).await.unwrap();
    sql.run(
        "UPDATE record SET sealed = (SELECT sealed FROM saved_record r WHERE r.vault = record.vault
             AND r.patient = record.patient AND r.record = record.record AND r.field = record.field)",
    )
    .await;
    // The bytes alone: the column says otherwise.
    let seen = look(&store, &world.clinic, &yesterday).await;
    assert!(matches!(&seen, Seen::Refused(reason) if reason.contains("revision")), "{seen:?}");
    // The whole row: it opens, and says which revision it is. Who remembers 2 knows.
    sql.restore_all().await;
    assert!(look(&store, &world.clinic, &yesterday).await == before);
    let stored = world.sealed(&store, "p-1", "r-0000").await;
    let opened = world.clinic.vault.open(&world.one.key, RecordId::new("r-0000").unwrap(), field(), &stored).unwrap();
    assert_eq!(opened.revision.get(), 1);
    // The next honest writer, who builds on the second, is refused and not silently merged.
    let third = [Change::Record(
        RecordRow { revision: 3, expect: Expect::Revision(2), ..first("p-1", "r-0000", card, b"3") }.into(),
    )];
    store.apply(id, &third).await.unwrap_err();

    // T028: a deleted record is put back: it opens again. The store keeps no list of what was deleted.
    sql.restore_all().await;
    let delete = Change::Delete { patient: patient("p-1"), record: record("r-0002"), field: field(), revision: 1 };
    store.apply(id, &[delete]).await.unwrap();
    assert!(look(&store, &world.clinic, &yesterday).await != before);
    sql.restore_all().await;
    assert!(look(&store, &world.clinic, &yesterday).await == before, "T028 is documented otherwise");

    // T032: dropped records show to whoever has a list of their own, or a count, and to nobody else.
    sql.restore_all().await;
    let own: Vec<Vec<u8>> =
        store.records(id, patient("p-2"), None, 10).await.unwrap().into_iter().map(|r| r.record).collect();
    sql.run(&format!("DELETE FROM record WHERE patient = {} AND record <> {}", name("p-2"), name("r-0001"))).await;
    let seen = look(&store, &world.clinic, &yesterday).await;
    assert!(matches!(seen, Seen::Shown(_)) && seen != before, "T032 is documented otherwise: {seen:?}");
    let there = store.records(id, patient("p-2"), None, 10).await.unwrap();
    let missing: Vec<&Vec<u8>> = own.iter().filter(|id| there.iter().all(|record| record.record != **id)).collect();
    assert_eq!(missing, [b"r-0000", b"r-0002"]);

    // T031: the keys of yesterday, and the records of today, which were moved to another card.
    sql.restore_all().await;
    let new = rekeyed(&store, &mut world.clinic, "p-2", &world.two).await;
    let sealed = world.clinic.seal(&new.key, "r-0000", 2, "second");
    let (body, expect) = (Body::Sealed(&sealed), Expect::Revision(1));
    let moved = RecordRow { revision: 2, body, expect, ..first("p-2", "r-0000", new.card_id, &sealed) };
    store.apply(id, &[Change::Record(moved.into())]).await.unwrap();
    sql.restore(&["patient", "card", "endorsement", "patient_grant"]).await;
    let seen = look(&store, &world.clinic, &yesterday).await;
    assert!(matches!(seen, Seen::Refused(_)), "T031: {seen:?}");

    // T030: the whole database of yesterday. A client that follows today's roster refuses; one that has seen no newer
    // roster cannot know.
    sql.restore_all().await;
    let (version, roster) = world.clinic.closing(&[world.two.card_id], ClosedReason::Compromised);
    store.apply(id, &[Change::Roster { generation: 1, version, roster: &roster }]).await.unwrap();
    world.clinic.follow(&roster);
    let today = world.clinic.vault.pin().clone();
    sql.restore_all().await;
    let generations = store.generations(id).await.unwrap();
    let members = store.members(id).await.unwrap();
    let stale = Vault::load(today, &generations[0].descriptor, &generations[0].roster, &members);
    assert!(matches!(stale, Err(lukko::Error::Stale { .. })), "{stale:?}");
    assert!(look(&store, &world.clinic, &yesterday).await == before);
}

macro_rules! on_both {
    ($($name:ident, $case:ident;)*) => {
        mod sqlite {
            $(
                #[tokio::test]
                async fn $name() {
                    let scratch = tempfile::tempdir().unwrap();
                    let path = scratch.path().join("vault.db");
                    let store = super::SqliteStore::open(&path).await.unwrap();
                    super::$case(store, super::Sql::Sqlite(path)).await;
                }
            )*
        }
        mod postgresql {
            $(
                #[tokio::test]
                async fn $name() {
                    let Some((store, database)) = crate::postgres::open("tampering", 0).await else { return };
                    super::$case(store, super::Sql::Postgres(format!("postgres:///{database}"))).await;
                }
            )*
        }
    };
}

on_both! {
    t024_each_column_is_altered, each_column;
    t015_to_t023_swapped_moved_and_forged, swapped_moved_and_forged;
    t028_to_t032_rolled_back_and_dropped, rolled_back_and_dropped;
}
