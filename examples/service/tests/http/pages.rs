//! Listings, page by page, and the ETags that come back from them.

use std::collections::BTreeSet;

use lukko::{CardId, FieldLabel, PatientId, RecordId};
use lukko_service::{Door, Location};
use lukko_store::{Change, Expect, NewRecord, PostgresStore, Sealed, Spot, SqliteStore, Store};
use serde_json::{Value, json};

use crate::notes::load;
use crate::world::{Caller, World, worlds};

/// Everything that a listing gives, by pages of `limit`.
async fn all(caller: &Caller, (path, list): (&str, &str), token: &str, limit: u32) -> (Vec<Value>, usize) {
    let (mut met, mut after, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = caller.get(&format!("{path}?limit={limit}{after}"), token).await;
        assert_eq!(page.status, 200, "{page:?}");
        met.extend(page.body[list].as_array().unwrap().clone());
        pages += 1;
        let Some(next) = page.body["next"].as_str() else { return (met, pages) };
        after = format!("&after={next}");
    }
}

#[tokio::test]
async fn listings_come_in_pages() {
    for world in worlds("pages").await {
        let (site, salo) = (world.open(Door::Therapist).await, world.token("dr-salo"));
        let mut patients = Vec::new();
        for _ in 0..5 {
            patients.push(site.caller.enrol(&salo).await);
        }
        patients.sort();
        for record in 0..5 {
            assert_eq!(site.caller.write(&patients[0], &format!("n-{record}"), &salo, "x").await.status, 201);
        }
        for (path, list, count) in
            [("/patients".to_owned(), "patients", 5), (format!("/patients/{}/notes", patients[0]), "records", 5)]
        {
            let (met, pages) = all(&site.caller, (&path, list), &salo, 2).await;
            assert_eq!((met.len(), pages), (count, 3), "{path}");
            if list == "patients" {
                assert_eq!(json!(met), json!(patients));
            } else {
                assert_eq!(met[4], json!({ "record": "n-4", "field": "note", "revision": 1 }));
            }
        }
        site.shutdown().await;
    }
}

/// A record that is well formed, of this card and revision 1: magic, suite, path, card, revision, padding, and zeros.
fn unopened(card: CardId) -> Vec<u8> {
    let parts: [&[u8]; 6] = [b"LKN\x01", &[0x64, 0x7A, 1], card.as_bytes(), &1_u64.to_be_bytes(), &[0], &[0; 160]];
    parts.concat()
}

/// Records under these ids and fields, which nobody opens.
async fn with_records(store: impl Store, world: &World, id: &str, places: &[(Vec<u8>, Vec<u8>)]) {
    let loaded = load(&store, world).await;
    let vault = loaded.descriptor().vault();
    let patient = PatientId::new(id).unwrap();
    let card = store.patient(vault, patient).await.unwrap().current.unwrap();
    for place in places {
        let (record, field) = (RecordId::new(&place.0).unwrap(), FieldLabel::new(&place.1).unwrap());
        let sealed = Sealed::from_bytes(&loaded, Spot { patient, record, field }, (card, 1), unopened(card)).unwrap();
        store.apply(vault, &[Change::Record(NewRecord::new(&sealed, Expect::Absent))]).await.unwrap();
    }
}

/// A cursor is whole for ids and fields with every byte, with what separates things, and of every length.
#[tokio::test]
async fn t144_pages_of_one_give_every_record_once() {
    for world in worlds("every_byte").await {
        let (site, salo) = (world.open(Door::Therapist).await, world.token("dr-salo"));
        let id = site.caller.enrol(&salo).await;
        let mut places: BTreeSet<(Vec<u8>, Vec<u8>)> = BTreeSet::new();
        for byte in 0..=u8::MAX {
            places.insert((vec![byte], b"note".to_vec()));
            places.insert((b"r".to_vec(), vec![b'S', byte, b'O']));
        }
        for text in ["a/b", "a", "a/b/c", "a-b", "a.b", "-", "/", "%2F", "a&after=b", "a b"] {
            places.insert((text.as_bytes().to_vec(), b"S/O".to_vec()));
            places.insert((b"2024-001".to_vec(), text.as_bytes().to_vec()));
        }
        places.insert((vec![0xFF; 255], vec![0xFF; 255]));
        let places: Vec<_> = places.into_iter().collect();
        match &world.database {
            Location::Sqlite(path) => {
                with_records(SqliteStore::open(path).await.unwrap(), &world, &id, &places).await;
            }
            Location::Postgres(url) => {
                with_records(PostgresStore::open(url).await.unwrap(), &world, &id, &places).await;
            }
        }
        let path = format!("/patients/{id}/notes");
        let text = |id: &[u8]| String::from_utf8(id.to_vec()).unwrap_or_else(|_| id.escape_ascii().to_string());
        let expected: Vec<(String, String)> =
            places.iter().map(|(record, field)| (text(record), text(field))).collect();
        for limit in [1, 2, 7, 200] {
            let (met, _) = all(&site.caller, (&path, "records"), &salo, limit).await;
            let of = |record: &Value, name: &str| record[name].as_str().unwrap().to_owned();
            let met: Vec<_> = met.iter().map(|record| (of(record, "record"), of(record, "field"))).collect();
            assert_eq!(met, expected, "pages of {limit}");
        }
        for after in ["r-1/note", "xyz", "616", "61-62-63", "", "\u{e4}"] {
            let refused = site.caller.get(&format!("{path}?after={after}"), &salo).await;
            assert_eq!(refused.status, 422, "{after}");
        }
        site.shutdown().await;
    }
}

/// A revision is exact. A compressing proxy weakens the ETag, and nothing else is taken for one.
#[tokio::test]
async fn t097_a_weak_etag_is_its_revision_and_odd_ones_are_refused() {
    for world in worlds("etags").await {
        let (site, salo) = (world.open(Door::Therapist).await, world.token("dr-salo"));
        let id = site.caller.enrol(&salo).await;
        let path = format!("/patients/{id}/notes/n-1");
        assert_eq!(site.caller.write(&id, "n-1", &salo, "one").await.status, 201);
        let odd = [
            "\"1-gzip\"",
            "*",
            "\"1\", \"9\"",
            "\"+1\"",
            "\"-1\"",
            "\"001\"",
            "1",
            "\"\"",
            "\"",
            "w/\"1\"",
            "W/W/\"1\"",
            "W/ \"1\"",
            "\" 1\"",
            "\"1 \"",
            "\"99999999999999999999\"",
            "\"\u{661}\"",
        ];
        for tag in odd {
            let refused = site.caller.rewrite(&path, &salo, tag, "two").await;
            assert_eq!((refused.status, &refused.body["title"]), (422, &json!("Your text was not saved")), "{tag}");
            let next = refused.body["next"].as_str().unwrap();
            assert!(next.starts_with("Keep your text") && !next.contains("json"), "{next}");
        }
        let twice = [("If-Match", "\"1\""), ("If-Match", "\"1\"")];
        let refused = site.caller.send("PUT", &path, &salo, &twice, Some(json!({ "text": "two" }))).await;
        assert_eq!(refused.status, 422);
        let stale = site.caller.rewrite(&path, &salo, "W/\"7\"", "two").await;
        assert_eq!((stale.status, &stale.body["detail"]), (409, &json!("revision 1 is stored")));
        assert_eq!(site.caller.rewrite(&path, &salo, "W/\"1\"", "two").await.status, 200);
        let read = site.caller.get(&path, &salo).await;
        assert_eq!((read.etag.as_deref(), &read.body["text"]), (Some("\"2\""), &json!("two")));
        site.shutdown().await;
    }
}

/// Anybody may ask whether a door can work. The database is looked at once a second.
#[tokio::test]
async fn readiness_is_looked_at_once_a_second() {
    async fn break_it(store: impl Store, world: &World) {
        let vault = load(&store, world).await.descriptor().vault();
        store.apply(vault, &[Change::Roster { generation: 1, version: 9, roster: b"no roster" }]).await.unwrap();
    }
    for world in worlds("ready").await {
        let site = world.open(Door::Intake).await;
        assert_eq!(site.caller.get("/readyz", "").await.status, 204);
        match &world.database {
            Location::Sqlite(path) => break_it(SqliteStore::open(path).await.unwrap(), &world).await,
            Location::Postgres(url) => break_it(PostgresStore::open(url).await.unwrap(), &world).await,
        }
        // Whatever is stored now, these calls do not read it.
        let calls = (0..50).map(|_| {
            let caller = site.caller.clone();
            tokio::spawn(async move { caller.get("/readyz", "").await.status })
        });
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(call.await.unwrap(), 204);
        }
        world.hands.forward(1);
        assert_eq!(site.caller.get("/readyz", "").await.status, 500);
        site.shutdown().await;
    }
}

/// SQLite's log grows beside a reader that stays: whoever watches the service sees its length, as the file has it.
#[tokio::test]
async fn t099_readiness_shows_the_length_of_sqlites_log() {
    for world in worlds("log").await {
        let (site, salo) = (world.open(Door::Therapist).await, world.token("dr-salo"));
        let shown = async || {
            world.hands.forward(1);
            let answer = site.caller.file("GET", "/readyz", "", &[], Vec::new()).await;
            assert_eq!(answer.status().as_u16(), 204);
            answer.headers().get("sqlite-log-bytes").map(|length| length.to_str().unwrap().parse::<u64>().unwrap())
        };
        let before = shown().await;
        site.caller.enrol(&salo).await;
        let after = shown().await;
        match &world.database {
            Location::Sqlite(path) => {
                let log = path.with_file_name(format!("{}-wal", path.file_name().unwrap().to_str().unwrap()));
                assert_eq!(after, Some(log.metadata().unwrap().len()));
                assert!(after > before && before.is_some(), "{before:?}, then {after:?}");
            }
            Location::Postgres(_) => assert_eq!((before, after), (None, None)),
        }
        site.shutdown().await;
    }
}
