//! Custodians break the glass, for a while, and it is logged.

use std::fs;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use lukko::Share;
use lukko_service::Door;
use serde_json::{Value, json};

use crate::notes::{client, member_key, revoke};
use crate::world::{Site, World, worlds};

const PATIENTS: &str = "/glass/patients";

/// A patient that only Dr Salo was granted, with a note.
async fn with_a_note(world: &World) -> String {
    let (clinic, salo) = (world.open(Door::Therapist).await, world.token("dr-salo"));
    let patient = clinic.caller.enrol(&salo).await;
    assert_eq!(clinic.caller.write(&patient, "n-1", &salo, "slept better").await.status, 201);
    clinic.shutdown().await;
    patient
}

fn log(world: &World) -> Vec<Value> {
    let lines = fs::read_to_string(world.path("glass/openings.log")).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn standing(site: &Site, world: &World) -> (bool, u64, u64) {
    let status = site.caller.get("/glass", &world.token("custodian-1")).await;
    assert_eq!((status.status, &status.body["shares_needed"]), (200, &json!(2)));
    let number = |name: &str| status.body[name].as_u64().unwrap();
    (status.body["open"].as_bool().unwrap(), number("shares_given"), number("seconds_left"))
}

#[tokio::test]
async fn two_of_three_open_it_for_a_while() {
    for world in worlds("glass").await {
        let patient = with_a_note(&world).await;
        let site = world.open(Door::Glass).await;
        let niemi = world.token("dr-niemi");
        let note = format!("{PATIENTS}/{patient}/notes/n-1");
        let read = async || site.caller.get(&note, &niemi).await;

        // Locked, for this patient and for one that does not exist.
        let locked = read().await;
        assert_eq!((locked.status, &locked.body["title"]), (423, &json!("The glass is closed")));
        let nobody = format!("{PATIENTS}/0123456789abcdef0123456789abcdef/notes/n-1");
        assert_eq!(site.caller.get(&nobody, &niemi).await.body, locked.body);

        let first = site.caller.share(&world.token("custodian-1"), &world.share(1)).await;
        assert_eq!((first.status, &first.body["open"], &first.body["shares_given"]), (200, &json!(false), &json!(1)));
        assert_eq!(read().await.status, 423);
        world.hands.forward(599);
        assert_eq!(standing(&site, &world).await, (false, 1, 1));
        let second = site.caller.share(&world.token("custodian-3"), &world.share(3)).await;
        assert_eq!((second.status, &second.body["open"]), (200, &json!(true)));
        assert_eq!(standing(&site, &world).await, (true, 0, 900));
        let third = site.caller.share(&world.token("custodian-2"), &world.share(2)).await;
        assert_eq!((third.status, &third.body["title"]), (409, &json!("The glass is open already")));

        // Dr Niemi was never granted this patient.
        let opened = read().await;
        let expected = json!({ "record": "n-1", "revision": 1, "text": "slept better", "origin": "reader" });
        assert_eq!((opened.status, opened.body), (200, expected));
        let list = site.caller.get(&format!("{PATIENTS}/{patient}"), &niemi).await;
        assert_eq!(list.body["records"], json!([{ "record": "n-1", "field": "note", "revision": 1 }]));
        assert_eq!(site.caller.get(&nobody, &niemi).await.status, 404);
        // Those who open it do not read.
        assert_eq!(site.caller.get(&note, &world.token("custodian-1")).await.status, 403);

        world.hands.forward(899);
        assert_eq!(read().await.status, 200);
        world.hands.forward(1);
        assert_eq!(read().await.status, 423);
        assert_eq!(standing(&site, &world).await, (false, 0, 0));
        site.shutdown().await;

        let read = json!({ "at": 599, "event": "read", "who": "dr-niemi", "patient": patient, "record": "n-1",
            "field": "note" });
        let later = json!({ "at": 1498, "event": "read", "who": "dr-niemi", "patient": patient, "record": "n-1",
            "field": "note" });
        assert_eq!(
            log(&world),
            [
                json!({ "at": 0, "event": "share", "who": "custodian-1", "share": 1 }),
                json!({ "at": 599, "event": "share", "who": "custodian-3", "share": 3 }),
                json!({ "at": 599, "event": "opened", "who": "custodian-3" }),
                read,
                json!({ "at": 599, "event": "list", "who": "dr-niemi", "patient": patient }),
                later,
                json!({ "at": 1499, "event": "expired" }),
            ]
        );
    }
}

#[tokio::test]
async fn t064_a_wrong_share_is_named_and_changes_nothing() {
    let (world, other) = (World::on_sqlite().await, World::on_sqlite().await);
    let site = world.open(Door::Glass).await;
    let custodian = world.token("custodian-2");
    let give = async |text: &str| site.caller.share(&custodian, text).await;
    assert_eq!(give(&world.share(1)).await.status, 200);

    // Dealt under this number, with one bit turned, and a checksum that fits.
    let mut bytes = Share::from_text(&world.share(2)).unwrap().to_bytes().expose().to_vec();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let forged = Share::from_bytes(&bytes).unwrap().to_text().expose().to_owned();
    let mut mistyped = world.share(2).into_bytes();
    mistyped[40] = if mistyped[40] == b'q' { b'p' } else { b'q' };
    let mistyped = String::from_utf8(mistyped).unwrap();
    for (text, detail) in [
        (&*forged, "share 2 refused: its value is not the one that was dealt; check it for typing errors"),
        (&*other.share(2), "share 2 refused: it is of another vault"),
        (&*world.share(1), "share 1 refused: a share of this index was given already"),
        (&*mistyped, "malformed share text: the character at 40 is wrong; compare it with the custodian's copy"),
    ] {
        let refused = give(text).await;
        assert_eq!((refused.status, refused.body["detail"].as_str().unwrap()), (422, detail));
        assert_eq!(standing(&site, &world).await.1, 1);
    }
    // Who is no custodian gives none, not even a right one.
    for name in ["dr-salo", "intake"] {
        assert_eq!(site.caller.share(&world.token(name), &world.share(2)).await.status, 403);
    }
    assert_eq!(give(&world.share(2)).await.body["open"], true);
    site.shutdown().await;
    let refused = log(&world).iter().filter(|line| line["event"] == "share-refused").count();
    assert_eq!(refused, 4);
}

#[tokio::test]
async fn shares_that_wait_too_long_are_wiped_and_a_closed_glass_stays_closed() {
    let world = World::on_sqlite().await;
    let patient = with_a_note(&world).await;
    let site = world.open(Door::Glass).await;
    let (one, two) = (world.token("custodian-1"), world.token("custodian-2"));
    let note = format!("{PATIENTS}/{patient}/notes/n-1");
    assert_eq!(site.caller.share(&one, &world.share(1)).await.status, 200);
    world.hands.forward(600);
    let late = site.caller.share(&two, &world.share(2)).await;
    assert_eq!((&late.body["open"], &late.body["shares_given"]), (&json!(false), &json!(1)));
    // The one that came late waits for the first one to come again, and that opens.
    assert_eq!(site.caller.share(&one, &world.share(1)).await.body["open"], true);
    assert_eq!(site.caller.get(&note, &world.token("dr-niemi")).await.status, 200);

    assert_eq!(site.caller.send("DELETE", "/glass", &world.token("dr-niemi"), &[], None).await.status, 403);
    for _ in 0..2 {
        assert_eq!(site.caller.send("DELETE", "/glass", &one, &[], None).await.status, 204);
        assert_eq!(site.caller.get(&note, &world.token("dr-niemi")).await.status, 423);
    }
    // While shares wait, a custodian takes back what is the custodian's own, and nothing of the others.
    assert_eq!(site.caller.share(&one, &world.share(1)).await.body["shares_given"], 1);
    assert_eq!(site.caller.send("DELETE", "/glass", &two, &[], None).await.status, 204);
    assert_eq!(standing(&site, &world).await.1, 1);
    assert_eq!(site.caller.send("DELETE", "/glass", &one, &[], None).await.status, 204);
    assert_eq!(standing(&site, &world).await, (false, 0, 0));
    site.shutdown().await;
}

/// T126: nobody asks, and it is wiped none the less; and setting the clock on the wall back does not help.
#[tokio::test]
async fn t126_the_key_is_wiped_in_time_when_nobody_asks() {
    let world = World::on_sqlite().await;
    world.hands.forward(10_000);
    let site = world.open(Door::Glass).await;
    for number in [1, 2] {
        let token = world.token(&format!("custodian-{number}"));
        assert_eq!(site.caller.share(&token, &world.share(number)).await.status, 200);
    }
    assert_eq!(log(&world).last().unwrap()["event"], "opened");
    world.hands.elapsed.fetch_add(900, Ordering::SeqCst);
    world.hands.wall.store(0, Ordering::SeqCst);
    let begin = Instant::now();
    while log(&world).last().unwrap()["event"] != "expired" {
        assert!(begin.elapsed() < Duration::from_secs(10), "it is open still");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!standing(&site, &world).await.0);
    // The other clock alone closes it as well: a machine that slept has a clock that stood still.
    for number in [1, 2] {
        let token = world.token(&format!("custodian-{number}"));
        assert_eq!(site.caller.share(&token, &world.share(number)).await.status, 200);
    }
    assert!(standing(&site, &world).await.0);
    world.hands.wall.fetch_add(900, Ordering::SeqCst);
    assert!(!standing(&site, &world).await.0);
    site.shutdown().await;
}

/// The open glass reads with the master key, which asks no roster: the door does.
#[tokio::test]
async fn who_is_revoked_does_not_read_at_the_open_glass() {
    let world = World::on_sqlite().await;
    let patient = with_a_note(&world).await;
    let site = world.open(Door::Glass).await;
    for number in [1, 2] {
        let token = world.token(&format!("custodian-{number}"));
        assert_eq!(site.caller.share(&token, &world.share(number)).await.status, 200);
    }
    let niemi = world.token("dr-niemi");
    let paths = [format!("{PATIENTS}/{patient}"), format!("{PATIENTS}/{patient}/notes/n-1")];
    for path in &paths {
        assert_eq!(site.caller.get(path, &niemi).await.status, 200);
    }
    let vault = client(&world).await;
    revoke(&world, member_key(&vault, &world.path("therapist/dr-niemi.seed"), "dr-niemi").fingerprint()).await;
    let logged = log(&world).len();
    for path in &paths {
        let refused = site.caller.get(path, &niemi).await;
        let title = json!("The roster does not let this member do it");
        assert_eq!((refused.status, &refused.body["title"]), (403, &title));
        assert_eq!(site.caller.get(path, &world.token("dr-salo")).await.status, 200);
    }
    assert_eq!(log(&world).len(), logged + 2, "what was refused is no opening");
    site.shutdown().await;
}

#[tokio::test]
async fn nothing_is_read_that_cannot_be_logged() {
    let world = World::on_sqlite().await;
    let patient = with_a_note(&world).await;
    fs::remove_file(world.path("glass/openings.log")).unwrap_or_default();
    // A log that is always full.
    std::os::unix::fs::symlink("/dev/full", world.path("glass/openings.log")).unwrap();
    let site = world.open(Door::Glass).await;
    for number in [1, 2] {
        let token = world.token(&format!("custodian-{number}"));
        assert_eq!(site.caller.share(&token, &world.share(number)).await.status, 200);
    }
    let niemi = world.token("dr-niemi");
    for path in [format!("{PATIENTS}/{patient}"), format!("{PATIENTS}/{patient}/notes/n-1")] {
        let refused = site.caller.get(&path, &niemi).await;
        assert_eq!((refused.status, &refused.body["detail"]), (503, &json!("the log of openings cannot be written")));
    }
    site.shutdown().await;
}
