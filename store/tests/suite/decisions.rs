//! What the registrar had decided when the disk died: a quorum reads everything that was not erased, and lets a new member
//! in. Decisions are listed apart from damage, with what to do. One case for each decision.

use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::time::SystemTime;

use lukko::*;
use lukko_store::restore::{self, Admission, Kept, Named, ReadReport, Shares};
use lukko_store::{
    AttachmentSealer, Attachments, Change, Expect, KeyOf, NewRecord, RotationJob, Sealed, Spot, Store, Uploaded,
};
use tempfile::TempDir;

use crate::bring_back::{Heard, files, intake, kept, places};
use crate::clinic::{Clinic, NextGeneration, TestRng, field, patient, record, rekeyed, with_notes};
use crate::sql::Sql;

type Files = BTreeMap<String, Vec<u8>>;

/// A vault on the last day: p-1, enrolled by Salo, with notes, deposits and attachments, and p-2, enrolled by Aalto.
struct LastDay {
    clinic: Clinic,
    one: Enrolment,
    two: Enrolment,
    scratch: TempDir,
    attachments: Attachments,
    expected: Files,
}

/// Streams block: they get a thread of their own.
fn beside<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    tokio::task::block_in_place(|| std::thread::scope(|scope| scope.spawn(work).join().unwrap()))
}

async fn put(store: &impl Store, clinic: &Clinic, sealed: &Sealed) {
    store.apply(clinic.id(), &[Change::Record(NewRecord::new(sealed, Expect::Absent))]).await.unwrap();
}

impl LastDay {
    async fn make(store: &impl Store, seed: u64, deposits_by_aalto: bool) -> Self {
        let mut clinic = Clinic::new(seed);
        store.apply(clinic.id(), &clinic.founding()).await.unwrap();
        let one = with_notes(store, &mut clinic, "p-1", 2).await;
        let scratch = tempfile::tempdir().unwrap();
        std::fs::create_dir(scratch.path().join("objects")).unwrap();
        let attachments = Attachments::local(scratch.path().join("objects")).unwrap();
        let two = clinic.vault.enrol(Enroller::Member(&clinic.aalto), patient("p-2"), &mut clinic.rng).unwrap();
        store.apply(clinic.id(), &lukko_store::enrolment(patient("p-2"), 1, &two, &[]).unwrap()).await.unwrap();
        let place = RecordContext::new(record("r-0000"), field(), Revision::FIRST);
        let sealed = Sealed::note(&clinic.vault, &two.key, &place, b"session 0 of p-2", &mut clinic.rng).unwrap();
        put(store, &clinic, &sealed).await;
        let mut expected = Files::new();
        for (name, text) in [
            ("p-1/r-0000.note", "session 0 of p-1"),
            ("p-1/r-0001.note", "session 1 of p-1"),
            ("p-2/r-0000.note", "session 0 of p-2"),
        ] {
            expected.insert(name.to_owned(), text.as_bytes().to_vec());
        }
        let mut day = Self { clinic, one, two, scratch, attachments, expected };
        day.more(store, deposits_by_aalto).await;
        day
    }

    /// An attachment, a deposit and a deposited attachment of p-1.
    async fn more(&mut self, store: &impl Store, by_aalto: bool) {
        let (clinic, rng) = (&self.clinic, &mut TestRng::new(0x1455));
        let (vault, scan) = (&clinic.vault, vec![7; 40_000]);
        let sink = self.attachments.begin(store, clinic.id(), 5).await.unwrap();
        let place = RecordContext::new(record("scan"), field(), Revision::FIRST);
        let attached = beside(|| {
            let mut sealer = AttachmentSealer::begin(vault, &self.one.key, &place, sink, rng).unwrap();
            sealer.write_all(&scan).unwrap();
            sealer.finish().unwrap()
        });
        put(store, clinic, &attached).await;
        self.expected.insert("p-1/scan.note".to_owned(), scan.clone());
        let stored = store.patient(clinic.id(), patient("p-1")).await.unwrap();
        let cards = stored.card_bytes();
        let card = vault.card(patient("p-1"), &stored.stored(1, &cards).unwrap(), None).unwrap();
        let writer = if by_aalto { &clinic.aalto } else { &clinic.salo };
        let left = Sealed::deposit(vault, &card, writer, intake(), Padding::Padme, b"ward 7", rng).unwrap();
        put(store, clinic, &left).await;
        let name = String::from_utf8(left.record().to_vec()).unwrap();
        self.expected.insert(format!("p-1/{name}.intake"), b"ward 7".to_vec());
        let sink = self.attachments.begin(store, clinic.id(), 5).await.unwrap();
        let (name, uploaded): (String, Uploaded) = beside(|| {
            let mut left = vault.deposit_attachment(&card, writer, intake(), Padding::Padme, sink, rng).unwrap();
            left.write_all(&scan).unwrap();
            (left.record().to_owned(), left.finish().unwrap().finish().unwrap())
        });
        let spot = Spot { patient: patient("p-1"), record: record(&name), field: intake() };
        put(store, clinic, &Sealed::from_object(vault, spot, (card.id(), 0), uploaded).unwrap()).await;
        self.expected.insert(format!("p-1/{name}.intake"), scan);
    }

    /// The registrar signs, and the clinic keeps, what the database never got.
    fn decide(&mut self, change: impl FnOnce(&mut RosterDraft)) {
        let mut draft = self.clinic.vault.roster().next().unwrap();
        change(&mut draft);
        let roster = draft.sign_as_registrar(&self.clinic.registrar, self.clinic.vault.descriptor()).unwrap();
        self.clinic.follow(&roster);
    }

    /// A quorum opens the database, reads, admits a member, and makes the re-keys that were to come. Gives what was said.
    async fn comes_back(&self, store: &impl Store) -> Back {
        let shares: Vec<&Share> = self.clinic.shares[..2].iter().collect();
        let kept = kept(&self.clinic, &self.scratch.path().join("kept"));
        self.comes_back_with(store, &kept, &shares, "1").await
    }

    async fn comes_back_with(&self, store: &impl Store, kept: &Kept, shares: &[&Share], run: &str) -> Back {
        let text: String = shares.iter().map(|share| format!("{}\n", share.to_text().expose())).collect();
        let (mut shares, heard) = (Shares::new(BufReader::new(text.as_bytes())), Heard::default());
        let (mut vault, master, unclear) = restore::open(store, kept, &mut shares, 7, &heard).await.unwrap();
        assert_eq!(unclear, []);
        let (root, deposits) = (self.scratch.path().join(format!("notes-{run}")), [intake()]);
        let attachments = Some(&self.attachments);
        let report = restore::read(store, attachments, (&vault, &master), &deposits, &root).await.unwrap();
        let read = files(&root);
        let file = self.scratch.path().join(format!("dr-new-{run}.key"));
        let name = format!("dr-new-{run}");
        let admission = restore::admit(store, (&mut vault, &master), kept, (&name, &file), &heard).await.unwrap();
        let by = (&vault, KeyOf::Master(&master));
        let (_, not_moved) = restore::move_records(store, attachments, by, &deposits, SystemTime::now).await.unwrap();
        let by = (&vault, KeyOf::Member(&admission.member));
        let (_, findings) = restore::verify(store, attachments, by, &deposits, SystemTime::now).await.unwrap();
        Back { report, read, admission, not_moved, findings }
    }
}

/// What came back.
struct Back {
    report: ReadReport,
    read: Files,
    admission: Admission,
    not_moved: Vec<Named>,
    /// Of a verification by the new member.
    findings: Vec<Named>,
}

impl Back {
    /// Everything is in a file, nothing counts as damaged, and these are the decisions.
    fn is_whole(&self, expected: &Files, remarks: &[&str]) {
        assert_eq!(self.report.unread, []);
        assert_eq!(self.read.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        assert!(self.read == *expected);
        assert_eq!(places(&self.report.remarks), remarks, "{:?}", self.report.remarks);
        assert_eq!(self.admission.missed, []);
    }
}

fn named<'a>(expected: &'a Files, end: &str) -> Vec<&'a str> {
    expected.keys().filter_map(|name| name.strip_prefix("p-1/")?.strip_suffix(end)).collect()
}

async fn a_depositors_key_is_revoked(store: &impl Store, _sql: &Sql) {
    let mut day = LastDay::make(store, 0x1451, true).await;
    let aalto = day.clinic.aalto.fingerprint();
    // p-2 was enrolled by Salo: it is only about the deposits.
    let by = Enroller::Member(&day.clinic.salo);
    let endorsed = day.clinic.vault.endorse(by, &day.two.key, &mut day.clinic.rng).unwrap();
    let place = (day.two.card_id, 1);
    let new = lukko_store::NewEndorsement::new(patient("p-2"), place, &endorsed.endorsement, &endorsed.master_grant);
    let change = Change::Endorse(new.unwrap().replacing(Some(&day.two.endorsement)));
    store.apply(day.clinic.id(), &[change]).await.unwrap();
    day.decide(|draft| _ = draft.set_status(aalto, Status::Revoked).unwrap());
    let back = day.comes_back(store).await;
    let deposits: Vec<String> =
        named(&day.expected, ".intake").iter().map(|name| format!("p-1 {name} intake")).collect();
    back.is_whole(&day.expected, &deposits.iter().map(String::as_str).collect::<Vec<_>>());
    let sentence =
        format!("dr-aalto (key {aalto}) signed it and was revoked since: whoever stole that key may be the author");
    assert!(back.report.remarks.iter().all(|remark| remark.what == sentence), "{:?}", back.report.remarks);
    assert_eq!((back.admission.granted, &back.admission.decided), (2, &vec![]));
    // Who reads with a member's key gets them by name, as a person who decides.
    assert_eq!(places(&back.findings), deposits);
}

async fn an_enroller_is_revoked(store: &impl Store, _sql: &Sql) {
    let mut day = LastDay::make(store, 0x1452, false).await;
    let aalto = day.clinic.aalto.fingerprint();
    day.decide(|draft| _ = draft.set_status(aalto, Status::Revoked).unwrap());
    let back = day.comes_back(store).await;
    back.is_whole(&day.expected, &["p-2 key"]);
    let what = &back.report.remarks[0].what;
    assert!(
        what.starts_with(&format!("dr-aalto (key {aalto}) endorsed this patient's card and was revoked since")),
        "{what}"
    );
    assert_eq!((back.admission.granted, places(&back.admission.decided)), (2, vec!["p-2 key".to_owned()]));
    // The master key vouches for the card from now on.
    assert_eq!((&back.findings, &back.not_moved), (&vec![], &vec![]));
}

async fn a_card_is_closed_as_compromised(store: &impl Store, _sql: &Sql) {
    let mut day = LastDay::make(store, 0x1453, false).await;
    let card = day.one.card_id;
    day.decide(|draft| _ = draft.close(card, ClosedReason::Compromised).unwrap());
    let back = day.comes_back(store).await;
    back.is_whole(&day.expected, &["p-1 key"]);
    let what = &back.report.remarks[0].what;
    assert!(what.starts_with(&format!("the card {card} is closed, because its key was compromised")), "{what}");
    assert_eq!((back.admission.granted, places(&back.admission.decided)), (2, vec!["p-1 key".to_owned()]));
    // The re-key that was to come was made. A deposited attachment is taken over by a reader.
    let stored = store.patient(day.clinic.id(), patient("p-1")).await.unwrap();
    assert_eq!((stored.cards.len(), stored.current == Some(card)), (2, false));
    assert_eq!(back.not_moved.len(), 1, "{:?}", back.not_moved);
    assert!(back.not_moved[0].what.contains("a reader takes it over"), "{:?}", back.not_moved);
    assert_eq!(places(&back.findings), places(&back.not_moved));
    // Another run has nothing left to decide.
    let kept = Kept::new(day.scratch.path().join("kept"));
    let again = day.comes_back_with(store, &kept, &day.clinic.shares[..2].iter().collect::<Vec<_>>(), "2").await;
    assert_eq!((again.admission.granted, &again.admission.decided), (2, &vec![]));
    assert!(again.read == day.expected);
    // What is still under the closed card is marked.
    let remarks = places(&again.report.remarks);
    assert_eq!(remarks, places(&back.not_moved), "{:?}", again.report.remarks);
}

/// The card is closed, the next one is there, and no record has moved yet.
async fn a_rekey_is_half_done(store: &impl Store, _sql: &Sql) {
    let mut day = LastDay::make(store, 0x1454, false).await;
    rekeyed(store, &mut day.clinic, "p-1", &day.one).await;
    let card = day.one.card_id;
    day.decide(|draft| _ = draft.close(card, ClosedReason::Compromised).unwrap());
    let back = day.comes_back(store).await;
    let of_patient: Vec<String> = day
        .expected
        .keys()
        .filter_map(|name| name.strip_prefix("p-1/"))
        .map(|name| format!("p-1 {}", name.replace('.', " ")))
        .collect();
    let mut of_patient: Vec<&str> = of_patient.iter().map(String::as_str).collect();
    of_patient.sort_unstable();
    back.is_whole(&day.expected, &of_patient);
    assert!(back.report.remarks.iter().all(|remark| remark.what.contains("its key was compromised")));
    assert_eq!((back.admission.granted, &back.admission.decided), (2, &vec![]));
    assert_eq!(back.not_moved.len(), 1, "{:?}", back.not_moved);
}

async fn a_member_is_retired(store: &impl Store, _sql: &Sql) {
    let mut day = LastDay::make(store, 0x1455, true).await;
    let keys = [day.clinic.salo.fingerprint(), day.clinic.aalto.fingerprint()];
    day.decide(|draft| keys.iter().for_each(|key| _ = draft.set_status(*key, Status::Retired).unwrap()));
    let back = day.comes_back(store).await;
    back.is_whole(&day.expected, &[]);
    assert_eq!((back.admission.granted, &back.admission.decided), (2, &vec![]));
    assert_eq!((&back.findings, &back.not_moved), (&vec![], &vec![]));
}

async fn a_patient_is_erased(store: &impl Store, _sql: &Sql) {
    let mut day = LastDay::make(store, 0x1456, false).await;
    let card = day.two.card_id;
    day.decide(|draft| _ = draft.close(card, ClosedReason::Erased).unwrap());
    let back = day.comes_back(store).await;
    day.expected.retain(|name, _| !name.starts_with("p-2/"));
    back.is_whole(&day.expected, &[]);
    assert_eq!((back.admission.granted, &back.admission.decided), (1, &vec![]));
    assert_eq!(store.patients(day.clinic.id(), None, 10).await.unwrap(), [b"p-1"]);
    assert!(store.records(day.clinic.id(), patient("p-2"), None, 10).await.unwrap().is_empty());
}

async fn a_rotation_is_half_done(store: &impl Store, _sql: &Sql) {
    let mut day = LastDay::make(store, 0x1457, false).await;
    let next = NextGeneration::store(store, &mut day.clinic).await;
    // One of two patients was brought over.
    let by = Enroller::Root(&next.rotation.master);
    let step = PatientRotation { from: &day.clinic.vault, master: &next.old, to: &next.vault, by };
    let (lease, clock) = (std::time::Duration::from_secs(60), SystemTime::now);
    let worker = lukko_store::Worker { store, vault: day.clinic.id(), job: "rotation", lease, clock };
    let first = futures_util::StreamExt::next(&mut std::pin::pin!(worker.run(RotationJob { step }))).await;
    assert_eq!(first.unwrap().unwrap().patient, b"p-1");
    // The new custodians read that one. The other one is a decision, with the way to it.
    let directory = day.scratch.path().join("kept-new");
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(directory.join("pin"), next.vault.pin().to_bytes()).unwrap();
    std::fs::write(directory.join("roster"), &next.rotation.roster).unwrap();
    let shares: Vec<&Share> = next.rotation.shares[..2].iter().collect();
    let back = day.comes_back_with(store, &Kept::new(directory), &shares, "new").await;
    let mut brought = day.expected.clone();
    brought.retain(|name, _| name.starts_with("p-1/"));
    back.is_whole(&brought, &["p-2 key"]);
    let what = &back.report.remarks[0].what;
    assert!(what.contains("Begin again with the pin and the shares of generation 1"), "{what}");
    assert_eq!((back.admission.granted, places(&back.admission.decided)), (1, vec!["p-2 key".to_owned()]));
    // The old ones read both.
    let back = day.comes_back(store).await;
    back.is_whole(&day.expected, &[]);
    assert_eq!(back.admission.granted, 2);
}

crate::sql::on_both! { "decisions";
    a_depositors_key_is_revoked: t145_key_revoked_in_sqlite, t145_key_revoked_in_postgresql;
    an_enroller_is_revoked: t145_enroller_revoked_in_sqlite, t145_enroller_revoked_in_postgresql;
    a_card_is_closed_as_compromised: t145_card_compromised_in_sqlite, t145_card_compromised_in_postgresql;
    a_rekey_is_half_done: t145_rekey_half_done_in_sqlite, t145_rekey_half_done_in_postgresql;
    a_member_is_retired: t145_member_retired_in_sqlite, t145_member_retired_in_postgresql;
    a_patient_is_erased: t145_patient_erased_in_sqlite, t145_patient_erased_in_postgresql;
    a_rotation_is_half_done: t145_rotation_half_done_in_sqlite, t145_rotation_half_done_in_postgresql;
}
