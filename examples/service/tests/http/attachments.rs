//! Files, as streams both ways.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;

use lukko_service::{Config, Door, SystemClock, start};

use crate::world::{Caller, Site, World, worlds};

/// Three million bytes, of which no two pieces are alike.
fn file() -> Vec<u8> {
    (0_u32..750_000).flat_map(u32::to_le_bytes).collect()
}

const NEW: [(&str, &str); 1] = [("If-None-Match", "*")];

/// The one object that there is.
fn objects(world: &World) -> Vec<PathBuf> {
    let vaults = world.path("therapist/objects").read_dir().unwrap();
    vaults.flat_map(|vault| vault.unwrap().path().read_dir().unwrap()).map(|object| object.unwrap().path()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_streamed_and_read_at_any_place() {
    for world in worlds("file").await {
        let site = world.open(Door::Therapist).await;
        let (salo, niemi) = (world.token("dr-salo"), world.token("dr-niemi"));
        let patient = site.caller.enrol(&salo).await;
        let path = format!("/patients/{patient}/attachments/scan");
        let made = site.caller.file("PUT", &path, &salo, &NEW, file()).await;
        assert_eq!((made.status().as_u16(), made.headers()["etag"].to_str().unwrap()), (201, "\"1\""));
        for (headers, status) in [(&NEW[..], 409), (&[("If-Match", "\"7\"")], 409), (&[], 428)] {
            let refused = site.caller.file("PUT", &path, &salo, headers, vec![1]).await;
            assert_eq!(refused.status().as_u16(), status, "{headers:?}");
        }
        for method in ["GET", "PUT"] {
            assert_eq!(site.caller.file(method, &path, &niemi, &NEW, Vec::new()).await.status().as_u16(), 403);
        }
        let whole = site.caller.file("GET", &path, &salo, &[], Vec::new()).await;
        assert_eq!((whole.status().as_u16(), whole.headers()["accept-ranges"].to_str().unwrap()), (200, "bytes"));
        assert_eq!(whole.headers()["etag"].to_str().unwrap(), "\"1\"");
        assert!(whole.bytes().await.unwrap() == file());

        for (range, first, last) in [
            ("bytes=0-0", 0, 0),
            ("bytes=1000000-1099999", 1_000_000, 1_099_999),
            ("bytes=2999990-", 2_999_990, 2_999_999),
            ("bytes=-10", 2_999_990, 2_999_999),
            ("bytes=2999990-9999999", 2_999_990, 2_999_999),
            ("bytes=-9999999", 0, 2_999_999),
        ] {
            let part = site.caller.file("GET", &path, &salo, &[("Range", range)], Vec::new()).await;
            let expected = format!("bytes {first}-{last}/3000000");
            assert_eq!((part.status().as_u16(), part.headers()["content-range"].to_str().unwrap()), (206, &*expected));
            assert!(part.bytes().await.unwrap() == file()[first..=last], "{range}");
        }
        for range in ["bytes=3000000-", "bytes=-0"] {
            let beyond = site.caller.file("GET", &path, &salo, &[("Range", range)], Vec::new()).await;
            assert_eq!(beyond.headers()["content-range"].to_str().unwrap(), "bytes */3000000", "{range}");
            assert_eq!(beyond.status().as_u16(), 416, "{range}");
        }
        for range in ["bytes=5-4", "bytes=0-1,4-5", "lines=1-2", "bytes=x-"] {
            let whole = site.caller.file("GET", &path, &salo, &[("Range", range)], Vec::new()).await;
            assert_eq!((whole.status().as_u16(), whole.content_length()), (200, Some(3_000_000)), "{range}");
        }
        // A part is given only of the revision that the caller has begun with.
        for (revision, status) in
            [("\"1\"", 206), ("\"2\"", 200), ("W/\"1\"", 200), ("Sun, 01 Nov 2026 08:00:00 GMT", 200)]
        {
            let headers = [("Range", "bytes=0-9"), ("If-Range", revision)];
            let part = site.caller.file("GET", &path, &salo, &headers, Vec::new()).await;
            assert_eq!(part.status().as_u16(), status, "{revision}");
        }

        let empty = site.caller.file("PUT", &path, &salo, &[("If-Match", "\"1\"")], Vec::new()).await;
        assert_eq!((empty.status().as_u16(), empty.headers()["etag"].to_str().unwrap()), (200, "\"2\""));
        let read = site.caller.file("GET", &path, &salo, &[], Vec::new()).await;
        assert_eq!((read.status().as_u16(), read.bytes().await.unwrap().len()), (200, 0));
        site.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_file_is_no_file() {
    let world = World::on_sqlite().await;
    let (site, salo) = (world.open(Door::Therapist).await, world.token("dr-salo"));
    let patient = site.caller.enrol(&salo).await;
    let path = format!("/patients/{patient}/attachments/scan");
    let head = |length: &str| {
        format!(
            "PUT {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {salo}\r\nIf-None-Match: *\r\n{length}\r\n\r\n"
        )
    };
    for (head, body) in [
        (head("Content-Length: 3000000"), file()[..2_000_000].to_vec()),
        (head("Transfer-Encoding: chunked"), [b"f4240\r\n", &file()[..1_000_000], b"\r\n"].concat()),
    ] {
        let mut stream = TcpStream::connect(site.caller.base.strip_prefix("http://").unwrap()).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&body).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut response = Vec::new();
        let _ = stream.read_to_end(&mut response);
        assert!(!response.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&response));
        assert_eq!(site.caller.get(&path, &salo).await.status, 404);
    }
    // One that announces too much is refused before it comes.
    let mut stream = TcpStream::connect(site.caller.base.strip_prefix("http://").unwrap()).unwrap();
    stream.write_all(head("Content-Length: 1073741825\r\nConnection: close").as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 413 ") && response.contains("application/problem+json"), "{response}");
    site.shutdown().await;
}

/// Callers who ask for a file and never read it hold no thread, and many who read at once do not take them all.
#[test]
fn who_does_not_read_keeps_nobody_waiting() {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).max_blocking_threads(5).enable_all().build().unwrap();
    runtime.block_on(async {
        let (world, clock) = (World::on_sqlite().await, Arc::new(SystemClock::default()));
        let running = start(&Config { files: 2, ..world.config(Door::Therapist) }, clock).await.unwrap();
        let caller = Caller::new(format!("http://{}", running.address()));
        let (site, salo) = (Site { running, caller }, world.token("dr-salo"));
        let patient = site.caller.enrol(&salo).await;
        let path = format!("/patients/{patient}/attachments/scan");
        let long = file().repeat(8);
        assert_eq!(site.caller.file("PUT", &path, &salo, &NEW, long.clone()).await.status().as_u16(), 201);
        let mut stalled = Vec::new();
        for _ in 0..8 {
            let mut stream = TcpStream::connect(site.caller.base.strip_prefix("http://").unwrap()).unwrap();
            let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {salo}\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
            let mut begun = [0; 12];
            stream.read_exact(&mut begun).unwrap();
            assert_eq!(&begun, b"HTTP/1.1 200");
            stalled.push(stream);
        }
        let read = async || site.caller.file("GET", &path, &salo, &[], Vec::new()).await.bytes().await.unwrap() == long;
        assert_eq!(tokio::join!(read(), read(), read(), read(), read(), read()), (true, true, true, true, true, true));
        drop(stalled);
        site.shutdown().await;
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn t040_a_file_that_was_altered_breaks_off_where_it_was_altered() {
    let world = World::on_sqlite().await;
    let (site, salo) = (world.open(Door::Therapist).await, world.token("dr-salo"));
    let patient = site.caller.enrol(&salo).await;
    let path = format!("/patients/{patient}/attachments/scan");
    assert_eq!(site.caller.file("PUT", &path, &salo, &NEW, file()).await.status().as_u16(), 201);
    let [object] = &objects(&world)[..] else { panic!("one object") };
    let sealed = fs::read(object).unwrap();
    let clear = &file()[1_000_000..1_000_016];
    assert!(!sealed.windows(16).any(|window| window == clear), "it lies there in clear");

    let mut altered = sealed.clone();
    altered[2_000_000] ^= 1;
    fs::write(object, &altered).unwrap();
    let mut response = site.caller.file("GET", &path, &salo, &[], Vec::new()).await;
    assert_eq!((response.status().as_u16(), response.content_length()), (200, Some(3_000_000)));
    let mut read = Vec::new();
    let broken = loop {
        match response.chunk().await {
            Ok(Some(bytes)) => read.extend_from_slice(&bytes),
            Ok(None) => break false,
            Err(_) => break true,
        }
    };
    assert!(broken && read.len() < 2_000_000, "{} bytes", read.len());
    assert!(file().starts_with(&read));
    // What lies before it is read by itself.
    let part = site.caller.file("GET", &path, &salo, &[("Range", "bytes=0-999999")], Vec::new()).await;
    assert!(part.bytes().await.unwrap() == file()[..1_000_000]);

    // Cut: refused before anything is given; and gone.
    fs::write(object, &sealed[..2_900_000]).unwrap();
    let cut = site.caller.get(&path, &salo).await;
    assert_eq!((cut.status, &cut.body["title"]), (500, &serde_json::json!("What is stored does not open")));
    fs::remove_file(object).unwrap();
    let gone = site.caller.get(&path, &salo).await;
    assert_eq!((gone.status, gone.body), (500, cut.body));
    site.shutdown().await;
}
