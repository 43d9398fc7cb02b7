//! What was made for one place is stored there and nowhere else: every mix of two places is refused with a sentence, and
//! nothing was changed.

use lukko::{Enrolment, Padding, RecordContext, Revision, Suite};
use lukko_store::error::{Conflict, Mismatch};
use lukko_store::{
    AttachmentSealer, Attachments, Change, Error, Expect, NewCard, NewEndorsement, NewGrant, NewMasterGrant, NewRecord,
    Patient, Sealed, Spot, Store, StoredBody, Uploaded,
};

use crate::clinic::{Clinic, NextGeneration, TestRng, field, patient, record, rekeyed, with_notes};

const SPOT: (&str, &str) = ("p-1", "r-1");

fn spot((id, name): (&'static str, &'static str)) -> Spot<'static> {
    Spot { patient: patient(id), record: record(name), field: field() }
}

/// The sentence says that nothing was changed, and what to do.
fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> Mismatch {
    match result {
        Err(error @ Error::Mismatch(mismatch)) => {
            let text = error.to_string();
            assert!(text.ends_with("nothing was changed: store it where it belongs"), "{text}");
            mismatch
        }
        other => panic!("{other:?}"),
    }
}

/// Two patients with a note each, in a store.
struct Two {
    clinic: Clinic,
    one: Enrolment,
    other: Enrolment,
}

impl Two {
    async fn make(store: &impl Store, seed: u64) -> Self {
        let mut clinic = Clinic::new(seed);
        store.apply(clinic.id(), &clinic.founding()).await.unwrap();
        let one = with_notes(store, &mut clinic, "p-1", 1).await;
        let other = with_notes(store, &mut clinic, "p-2", 1).await;
        Self { clinic, one, other }
    }
}

pub async fn t016_t018_a_record_is_stored_in_its_place_only(store: impl Store) {
    let Two { mut clinic, one, other } = Two::make(&store, 0x1601).await;
    let (id, card) = (clinic.id(), one.card_id);
    let third = clinic.seal(&one.key, "r-1", 3, "text");
    let stored = |place, bytes: &[u8]| Sealed::from_bytes(&clinic.vault, spot(SPOT), place, bytes.to_vec());
    // Another revision, a deposit as a revision, and the reverse.
    assert_eq!(refused(stored((card, 4), &third)), Mismatch::Revision { named: 4, met: 3 });
    assert_eq!(refused(stored((card, 0), &third)), Mismatch::Revision { named: 0, met: 3 });
    let rows = store.patient(id, patient("p-1")).await.unwrap();
    let bytes = rows.card_bytes();
    let verified = clinic.vault.card(patient("p-1"), &rows.stored(1, &bytes).unwrap(), None).unwrap();
    let rng = &mut TestRng::new(0x1602);
    let deposit = clinic.vault.deposit(&verified, &clinic.aalto, field(), Padding::Padme, b"text", rng).unwrap();
    assert_eq!(refused(stored((card, 1), &deposit.bytes)), Mismatch::Revision { named: 1, met: 0 });
    // Under another patient's key.
    let (object, named, met) = (lukko::error::Object::Record, card, other.card_id);
    let place = RecordContext::new(record("r-1"), field(), Revision::FIRST);
    let foreign = clinic.vault.seal(&other.key, &place, b"text", rng).unwrap();
    assert_eq!(refused(stored((card, 1), &foreign)), Mismatch::Card { object, named, met });
    // Of a vault of another suite, and what is no record at all.
    let mut xwing = Clinic::of(Suite::XWing, TestRng::new(0x1603));
    let (elsewhere, _) = xwing.enrol("p-1");
    let strange = xwing.seal(&elsewhere.key, "r-1", 1, "text");
    assert_eq!(refused(stored((elsewhere.card_id, 1), &strange)), Mismatch::Suite);
    let none = stored((card, 1), b"text");
    assert!(matches!(none, Err(Error::Core(lukko::Error::Malformed { .. }))), "{none:?}");
    // Sealed for one record it is stored as that record, whoever stores it; and in no other vault.
    let sealed = Sealed::note(&clinic.vault, &one.key, &place, b"text", rng).unwrap();
    let change = [Change::Record(NewRecord::new(&sealed, Expect::Absent))];
    let elsewhere = store.apply(xwing.id(), &change).await;
    assert_eq!(refused(elsewhere), Mismatch::Vault(lukko::error::Object::Record));
    store.apply(id, &change).await.unwrap();
    let row = store.record(id, patient("p-1"), record("r-1"), field()).await.unwrap().unwrap();
    assert_eq!((row.revision, row.card, &row.body), (1, card, sealed.body()));
    let StoredBody::Sealed(bytes) = &row.body else { panic!("{row:?}") };
    assert_eq!(clinic.vault.open(&one.key, record("r-1"), field(), bytes).unwrap().plaintext.as_bytes(), b"text");
    // The key says whose record it is: what is sealed under p-2's key goes to p-2.
    let sealed = Sealed::note(&clinic.vault, &other.key, &place, b"of p-2", rng).unwrap();
    store.apply(id, &[Change::Record(NewRecord::new(&sealed, Expect::Absent))]).await.unwrap();
    assert!(store.record(id, patient("p-2"), record("r-1"), field()).await.unwrap().is_some());
    // Bytes that are named for p-1 with p-2's card: the store knows whose card is current.
    let sealed = Sealed::from_bytes(&clinic.vault, spot(("p-1", "r-2")), (other.card_id, 1), foreign).unwrap();
    let refused = store.apply(id, &[Change::Record(NewRecord::new(&sealed, Expect::Absent))]).await;
    assert!(matches!(refused, Err(Error::Conflict(Conflict::Card))), "{refused:?}");
    assert!(store.record(id, patient("p-1"), record("r-2"), field()).await.unwrap().is_none());
    // A deposit takes no note's place.
    let deposit = Sealed::from_bytes(&clinic.vault, spot(SPOT), (card, 0), deposit.bytes).unwrap();
    let over = store.apply(id, &[Change::Record(NewRecord::new(&deposit, Expect::Revision(1)))]).await;
    assert!(matches!(over, Err(Error::Usage(lukko_store::error::Usage::RevisionBackwards))), "{over:?}");
}

pub async fn t016_t023_an_attachments_object_is_named_by_its_record_only(store: impl Store) {
    let Two { clinic, one, other } = Two::make(&store, 0x2302).await;
    let (id, directory) = (clinic.id(), tempfile::tempdir().unwrap());
    let attachments = Attachments::local(directory.path()).unwrap();
    let sink = attachments.begin(&store, id, 5).await.unwrap();
    let vault = clinic.vault.clone();
    let (key, card) = (one.key, one.card_id);
    let work = move || {
        let (rng, place) = (&mut TestRng::new(0x2303), RecordContext::new(record("a-1"), field(), Revision::FIRST));
        let mut sealer = AttachmentSealer::begin(&vault, &key, &place, sink, rng).unwrap();
        std::io::Write::write_all(&mut sealer, &[7; 40_000]).unwrap();
        sealer.finish().unwrap()
    };
    let sealed = tokio::task::spawn_blocking(work).await.unwrap();
    assert_eq!((sealed.record(), sealed.revision(), sealed.card()), (&b"a-1"[..], 1, card));
    let StoredBody::Object { object, length } = sealed.body().clone() else { panic!("an object") };
    store.apply(id, &[Change::Record(NewRecord::new(&sealed, Expect::Absent))]).await.unwrap();
    // Uploaded by other means: its first bytes say what it is.
    let path = directory.path().join(id.to_string()).join(&object);
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(length, bytes.len() as u64);
    let uploaded = || Uploaded::new(object.clone(), length, bytes[..lukko::claimed::Record::BEGIN].to_vec());
    let named = |place| Sealed::from_object(&clinic.vault, spot(("p-1", "a-1")), place, uploaded());
    assert_eq!(named((card, 1)).unwrap(), sealed);
    assert_eq!(refused(named((card, 2))), Mismatch::Revision { named: 2, met: 1 });
    let (kind, met) = (lukko::error::Object::Record, card);
    assert_eq!(refused(named((other.card_id, 1))), Mismatch::Card { object: kind, named: other.card_id, met });
}

pub async fn t017_t020_keys_are_stored_in_their_place_only(store: impl Store) {
    let Two { mut clinic, one, other } = Two::make(&store, 0x1701).await;
    let (id, before) = (clinic.id(), store.patient(clinic.id(), patient("p-1")).await.unwrap());
    let (p1, card) = (patient("p-1"), one.card_id);
    // A card, and an enrolment, of another patient; one of another generation; a card that follows another one.
    assert_eq!(refused(NewCard::new(p1, &other.card)), Mismatch::Patient);
    let enrolled = lukko_store::enrolment(p1, 1, &other, &[]);
    assert_eq!(refused(enrolled), Mismatch::Patient);
    let object = lukko::error::Object::Endorsement;
    let late = lukko_store::enrolment(p1, 2, &one, &[]);
    assert_eq!(refused(late), Mismatch::Generation { object, named: 2, met: Some(1) });
    let next = clinic.vault.rekey(lukko::Enroller::Member(&clinic.salo), &one.key, &mut clinic.rng).unwrap();
    assert_eq!(refused(lukko_store::enrolment(p1, 1, &next, &[])), Mismatch::Previous);
    // The endorsement of another card, and one beside another master grant.
    let endorse = |card, endorsement, grant| NewEndorsement::new(p1, (card, 1), endorsement, grant);
    let (named, met) = (card, other.card_id);
    let endorsed = endorse(card, &other.endorsement, &other.master_grant);
    assert_eq!(refused(endorsed), Mismatch::Card { object, named, met });
    let again = clinic.vault.endorse(lukko::Enroller::Member(&clinic.salo), &one.key, &mut clinic.rng).unwrap();
    assert_eq!(refused(endorse(card, &again.endorsement, &one.master_grant)), Mismatch::MasterGrant);
    let object = lukko::error::Object::Grant;
    let mixed = endorse(card, &one.endorsement, &other.master_grant);
    assert_eq!(refused(mixed), Mismatch::Card { object, named, met });
    // Grants: of another card, to somebody else, to a member where a master key is meant, and of another generation.
    let [salo, aalto] = [clinic.salo.fingerprint(), clinic.aalto.fingerprint()];
    let grant = clinic.vault.grant(&one.key, aalto, &mut clinic.rng).unwrap();
    let of_other = clinic.vault.grant(&other.key, aalto, &mut clinic.rng).unwrap();
    let from_bytes = |to, bytes| NewGrant::from_bytes(p1, (card, to), bytes);
    assert_eq!(refused(from_bytes(aalto, &of_other.bytes)), Mismatch::Card { object, named, met });
    let enrolled = lukko_store::enrolment(p1, 1, &one, std::slice::from_ref(&of_other));
    assert_eq!(refused(enrolled), Mismatch::Card { object, named, met });
    assert_eq!(refused(from_bytes(salo, &grant.bytes)), Mismatch::Recipient { named: salo, met: aalto });
    let Mismatch::Recipient { named: aalto_key, .. } = refused(from_bytes(aalto, &one.master_grant)) else { panic!() };
    assert_eq!(aalto_key, aalto);
    let master = |generation, bytes| NewMasterGrant::new(p1, (card, generation), bytes);
    assert_eq!(refused(master(1, &grant.bytes)), Mismatch::Generation { object, named: 1, met: None });
    assert_eq!(refused(master(2, &one.master_grant)), Mismatch::Generation { object, named: 2, met: Some(1) });
    assert_eq!(refused(master(1, &other.master_grant)), Mismatch::Card { object, named, met });
    // A whole grant of p-2, given for p-1: the store knows whose card it is.
    let foreign = store.apply(id, &[Change::Grant(NewGrant::new(p1, &of_other).unwrap())]).await;
    assert!(matches!(foreign, Err(Error::Conflict(Conflict::Card))), "{foreign:?}");
    // Another vault's, with everything of it.
    let mut elsewhere = Clinic::new(0x1702);
    let (theirs, grants) = elsewhere.enrol("p-1");
    let kind = lukko::error::Object::Card;
    let changes = lukko_store::enrolment(p1, 1, &theirs, &grants).unwrap();
    assert_eq!(refused(store.apply(id, &changes).await), Mismatch::Vault(kind));
    let kind = lukko::error::Object::Endorsement;
    assert_eq!(refused(store.apply(id, &changes[1..2]).await), Mismatch::Vault(kind));
    assert_eq!(refused(store.apply(id, &changes[2..]).await), Mismatch::Vault(object));
    let theirs = NewMasterGrant::new(p1, (theirs.card_id, 1), &theirs.master_grant).unwrap();
    assert_eq!(refused(store.apply(id, &[Change::MasterGrant(theirs)]).await), Mismatch::Vault(object));
    assert_eq!(store.patient(id, p1).await.unwrap(), before);
    store.apply(id, &[Change::Grant(NewGrant::new(p1, &grant).unwrap())]).await.unwrap();
    assert_ne!(store.patient(id, p1).await.unwrap(), Patient::default());
}

/// A re-key and a rotation store what they made, in its place.
pub async fn t093_t095_jobs_store_what_fits(store: impl Store) {
    let Two { mut clinic, one, .. } = Two::make(&store, 0x9303).await;
    let two = rekeyed(&store, &mut clinic, "p-1", &one).await;
    let next = NextGeneration::store(&store, &mut clinic).await;
    let by = lukko::Enroller::Root(&next.rotation.master);
    let step = lukko::PatientRotation { from: &clinic.vault, master: &next.old, to: &next.vault, by };
    let done = crate::lifecycle::run(&store, &clinic, "rotation", lukko_store::RotationJob { step }).await;
    assert!(done.iter().all(|done| done.findings.is_empty()), "{done:?}");
    let by = lukko_store::KeyOf::Master(&next.rotation.master);
    let (vault, how) = (&next.vault, lukko_store::How::Reseal);
    let task = lukko_store::RekeyJob { vault, by, how, attachments: None, deposits: &[] };
    let done = crate::lifecycle::run(&store, &clinic, "rekey", task).await;
    assert!(done.iter().all(|done| done.findings.is_empty()), "{done:?}");
    let row = store.record(clinic.id(), patient("p-1"), record("r-0000"), field()).await.unwrap().unwrap();
    let StoredBody::Sealed(bytes) = &row.body else { panic!("{row:?}") };
    let claimed = lukko::claimed::Record::read(bytes).unwrap();
    assert_eq!((claimed.card, claimed.revision, row.card, row.revision), (two.card_id, 1, two.card_id, 1));
}

/// Taken over once, a second time gives none; and what only says that it was taken over is refused.
pub async fn t155_a_deposit_is_taken_over_once(store: impl Store) {
    let Two { mut clinic, one, .. } = Two::make(&store, 0x1555).await;
    let rows = store.patient(clinic.id(), patient("p-1")).await.unwrap();
    let cards = rows.card_bytes();
    let card = clinic.vault.card(patient("p-1"), &rows.stored(1, &cards).unwrap(), None).unwrap();
    let rng = &mut clinic.rng;
    let left = Sealed::deposit(&clinic.vault, &card, &clinic.aalto, field(), Padding::Padme, b"ward 7", rng).unwrap();
    store
        .apply(clinic.vault.descriptor().vault(), &[Change::Record(NewRecord::new(&left, Expect::Absent))])
        .await
        .unwrap();
    let StoredBody::Sealed(deposit) = left.body().clone() else { panic!("a deposit") };
    let place = (lukko::RecordId::new(left.record()).unwrap(), field());
    let take = |bytes: &[u8]| Sealed::absorbed(&clinic.vault, &one.key, place, bytes, &mut TestRng::new(0x1556));
    let taken = take(&deposit).unwrap().unwrap();
    assert_eq!((taken.record(), taken.revision(), taken.card()), (left.record(), 0, one.card_id));
    let expect = Expect::Body(lukko_store::Body::Sealed(&deposit));
    let change = [Change::Record(NewRecord::new(&taken, expect))];
    store.apply(clinic.vault.descriptor().vault(), &change).await.unwrap();
    let StoredBody::Sealed(mut absorbed) = taken.body().clone() else { panic!("a record") };
    assert_eq!(take(&absorbed).unwrap(), None);
    *absorbed.last_mut().unwrap() ^= 1;
    assert!(take(&absorbed).is_err());
}

/// The row says that an attachment is under the current card, and the object is under the older one: a re-key names it.
pub async fn t024_a_rekey_looks_into_attachments(store: impl Store) {
    let Two { mut clinic, one, .. } = Two::make(&store, 0x2402).await;
    let (id, directory) = (clinic.id(), tempfile::tempdir().unwrap());
    let attachments = Attachments::local(directory.path()).unwrap();
    let new = rekeyed(&store, &mut clinic, "p-1", &one).await;
    for (name, key, card) in [("old", &one.key, new.card_id), ("new", &new.key, new.card_id)] {
        let sink = attachments.begin(&store, id, 5).await.unwrap();
        let place = RecordContext::new(record(name), field(), Revision::FIRST);
        let work = || {
            let rng = &mut TestRng::new(0x2403);
            let mut sealer = AttachmentSealer::begin(&clinic.vault, key, &place, sink, rng).unwrap();
            std::io::Write::write_all(&mut sealer, &[7; 40_000]).unwrap();
            sealer.finish().unwrap()
        };
        let sealed = tokio::task::block_in_place(|| std::thread::scope(|scope| scope.spawn(work).join().unwrap()));
        let StoredBody::Object { object, length } = sealed.body() else { panic!("an object") };
        let body = lukko_store::Body::Object { object, length: *length };
        let row = lukko_store::placed::RecordRow { body, ..crate::clinic::first("p-1", name, card, b"") };
        store.apply(id, &[Change::Record(row.into())]).await.unwrap();
    }
    let (vault, by, how) = (&clinic.vault, lukko_store::KeyOf::Member(&clinic.salo), lukko_store::How::Reseal);
    let task = lukko_store::RekeyJob { vault, by, how, attachments: Some(&attachments), deposits: &[] };
    let done = crate::lifecycle::run(&store, &clinic, "rekey", task).await;
    let findings: Vec<_> = done.iter().flat_map(|done| &done.findings).collect();
    let [finding] = findings[..] else { panic!("{done:?}") };
    assert_eq!(finding.record, Some((b"old".to_vec(), b"note".to_vec())));
    // Without the objects nobody can say where they are.
    let task = lukko_store::RekeyJob { attachments: None, ..task };
    let done = crate::lifecycle::run(&store, &clinic, "rekey again", task).await;
    assert_eq!(done.iter().map(|done| done.findings.len()).sum::<usize>(), 2, "{done:?}");
}

/// A generation was retired although it had the last way to an older card. A copy that goes on does not judge that anew.
pub async fn t142_a_copy_goes_on_behind_a_retirement(store: impl Store) {
    let Two { mut clinic, one, other } = Two::make(&store, 0x1420).await;
    let (id, losing) = (clinic.id(), [patient("p-1")]);
    let two = rekeyed(&store, &mut clinic, "p-1", &one).await;
    let next = NextGeneration::store(&store, &mut clinic).await;
    let by = lukko::Enroller::Root(&next.rotation.master);
    for (name, key) in [("p-1", &two.key), ("p-2", &other.key)] {
        let endorsed = next.vault.endorse(by, key, &mut clinic.rng).unwrap();
        let (endorsement, grant) = (&endorsed.endorsement, &endorsed.master_grant);
        let new = NewEndorsement::new(patient(name), (key.card(), 2), endorsement, grant).unwrap();
        store.apply(id, &[Change::Endorse(new)]).await.unwrap();
    }
    store.apply(id, &[Change::Retire { generation: 1, losing: &losing }]).await.unwrap();
    let copied = lukko_store::MemoryStore::new();
    for _ in 0..2 {
        let whole = lukko_store::copy(&store, &copied, &clinic.vault).await.unwrap();
        assert_eq!((whole.patients, whole.records), (2, 2));
    }
    assert!(copied.generations(id).await.unwrap()[0].retired);
}
