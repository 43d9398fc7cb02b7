//! Keys go when a door closes, and a process ends in time and in order.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use lukko_service::{Door, start};
use serde_json::json;

use crate::world::{World, worlds};

#[tokio::test]
async fn t126_no_key_outlives_its_door() {
    for door in [Door::Therapist, Door::Intake, Door::Glass] {
        let world = World::on_sqlite().await;
        let site = world.open(door).await;
        if door == Door::Glass {
            for number in [1, 2] {
                let token = world.token(&format!("custodian-{number}"));
                assert_eq!(site.caller.share(&token, &world.share(number)).await.status, 200);
            }
        }
        let keys = site.running.keys();
        assert!(keys.upgrade().is_some(), "{door:?}");
        // The client keeps its connection open; it is idle, and does not keep the door.
        site.shutdown().await;
        assert!(keys.upgrade().is_none(), "{door:?}: somebody still holds the keys");
        if door == Door::Glass {
            let log = fs::read_to_string(world.path("glass/openings.log")).unwrap();
            let last = log.lines().last().unwrap();
            assert_eq!(last, r#"{"at":0,"event":"closed","who":"the end of the service"}"#);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_the_process_after_the_request_that_runs() {
    for world in worlds("sigterm").await {
        for signal in ["TERM", "INT"] {
            let process = world.spawn(Door::Therapist, &[]);
            let salo = world.token("dr-salo");
            let patient = process.caller.enrol(&salo).await;
            // A request of which half is sent.
            let body = json!({ "text": "the last words" }).to_string();
            let (front, rest) = body.split_at(body.len() / 2);
            let mut stream = TcpStream::connect(process.caller.base.strip_prefix("http://").unwrap()).unwrap();
            write!(
                stream,
                "PUT /patients/{patient}/notes/n-1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {salo}\r\n\
                 Content-Type: application/json\r\nIf-None-Match: *\r\nContent-Length: {}\r\n\r\n{front}",
                body.len()
            )
            .unwrap();
            stream.flush().unwrap();
            tokio::time::sleep(Duration::from_millis(300)).await;
            process.signal(signal);
            let begin = Instant::now();
            // It takes nobody new ...
            while TcpStream::connect(process.caller.base.strip_prefix("http://").unwrap()).is_ok() {
                assert!(begin.elapsed() < Duration::from_secs(5), "it still listens");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            // ... and ends what it has begun.
            stream.write_all(rest.as_bytes()).unwrap();
            let mut response = String::new();
            stream.read_to_string(&mut response).unwrap();
            assert!(response.starts_with("HTTP/1.1 201 Created\r\n"), "{response}");
            let (code, log) = process.wait();
            let took = begin.elapsed();
            println!("{signal}: ended after {took:?}");
            assert_eq!(code, Some(0), "{log}");
            assert!(took < Duration::from_secs(2), "{took:?}");
            assert!(log.contains("closing") && log.trim_end().ends_with("closed"), "{log}");

            let process = world.spawn(Door::Therapist, &[]);
            let read = process.caller.get(&format!("/patients/{patient}/notes/n-1"), &salo).await;
            assert_eq!((read.status, &read.body["text"]), (200, &json!("the last words")));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_never_ends_does_not_keep_the_process() {
    let world = World::on_sqlite().await;
    let process = world.spawn(Door::Therapist, &["--grace", "1"]);
    let mut stream = TcpStream::connect(process.caller.base.strip_prefix("http://").unwrap()).unwrap();
    write!(
        stream,
        "PUT /patients/p/notes/n-1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nIf-None-Match: *\r\nContent-Length: 100\r\n\r\n{{",
        world.token("dr-salo")
    )
    .unwrap();
    stream.flush().unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    process.signal("TERM");
    let begin = Instant::now();
    let (code, log) = process.wait();
    let took = begin.elapsed();
    assert!((Duration::from_millis(900)..Duration::from_secs(5)).contains(&took), "{took:?}");
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("requests did not end within the time of grace"), "{log}");
}

#[tokio::test]
async fn what_init_makes_is_its_owners_alone() {
    let world = World::on_sqlite().await;
    let mut directories = vec![world.path("")];
    let mut files = 0;
    while let Some(directory) = directories.pop() {
        assert_eq!(fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700, "{directory:?}");
        for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                directories.push(entry.path());
                continue;
            }
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
            files += 1;
        }
    }
    assert_eq!(files, 1 + 3 + 6 + 3 * 3 + 3, "registrar, shares, tokens, what each door has, seeds");
    // A second founding in the same place is refused, and a seed that others can read as well.
    lukko_service::found(&world.path(""), &world.database).await.unwrap_err();
    let seed = world.path("intake/intake.seed");
    fs::set_permissions(&seed, fs::Permissions::from_mode(0o640)).unwrap();
    let refused = start(&world.config(Door::Intake), world.hands.clone()).await.unwrap_err().to_string();
    assert!(refused.ends_with("intake.seed: others may read it; chmod 600"), "{refused}");
}
