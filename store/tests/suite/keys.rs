//! Generations, rosters, cards, grants and erasure.

use lukko::{Enrolment, Grant, Policy, Rotation};
use lukko_store::error::{Conflict, Counted, Missing, Usage};
use lukko_store::placed::{EndorsementRow, GrantRow};
use lukko_store::{Change, Erase, Erasure, Error, NewGeneration, Part, Patient, Records, Store};

use crate::clinic::{Clinic, NextGeneration, first, patient, with_notes, withdrawn};

pub async fn t090_a_repeated_enrolment_changes_nothing(store: impl Store) {
    let mut clinic = Clinic::new(0x90);
    let (enrolment, grants) = clinic.enrol("p-1");
    for _ in 0..2 {
        store.apply(clinic.id(), &clinic.founding()).await.unwrap();
        let changes = lukko_store::enrolment(patient("p-1"), 1, &enrolment, &grants).unwrap();
        store.apply(clinic.id(), &changes).await.unwrap();
    }
    assert_eq!(store.patients(clinic.id(), None, 10).await.unwrap(), [b"p-1"]);
    let stored = store.patient(clinic.id(), patient("p-1")).await.unwrap();
    assert_eq!((stored.cards.len(), stored.endorsed.len(), stored.grants.len()), (1, 1, 1));
    assert_eq!(store.generations(clinic.id()).await.unwrap().len(), 1);
    assert_eq!(store.members(clinic.id()).await.unwrap().len(), 2);

    // The core accepts what came back.
    let cards = stored.card_bytes();
    let card = clinic.vault.card(patient("p-1"), &stored.stored(1, &cards).unwrap(), None).unwrap();
    let grant = stored.grant(card.id(), clinic.salo.fingerprint()).unwrap();
    clinic.vault.open_grant(&card, &clinic.salo, grant).unwrap();
}

pub async fn t096_of_two_generations_one_is_stored(store: impl Store) {
    let mut clinic = Clinic::new(0x96);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let master = clinic.recover();
    let mut rotate = || {
        let draft = clinic.vault.roster().next_generation().unwrap();
        let policy = Policy::new(2, 3).unwrap();
        clinic.vault.rotate(&master, policy, &clinic.registrar.public(), draft, &mut clinic.rng).unwrap()
    };
    let (one, other) = (rotate(), rotate());
    let change = |rotation: &Rotation| {
        let Rotation { descriptor, statement, roster, .. } = rotation;
        (descriptor.as_bytes().to_vec(), statement.clone(), roster.clone())
    };
    let ((d1, s1, r1), (d2, s2, r2)) = (change(&one), change(&other));
    let generation = |descriptor, statement, roster, generation| {
        let statement = Some(statement);
        [Change::Generation(NewGeneration { generation, descriptor, statement, version: 2, roster })]
    };
    let (one, other) = (generation(&d1, &s1[..], &r1, 2), generation(&d2, &s2[..], &r2, 2));
    let (first, second) = tokio::join!(store.apply(clinic.id(), &one), store.apply(clinic.id(), &other));
    let lost = [first, second].into_iter().filter_map(Result::err).collect::<Vec<_>>();
    assert!(matches!(lost[..], [Error::Conflict(Conflict::Generation(2))]), "{lost:?}");
    let skipped = store.apply(clinic.id(), &generation(&d1, &s1[..], &r1, 7)).await;
    assert!(matches!(skipped, Err(Error::Missing(Missing::Generation(6)))), "{skipped:?}");
}

pub async fn t096_an_older_roster_is_refused(store: impl Store) {
    let clinic = Clinic::new(0x9601);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let roster = |version, roster| [Change::Roster { generation: 1, version, roster }];
    store.apply(clinic.id(), &roster(3, b"three")).await.unwrap();
    store.apply(clinic.id(), &roster(3, b"three")).await.unwrap();
    let older = store.apply(clinic.id(), &roster(2, b"two")).await;
    assert!(matches!(older, Err(Error::Stale { what: Counted::Roster, stored: 3, given: 2 })), "{older:?}");
    let other = store.apply(clinic.id(), &roster(3, b"other")).await;
    assert!(matches!(other, Err(Error::Conflict(Conflict::Roster(3)))), "{other:?}");
    assert_eq!(store.generations(clinic.id()).await.unwrap()[0].roster, b"three");
    // A founding that was late changes nothing either.
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    assert_eq!(store.generations(clinic.id()).await.unwrap()[0].roster, b"three");
}

pub async fn t095_of_two_enrolments_at_once_one_is_stored(store: impl Store) {
    let mut clinic = Clinic::new(0x95);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let (one, other) = (clinic.enrol("p-1"), clinic.enrol("p-1"));
    let changes = [&one, &other].map(|(enrolment, grants)| enrolment_of(enrolment, grants));
    let (a, b) = tokio::join!(store.apply(clinic.id(), &changes[0]), store.apply(clinic.id(), &changes[1]));
    let lost = [a, b].into_iter().filter_map(Result::err).collect::<Vec<_>>();
    assert!(matches!(lost[..], [Error::Conflict(Conflict::Card)]), "{lost:?}");
    let stored = store.patient(clinic.id(), patient("p-1")).await.unwrap();
    assert_eq!((stored.cards.len(), stored.endorsed.len(), stored.grants.len()), (1, 1, 1));
    assert_eq!(stored.current, Some(stored.endorsed[0].card));
    assert_eq!(stored.current, Some(stored.grants[0].card));
}

fn enrolment_of<'a>(enrolment: &'a Enrolment, grants: &'a [Grant]) -> Vec<Change<'a>> {
    lukko_store::enrolment(patient("p-1"), 1, enrolment, grants).unwrap()
}

pub async fn t094_a_change_is_made_whole_or_not_at_all(store: impl Store) {
    let mut clinic = Clinic::new(0x94);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let (enrolment, grants) = clinic.enrol("p-1");
    let mut changes = enrolment_of(&enrolment, &grants);
    let alone = store.apply(clinic.id(), &changes[..1]).await;
    assert!(matches!(alone, Err(Error::Usage(Usage::CardAlone))), "{alone:?}");
    changes.push(Change::Roster { generation: 9, version: 1, roster: b"" });
    store.apply(clinic.id(), &changes).await.unwrap_err();
    assert_eq!(store.patient(clinic.id(), patient("p-1")).await.unwrap(), Patient::default());
    assert!(store.patients(clinic.id(), None, 10).await.unwrap().is_empty());
}

pub async fn t107_an_erasure_takes_one_patient_and_no_other(store: impl Store) {
    let mut clinic = Clinic::new(0x107);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let gone = with_notes(&store, &mut clinic, "p-1", 3).await;
    with_notes(&store, &mut clinic, "p-10", 3).await;
    let before = store.patient(clinic.id(), patient("p-10")).await.unwrap();
    let cards = [gone.card_id];
    let closing = clinic.erasing(&cards);
    let erase = Change::Erase(closing.erase("p-1", &cards));
    let early = store.apply(clinic.id(), &[erase]).await;
    assert!(matches!(early, Err(Error::Usage(Usage::ErasureBeforeRoster))), "{early:?}");
    store.apply(clinic.id(), &[closing.publish(), erase]).await.unwrap();

    assert_eq!(store.patient(clinic.id(), patient("p-1")).await.unwrap(), Patient::default());
    assert!(store.records(clinic.id(), patient("p-1"), None, 10).await.unwrap().is_empty());
    assert_eq!(store.patient(clinic.id(), patient("p-10")).await.unwrap(), before);
    assert_eq!(store.records(clinic.id(), patient("p-10"), None, 10).await.unwrap().len(), 3);
    // Who was late with a grant or a note is told so.
    let (patient, card, to) = (patient("p-1"), gone.card_id, clinic.aalto.fingerprint());
    let late = Change::Grant(GrantRow { patient, card, to, grant: b"late", replaces: None }.into());
    store.apply(clinic.id(), &[late]).await.unwrap_err();
    let late = first("p-1", "r-9", gone.card_id, b"late");
    store.apply(clinic.id(), &[Change::Record(late.into())]).await.unwrap_err();
}

pub async fn t106_an_erasure_is_repeated_and_its_receipt_filled_in(store: impl Store) {
    let mut clinic = Clinic::new(0x106);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let gone = with_notes(&store, &mut clinic, "p-1", 1).await;
    let (cards, keys) = ([gone.card_id], [clinic.salo.fingerprint()]);
    let closing = clinic.erasing(&cards);
    let erase = Erase { keys: &keys, at: 1_000, ..closing.erase("p-1", &cards) };
    let changes = [closing.publish(), Change::Erase(erase)];
    for _ in 0..2 {
        store.apply(clinic.id(), &changes).await.unwrap();
    }
    let [pending] = &store.erasures(clinic.id()).await.unwrap()[..] else { panic!("one erasure") };
    assert_eq!(pending.scrubbed, None, "said to be done before it was");
    let reached = store.scrub(clinic.id()).await.unwrap();
    for at in [2_000, 3_000] {
        let part = Part::Key(clinic.salo.fingerprint());
        let reached = Change::Reached { erasure: gone.card_id, part, at };
        store.apply(clinic.id(), &[reached]).await.unwrap();
    }
    let parts = vec![
        (Part::Card(gone.card_id), Some(1_000)),
        (Part::Generation(1), None),
        (Part::Key(clinic.salo.fingerprint()), Some(2_000)),
    ];
    let expected =
        Erasure { erasure: gone.card_id, roster_version: closing.version, at: 1_000, scrubbed: Some(reached), parts };
    assert_eq!(store.erasures(clinic.id()).await.unwrap(), [expected]);
}

/// Every backup from before the withdrawal opens to the key. The caller names no key, and the store remembers it.
pub async fn t106_a_key_whose_grant_was_withdrawn_is_on_the_receipt(store: impl Store) {
    let mut clinic = Clinic::new(0x1061);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let gone = with_notes(&store, &mut clinic, "p-1", 1).await;
    let other = with_notes(&store, &mut clinic, "p-2", 1).await;
    let withdraw = |from| Change::Withdraw { patient: patient("p-1"), card: gone.card_id, from };
    // There is no such grant: nobody is remembered.
    let (salo, never) = (clinic.salo.fingerprint(), clinic.aalto.fingerprint());
    store.apply(clinic.id(), &[withdraw(never)]).await.unwrap();
    assert_eq!(store.patient(clinic.id(), patient("p-1")).await.unwrap().withdrawn, []);
    let aalto = withdrawn(&store, &mut clinic, "p-1", &gone).await;
    // The reply was lost, and it is withdrawn once more.
    store.apply(clinic.id(), &[withdraw(aalto)]).await.unwrap();
    let stored = store.patient(clinic.id(), patient("p-1")).await.unwrap();
    assert_eq!((stored.withdrawn, stored.grants.len()), (vec![aalto], 1));
    withdrawn(&store, &mut clinic, "p-2", &other).await;
    let closing = clinic.erasing(&[gone.card_id]);
    store.apply(clinic.id(), &[closing.publish(), Change::Erase(closing.erase("p-1", &[]))]).await.unwrap();
    let mut keys = [Part::Key(salo), Part::Key(aalto)];
    keys.sort_unstable();
    let parts = [Part::Card(gone.card_id), Part::Generation(1), keys[0], keys[1]];
    let receipts = store.erasures(clinic.id()).await.unwrap();
    assert!(receipts[0].parts.iter().map(|(part, _)| *part).eq(parts), "{receipts:?}");
    // Nothing of the patient stays, and what is remembered of another one does.
    assert_eq!(store.patient(clinic.id(), patient("p-1")).await.unwrap(), Patient::default());
    assert_eq!(store.patient(clinic.id(), patient("p-2")).await.unwrap().withdrawn, [aalto]);
    let late = Change::Withdrawn { patient: patient("p-1"), from: aalto };
    let late = store.apply(clinic.id(), &[late]).await;
    assert!(matches!(late, Err(Error::Missing(Missing::Patient))), "{late:?}");
}

/// Nobody is to open such records, and no master grant of their card is asked for.
pub async fn t105_records_that_an_erasure_kept_hold_no_generation(store: impl Store) {
    let mut clinic = Clinic::new(0x1051);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let gone = with_notes(&store, &mut clinic, "p-1", 1).await;
    let closing = clinic.erasing(&[gone.card_id]);
    let keep = Erase { records: Records::Keep, ..closing.erase("p-1", &[]) };
    store.apply(clinic.id(), &[closing.publish(), Change::Erase(keep)]).await.unwrap();
    clinic.follow(&closing.roster);
    let next = NextGeneration::draw(&mut clinic);
    let (descriptor, statement) = (next.rotation.descriptor.as_bytes(), Some(&next.rotation.statement[..]));
    let new = NewGeneration { generation: 2, descriptor, statement, version: 3, roster: &next.rotation.roster };
    store.apply(clinic.id(), &[Change::Generation(new)]).await.unwrap();
    store.apply(clinic.id(), &[Change::Retire { generation: 1, losing: &[] }]).await.unwrap();
    assert_eq!(store.records(clinic.id(), patient("p-1"), None, 10).await.unwrap().len(), 1);
}

pub async fn t108_an_erased_id_is_enrolled_anew(store: impl Store) {
    let mut clinic = Clinic::new(0x108);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let gone = with_notes(&store, &mut clinic, "p-1", 1).await;
    let cards = [gone.card_id];
    let closing = clinic.erasing(&cards);
    let changes = [closing.publish(), Change::Erase(closing.erase("p-1", &cards))];
    store.apply(clinic.id(), &changes).await.unwrap();
    clinic.follow(&closing.roster);
    let again = with_notes(&store, &mut clinic, "p-1", 1).await;
    // The reply to the erasure was lost, and it is given again: the new patient stays.
    store.apply(clinic.id(), &changes).await.unwrap();
    let stored = store.patient(clinic.id(), patient("p-1")).await.unwrap();
    assert_eq!(stored.current, Some(again.card_id));
    assert_eq!(stored.cards.len(), 1);
}

pub async fn t105_a_retired_generation_has_nothing_left(store: impl Store) {
    let mut clinic = Clinic::new(0x105);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let kept = with_notes(&store, &mut clinic, "p-1", 1).await;
    let newest = store.apply(clinic.id(), &[Change::Retire { generation: 1, losing: &[] }]).await;
    assert!(matches!(newest, Err(Error::Usage(Usage::NewestGeneration))), "{newest:?}");
    let next = NewGeneration { generation: 2, descriptor: b"d", statement: Some(b"s"), version: 2, roster: b"r" };
    store.apply(clinic.id(), &[Change::Generation(next)]).await.unwrap();
    let endorse = |generation| {
        let (endorsement, master_grant) = (&b"endorsement"[..], &b"grant"[..]);
        let (patient, card) = (patient("p-1"), kept.card_id);
        [Change::Endorse(
            EndorsementRow { patient, card, generation, endorsement, master_grant, replaces: None }.into(),
        )]
    };
    store.apply(clinic.id(), &endorse(2)).await.unwrap();
    for _ in 0..2 {
        store.apply(clinic.id(), &[Change::Retire { generation: 1, losing: &[] }]).await.unwrap();
    }
    let stored = store.patient(clinic.id(), patient("p-1")).await.unwrap();
    assert_eq!(stored.endorsed.iter().map(|endorsed| endorsed.generation).collect::<Vec<_>>(), [2]);
    assert_eq!(stored.grants.len(), 1);
    let late = store.apply(clinic.id(), &endorse(1)).await;
    assert!(matches!(late, Err(Error::Stale { what: Counted::Generation, .. })), "{late:?}");
}

/// After an erasure the id may be somebody's again, and a grant of the erased card is none of theirs.
pub async fn t108_a_late_grant_of_an_erased_card_is_refused(store: impl Store) {
    let mut clinic = Clinic::new(0x10801);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let gone = with_notes(&store, &mut clinic, "p-1", 0).await;
    let (cards, to) = ([gone.card_id], clinic.aalto.fingerprint());
    let closing = clinic.erasing(&cards);
    let erase = Change::Erase(closing.erase("p-1", &cards));
    // A grant that the caller of the erasure did not know of: its key is on the receipt all the same.
    let grant = |grant| {
        Change::Grant(GrantRow { patient: patient("p-1"), card: gone.card_id, to, grant, replaces: None }.into())
    };
    store.apply(clinic.id(), &[grant(b"before")]).await.unwrap();
    store.apply(clinic.id(), &[closing.publish(), erase]).await.unwrap();
    let parts = &store.erasures(clinic.id()).await.unwrap()[0].parts;
    let keys: Vec<_> = parts.iter().filter(|(part, _)| matches!(part, Part::Key(_))).map(|(part, _)| *part).collect();
    let mut expected = [Part::Key(clinic.salo.fingerprint()), Part::Key(to)];
    expected.sort();
    assert_eq!(keys, expected);
    with_notes(&store, &mut clinic, "p-1", 0).await;
    let late = store.apply(clinic.id(), &[grant(b"late")]).await;
    assert!(matches!(late, Err(Error::Conflict(Conflict::Card))), "{late:?}");
    // The erasure given again, after a lost reply, leaves the new patient alone.
    let before = store.patient(clinic.id(), patient("p-1")).await.unwrap();
    store.apply(clinic.id(), &[erase]).await.unwrap();
    assert_eq!(store.patient(clinic.id(), patient("p-1")).await.unwrap(), before);
}
