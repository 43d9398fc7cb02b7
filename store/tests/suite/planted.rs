//! Rows of cards that somebody has planted or hidden, and what the jobs make of them: a card that was put back gets nothing,
//! and another patient's card stops no erasure.

use lukko::{CardId, Enroller, Enrolment, PatientRotation};
use lukko_store::placed::{CardRow, EndorsementRow, MasterGrantRow};
use lukko_store::{
    Change, ErasureJob, How, KeyOf, MemoryStore, Part, Patient, Progress, Records, RekeyJob, RotationJob, SqliteStore,
    Store, VerifyJob,
};

use crate::clinic::{Clinic, NextGeneration, first, patient, rekeyed, with_notes};
use crate::lifecycle::run;
use crate::sql::{Sql, hex};

const NOT_CURRENT: &str = "the card that the store calls current is not the one that was verified";

fn reason(done: &[Progress]) -> &str {
    let [Progress { written: 0, findings, .. }] = done else { panic!("{done:?}") };
    let [finding] = &findings[..] else { panic!("{done:?}") };
    assert_eq!(finding.record, None);
    &finding.reason
}

/// The patient's row and the columns name a newer card than the one whose bytes and endorsement are stored.
async fn a_card_that_was_put_back_gets_nothing(store: &impl Store) {
    let mut clinic = Clinic::new(0x9510);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let (one, _) = clinic.enrol("p-1");
    let two = clinic.vault.rekey(Enroller::Member(&clinic.salo), &one.key, &mut clinic.rng).unwrap();
    let row = CardRow { patient: patient("p-1"), card: two.card_id, bytes: &one.card, previous: None };
    let endorse = EndorsementRow { replaces: None, ..endorse(two.card_id, &one.endorsement, &one) };
    store.apply(clinic.id(), &[Change::Card(row.into()), Change::Endorse(endorse.into())]).await.unwrap();
    let master = clinic.recover();
    let (vault, by, attachments) = (&clinic.vault, KeyOf::Master(&master), None);
    let verify = run(store, &clinic, "verify", VerifyJob { vault, by, attachments, deposits: &[] }).await;
    assert!(verify[0].findings.iter().any(|finding| finding.reason.starts_with(NOT_CURRENT)), "{verify:?}");
    let task = RekeyJob { vault, by, how: How::Reseal, attachments, deposits: &[] };
    let done = run(store, &clinic, "rekey", task).await;
    assert!(reason(&done).starts_with(NOT_CURRENT), "{done:?}");
    // The next generation does not vouch for the older card.
    let next = NextGeneration::store(store, &mut clinic).await;
    let done = run(store, &clinic, "rotation", rotation(&clinic, &next)).await;
    assert!(reason(&done).starts_with(&format!("card {}: {NOT_CURRENT}", one.card_id)), "{done:?}");
    assert_eq!(store.patient(clinic.id(), patient("p-1")).await.unwrap().endorsed(2), None);
}

/// Says of a card of p-1 what it does not have: another endorsement than its own.
fn endorse<'a>(card: CardId, endorsement: &'a [u8], replaced: &'a Enrolment) -> EndorsementRow<'a> {
    let (patient, master_grant, replaces) =
        (patient("p-1"), &replaced.master_grant[..], Some(&replaced.endorsement[..]));
    EndorsementRow { patient, card, generation: 1, endorsement, master_grant, replaces }
}

fn rotation<'a>(clinic: &'a Clinic, next: &'a NextGeneration) -> RotationJob<'a> {
    let by = Enroller::Root(&next.rotation.master);
    RotationJob { step: PatientRotation { from: &clinic.vault, master: &next.old, to: &next.vault, by } }
}

/// The older card's endorsement is back, and the newer card's row is hidden: a re-key and a rotation do nothing, and say so.
/// Then the patient's row is that of the older card too. Only a record still names the newer card: the rotation says so.
async fn a_hidden_card_is_named(store: &impl Store, sql: &Sql) {
    let mut clinic = Clinic::new(0x9511);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let one = with_notes(store, &mut clinic, "p-1", 1).await;
    let two = rekeyed(store, &mut clinic, "p-1", &one).await;
    let sealed = clinic.seal(&two.key, "r-9", 1, "a note under the newer card");
    store.apply(clinic.id(), &[Change::Record(first("p-1", "r-9", two.card_id, &sealed).into())]).await.unwrap();
    let next = NextGeneration::store(store, &mut clinic).await;
    let [card, newer] = [one.card_id, two.card_id].map(|card| hex(card.as_bytes()));
    let (endorsement, grant) = (hex(&one.endorsement), hex(&one.master_grant));
    sql.run(&format!(
        "DELETE FROM card WHERE card = x'{newer}';
         UPDATE endorsement SET card = x'{card}', endorsement = x'{endorsement}', master_grant = x'{grant}'"
    ))
    .await;
    let (vault, by) = (&clinic.vault, KeyOf::Member(&clinic.salo));
    let task = RekeyJob { vault, by, how: How::Reseal, attachments: None, deposits: &[] };
    let done = run(store, &clinic, "rekey", task).await;
    assert!(reason(&done).starts_with(NOT_CURRENT), "{done:?}");
    let hidden = format!("card {}: its row is not stored", two.card_id);
    let done = run(store, &clinic, "rotation", rotation(&clinic, &next)).await;
    let [Progress { written: 0, findings, .. }] = &done[..] else { panic!("{done:?}") };
    let [put_back, named] = &findings[..] else { panic!("{done:?}") };
    assert!(put_back.reason.contains(NOT_CURRENT) && named.reason.starts_with(&hidden), "{done:?}");
    sql.run(&format!("UPDATE patient SET version = 1, card = x'{card}'")).await;
    let done = run(store, &clinic, "rotation again", rotation(&clinic, &next)).await;
    let [Progress { written: 1, findings, .. }] = &done[..] else { panic!("{done:?}") };
    assert!(matches!(&findings[..], [named] if named.reason.starts_with(&hidden)), "{done:?}");
}

/// Plants a card of p-1 in which the card before is `other`, and makes it current. Where the other card's bytes are given,
/// a row of p-1 has that card too, and a grant of it.
async fn plant(store: &impl Store, clinic: &mut Clinic, gone: &Enrolment, other: (CardId, Option<&[u8]>)) -> CardId {
    let made = clinic.vault.rekey(Enroller::Member(&clinic.salo), &gone.key, &mut clinic.rng).unwrap();
    let mut bytes = made.card.clone();
    let at = bytes.windows(32).position(|window| window == gone.card_id.as_bytes()).unwrap();
    bytes[at..at + 32].copy_from_slice(other.0.as_bytes());
    let patient = patient("p-1");
    let mut previous = Some(gone.card_id);
    if let (card, Some(bytes)) = other {
        let row = CardRow { patient, card, bytes, previous };
        let grant = Change::MasterGrant(
            MasterGrantRow { patient, card, generation: 1, grant: b"planted", replaces: None }.into(),
        );
        let there = [Change::Card(row.into()), Change::Endorse(endorse(card, &gone.endorsement, gone).into()), grant];
        store.apply(clinic.id(), &there).await.unwrap();
        previous = Some(card);
    }
    let card = clinic.vault.card_ids(patient, &[&bytes]).unwrap()[0];
    let new = CardRow { patient, card, bytes: &bytes, previous };
    store
        .apply(clinic.id(), &[Change::Card(new.into()), Change::Endorse(endorse(card, b"planted", gone).into())])
        .await
        .unwrap();
    card
}

/// A planted card is current, is closed with the others, and names another patient's card as the one before it. That patient
/// is alive, or is to be erased next: the erasure is done, and its receipt is silent about the other patient's card.
async fn anothers_card_stops_no_erasure(store: &impl Store) {
    let mut clinic = Clinic::new(0x2310);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let other = with_notes(store, &mut clinic, "p-2", 1).await;
    let before = store.patient(clinic.id(), patient("p-2")).await.unwrap();
    for (job, row, closes_other) in [("alive", false, false), ("in a row", true, false), ("closed", true, true)] {
        let gone = with_notes(store, &mut clinic, "p-1", 1).await;
        let planted = plant(store, &mut clinic, &gone, (other.card_id, row.then_some(&other.card))).await;
        let mut cards = vec![gone.card_id, planted];
        cards.extend(closes_other.then_some(other.card_id));
        let closing = clinic.erasing(&cards);
        store.apply(clinic.id(), &[closing.publish()]).await.unwrap();
        clinic.follow(&closing.roster);
        let (vault, records) = (&closing.vault, Records::Delete);
        let task = ErasureJob { vault, patients: &[patient("p-1")], records, attachments: None };
        let done = run(store, &clinic, job, task).await;
        assert_eq!(done[0].findings, [], "{job}");
        assert_eq!(store.patient(clinic.id(), patient("p-1")).await.unwrap(), Patient::default());
        let receipts = store.erasures(clinic.id()).await.unwrap();
        let named =
            |card| receipts.iter().flat_map(|receipt| &receipt.parts).any(|(part, _)| *part == Part::Card(card));
        assert!(named(gone.card_id) && named(planted) && !named(other.card_id), "{job}: {receipts:?}");
    }
    assert_eq!(store.patient(clinic.id(), patient("p-2")).await.unwrap(), before);
}

/// A card that nobody has is named, and the person closes it by its id: then the erasure is done.
async fn a_card_that_nobody_has_is_closed_by_its_id(store: &impl Store) {
    let mut clinic = Clinic::new(0x2311);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let gone = with_notes(store, &mut clinic, "p-1", 1).await;
    let lost = CardId::from_bytes([7; 32]);
    let planted = plant(store, &mut clinic, &gone, (lost, None)).await;
    let closing = clinic.erasing(&[gone.card_id, planted]);
    store.apply(clinic.id(), &[closing.publish()]).await.unwrap();
    clinic.follow(&closing.roster);
    let (records, patients) = (Records::Delete, &[patient("p-1")]);
    let task = ErasureJob { vault: &clinic.vault, patients, records, attachments: None };
    let done = run(store, &clinic, "erase", task).await;
    let expected = lukko::Error::from(lukko::error::Usage::CardMissing(lost)).to_string();
    assert!(done[0].findings.iter().map(|finding| &finding.reason).eq([&expected]), "{done:?}");
    let closing = clinic.erasing(&[lost]);
    store.apply(clinic.id(), &[closing.publish()]).await.unwrap();
    clinic.follow(&closing.roster);
    let task = ErasureJob { vault: &clinic.vault, patients, records, attachments: None };
    assert_eq!(run(store, &clinic, "erase again", task).await[0].findings, []);
    assert_eq!(store.patient(clinic.id(), patient("p-1")).await.unwrap(), Patient::default());
}

macro_rules! on_each {
    ($($case:ident: $name:ident);* $(;)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let scratch = tempfile::tempdir().unwrap();
                $case(&MemoryStore::new()).await;
                $case(&SqliteStore::open(scratch.path().join("vault.db")).await.unwrap()).await;
                if let Some((store, _)) = crate::postgres::open("planted", 1).await {
                    $case(&store).await;
                }
            }
        )*
    };
}

on_each! {
    a_card_that_was_put_back_gets_nothing: t095_a_card_that_was_put_back_gets_nothing;
    anothers_card_stops_no_erasure: t107_anothers_card_stops_no_erasure;
    a_card_that_nobody_has_is_closed_by_its_id: t107_a_card_that_nobody_has_is_closed_by_its_id;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t093_a_hidden_card_is_named() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("vault.db");
    a_hidden_card_is_named(&SqliteStore::open(&path).await.unwrap(), &Sql::Sqlite(path)).await;
    if let Some((store, database)) = crate::postgres::open("planted", 1).await {
        a_hidden_card_is_named(&store, &Sql::Postgres(format!("postgres:///{database}"))).await;
    }
}
