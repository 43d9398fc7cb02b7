//! The front end leaves notes that it cannot read.

use lukko::error::Untrusted;
use lukko::{Holder, PatientId, Roles};
use lukko_service::{Door, Location};
use lukko_store::{PostgresStore, SqliteStore, Store};
use serde_json::json;

use crate::notes::{client, load, member_key, revoke};
use crate::world::{World, worlds};

#[tokio::test]
async fn a_deposit_is_read_with_its_author_and_taken_over() {
    for world in worlds("deposit").await {
        let (clinic, front) = (world.open(Door::Therapist).await, world.open(Door::Intake).await);
        let (salo, niemi, intake) = (world.token("dr-salo"), world.token("dr-niemi"), world.token("intake"));
        let patient = clinic.caller.enrol(&salo).await;
        let deposits = format!("/patients/{patient}/deposits");
        let text = json!({ "text": "I have not slept since the move." });
        let made = front.caller.send("POST", &deposits, &intake, &[], Some(text.clone())).await;
        assert_eq!((made.status, &made.body["revision"]), (201, &json!(0)));
        let record = made.body["record"].as_str().unwrap();
        let path = format!("{deposits}/{record}");

        let read = clinic.caller.get(&path, &salo).await;
        let expected =
            json!({ "record": record, "revision": 0, "text": text["text"], "origin": "deposit", "writer": "intake" });
        assert_eq!((read.status, read.body), (200, expected));
        assert_eq!(clinic.caller.get(&path, &niemi).await.status, 403);
        for _ in 0..2 {
            let over = clinic.caller.send("POST", &format!("{path}/take-over"), &salo, &[], None).await;
            assert_eq!(over.status, 204);
        }
        let read = clinic.caller.get(&path, &salo).await;
        assert_eq!((&read.body["origin"], &read.body["writer"]), (&json!("taken-over"), &json!("intake")));
        assert_eq!((&read.body["text"], &read.body["revoked"]), (&text["text"], &json!(false)));

        // A therapist's token does not deposit, and no patient is made by depositing.
        assert_eq!(front.caller.send("POST", &deposits, &salo, &[], Some(text.clone())).await.status, 403);
        let nobody = "/patients/0123456789abcdef0123456789abcdef/deposits";
        assert_eq!(front.caller.send("POST", nobody, &intake, &[], Some(text)).await.status, 404);
        front.shutdown().await;
        clinic.shutdown().await;
    }
}

#[tokio::test]
async fn what_a_stolen_front_end_left_is_read_as_nobodys() {
    for world in worlds("stolen").await {
        let (clinic, front) = (world.open(Door::Therapist).await, world.open(Door::Intake).await);
        let (salo, intake) = (world.token("dr-salo"), world.token("intake"));
        let patient = clinic.caller.enrol(&salo).await;
        let deposits = format!("/patients/{patient}/deposits");
        let mut paths = Vec::new();
        for text in ["of yesterday", "of today"] {
            let made = front.caller.send("POST", &deposits, &intake, &[], Some(json!({ "text": text }))).await;
            paths.push(format!("{deposits}/{}", made.body["record"].as_str().unwrap()));
        }
        let over = clinic.caller.send("POST", &format!("{}/take-over", paths[0]), &salo, &[], None).await;
        assert_eq!(over.status, 204);
        let vault = client(&world).await;
        revoke(&world, member_key(&vault, &world.path("intake/intake.seed"), "intake").fingerprint()).await;

        let late = front.caller.send("POST", &deposits, &intake, &[], Some(json!({ "text": "late" }))).await;
        assert_eq!(late.status, 403);
        let (taken, waiting) = (clinic.caller.get(&paths[0], &salo).await, clinic.caller.get(&paths[1], &salo).await);
        assert_eq!((&taken.body["origin"], &taken.body["revoked"]), (&json!("taken-over"), &json!(true)));
        assert_eq!((&waiting.body["origin"], &waiting.body["text"]), (&json!("unattributed"), &json!("of today")));
        assert_eq!(waiting.body["claimed_writer"], "intake");
        let over = clinic.caller.send("POST", &format!("{}/take-over", paths[1]), &salo, &[], None).await;
        assert_eq!(over.status, 403);
        front.shutdown().await;
        clinic.shutdown().await;
    }
}

#[tokio::test]
async fn the_front_end_cannot_read_at_any_door() {
    for world in worlds("intake").await {
        let doors = [Door::Therapist, Door::Intake, Door::Glass];
        let (clinic, front, glass) =
            (world.open(doors[0]).await, world.open(doors[1]).await, world.open(doors[2]).await);
        let (salo, intake) = (world.token("dr-salo"), world.token("intake"));
        let patient = clinic.caller.enrol(&salo).await;
        let deposits = format!("/patients/{patient}/deposits");
        let made = front.caller.send("POST", &deposits, &intake, &[], Some(json!({ "text": "x" }))).await;
        let path = format!("{deposits}/{}", made.body["record"].as_str().unwrap());
        assert_eq!(clinic.caller.write(&patient, "n-1", &salo, "x").await.status, 201);
        let note = format!("/patients/{patient}/notes/n-1");

        for reading in ["/patients", &format!("/patients/{patient}/notes"), &note, &path] {
            assert_eq!(clinic.caller.get(reading, &intake).await.status, 403, "{reading}");
            // Its own door has no such route, whoever asks.
            for token in [&intake, &salo] {
                assert_eq!(front.caller.get(reading, token).await.status, 404, "{reading}");
            }
        }
        assert_eq!(front.caller.get(&deposits, &intake).await.status, 405);
        for reading in ["/glass", &format!("/glass/patients/{patient}"), &format!("/glass{note}")] {
            assert_eq!(glass.caller.get(reading, &intake).await.status, 403, "{reading}");
        }
        // Nobody can grant it a patient either: the roster lets it deposit only.
        let grant = format!("/patients/{patient}/readers/intake");
        let refused = clinic.caller.send("PUT", &grant, &salo, &[], None).await;
        assert_eq!(
            (refused.status, &refused.body["title"]),
            (403, &json!("The roster does not let this member do it"))
        );
        for site in [clinic, front, glass] {
            site.shutdown().await;
        }
        match &world.database {
            Location::Sqlite(path) => with_all_that_it_holds(SqliteStore::open(path).await.unwrap(), &world).await,
            Location::Postgres(url) => with_all_that_it_holds(PostgresStore::open(url).await.unwrap(), &world).await,
        }
    }
}

/// Whoever breaks into the front end has its directory, its process and the database.
async fn with_all_that_it_holds(store: impl Store, world: &World) {
    let mut files: Vec<_> = world
        .path("intake")
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["descriptor", "intake.seed", "pin", "tokens"]);
    let vault = load(&store, world).await;
    let key = member_key(&vault, &world.path("intake/intake.seed"), "intake");
    assert_eq!(vault.roster().member(key.fingerprint()).unwrap().roles(), Roles::DEPOSIT);
    let id = vault.descriptor().vault();
    let (mut patients, mut grants) = (0, 0);
    for patient in store.patients(id, None, 1000).await.unwrap() {
        let patient = PatientId::new(&patient).unwrap();
        let rows = store.patient(id, patient).await.unwrap();
        let cards = rows.card_bytes();
        let card = vault.card(patient, &rows.stored(1, &cards).unwrap(), None).unwrap();
        let hint = vault.who_can_open(card.id(), rows.all_grants());
        assert_eq!((hint.holders.len(), hint.foreign), (2, 0));
        for holder in hint.holders {
            assert!(!matches!(holder, Holder::Member { key: holder, .. } if holder == key.fingerprint()));
        }
        for grant in rows.all_grants() {
            let refused = vault.open_grant(&card, &key, grant).unwrap_err();
            assert_eq!(refused, Untrusted::Role(key.fingerprint()).into());
            grants += 1;
        }
        patients += 1;
    }
    assert_eq!((patients, grants), (1, 2));
}
