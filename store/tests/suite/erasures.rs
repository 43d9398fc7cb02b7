//! Erasure: who is erased, when, and what is left.

use lukko::{CardId, ClosedReason, Enroller, Enrolment, PatientId};
use lukko_store::error::Usage;
use lukko_store::placed::{CardRow, EndorsementRow};
use lukko_store::{Change, Erase, ErasureJob, Error, JobKind, Over, Part, Patient, Records, Store};

use crate::clinic::{Clinic, Closing, NextGeneration, field, patient, rekeyed, with_notes};
use crate::lifecycle::{findings, rotation, run};

/// Two generations are in use: a patient is erased when both rosters close the cards, and not before.
pub async fn t107_an_erasure_waits_for_the_roster_of_every_generation(store: impl Store) {
    let mut clinic = Clinic::new(0x2301);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let gone = with_notes(&store, &mut clinic, "p-1", 1).await;
    let mut next = NextGeneration::store(&store, &mut clinic).await;
    assert_eq!(findings(&run(&store, &clinic, "rotation", rotation(&clinic, &next)).await), [""; 0]);
    let cards = [gone.card_id];
    let closing = clinic.erasing(&cards);
    // Its version is that of the other generation's roster, and says nothing about it.
    assert_eq!(closing.version, next.vault.roster().version());
    let erase = Change::Erase(closing.erase("p-1", &cards));
    let early = store.apply(clinic.id(), &[closing.publish(), erase]).await;
    assert!(matches!(early, Err(Error::Usage(Usage::ErasureBeforeRoster))), "{early:?}");
    store.apply(clinic.id(), &[closing.publish()]).await.unwrap();
    let (vault, records) = (&closing.vault, Records::Delete);
    let task = ErasureJob { vault, patients: &[patient("p-1")], records, attachments: None };
    let done = run(&store, &clinic, "erase", task).await;
    assert_eq!(findings(&done), [Error::from(Usage::ErasureBeforeRoster).to_string()]);
    let mut draft = next.vault.roster().next().unwrap();
    draft.close(gone.card_id, ClosedReason::Erased).unwrap();
    let version = draft.version();
    let roster = draft.sign_as_registrar(&clinic.registrar, next.vault.descriptor()).unwrap();
    next.vault.update_roster(&roster, [clinic.salo.entry(), clinic.aalto.entry()]).unwrap();
    store.apply(clinic.id(), &[Change::Roster { generation: 2, version, roster: &roster }, erase]).await.unwrap();
    assert_eq!(store.patient(clinic.id(), patient("p-1")).await.unwrap(), Patient::default());
    // Both generations had a grant, and the receipt names both, though the eraser was a client of the first one.
    let parts = &store.erasures(clinic.id()).await.unwrap()[0].parts;
    for part in [Part::Generation(1), Part::Generation(2), Part::Key(clinic.salo.fingerprint())] {
        assert!(parts.contains(&(part, None)), "{part:?} of {parts:?}");
    }
}

/// A live patient stays, whoever calls, unless a verified roster closes the card; and one that closes another's closes
/// nothing here.
pub async fn t107_nobody_is_erased_without_a_roster_that_closes_the_card(store: impl Store) {
    let mut clinic = Clinic::new(0x2302);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let (one, other) =
        (with_notes(&store, &mut clinic, "p-1", 1).await, with_notes(&store, &mut clinic, "p-2", 1).await);
    let before = store.patient(clinic.id(), patient("p-1")).await.unwrap();
    let closing = clinic.erasing(&[other.card_id]);
    store.apply(clinic.id(), &[closing.publish()]).await.unwrap();
    // Named, not named, and in the place of the one that is closed.
    for cards in [&[one.card_id][..], &[], &[other.card_id]] {
        let refused = store.apply(clinic.id(), &[Change::Erase(closing.erase("p-1", cards))]).await;
        let pending = lukko::error::Usage::ErasurePending(one.card_id);
        assert!(matches!(&refused, Err(Error::Core(lukko::Error::Usage(met))) if *met == pending), "{refused:?}");
        assert_eq!(store.patient(clinic.id(), patient("p-1")).await.unwrap(), before);
    }
    // Closed as compromised is not closed as erased.
    let (version, roster) = clinic.closing(&[one.card_id, other.card_id], ClosedReason::Compromised);
    let mut vault = clinic.vault.clone();
    vault.update_roster(&roster, [clinic.salo.entry(), clinic.aalto.entry()]).unwrap();
    let compromised = Closing { version, roster, vault };
    let refused = store.apply(clinic.id(), &[Change::Erase(compromised.erase("p-1", &[]))]).await;
    assert!(matches!(refused, Err(Error::Core(_))), "{refused:?}");
    // A vault of somebody else.
    let mut foreign = Clinic::new(0x2303);
    let (theirs, _) = foreign.enrol("p-1");
    let foreign = foreign.erasing(&[theirs.card_id]);
    let refused = store.apply(clinic.id(), &[Change::Erase(foreign.erase("p-1", &[theirs.card_id]))]).await;
    let wrong = lukko::Error::from(lukko::error::Usage::WrongVault);
    assert!(matches!(&refused, Err(Error::Core(met)) if *met == wrong), "{refused:?}");
    assert_eq!(store.patient(clinic.id(), patient("p-1")).await.unwrap(), before);
}

/// An older card that nobody closed would open the records in a backup.
pub async fn t107_an_older_card_is_closed_too(store: impl Store) {
    let mut clinic = Clinic::new(0x2304);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let one = with_notes(&store, &mut clinic, "p-1", 1).await;
    let two = rekeyed(&store, &mut clinic, "p-1", &one).await;
    let closing = clinic.erasing(&[two.card_id]);
    let refused = store.apply(clinic.id(), &[closing.publish(), Change::Erase(closing.erase("p-1", &[]))]).await;
    let pending = lukko::error::Usage::ErasurePending(one.card_id);
    assert!(matches!(&refused, Err(Error::Core(lukko::Error::Usage(met))) if *met == pending), "{refused:?}");
    let closing = clinic.erasing(&[one.card_id, two.card_id]);
    store.apply(clinic.id(), &[closing.publish(), Change::Erase(closing.erase("p-1", &[]))]).await.unwrap();
    assert_eq!(store.patient(clinic.id(), patient("p-1")).await.unwrap(), Patient::default());
}

/// Records that an erasure kept are deleted by a later one, also by those that are under another card than the one that
/// names the erasure; it stays one erasure, which is to be scrubbed again.
pub async fn t107_records_that_were_kept_are_deleted_later(store: impl Store) {
    let mut clinic = Clinic::new(0x2305);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let one = with_notes(&store, &mut clinic, "p-1", 2).await;
    let two = rekeyed(&store, &mut clinic, "p-1", &one).await;
    let cards = [two.card_id, one.card_id];
    let closing = clinic.erasing(&cards);
    let keep = Erase { records: Records::Keep, ..closing.erase("p-1", &cards) };
    store.apply(clinic.id(), &[closing.publish(), Change::Erase(keep)]).await.unwrap();
    assert_eq!(store.records(clinic.id(), patient("p-1"), None, 10).await.unwrap().len(), 2);
    store.scrub(clinic.id()).await.unwrap();
    let before = store.erasures(clinic.id()).await.unwrap();
    let (vault, records) = (&closing.vault, Records::Delete);
    let task = ErasureJob { vault, patients: &[patient("p-1")], records: Records::Keep, attachments: None };
    assert_eq!(findings(&run(&store, &clinic, "keep", task).await), [""; 0]);
    assert_eq!(store.erasures(clinic.id()).await.unwrap(), before);
    let done = run(&store, &clinic, "erase", ErasureJob { records, ..task }).await;
    assert_eq!(findings(&done), [""; 0]);
    assert!(store.records(clinic.id(), patient("p-1"), None, 10).await.unwrap().is_empty());
    let after = store.erasures(clinic.id()).await.unwrap();
    assert_eq!(after.len(), 1);
    assert_eq!((after[0].erasure, &after[0].parts), (before[0].erasure, &before[0].parts));
}

/// Jobs' tables name no erased patient any more, and the erasure's own piece ends.
pub async fn t107_the_pieces_of_an_erased_patient_go_too(store: impl Store) {
    let mut clinic = Clinic::new(0x2306);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let gone = with_notes(&store, &mut clinic, "p-1", 1).await;
    store.apply(clinic.id(), &[Change::Job { job: "j", kind: JobKind::Verify, over: Over::Everyone }]).await.unwrap();
    let closing = clinic.erasing(&[gone.card_id]);
    store.apply(clinic.id(), &[closing.publish()]).await.unwrap();
    let (vault, records) = (&closing.vault, Records::Delete);
    let task = ErasureJob { vault, patients: &[patient("p-1")], records, attachments: None };
    assert_eq!(findings(&run(&store, &clinic, "erase", task).await), [""; 0]);
    assert_eq!(store.claim(clinic.id(), "j", 1, 2).await.unwrap(), None);
    for job in ["j", "erase"] {
        let state = store.job(clinic.id(), job).await.unwrap().unwrap();
        assert_eq!((state.open, state.done, state.failed), (0, 1, 0), "{job}");
    }
}

/// A card that somebody planted, of this patient and following the card of another one: whether the registrar closes it
/// too or not, the erasure is not stopped, and asks nobody to close the other patient's card.
pub async fn t107_a_planted_card_that_follows_anothers_stops_nothing(store: impl Store) {
    let mut clinic = Clinic::new(0x2307);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let other = with_notes(&store, &mut clinic, "p-2", 1).await;
    let before = store.patient(clinic.id(), patient("p-2")).await.unwrap();
    for (job, closes_it) in [("erase", false), ("erase again", true)] {
        let gone = with_notes(&store, &mut clinic, "p-1", 1).await;
        // The next card of p-1, in which the card before is that of p-2.
        let planted = clinic.vault.rekey(Enroller::Member(&clinic.salo), &gone.key, &mut clinic.rng).unwrap();
        let mut bytes = planted.card.clone();
        let at = bytes.windows(32).position(|window| window == gone.card_id.as_bytes()).unwrap();
        bytes[at..at + 32].copy_from_slice(other.card_id.as_bytes());
        let id = clinic.vault.card_ids(patient("p-1"), &[&bytes]).unwrap()[0];
        plant_card(&store, &clinic, &gone, (id, &bytes)).await;
        let cards = [gone.card_id, id];
        let closing = clinic.erasing(if closes_it { &cards } else { &cards[..1] });
        store.apply(clinic.id(), &[closing.publish()]).await.unwrap();
        clinic.follow(&closing.roster);
        let (vault, records) = (&closing.vault, Records::Delete);
        let task = ErasureJob { vault, patients: &[patient("p-1")], records, attachments: None };
        assert_eq!(findings(&run(&store, &clinic, job, task).await), [""; 0]);
        assert_eq!(store.patient(clinic.id(), patient("p-1")).await.unwrap(), Patient::default());
    }
    assert_eq!(store.patient(clinic.id(), patient("p-2")).await.unwrap(), before);
}

/// By way of the store itself: the planted card becomes current, and the true one takes its place back.
async fn plant_card(store: &impl Store, clinic: &Clinic, gone: &Enrolment, planted: (CardId, &[u8])) {
    let card = |card, bytes, previous| {
        Change::Card(CardRow { patient: patient("p-1"), card, bytes, previous: Some(previous) }.into())
    };
    let endorse = |card, endorsement, replaces| {
        let (patient, master_grant) = (patient("p-1"), &gone.master_grant[..]);
        Change::Endorse(
            EndorsementRow { patient, card, generation: 1, endorsement, master_grant, replaces: Some(replaces) }.into(),
        )
    };
    let there = [card(planted.0, planted.1, gone.card_id), endorse(planted.0, b"planted", &gone.endorsement)];
    store.apply(clinic.id(), &there).await.unwrap();
    let back = [card(gone.card_id, &gone.card, planted.0), endorse(gone.card_id, &gone.endorsement, b"planted")];
    store.apply(clinic.id(), &back).await.unwrap();
}

/// No row of the patient is left, in any table that the store shows.
pub async fn nothing_is_left(store: &impl Store, clinic: &Clinic, id: PatientId<'_>) {
    assert_eq!(store.patient(clinic.id(), id).await.unwrap(), Patient::default());
    assert!(store.records(clinic.id(), id, None, 10).await.unwrap().is_empty());
    assert!(store.record(clinic.id(), id, crate::clinic::record("r-0000"), field()).await.unwrap().is_none());
}
