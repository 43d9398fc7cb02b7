//! Records: who was overtaken, ids, listings.

use std::sync::Arc;

use lukko::{CardId, Enroller, FieldLabel, RecordId};
use lukko_store::error::{Conflict, Missing, Usage};
use lukko_store::placed::RecordRow;
use lukko_store::{After, Body, Change, Error, Expect, Record, Replaced, Store, StoredBody, next_card};

use crate::clinic::{Clinic, field, first, patient, record, with_notes};

fn next<'a>(card: CardId, sealed: &'a [u8], revision: u64, expect: Expect<'a>) -> [Change<'a>; 1] {
    [Change::Record(RecordRow { revision, expect, ..first("p-1", "r-0000", card, sealed) }.into())]
}

pub async fn t097_a_writer_who_was_overtaken_is_refused(store: impl Store) {
    let mut clinic = Clinic::new(0x97);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let enrolled = with_notes(&store, &mut clinic, "p-1", 1).await;
    let card = enrolled.card_id;
    let before = store.record(clinic.id(), patient("p-1"), record("r-0000"), field()).await.unwrap().unwrap();
    let StoredBody::Sealed(before) = before.body else { panic!("sealed") };

    let second = clinic.seal(&enrolled.key, "r-0000", 2, "second");
    for _ in 0..2 {
        store.apply(clinic.id(), &next(card, &second, 2, Expect::Revision(1))).await.unwrap();
    }
    let overtaken = |by, result| matches!(result, Err(Error::Conflict(Conflict::Record { stored })) if stored == by);
    assert!(overtaken(Some(2), store.apply(clinic.id(), &next(card, b"other", 2, Expect::Revision(1))).await));
    assert!(overtaken(Some(2), store.apply(clinic.id(), &next(card, b"other", 3, Expect::Revision(1))).await));
    assert!(overtaken(Some(2), store.apply(clinic.id(), &next(card, b"other", 2, Expect::Absent)).await));
    // A job that read the first text and moves it to another key.
    let moved = next(card, b"moved", 2, Expect::Body(Body::Sealed(&before)));
    assert!(overtaken(Some(2), store.apply(clinic.id(), &moved).await));
    // What is overtaken is one answer, however far behind the writer is; a revision below its own base is a mistake.
    assert!(overtaken(Some(2), store.apply(clinic.id(), &next(card, b"other", 1, Expect::Absent)).await));
    let third = clinic.seal(&enrolled.key, "r-0000", 3, "third");
    store.apply(clinic.id(), &next(card, &third, 3, Expect::Revision(2))).await.unwrap();
    assert!(overtaken(Some(3), store.apply(clinic.id(), &next(card, b"other", 2, Expect::Revision(1))).await));
    assert!(overtaken(Some(3), store.apply(clinic.id(), &next(card, b"other", 9, Expect::Revision(8))).await));
    for (base, revision) in [(2, 1), (3, 3), (9, 8)] {
        let mistake = store.apply(clinic.id(), &next(card, b"other", revision, Expect::Revision(base))).await;
        assert!(matches!(mistake, Err(Error::Usage(Usage::RevisionBackwards))), "{mistake:?}");
    }
    let (patient, record) = (patient("p-1"), record("r-0000"));
    let delete = [Change::Delete { patient, record, field: field(), revision: 2 }];
    assert!(overtaken(Some(3), store.apply(clinic.id(), &delete).await));
    let stored = store.record(clinic.id(), patient, record, field()).await.unwrap().unwrap();
    assert_eq!(stored.body, StoredBody::Sealed(third.clone()));
    clinic.vault.open(&enrolled.key, record, field(), &third).unwrap();
    let absent = RecordRow { expect: Expect::Revision(1), revision: 2, ..first("p-1", "r-none", card, b"x") };
    assert!(overtaken(None, store.apply(clinic.id(), &[Change::Record(absent.into())]).await));
}

pub async fn t097_of_many_writers_at_once_one_wins(store: impl Store + 'static) {
    const WRITERS: usize = 8;
    let mut clinic = Clinic::new(0x9701);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let card = with_notes(&store, &mut clinic, "p-1", 1).await.card_id;
    let (store, vault) = (Arc::new(store), clinic.id());
    for revision in 2..=4 {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    let text = format!("text {revision} of writer {writer}");
                    let change = next(card, text.as_bytes(), revision, Expect::Revision(revision - 1));
                    store.apply(vault, &change).await.map(|()| text.clone())
                })
            })
            .collect();
        let mut won = Vec::new();
        for writer in writers {
            match writer.await.unwrap() {
                Ok(text) => won.push(text),
                Err(Error::Conflict(Conflict::Record { stored })) => assert_eq!(stored, Some(revision)),
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!(won.len(), 1, "acknowledged: {won:?}");
        let stored = store.record(vault, patient("p-1"), record("r-0000"), field()).await.unwrap().unwrap();
        assert_eq!(stored.body, StoredBody::Sealed(won.remove(0).into_bytes()));
    }
}

pub async fn t095_a_record_is_never_written_under_an_older_card(store: impl Store) {
    let mut clinic = Clinic::new(0x9502);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let old = with_notes(&store, &mut clinic, "p-1", 1).await;
    let new = clinic.vault.rekey(Enroller::Member(&clinic.salo), &old.key, &mut clinic.rng).unwrap();
    let replaces = Some(Replaced { card: old.card_id, endorsement: &old.endorsement, master_grant: &old.master_grant });
    let changes = next_card(patient("p-1"), 1, replaces, &new, &[]).unwrap();
    for _ in 0..2 {
        store.apply(clinic.id(), &changes).await.unwrap();
    }
    let late = store.apply(clinic.id(), &[Change::Record(first("p-1", "r-late", old.card_id, b"late").into())]).await;
    assert!(matches!(late, Err(Error::Conflict(Conflict::Card))), "{late:?}");
    // Two re-keys at once: the second one builds on a card that is not the current one any more.
    let other = clinic.vault.rekey(Enroller::Member(&clinic.salo), &old.key, &mut clinic.rng).unwrap();
    let late = store.apply(clinic.id(), &next_card(patient("p-1"), 1, replaces, &other, &[]).unwrap()).await;
    assert!(matches!(late, Err(Error::Conflict(Conflict::Card))), "{late:?}");
    let stored = store.patient(clinic.id(), patient("p-1")).await.unwrap();
    assert_eq!((stored.current, stored.cards.len()), (Some(new.card_id), 2));
    let cards = stored.card_bytes();
    clinic.vault.card(patient("p-1"), &stored.stored(1, &cards).unwrap(), Some(old.card_id)).unwrap();
}

/// What is stored under these names, of these patients.
async fn stored(store: &impl Store, clinic: &Clinic, places: &[(&str, &str)]) -> Vec<Option<Vec<u8>>> {
    let mut met = Vec::new();
    for (id, name) in places {
        let one = store.record(clinic.id(), patient(id), record(name), field()).await.unwrap();
        met.push(one.map(|one| if let StoredBody::Sealed(sealed) = one.body { sealed } else { panic!("sealed") }));
    }
    met
}

pub async fn t090_t094_new_records_of_two_patients_in_one_change(store: impl Store) {
    let mut clinic = Clinic::new(0x9403);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let one = with_notes(&store, &mut clinic, "p-1", 0).await.card_id;
    let two = with_notes(&store, &mut clinic, "p-2", 0).await.card_id;
    let new = |id, name, card, text| Change::Record(first(id, name, card, text).into());
    let places = [("p-1", "a"), ("p-2", "a"), ("p-1", "b"), ("p-2", "b"), ("p-1", "c")];
    // One of them is under another patient's card; another patient is not there; two are of one place.
    let wrong = [new("p-1", "a", one, b"1"), new("p-2", "a", one, b"2"), new("p-1", "b", one, b"3")];
    let refused = store.apply(clinic.id(), &wrong).await;
    assert!(matches!(refused, Err(Error::Conflict(Conflict::Card))), "{refused:?}");
    let refused = store.apply(clinic.id(), &[new("p-1", "a", one, b"1"), new("p-3", "a", one, b"2")]).await;
    assert!(matches!(refused, Err(Error::Missing(Missing::Patient))), "{refused:?}");
    let refused = store.apply(clinic.id(), &[new("p-1", "a", one, b"1"), new("p-1", "a", one, b"2")]).await;
    assert!(matches!(refused, Err(Error::Conflict(Conflict::Record { stored: Some(1) }))), "{refused:?}");
    assert_eq!(stored(&store, &clinic, &places).await, [None, None, None, None, None]);

    let whole = [new("p-1", "a", one, b"1"), new("p-2", "a", two, b"2"), new("p-1", "b", one, b"3")];
    for _ in 0..2 {
        store.apply(clinic.id(), &whole).await.unwrap();
    }
    // Some are there, and the same; then one is there, and another one.
    let more = [new("p-2", "b", two, b"4"), new("p-1", "a", one, b"1"), new("p-2", "b", two, b"4")];
    store.apply(clinic.id(), &more).await.unwrap();
    let refused = store.apply(clinic.id(), &[new("p-1", "c", one, b"5"), new("p-1", "a", one, b"6")]).await;
    assert!(matches!(refused, Err(Error::Conflict(Conflict::Record { stored: Some(1) }))), "{refused:?}");
    let expected = [b"1", b"2", b"3", b"4"].map(|text| Some(text.to_vec()));
    assert_eq!(stored(&store, &clinic, &places).await, [&expected[..], &[None]].concat());

    // More than any statement holds.
    let names: Vec<String> = (0..150).map(|number| format!("many-{number:03}")).collect();
    let many: Vec<Change<'_>> = names.iter().map(|name| new("p-1", name, one, name.as_bytes())).collect();
    store.apply(clinic.id(), &many).await.unwrap();
    let places: Vec<(&str, &str)> = names.iter().map(|name| ("p-1", name.as_str())).collect();
    let expected: Vec<_> = names.iter().map(|name| Some(name.clone().into_bytes())).collect();
    assert_eq!(stored(&store, &clinic, &places).await, expected);
}

pub async fn t026_ids_are_compared_bytewise(store: impl Store) {
    // Case, precomposed and combining letters, a space, a zero byte, a prefix, what SQL would read, and not UTF-8.
    let ids: [&[u8]; 10] = [
        b"p-a",
        b"P-a",
        "p-\u{e4}".as_bytes(),
        "p-a\u{308}".as_bytes(),
        b"p-a ",
        b"p-a\0",
        b"p",
        b"p-%_'\"\\",
        b"\xff\x00\xfe",
        &[0x61; 255],
    ];
    let mut clinic = Clinic::new(0x26);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let card = with_notes(&store, &mut clinic, "p-1", 0).await.card_id;
    let text = |id: &[u8]| [b"text of ", id].concat();
    for id in ids {
        let sealed = text(id);
        let new = RecordRow { record: id, field: id, body: Body::Sealed(&sealed), ..first("p-1", "r", card, b"") };
        store.apply(clinic.id(), &[Change::Record(new.into())]).await.unwrap();
    }
    for id in ids {
        let (record, field) = (RecordId::new(id).unwrap(), FieldLabel::new(id).unwrap());
        let stored = store.record(clinic.id(), patient("p-1"), record, field).await.unwrap().unwrap();
        assert_eq!((stored.record.as_slice(), stored.field.as_slice()), (id, id));
        assert_eq!(stored.body, StoredBody::Sealed(text(id)));
    }
    let listed = store.records(clinic.id(), patient("p-1"), None, 100).await.unwrap();
    let mut sorted = ids.map(<[u8]>::to_vec);
    sorted.sort();
    assert_eq!(listed.into_iter().map(|record| record.record).collect::<Vec<_>>(), sorted);
    assert!(store.patient(clinic.id(), patient("P-1")).await.unwrap().cards.is_empty());
}

pub async fn t144_listings_give_every_row_once(store: impl Store) {
    let mut clinic = Clinic::new(0x144);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    for number in 0..7 {
        with_notes(&store, &mut clinic, &format!("p-{number}"), number).await;
    }
    let (mut met, mut after) = (Vec::new(), None::<Vec<u8>>);
    loop {
        let page = store.patients(clinic.id(), after.as_deref(), 3).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        met.extend(page);
    }
    assert_eq!(met, (0..7).map(|number| format!("p-{number}").into_bytes()).collect::<Vec<_>>());
    let (mut met, mut last) = (0, None::<Record>);
    loop {
        let after = last.as_ref().map(|last| After { record: &last.record, field: &last.field });
        let page = store.records(clinic.id(), patient("p-6"), after, 4).await.unwrap();
        met += page.len();
        let Some(end) = page.into_iter().next_back() else { break };
        last = Some(end);
    }
    assert_eq!(met, 6);
}

/// A sweep may be deleting an object that was given up: no record names it again.
pub async fn t107_an_object_that_was_given_up_is_named_by_nothing(store: impl Store) {
    let mut clinic = Clinic::new(0x10701);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let enrolled = with_notes(&store, &mut clinic, "p-1", 0).await;
    let body = Body::Object { object: "an-object", length: 3 };
    let new = RecordRow { body, ..first("p-1", "scan", enrolled.card_id, b"") };
    let unannounced = store.apply(clinic.id(), &[Change::Record(new.into())]).await;
    assert!(matches!(unannounced, Err(Error::Missing(Missing::Object))), "{unannounced:?}");
    store.apply(clinic.id(), &[Change::Upload { object: "an-object", at: 7 }]).await.unwrap();
    for _ in 0..2 {
        store.apply(clinic.id(), &[Change::Record(new.into())]).await.unwrap();
        assert!(store.unnamed_objects(clinic.id(), 100, 10).await.unwrap().is_empty());
    }
    let delete = Change::Delete { patient: patient("p-1"), record: record("scan"), field: field(), revision: 1 };
    store.apply(clinic.id(), &[delete]).await.unwrap();
    let late = store.apply(clinic.id(), &[Change::Record(new.into())]).await;
    assert!(matches!(late, Err(Error::Missing(Missing::Object))), "{late:?}");
    assert_eq!(store.unnamed_objects(clinic.id(), 1, 10).await.unwrap(), ["an-object"]);
}
