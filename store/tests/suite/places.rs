//! A place holds one kind of record. Its field says which call opens it, and a thief of the database, who chooses bytes and
//! columns, does not.

use std::io::Write;
use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use lukko::{Card, Enrolment, FieldLabel, OsRng, Padding, RecordContext, RecordId, Revision, StoredPatient};
use lukko_store::{
    Attachments, Body, Change, Expect, Finding, KeyOf, MemoryStore, NewRecord, SqliteStore, Store, VerifyJob, Worker,
};

use crate::clinic::{Clinic, field, first, patient, record, with_notes};
use crate::postgres;

fn intake() -> FieldLabel<'static> {
    FieldLabel::new("intake").unwrap()
}

fn card(clinic: &Clinic, of: &Enrolment) -> Card {
    let (cards, endorsement) = ([of.card.as_slice()], of.endorsement.as_slice());
    let stored = StoredPatient { cards: &cards, endorsement, master_grant: &of.master_grant };
    clinic.vault.card(patient("p-1"), &stored, None).unwrap()
}

/// A deposit of Aalto's, whose id the library draws.
fn deposit(clinic: &mut Clinic, of: &Enrolment, field: FieldLabel<'_>) -> (String, Vec<u8>) {
    let card = card(clinic, of);
    let made = clinic.vault.deposit(&card, &clinic.aalto, field, Padding::Padme, b"ward 7", &mut clinic.rng).unwrap();
    (made.record, made.bytes)
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
    let new = NewRecord { field, revision, ..first("p-1", name, of.card_id, bytes) };
    store.apply(clinic.id(), &[Change::Record(new)]).await.unwrap();
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
    let place = RecordContext::new(record("r-9"), intake(), Revision::FIRST);
    let note = clinic.vault.seal(&of.key, &place, b"note", &mut clinic.rng).unwrap();
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

/// The same of objects: an attachment that was deposited is one where deposits are kept, and nowhere else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t022_verify_knows_whose_place_an_attachment_is_in() {
    let scratch = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(scratch.path().join("vault.db")).await.unwrap();
    let attachments = Attachments::local(scratch.path()).unwrap();
    let mut clinic = Clinic::new(0x2202);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let of = with_notes(&store, &mut clinic, "p-1", 0).await;
    let card = card(&clinic, &of);
    for field in [intake(), field()] {
        let sink = attachments.begin(&store, clinic.id(), 1).await.unwrap();
        let (vault, aalto) = (&clinic.vault, &clinic.aalto);
        let (name, object, length) = tokio::task::block_in_place(|| {
            let work = || {
                let deposit = vault.deposit_attachment(&card, aalto, field, Padding::Padme, sink, &mut OsRng);
                let mut writer = deposit.unwrap();
                writer.write_all(&[7; 70_000]).unwrap();
                let name = writer.record().to_owned();
                let (object, length) = writer.finish().unwrap().finish().unwrap();
                (name, object, length)
            };
            std::thread::scope(|scope| scope.spawn(work).join().unwrap())
        });
        let (record, body) = (RecordId::new(&name).unwrap(), Body::Object { object: &object, length });
        let (revision, card, expect) = (0, of.card_id, Expect::Absent);
        let new = NewRecord { patient: patient("p-1"), record, field, revision, card, body, expect };
        store.apply(clinic.id(), &[Change::Record(new)]).await.unwrap();
    }
    let findings = verify(&store, &clinic, Some(&attachments), "verify").await;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].record.as_ref().unwrap().1, b"note");
    assert!(findings[0].reason.contains("a deposit stands in the place of a note"), "{findings:?}");
}
