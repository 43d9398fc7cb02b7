//! Therapists write, read, overtake each other and are revoked.

use std::fs;

use lukko::{Descriptor, Pin, RegistrarKey, Status, Vault};
use lukko_service::{Config, Door, Location, start};
use lukko_store::{Change, PostgresStore, SqliteStore, Store};
use serde_json::json;

use crate::world::{World, worlds};

#[tokio::test]
async fn a_note_is_written_read_changed_and_deleted() {
    for world in worlds("notes").await {
        let (site, salo) = (world.open(Door::Therapist).await, world.token("dr-salo"));
        let patient = site.caller.enrol(&salo).await;
        let path = format!("/patients/{patient}/notes/n-1");

        let made = site.caller.write(&patient, "n-1", &salo, "slept better").await;
        assert_eq!((made.status, made.etag.as_deref()), (201, Some("\"1\"")));
        let read = site.caller.get(&path, &salo).await;
        let expected = json!({ "record": "n-1", "revision": 1, "text": "slept better", "origin": "reader" });
        assert_eq!((read.status, read.etag.as_deref(), read.body), (200, Some("\"1\""), expected));

        let changed = site.caller.rewrite(&path, &salo, "\"1\"", "slept well").await;
        assert_eq!((changed.status, changed.etag.as_deref()), (200, Some("\"2\"")));
        let stale = site.caller.rewrite(&path, &salo, "\"1\"", "slept badly").await;
        assert_eq!((stale.status, &stale.body["detail"]), (409, &json!("revision 2 is stored")));
        assert_eq!(stale.kind.as_deref(), Some("application/problem+json"));
        let again = site.caller.write(&patient, "n-1", &salo, "from the beginning").await;
        assert_eq!((again.status, &again.body["detail"]), (409, &json!("revision 2 is stored")));
        assert_eq!(site.caller.get(&path, &salo).await.body["text"], "slept well");

        let blind = site.caller.send("PUT", &path, &salo, &[], Some(json!({ "text": "x" }))).await;
        assert_eq!(blind.status, 428);
        let early = site.caller.send("DELETE", &path, &salo, &[("If-Match", "\"1\"")], None).await;
        assert_eq!(early.status, 409);
        let gone = site.caller.send("DELETE", &path, &salo, &[("If-Match", "\"2\"")], None).await;
        assert_eq!(gone.status, 204);
        assert_eq!(site.caller.get(&path, &salo).await.status, 404);
        let late = site.caller.rewrite(&path, &salo, "\"2\"", "x").await;
        assert_eq!((late.status, &late.body["detail"]), (409, &json!("the record is not stored, or not any more")));
        site.shutdown().await;
    }
}

#[tokio::test]
async fn t097_of_two_writers_at_once_one_is_told_so() {
    for world in worlds("writers").await {
        // Two processes as far as the database can tell: each has its own connections.
        let (one, two) = (world.open(Door::Therapist).await, world.open(Door::Therapist).await);
        let salo = world.token("dr-salo");
        let patient = one.caller.enrol(&salo).await;
        let path = format!("/patients/{patient}/notes/n-1");
        assert_eq!(one.caller.write(&patient, "n-1", &salo, "the first").await.status, 201);
        for revision in 1..=20 {
            let tag = format!("\"{revision}\"");
            let texts = [format!("of one, {revision}"), format!("of two, {revision}")];
            let (first, second) = tokio::join!(
                one.caller.rewrite(&path, &salo, &tag, &texts[0]),
                two.caller.rewrite(&path, &salo, &tag, &texts[1])
            );
            let won = match (first.status, second.status) {
                (200, 409) => 0,
                (409, 200) => 1,
                other => panic!("revision {revision}: {other:?}, {first:?}, {second:?}"),
            };
            let read = two.caller.get(&path, &salo).await;
            assert_eq!(read.body["text"], texts[won].as_str());
            assert_eq!(read.body["revision"], revision + 1);
        }
        one.shutdown().await;
        two.shutdown().await;
    }
}

#[tokio::test]
async fn t124_who_was_not_granted_does_not_learn_whether_there_is_such_a_patient() {
    for world in worlds("grants").await {
        let site = world.open(Door::Therapist).await;
        let (salo, niemi) = (world.token("dr-salo"), world.token("dr-niemi"));
        let patient = site.caller.enrol(&salo).await;
        assert_eq!(site.caller.write(&patient, "n-1", &salo, "slept better").await.status, 201);
        let nobody = "0123456789abcdef0123456789abcdef";
        for rest in ["notes", "notes/n-1", "notes/none", "deposits/none"] {
            let real = site.caller.get(&format!("/patients/{patient}/{rest}"), &niemi).await;
            let none = site.caller.get(&format!("/patients/{nobody}/{rest}"), &niemi).await;
            assert_eq!((real.status, real.body), (403, none.body), "{rest}");
            assert_eq!(none.status, 403);
        }
        assert_eq!(site.caller.write(&patient, "n-2", &niemi, "mine").await.status, 403);
        assert_eq!(site.caller.get("/patients", &niemi).await.body["patients"], json!([]));

        let colleague = format!("/patients/{patient}/readers/dr-niemi");
        assert_eq!(site.caller.send("PUT", &colleague, &niemi, &[], None).await.status, 403);
        for _ in 0..2 {
            assert_eq!(site.caller.send("PUT", &colleague, &salo, &[], None).await.status, 204);
        }
        let read = site.caller.get(&format!("/patients/{patient}/notes/n-1"), &niemi).await;
        assert_eq!((read.status, &read.body["text"]), (200, &json!("slept better")));
        assert_eq!(site.caller.get("/patients", &niemi).await.body["patients"], json!([patient]));
        // The roster lets Dr Niemi read, and not enrol.
        assert_eq!(site.caller.send("POST", "/patients", &niemi, &[], None).await.status, 403);
        for token in ["", "wrong", &salo[1..]] {
            assert_eq!(site.caller.get("/patients", token).await.status, 401);
        }
        site.shutdown().await;
    }
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    for world in worlds("restart").await {
        let (site, salo) = (world.open(Door::Therapist).await, world.token("dr-salo"));
        let patient = site.caller.enrol(&salo).await;
        let path = format!("/patients/{patient}/notes/n-1");
        assert_eq!(site.caller.write(&patient, "n-1", &salo, "before").await.status, 201);
        site.shutdown().await;
        let site = world.open(Door::Therapist).await;
        let read = site.caller.get(&path, &salo).await;
        assert_eq!((read.status, &read.body["text"]), (200, &json!("before")));
        assert_eq!(site.caller.rewrite(&path, &salo, &read.etag.unwrap(), "after").await.status, 200);
        site.shutdown().await;
    }
}

/// The registrar signs the next roster elsewhere, and it reaches the database.
pub(crate) async fn revoke(world: &World, key: lukko::KeyFingerprint) {
    async fn with(store: impl Store, world: &World, key: lukko::KeyFingerprint) {
        let seed: [u8; 32] = fs::read(world.path("handed-out/registrar.seed")).unwrap().try_into().unwrap();
        let vault = load(&store, world).await;
        let mut draft = vault.roster().next().unwrap();
        draft.set_status(key, Status::Revoked).unwrap();
        let version = draft.version();
        let registrar = RegistrarKey::from_seed(&seed);
        let roster = draft.sign_as_registrar(&registrar, vault.descriptor()).unwrap();
        let change = Change::Roster { generation: 1, version, roster: &roster };
        store.apply(vault.descriptor().vault(), &[change]).await.unwrap();
    }
    match &world.database {
        Location::Sqlite(path) => with(SqliteStore::open(path).await.unwrap(), world, key).await,
        Location::Postgres(url) => with(PostgresStore::open(url).await.unwrap(), world, key).await,
    }
}

/// The vault as any client with a pin loads it.
pub(crate) async fn load(store: &impl Store, world: &World) -> Vault {
    let pin = Pin::from_bytes(&fs::read(world.path("intake/pin")).unwrap()).unwrap();
    let descriptor = fs::read(world.path("intake/descriptor")).unwrap();
    let id = Descriptor::parse(&descriptor).unwrap().vault();
    let roster = store.generations(id).await.unwrap().remove(0).roster;
    Vault::load(pin, &descriptor, &roster, store.members(id).await.unwrap()).unwrap()
}

/// The vault as it is now.
pub(crate) async fn client(world: &World) -> Vault {
    match &world.database {
        Location::Sqlite(path) => load(&SqliteStore::open(path).await.unwrap(), world).await,
        Location::Postgres(url) => load(&PostgresStore::open(url).await.unwrap(), world).await,
    }
}

pub(crate) fn member_key(vault: &Vault, seed: &std::path::Path, id: &str) -> lukko::MemberKey {
    let seed: [u8; 32] = fs::read(seed).unwrap().try_into().unwrap();
    vault.descriptor().member_from_seed(lukko::MemberId::new(id).unwrap(), &seed).unwrap()
}

#[tokio::test]
async fn who_is_revoked_is_out_with_the_next_request_and_the_pin_has_moved() {
    for world in worlds("revoked").await {
        let (site, salo) = (world.open(Door::Therapist).await, world.token("dr-salo"));
        let patient = site.caller.enrol(&salo).await;
        let path = format!("/patients/{patient}/notes/n-1");
        assert_eq!(site.caller.write(&patient, "n-1", &salo, "x").await.status, 201);
        let old_pin = fs::read(world.path("therapist/pin")).unwrap();
        let vault = client(&world).await;
        let key = member_key(&vault, &world.path("therapist/dr-salo.seed"), "dr-salo");
        revoke(&world, key.fingerprint()).await;
        let calls: Vec<_> = (0..8).map(|_| site.caller.get(&path, &salo)).collect();
        for refused in futures(calls).await {
            assert_eq!(
                (refused.status, &refused.body["title"]),
                (403, &json!("The roster does not let this member do it"))
            );
        }
        assert_eq!(site.caller.get("/patients", &salo).await.status, 403);
        let new_pin = fs::read(world.path("therapist/pin")).unwrap();
        assert_eq!(Pin::from_bytes(&old_pin).unwrap().roster_version(), 1);
        assert_eq!(Pin::from_bytes(&new_pin).unwrap().roster_version(), 2);
        site.shutdown().await;
    }
}

/// All of them at once.
async fn futures<T: Send + 'static>(calls: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut calls: Vec<_> = calls.into_iter().map(Box::pin).collect();
    let mut results: Vec<Option<T>> = calls.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (call, result) in calls.iter_mut().zip(&mut results) {
            if result.is_none()
                && let std::task::Poll::Ready(value) = call.as_mut().poll(context)
            {
                *result = Some(value);
            }
        }
        if results.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    results.into_iter().flatten().collect()
}

/// T030: an old copy of the database under a pin that has moved on.
#[tokio::test]
async fn t030_a_database_that_was_put_back_is_refused() {
    let world = World::on_sqlite().await;
    let Location::Sqlite(file) = &world.database else { unreachable!() };
    // A file of its own: connections to the first one that close late would bring their log into it.
    let yesterday = file.with_file_name("yesterday.db");
    fs::copy(file, &yesterday).unwrap();
    let site = world.open(Door::Therapist).await;
    let vault = client(&world).await;
    let key = member_key(&vault, &world.path("therapist/dr-niemi.seed"), "dr-niemi");
    revoke(&world, key.fingerprint()).await;
    assert_eq!(site.caller.get("/readyz", "").await.status, 204);
    site.shutdown().await;
    let config = Config { database: Location::Sqlite(yesterday), ..world.config(Door::Therapist) };
    let refused = start(&config, world.hands.clone()).await.unwrap_err().to_string();
    assert!(refused.starts_with("stale roster version: 1 was met, 2 is known"), "{refused}");
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_in_one_form_and_not_repeated() {
    let world = World::on_sqlite().await;
    let (site, salo) = (world.open(Door::Therapist).await, world.token("dr-salo"));
    let patient = site.caller.enrol(&salo).await;
    let new = [("If-None-Match", "*")];
    let (note, long_id) = (format!("/patients/{patient}/notes/n-1"), "x".repeat(256));
    let large = json!({ "text": "x".repeat(300 * 1024) });
    let long = format!("/patients/{patient}/notes/{long_id}");
    let secret = "he said it in confidence";
    for (method, path, headers, body, status) in [
        ("PUT", note.as_str(), &new[..], Some(json!({ "text": 7, "more": secret })), 422),
        ("PUT", &note, &new, Some(json!({ "text": "x", secret: "x" })), 422),
        ("PUT", &note, &new, Some(json!(secret)), 422),
        ("PUT", &note, &new, None, 422),
        ("PUT", &note, &new, Some(large), 413),
        ("PUT", &long, &new, Some(json!({ "text": "x" })), 422),
        ("PUT", &note, &[("If-Match", "\"1\""), ("If-None-Match", "*")], Some(json!({ "text": "x" })), 422),
        ("PUT", &note, &[("If-Match", "\"18446744073709551615\"")], Some(json!({ "text": "x" })), 422),
        ("GET", "/patients?limit=many", &[], None, 422),
        ("GET", "/patients/%ff/notes", &[], None, 422),
        ("GET", "/nowhere", &[], None, 404),
        ("POST", &note, &[], None, 405),
    ] {
        let reply = site.caller.send(method, path, &salo, headers, body).await;
        assert_eq!(reply.status, status, "{method} {path} {reply:?}");
        assert_eq!(reply.kind.as_deref(), Some("application/problem+json"), "{method} {path}");
        assert_eq!(reply.body["status"], status, "{method} {path}");
        assert!(reply.body["next"].as_str().is_some_and(|next| !next.is_empty()), "{method} {path}");
        assert!(!reply.body.to_string().contains("confidence"), "{method} {path} {reply:?}");
    }
    assert_eq!(site.caller.get(&note, &salo).await.status, 404);
    site.shutdown().await;
}
