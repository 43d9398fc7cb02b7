//! Every door at the highest level of logging, and not a secret in what it writes.

use std::collections::{BTreeSet, HashMap};
use std::fs;

use lukko_service::{Door, Location};
use serde_json::json;

use crate::world::{Process, World, worlds};

const NOTE: &str = "He dreamt of the lighthouse again, and woke at four.";
const DEPOSIT: &str = "I have not slept since we moved to Korkeavuorenkatu.";

/// What must not be found, with the form that it has.
fn needles(world: &World) -> Vec<(String, String)> {
    let mut needles = Vec::new();
    let mut add = |name: &str, form: &str, text: String| needles.push((format!("{name}, {form}"), text));
    for text in [NOTE, DEPOSIT] {
        for (number, window) in text.as_bytes().windows(12).enumerate() {
            add("a note", &format!("from {number}"), String::from_utf8(window.to_vec()).unwrap());
        }
        forms(text.as_bytes(), |form, text| add("a note", form, text));
    }
    for number in 1..=3 {
        let share = world.share(number);
        // The front names the vault and is no secret; of the value, each piece of 16 characters.
        for window in share.as_bytes()[75..].windows(16) {
            add("a share", "a piece", String::from_utf8(window.to_vec()).unwrap());
        }
        let bytes = lukko::Share::from_text(&share).unwrap().to_bytes();
        forms(&bytes.expose()[43..], |form, text| add("a share", form, text));
    }
    let people = ["dr-salo", "dr-niemi", "intake", "custodian-1", "custodian-2", "custodian-3"];
    for name in people {
        for window in world.token(name).as_bytes().windows(16) {
            add("a token", "a piece", String::from_utf8(window.to_vec()).unwrap());
        }
    }
    for seed in ["therapist/dr-salo.seed", "therapist/dr-niemi.seed", "intake/intake.seed", "handed-out/registrar.seed"]
    {
        forms(&fs::read(world.path(seed)).unwrap(), |form, text| add(seed, form, text));
    }
    needles
}

/// Bytes as logs write them: hexadecimal, base64 at each of three offsets, a list of numbers.
fn forms(bytes: &[u8], mut add: impl FnMut(&str, String)) {
    for piece in bytes.windows(12).step_by(4) {
        let hex: String = piece.iter().map(|byte| format!("{byte:02x}")).collect();
        add("hexadecimal", hex.to_uppercase());
        add("hexadecimal", hex);
        add("a list", piece.iter().map(u8::to_string).collect::<Vec<_>>().join(", "));
    }
    for offset in 0..3 {
        for piece in bytes[offset..].chunks_exact(12) {
            add("base64", base64(piece));
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks_exact(3) {
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        text.extend([18, 12, 6, 0].map(|shift| char::from(DIGITS[(bits >> shift) as usize & 63])));
    }
    text
}

/// How each needle begins: no needle is shorter.
const BEGINNING: usize = 8;

/// The names of the needles that the text contains, each once. Reads the text one time, for all of them.
fn found<'a>(text: &str, needles: &'a [(String, String)]) -> BTreeSet<&'a str> {
    let mut begin: HashMap<&[u8], Vec<&(String, String)>> = HashMap::new();
    for needle in needles {
        begin.entry(&needle.1.as_bytes()[..BEGINNING]).or_default().push(needle);
    }
    let text = text.as_bytes();
    let mut found = BTreeSet::new();
    for (at, window) in text.windows(BEGINNING).enumerate() {
        let met =
            begin.get(window).into_iter().flatten().filter(|(_, needle)| text[at..].starts_with(needle.as_bytes()));
        found.extend(met.map(|(name, _)| name.as_str()));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn t109_no_secret_in_the_log_of_any_door() {
    for world in worlds("logs").await {
        let needles = needles(&world);
        let open = |door| world.spawn(door, &["--log", "trace"]);
        let (clinic, front, glass) = (open(Door::Therapist), open(Door::Intake), open(Door::Glass));
        let (salo, niemi, intake) = (world.token("dr-salo"), world.token("dr-niemi"), world.token("intake"));

        let patient = clinic.caller.enrol(&salo).await;
        let path = format!("/patients/{patient}/notes/n-1");
        assert_eq!(clinic.caller.write(&patient, "n-1", &salo, NOTE).await.status, 201);
        assert_eq!(clinic.caller.rewrite(&path, &salo, "\"1\"", NOTE).await.status, 200);
        assert_eq!(clinic.caller.rewrite(&path, &salo, "\"1\"", NOTE).await.status, 409);
        assert_eq!(clinic.caller.get(&path, &salo).await.body["text"], NOTE);
        assert_eq!(clinic.caller.get(&path, &niemi).await.status, 403);
        let wrong = clinic.caller.send("PUT", &path, &salo, &[("If-Match", "\"2\"")], Some(json!(NOTE))).await;
        assert_eq!(wrong.status, 422);
        assert_eq!(clinic.caller.get(&path, &salo[1..]).await.status, 401);
        let file = format!("/patients/{patient}/attachments/a-1");
        let text = NOTE.as_bytes().to_vec();
        let made = clinic.caller.file("PUT", &file, &salo, &[("If-None-Match", "*")], text.clone()).await;
        assert_eq!(made.status().as_u16(), 201);
        let read = clinic.caller.file("GET", &file, &salo, &[], Vec::new()).await;
        assert_eq!(read.bytes().await.unwrap(), text);
        let deposits = format!("/patients/{patient}/deposits");
        let made = front.caller.send("POST", &deposits, &intake, &[], Some(json!({ "text": DEPOSIT }))).await;
        assert_eq!(made.status, 201);
        let deposit = format!("{deposits}/{}", made.body["record"].as_str().unwrap());
        assert_eq!(clinic.caller.get(&deposit, &salo).await.body["text"], DEPOSIT);
        let over = clinic.caller.send("POST", &format!("{deposit}/take-over"), &salo, &[], None).await;
        assert_eq!(over.status, 204);
        for (number, status) in [(1, 200), (1, 422), (2, 200), (3, 409)] {
            let token = world.token(&format!("custodian-{number}"));
            assert_eq!(glass.caller.share(&token, &world.share(number)).await.status, status);
        }
        assert_eq!(glass.caller.get(&format!("/glass{path}"), &niemi).await.body["text"], NOTE);
        assert_eq!(glass.caller.get(&format!("/glass{deposit}"), &niemi).await.body["text"], DEPOSIT);

        let mut log = String::new();
        for process in [clinic, front, glass] {
            log += &ended(process);
        }
        log += &fs::read_to_string(world.path("glass/openings.log")).unwrap();
        // It says much, of every door and from below: a log that is empty would pass anything.
        let driver = if matches!(world.database, Location::Postgres(_)) { "tokio_postgres" } else { "sqlx" };
        for expected in
            ["door=Therapist", "door=Intake", "door=Glass", driver, "/patients/{patient}/deposits", "status=409"]
        {
            assert!(log.contains(expected), "{expected}");
        }
        let lines = log.lines().count();
        println!("{} needles, {lines} lines, {} bytes of log", needles.len(), log.len());
        assert!(lines > 60, "{log}");
        assert_eq!(found(&log, &needles), BTreeSet::new());
        // And the search finds what is there: every needle, each behind the log on a line of its own.
        for (number, (name, text)) in needles.iter().enumerate() {
            assert_eq!(found(text, &needles[number..=number]).len(), 1, "{name}");
            log += "\n";
            log += text;
        }
        let all: BTreeSet<&str> = needles.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(found(&log, &needles), all);
    }
}

fn ended(process: Process) -> String {
    process.signal("TERM");
    let (code, log) = process.wait();
    assert_eq!(code, Some(0), "{log}");
    log
}
