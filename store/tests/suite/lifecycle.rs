//! The bookkeeping of a vault's life: the quorum's way to every record, erasures that leave nothing, receipts that are not
//! early, and sweeps that delete nothing in use.

use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use lukko::{CardId, ClosedReason, Enroller, PatientRotation};
use lukko_store::error::{Conflict, Counted, Missing, Usage};
use lukko_store::placed::{EndorsementRow, MasterGrantRow, RecordRow};
use lukko_store::{
    Attachments, Body, Change, Error, How, JobKind, KeyOf, NewCard, NewEndorsement, NewGeneration, Over, Progress,
    RekeyJob, RotationJob, Store, Task, VerifyJob, Worker,
};

use crate::clinic::{Clinic, NextGeneration, first, patient, rekeyed, with_notes};

pub async fn run<T: Task + Send>(store: &impl Store, clinic: &Clinic, job: &str, task: T) -> Vec<Progress> {
    let (vault, lease) = (clinic.id(), Duration::from_secs(60));
    let worker = Worker { store, vault, job, lease, clock: SystemTime::now };
    worker.run(task).map(Result::unwrap).collect().await
}

pub fn findings(done: &[Progress]) -> Vec<&str> {
    done.iter().flat_map(|progress| &progress.findings).map(|finding| finding.reason.as_str()).collect()
}

pub fn rotation<'a>(clinic: &'a Clinic, next: &'a NextGeneration) -> RotationJob<'a> {
    let by = Enroller::Root(&next.rotation.master);
    RotationJob { step: PatientRotation { from: &clinic.vault, master: &next.old, to: &next.vault, by } }
}

const RETIRE: [Change<'_>; 1] = [Change::Retire { generation: 1, losing: &[] }];

/// A quorum of the next generation reads every record, whatever card it is under.
async fn the_next_quorum_reads_all(store: &impl Store, clinic: &Clinic, next: &NextGeneration, job: &str) {
    let by = KeyOf::Master(&next.rotation.master);
    let verified =
        run(store, clinic, job, VerifyJob { vault: &next.vault, by, attachments: None, deposits: &[] }).await;
    assert!(!verified.is_empty());
    assert_eq!(findings(&verified), [""; 0]);
}

/// The rotation brings a patient into the next generation; a client of the old one, which has not heard of it, re-keys the
/// patient; another rotation brings the new card. The records under the old card still open to the next quorum.
pub async fn t093_a_rekey_by_a_late_client_leaves_the_quorum_its_way(store: impl Store) {
    let mut clinic = Clinic::new(0x2201);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let one = with_notes(&store, &mut clinic, "p-1", 3).await;
    let next = NextGeneration::store(&store, &mut clinic).await;
    assert_eq!(findings(&run(&store, &clinic, "rotation", rotation(&clinic, &next)).await), [""; 0]);
    the_next_quorum_reads_all(&store, &clinic, &next, "verify").await;
    let kept = store.patient(clinic.id(), patient("p-1")).await.unwrap().master_grant(one.card_id, 2).unwrap().to_vec();
    rekeyed(&store, &mut clinic, "p-1", &one).await;
    let early = store.apply(clinic.id(), &RETIRE).await;
    assert!(matches!(early, Err(Error::Usage(Usage::NotRotated(1)))), "{early:?}");
    assert_eq!(findings(&run(&store, &clinic, "rotation again", rotation(&clinic, &next)).await), [""; 0]);
    let stored = store.patient(clinic.id(), patient("p-1")).await.unwrap();
    assert_eq!(stored.master_grant(one.card_id, 2), Some(&kept[..]));
    store.apply(clinic.id(), &RETIRE).await.unwrap();
    the_next_quorum_reads_all(&store, &clinic, &next, "verify again").await;
    // It moves the records to the new card, too.
    let by = KeyOf::Master(&next.rotation.master);
    let task = RekeyJob { vault: &next.vault, by, how: How::Reseal, attachments: None, deposits: &[] };
    let moved = run(&store, &clinic, "rekey", task).await;
    assert_eq!((findings(&moved), moved[0].written), (vec![], 3));
}

/// Somebody has written a row where the older card's master grant of the next generation belongs. The rotation replaces
/// it, whoever endorses: the new root, which sees that it does not open, or an enroller, who cannot see that.
pub async fn t093_a_planted_master_grant_of_an_older_card_is_replaced(store: impl Store) {
    let mut clinic = Clinic::new(0x2202);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let mut cards = Vec::new();
    for id in ["p-1", "p-2"] {
        let one = with_notes(&store, &mut clinic, id, 2).await;
        rekeyed(&store, &mut clinic, id, &one).await;
        cards.push(one.card_id);
    }
    let next = NextGeneration::store(&store, &mut clinic).await;
    let plant = |id, card| {
        Change::MasterGrant(
            MasterGrantRow { patient: patient(id), card, generation: 2, grant: b"planted", replaces: None }.into(),
        )
    };
    store.apply(clinic.id(), &[plant("p-1", cards[0])]).await.unwrap();
    assert_eq!(findings(&run(&store, &clinic, "rotation", rotation(&clinic, &next)).await), [""; 0]);
    the_next_quorum_reads_all(&store, &clinic, &next, "verify").await;
    // Everything opens: nothing is written again.
    let again = run(&store, &clinic, "rotation again", rotation(&clinic, &next)).await;
    assert_eq!(again.iter().map(|progress| progress.written).sum::<u64>(), 0);
    // Planted over the one that opened, and an enroller rotates.
    let stored = store.patient(clinic.id(), patient("p-2")).await.unwrap();
    let there = stored.master_grant(cards[1], 2).unwrap();
    let replaced = Change::MasterGrant(
        MasterGrantRow {
            patient: patient("p-2"),
            card: cards[1],
            generation: 2,
            grant: b"planted",
            replaces: Some(there),
        }
        .into(),
    );
    store.apply(clinic.id(), &[replaced]).await.unwrap();
    let (grant, replaces) = (&b"another"[..], Some(there));
    let other = Change::MasterGrant(
        MasterGrantRow { patient: patient("p-2"), card: cards[1], generation: 2, grant, replaces }.into(),
    );
    let late = store.apply(clinic.id(), &[other]).await;
    assert!(matches!(late, Err(Error::Conflict(Conflict::Grant))), "{late:?}");
    let by = Enroller::Member(&clinic.salo);
    let step = PatientRotation { by, ..rotation(&clinic, &next).step };
    assert_eq!(findings(&run(&store, &clinic, "rotation by an enroller", RotationJob { step }).await), [""; 0]);
    store.apply(clinic.id(), &RETIRE).await.unwrap();
    the_next_quorum_reads_all(&store, &clinic, &next, "verify again").await;
}

/// An endorsement that takes the place of another card's leaves that card's master grant, byte for byte.
pub async fn t093_an_endorsement_keeps_the_master_grant_of_the_card_before(store: impl Store) {
    let mut clinic = Clinic::new(0x2203);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let one = with_notes(&store, &mut clinic, "p-1", 1).await;
    let new = clinic.vault.rekey(Enroller::Member(&clinic.salo), &one.key, &mut clinic.rng).unwrap();
    // No `Change::MasterGrant`, which a caller may forget.
    let id = patient("p-1");
    let endorse = NewEndorsement::new(id, (new.card_id, 1), &new.endorsement, &new.master_grant).unwrap();
    let changes = [
        Change::Card(NewCard::new(id, &new.card).unwrap()),
        Change::Endorse(endorse.replacing(Some(&one.endorsement))),
    ];
    store.apply(clinic.id(), &changes).await.unwrap();
    let stored = store.patient(clinic.id(), patient("p-1")).await.unwrap();
    assert_eq!(stored.master_grant(one.card_id, 1), Some(&one.master_grant[..]));
    assert_eq!(stored.master_grant(new.card_id, 1), Some(&new.master_grant[..]));
}

fn endorse<'a>(card: CardId, endorsement: &'a [u8], replaces: Option<&'a [u8]>) -> Change<'a> {
    let (patient, master_grant) = (patient("p-1"), &b"grant"[..]);
    Change::Endorse(EndorsementRow { patient, card, generation: 2, endorsement, master_grant, replaces }.into())
}

/// A generation stays while it has the last way to a card that is current or carries records; one without records is
/// nobody's loss.
pub async fn t093_a_generation_with_the_last_way_to_a_card_is_not_retired(store: impl Store) {
    let mut clinic = Clinic::new(0x2204);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let one = with_notes(&store, &mut clinic, "p-1", 1).await;
    NextGeneration::store(&store, &mut clinic).await;
    let refused = async |count: u64| {
        let refused = store.apply(clinic.id(), &RETIRE).await;
        assert!(matches!(refused, Err(Error::Usage(Usage::NotRotated(met))) if met == count), "{refused:?}");
    };
    refused(1).await;
    store.apply(clinic.id(), &[endorse(one.card_id, b"one", None)]).await.unwrap();
    // The endorsement of the next generation is that of the card before.
    let by = Enroller::Member(&clinic.salo);
    let two = clinic.vault.rekey(by, &one.key, &mut crate::clinic::TestRng::new(0x22_0401)).unwrap();
    let replaces =
        lukko_store::Replaced { card: one.card_id, endorsement: &one.endorsement, master_grant: &one.master_grant };
    store
        .apply(clinic.id(), &lukko_store::next_card(patient("p-1"), 1, Some(replaces), &two, &[]).unwrap())
        .await
        .unwrap();
    refused(1).await;
    // And now that of the current card; the grant of the card before stays.
    store.apply(clinic.id(), &[endorse(two.card_id, b"two", Some(b"one"))]).await.unwrap();
    let stored = store.patient(clinic.id(), patient("p-1")).await.unwrap();
    assert_eq!(stored.master_grant(one.card_id, 2), Some(&b"grant"[..]));
    store.apply(clinic.id(), &RETIRE).await.unwrap();
    // Nothing is stored for a generation that is retired.
    let grant = Change::MasterGrant(
        MasterGrantRow { patient: patient("p-1"), card: one.card_id, generation: 1, grant: b"late", replaces: None }
            .into(),
    );
    let late = store.apply(clinic.id(), &[grant]).await;
    assert!(matches!(late, Err(Error::Stale { what: Counted::Generation, stored: 2, given: 1 })), "{late:?}");
}

/// An older card, re-keyed before the rotation, of which the next generation got no master grant.
pub async fn t093_an_older_card_with_records_keeps_its_generation(store: impl Store) {
    let mut clinic = Clinic::new(0x2205);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let one = with_notes(&store, &mut clinic, "p-1", 1).await;
    let two = rekeyed(&store, &mut clinic, "p-1", &one).await;
    let next = NextGeneration::store(&store, &mut clinic).await;
    // A client endorses the current card, and does nothing about the older one.
    let by = Enroller::Root(&next.rotation.master);
    let endorsed = next.vault.endorse(by, &two.key, &mut clinic.rng).unwrap();
    let change = EndorsementRow {
        patient: patient("p-1"),
        card: two.card_id,
        generation: 2,
        endorsement: &endorsed.endorsement,
        master_grant: &endorsed.master_grant,
        replaces: None,
    };
    store.apply(clinic.id(), &[Change::Endorse(change.into())]).await.unwrap();
    let refused = store.apply(clinic.id(), &RETIRE).await;
    assert!(matches!(refused, Err(Error::Usage(Usage::NotRotated(1)))), "{refused:?}");
    // Verification names the card, also where a member's own grant opens it.
    let task = VerifyJob { vault: &clinic.vault, by: KeyOf::Member(&clinic.salo), attachments: None, deposits: &[] };
    let verified = run(&store, &clinic, "verify", task).await;
    let expected = format!("card {} carries records, and generation 2 has no master grant of it", one.card_id);
    assert_eq!(findings(&verified), [expected]);
    assert_eq!(findings(&run(&store, &clinic, "rotation", rotation(&clinic, &next)).await), [""; 0]);
    store.apply(clinic.id(), &RETIRE).await.unwrap();
    the_next_quorum_reads_all(&store, &clinic, &next, "verify again").await;
}

/// Where the old generation's master grant of an older card is gone too, the rotation says so, and names the card.
pub async fn t093_a_rotation_names_the_older_card_that_it_cannot_bring(store: impl Store) {
    let mut clinic = Clinic::new(0x2206);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let one = with_notes(&store, &mut clinic, "p-1", 1).await;
    rekeyed(&store, &mut clinic, "p-1", &one).await;
    let replaced = Change::MasterGrant(
        MasterGrantRow {
            patient: patient("p-1"),
            card: one.card_id,
            generation: 1,
            grant: b"damaged",
            replaces: Some(&one.master_grant),
        }
        .into(),
    );
    store.apply(clinic.id(), &[replaced]).await.unwrap();
    let next = NextGeneration::store(&store, &mut clinic).await;
    let done = run(&store, &clinic, "rotation", rotation(&clinic, &next)).await;
    let [finding] = findings(&done)[..] else { panic!("{done:?}") };
    assert!(finding.starts_with(&format!("card {}: ", one.card_id)), "{finding}");
    // The rest was done: the current card is in the next generation.
    assert_eq!(next.every_patient_opens(&store).await, 1);
    let refused = store.apply(clinic.id(), &RETIRE).await;
    assert!(matches!(refused, Err(Error::Usage(Usage::NotRotated(1)))), "{refused:?}");
}

/// An object that a record names stays, whatever row says that none does; one that is given up is named by none.
pub async fn t107_a_sweep_takes_no_object_that_a_record_names(store: impl Store) {
    let directory = tempfile::tempdir().unwrap();
    let attachments = Attachments::local(directory.path()).unwrap();
    let mut clinic = Clinic::new(0x2401);
    let id = clinic.id();
    store.apply(id, &clinic.founding()).await.unwrap();
    let one = with_notes(&store, &mut clinic, "p-1", 0).await;
    let upload = async |text: &'static [u8]| {
        let mut sink = attachments.begin(&store, id, 5).await.unwrap();
        let write = move || {
            std::io::Write::write_all(&mut sink, text).unwrap();
            sink.finish().unwrap().into_parts()
        };
        tokio::task::spawn_blocking(write).await.unwrap().0
    };
    let (named, late, drawn) = (upload(b"named").await, upload(b"late").await, "0".repeat(32));
    let record = |name: &'static str, object| RecordRow {
        body: Body::Object { object, length: 5 },
        ..first("p-1", name, one.card_id, b"")
    };
    store.apply(id, &[Change::Record(record("a-1", &named).into())]).await.unwrap();
    // Rows that a thief writes: of an object in use, of a name that was never drawn, and of a path.
    for object in [&named[..], &drawn, "../../etc/passwd"] {
        store.apply(id, &[Change::Upload { object, at: 1 }]).await.unwrap();
    }
    let refused = store.apply(id, &[Change::GiveUp { object: &named }]).await;
    assert!(matches!(refused, Err(Error::Conflict(Conflict::Object))), "{refused:?}");
    assert_eq!(attachments.sweep(&store, id, 3).await.unwrap(), 1);
    assert!(store.unnamed_objects(id, 3, 10).await.unwrap().is_empty());
    attachments.source(id, &named).await.unwrap();
    // What is given up is named by no record any more, and then it is deleted.
    store.apply(id, &[Change::GiveUp { object: &late }]).await.unwrap();
    let refused = store.apply(id, &[Change::Record(record("a-2", &late).into())]).await;
    assert!(matches!(refused, Err(Error::Missing(Missing::Object))), "{refused:?}");
    assert_eq!(attachments.sweep_given_up(&store, id).await.unwrap(), 1);
    let gone = attachments.source(id, &late).await;
    assert!(matches!(gone, Err(Error::Missing(Missing::Object))), "{gone:?}");
    let forgotten = store.apply(id, &[Change::GiveUp { object: &late }]).await;
    assert!(matches!(forgotten, Err(Error::Missing(Missing::Object))), "{forgotten:?}");
    attachments.source(id, &named).await.unwrap();
}

/// After a re-key the report names the older card until a roster closes it.
pub async fn t095_a_rekey_says_that_the_older_card_is_open(store: impl Store) {
    let mut clinic = Clinic::new(0x2601);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let one = with_notes(&store, &mut clinic, "p-1", 1).await;
    rekeyed(&store, &mut clinic, "p-1", &one).await;
    let still_open = async |clinic: &Clinic, job: &str| {
        let by = KeyOf::Member(&clinic.salo);
        let task = RekeyJob { vault: &clinic.vault, by, how: How::Reseal, attachments: None, deposits: &[] };
        let [done] = &run(&store, clinic, job, task).await[..] else { panic!("one patient") };
        assert_eq!(done.findings, []);
        done.still_open.clone()
    };
    assert_eq!(still_open(&clinic, "rekey").await, [one.card_id]);
    let (_, roster) = clinic.closing(&[one.card_id], ClosedReason::Compromised);
    clinic.follow(&roster);
    assert_eq!(still_open(&clinic, "rekey again").await, []);
}

/// The first roster of a generation counts on from the roster of the one before.
pub async fn t096_the_roster_of_a_generation_counts_on(store: impl Store) {
    let clinic = Clinic::new(0x9602);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let new = |version| {
        let (descriptor, statement, roster) = (&b"descriptor"[..], Some(&b"statement"[..]), &b"roster"[..]);
        [Change::Generation(NewGeneration { generation: 2, descriptor, statement, version, roster })]
    };
    let refused = store.apply(clinic.id(), &new(1)).await;
    assert!(matches!(refused, Err(Error::Stale { what: Counted::Roster, stored: 1, given: 1 })), "{refused:?}");
    assert_eq!(store.generations(clinic.id()).await.unwrap().len(), 1);
    store.apply(clinic.id(), &new(2)).await.unwrap();
}

/// Who finds nothing but pieces that others hold is told so, and for how long; a lease from the future is cut; and then the
/// pieces are taken over.
pub async fn t094_a_job_whose_pieces_are_held_is_not_over(store: impl Store) {
    let mut clinic = Clinic::new(0x9405);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    with_notes(&store, &mut clinic, "p-1", 1).await;
    let verify = VerifyJob { vault: &clinic.vault, by: KeyOf::Member(&clinic.salo), attachments: None, deposits: &[] };
    store.apply(clinic.id(), &[Change::Job { job: "j", kind: JobKind::Verify, over: Over::Everyone }]).await.unwrap();
    // A worker whose clock was a year ahead, and that has died.
    let year = 31_536_000_000;
    let now = || SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
    store.claim(clinic.id(), "j", 1_000_000 + year, 1_060_000 + year).await.unwrap().unwrap();
    let worker = Worker { store: &store, vault: clinic.id(), job: "j", lease: Duration::from_secs(60), clock: now };
    let told: Vec<_> = worker.run(verify).collect().await;
    assert!(matches!(told[..], [Err(Error::Held { pieces: 1, seconds: 60 })]), "{told:?}");
    assert_eq!(store.job(clinic.id(), "j").await.unwrap().unwrap().held_until, 1_060_000);
    let later = Worker { clock: || SystemTime::UNIX_EPOCH + Duration::from_secs(1_059), ..worker };
    let told: Vec<_> = later.run(verify).collect().await;
    assert!(matches!(told[..], [Err(Error::Held { pieces: 1, seconds: 1 })]), "{told:?}");
    let later = Worker { clock: || SystemTime::UNIX_EPOCH + Duration::from_secs(1_060), ..worker };
    let done: Vec<_> = later.run(verify).collect().await;
    assert!(matches!(&done[..], [Ok(progress)] if progress.findings.is_empty()), "{done:?}");
}
