//! A place holds one kind of record. Its field says which call opens it, and a thief of the database, who chooses bytes and
//! columns, does not.

use std::io::Write;
use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use lukko::{Card, Enrolment, FieldLabel, OsRng, Padding, RecordContext, Revision, StoredPatient};
use lukko_store::placed::RecordRow;
use lukko_store::{
    Attachments, Body, Change, Expect, Finding, How, KeyOf, MemoryStore, RekeyJob, SqliteStore, Store, VerifyJob,
    Worker,
};

use crate::clinic::{Clinic, field, first, patient, record, rekeyed, with_notes};
use crate::lifecycle::run;
use crate::postgres;

fn intake() -> FieldLabel<'static> {
    FieldLabel::new("intake").unwrap()
}

fn card(clinic: &Clinic, of: &Enrolment, older: &[&Enrolment]) -> Card {
    let cards: Vec<_> = older.iter().chain([&of]).map(|of| of.card.as_slice()).collect();
    let endorsement = of.endorsement.as_slice();
    let stored = StoredPatient { cards: &cards, endorsement, master_grant: &of.master_grant };
    clinic.vault.card(patient("p-1"), &stored, None).unwrap()
}

/// A deposit of Aalto's, whose id the library draws.
fn deposit(clinic: &mut Clinic, of: &Enrolment, field: FieldLabel<'_>) -> (String, Vec<u8>) {
    let card = card(clinic, of, &[]);
    deposit_to(clinic, &card, field)
}

fn deposit_to(clinic: &mut Clinic, card: &Card, field: FieldLabel<'_>) -> (String, Vec<u8>) {
    let made = clinic.vault.deposit(card, &clinic.aalto, field, Padding::Padme, b"ward 7", &mut clinic.rng).unwrap();
    (made.record, made.bytes)
}

/// A note that a reader seals.
fn note(clinic: &mut Clinic, of: &Enrolment, name: &str, field: FieldLabel<'_>) -> Vec<u8> {
    let place = RecordContext::new(record(name), field, Revision::FIRST);
    clinic.vault.seal(&of.key, &place, b"note", &mut clinic.rng).unwrap()
}

/// What a verify job finds of patient p-1.
async fn verify(store: &impl Store, clinic: &Clinic, attachments: Option<&Attachments>, job: &str) -> Vec<Finding> {
    let worker = Worker { store, vault: clinic.id(), job, lease: Duration::from_secs(60), clock: SystemTime::now };
    let (by, deposits) = (KeyOf::Member(&clinic.salo), &[intake()]);
    let task = VerifyJob { vault: &clinic.vault, by, attachments, deposits };
    let done: Vec<_> = worker.run(task).collect().await;
    done.into_iter().flat_map(|done| done.unwrap().findings).collect()
}

async fn put(store: &impl Store, clinic: &Clinic, place: (&str, FieldLabel<'_>, u64), of: &Enrolment, bytes: &[u8]) {
    let (name, field, revision) = place;
    let new = RecordRow { field: field.as_bytes(), revision, ..first("p-1", name, of.card_id, bytes) };
    store.apply(clinic.id(), &[Change::Record(new.into())]).await.unwrap();
}

async fn verify_knows_what_a_place_holds(store: impl Store) {
    let mut clinic = Clinic::new(0x2201);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let of = with_notes(&store, &mut clinic, "p-1", 1).await;
    // A deposit where deposits are kept, and one that was taken over.
    let (name, bytes) = deposit(&mut clinic, &of, intake());
    put(&store, &clinic, (&name, intake(), 0), &of, &bytes).await;
    let (taken, bytes) = deposit(&mut clinic, &of, intake());
    let bytes = clinic.vault.absorb(&of.key, record(&taken), intake(), &bytes, &mut clinic.rng).unwrap();
    put(&store, &clinic, (&taken, intake(), 0), &of, &bytes).await;
    assert_eq!(verify(&store, &clinic, None, "before").await, []);

    // In a note's place, under every revision that the column can say; and taken over there.
    let mut places = Vec::new();
    for (revision, absorbed) in [(0, false), (1, false), (0, true)] {
        let (name, mut bytes) = deposit(&mut clinic, &of, field());
        if absorbed {
            bytes = clinic.vault.absorb(&of.key, record(&name), field(), &bytes, &mut clinic.rng).unwrap();
        }
        put(&store, &clinic, (&name, field(), revision), &of, &bytes).await;
        places.push((name.into_bytes(), b"note".to_vec()));
    }
    // A note in a deposit's place.
    let note = note(&mut clinic, &of, "r-9", intake());
    put(&store, &clinic, ("r-9", intake(), 0), &of, &note).await;
    let findings = verify(&store, &clinic, None, "after").await;
    let named = |words: &str| {
        let found = findings.iter().filter(|finding| finding.reason.contains(words));
        let mut found: Vec<_> = found.map(|finding| finding.record.clone().unwrap()).collect();
        found.sort();
        found
    };
    places.sort();
    assert_eq!(named("a deposit stands in the place of a note"), places, "{findings:?}");
    assert_eq!(named("a note stands in the place of a deposit"), [(b"r-9".to_vec(), b"intake".to_vec())]);
    assert_eq!(findings.len(), 4, "{findings:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t022_verify_knows_what_a_place_holds() {
    let scratch = tempfile::tempdir().unwrap();
    verify_knows_what_a_place_holds(MemoryStore::new()).await;
    verify_knows_what_a_place_holds(SqliteStore::open(scratch.path().join("vault.db")).await.unwrap()).await;
    if let Some((store, _)) = postgres::open("places", 1).await {
        verify_knows_what_a_place_holds(store).await;
    }
}

/// Notes and deposits move from their own places only; what stands in a place of the other kind stays, and is named.
async fn a_rekey_moves_what_a_place_holds(store: impl Store) {
    let mut clinic = Clinic::new(0x2203);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let of = with_notes(&store, &mut clinic, "p-1", 1).await;
    let note = note(&mut clinic, &of, "r-9", intake());
    put(&store, &clinic, ("r-9", intake(), 0), &of, &note).await;
    let mut wrong = vec![b"r-9".to_vec()];
    for (field, is_wrong) in [(intake(), false), (field(), true)] {
        for absorbed in [false, true] {
            let (name, mut bytes) = deposit(&mut clinic, &of, field);
            if absorbed {
                bytes = clinic.vault.absorb(&of.key, record(&name), field, &bytes, &mut clinic.rng).unwrap();
            }
            put(&store, &clinic, (&name, field, 0), &of, &bytes).await;
            wrong.extend(is_wrong.then(|| name.into_bytes()));
        }
    }
    let new = rekeyed(&store, &mut clinic, "p-1", &of).await;
    // Under the new card already, and none of its place.
    let newer = card(&clinic, &new, &[&of]);
    let (name, bytes) = deposit_to(&mut clinic, &newer, field());
    put(&store, &clinic, (&name, field(), 0), &new, &bytes).await;
    wrong.push(name.into_bytes());
    let before = store.records(clinic.id(), patient("p-1"), None, 20).await.unwrap();
    for (job, how) in [("rewrap", How::Rewrap), ("reseal", How::Reseal)] {
        let (by, deposits) = (KeyOf::Member(&clinic.salo), &[intake()]);
        let task = RekeyJob { vault: &clinic.vault, by, how, attachments: None, deposits };
        let [done] = &run(&store, &clinic, job, task).await[..] else { panic!("one patient") };
        // One note, one deposit, and one that was taken over.
        assert_eq!(done.written, if how == How::Rewrap { 3 } else { 0 }, "{done:?}");
        let mut named: Vec<_> = done.findings.iter().map(|finding| finding.record.clone().unwrap().0).collect();
        named.sort();
        wrong.sort();
        assert_eq!(named, wrong, "{done:?}");
        assert!(done.findings.iter().all(|finding| finding.reason.contains("stands in the place of a")), "{done:?}");
    }
    for stored in store.records(clinic.id(), patient("p-1"), None, 20).await.unwrap() {
        match wrong.contains(&stored.record) {
            true => assert!(before.contains(&stored)),
            false => assert_eq!(stored.card, new.card_id),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t022_a_rekey_moves_what_a_place_holds() {
    let scratch = tempfile::tempdir().unwrap();
    a_rekey_moves_what_a_place_holds(MemoryStore::new()).await;
    a_rekey_moves_what_a_place_holds(SqliteStore::open(scratch.path().join("vault.db")).await.unwrap()).await;
    if let Some((store, _)) = postgres::open("places", 1).await {
        a_rekey_moves_what_a_place_holds(store).await;
    }
}

/// The same of objects: an attachment that was deposited is one where deposits are kept, and nowhere else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t022_verify_knows_whose_place_an_attachment_is_in() {
    let scratch = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(scratch.path().join("vault.db")).await.unwrap();
    let attachments = Attachments::local(scratch.path()).unwrap();
    let mut clinic = Clinic::new(0x2202);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let of = with_notes(&store, &mut clinic, "p-1", 0).await;
    let card = card(&clinic, &of, &[]);
    for field in [intake(), field()] {
        let sink = attachments.begin(&store, clinic.id(), 1).await.unwrap();
        let (vault, aalto) = (&clinic.vault, &clinic.aalto);
        let (name, object, length) = tokio::task::block_in_place(|| {
            let work = || {
                let deposit = vault.deposit_attachment(&card, aalto, field, Padding::Padme, sink, &mut OsRng);
                let mut writer = deposit.unwrap();
                writer.write_all(&[7; 70_000]).unwrap();
                let name = writer.record().to_owned();
                let (object, length) = writer.finish().unwrap().finish().unwrap().into_parts();
                (name, object, length)
            };
            std::thread::scope(|scope| scope.spawn(work).join().unwrap())
        });
        let (record, body) = (name.as_bytes(), Body::Object { object: &object, length });
        let (revision, card, expect) = (0, of.card_id, Expect::Absent);
        let new = RecordRow { patient: b"p-1", record, field: field.as_bytes(), revision, card, body, expect };
        store.apply(clinic.id(), &[Change::Record(new.into())]).await.unwrap();
    }
    let findings = verify(&store, &clinic, Some(&attachments), "verify").await;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].record.as_ref().unwrap().1, b"note");
    assert!(findings[0].reason.contains("a deposit stands in the place of a note"), "{findings:?}");
}
