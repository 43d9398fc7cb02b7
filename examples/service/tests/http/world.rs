//! A clinic in a temporary directory, its doors in this process or as processes of their own, and a client.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use lukko_service::{Clock, Config, Door, Location, Running, found, start};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_postgres::{Config as Server, NoTls, SimpleQueryMessage};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_lukko-service");

static NEXT: AtomicU32 = AtomicU32::new(0);

/// Seconds, moved by hand: the one clock, and the one on the wall.
#[derive(Debug, Default)]
pub(crate) struct Hands {
    pub(crate) elapsed: AtomicU64,
    pub(crate) wall: AtomicU64,
}

impl Hands {
    pub(crate) fn forward(&self, seconds: u64) {
        self.elapsed.fetch_add(seconds, Ordering::SeqCst);
        self.wall.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.elapsed.load(Ordering::SeqCst))
    }

    fn unix(&self) -> Duration {
        Duration::from_secs(self.wall.load(Ordering::SeqCst))
    }
}

pub(crate) struct World {
    directory: TempDir,
    pub(crate) database: Location,
    pub(crate) hands: Arc<Hands>,
}

/// A clinic on each database that there is.
pub(crate) async fn worlds(name: &str) -> Vec<World> {
    let mut worlds = vec![World::on_sqlite().await];
    if let Some(database) = fresh_postgres(name).await {
        worlds.push(World::found(tempfile::tempdir().unwrap(), Location::Postgres(database)).await);
    }
    worlds
}

/// The address of an empty database; none if there is no server, unless `LUKKO_REQUIRE_POSTGRES` demands one.
async fn fresh_postgres(name: &str) -> Option<String> {
    if std::env::var_os("PGHOST").is_none() {
        let required = std::env::var_os("LUKKO_REQUIRE_POSTGRES").is_some();
        assert!(!required, "LUKKO_REQUIRE_POSTGRES is set, and PGHOST names no server");
        println!("SKIPPED: PGHOST names no PostgreSQL server; run under pg_virtualenv");
        return None;
    }
    let number = NEXT.fetch_add(1, Ordering::SeqCst);
    let database = format!("lukko_service_{name}_{}_{number}", std::process::id());
    let variable = |name| std::env::var(name).unwrap_or_default();
    let mut server = Server::new();
    server.host(variable("PGHOST")).port(variable("PGPORT").parse().unwrap_or(5432)).dbname("postgres");
    let (server, connection) =
        server.user(variable("PGUSER")).password(variable("PGPASSWORD")).connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    // pg_virtualenv makes servers with fsync off, which the store refuses.
    let off = |answer: &SimpleQueryMessage| matches!(answer, SimpleQueryMessage::Row(row) if row.get(0) == Some("off"));
    while server.simple_query("SHOW fsync").await.unwrap().iter().any(off) {
        for statement in ["ALTER SYSTEM SET fsync = on", "SELECT pg_reload_conf()", "SELECT pg_sleep(0.02)"] {
            server.batch_execute(statement).await.unwrap();
        }
    }
    server.batch_execute(&format!("CREATE DATABASE {database}")).await.unwrap();
    Some(format!("postgres:///{database}"))
}

impl World {
    pub(crate) async fn on_sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = Location::Sqlite(directory.path().join("clinic.db"));
        Self::found(directory, database).await
    }

    async fn found(directory: TempDir, database: Location) -> Self {
        found(&directory.path().join("clinic"), &database).await.unwrap();
        Self { directory, database, hands: Arc::default() }
    }

    /// A path below what `init` made.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join("clinic").join(below)
    }

    fn handed_out(&self, file: &str) -> String {
        fs::read_to_string(self.path("handed-out").join(file)).unwrap()
    }

    pub(crate) fn token(&self, name: &str) -> String {
        self.handed_out(&format!("{name}.token"))
    }

    pub(crate) fn share(&self, number: u8) -> String {
        self.handed_out(&format!("custodian-{number}.share"))
    }

    pub(crate) fn config(&self, door: Door) -> Config {
        Config::new(door, self.path(name(door)), self.database.clone())
    }

    /// A door in this process, by the clock that is moved by hand.
    pub(crate) async fn open(&self, door: Door) -> Site {
        let running = start(&self.config(door), Arc::clone(&self.hands) as Arc<dyn Clock>).await.unwrap();
        let caller = Caller::new(format!("http://{}", running.address()));
        Site { running, caller }
    }

    /// A door in a process of its own.
    pub(crate) fn spawn(&self, door: Door, arguments: &[&str]) -> Process {
        let mut command = Command::new(BINARY);
        command.env_remove("DATABASE_URL").arg(name(door)).arg("--state").arg(self.path(name(door))).args(arguments);
        match &self.database {
            Location::Sqlite(path) => command.args([OsStr::new("--db"), path.as_os_str()]),
            Location::Postgres(url) => command.env("DATABASE_URL", url),
        };
        Process::spawn(command)
    }
}

const fn name(door: Door) -> &'static str {
    match door {
        Door::Therapist => "therapist",
        Door::Intake => "intake",
        Door::Glass => "glass",
    }
}

/// A door in this process, and who calls it.
pub(crate) struct Site {
    pub(crate) running: Running,
    pub(crate) caller: Caller,
}

impl Site {
    pub(crate) async fn shutdown(self) {
        self.running.shutdown().await.unwrap();
    }
}

/// Who calls one door.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) base: String,
    client: reqwest::Client,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) etag: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) body: Value,
}

impl Caller {
    pub(crate) fn new(base: String) -> Self {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().unwrap();
        Self { base, client }
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        token: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Reply {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header("cache-control").as_deref(), Some("no-store"), "{path}");
        let (status, etag, kind) = (response.status().as_u16(), header("etag"), header("content-type"));
        let bytes = response.bytes().await.unwrap();
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
        Reply { status, etag, kind, body }
    }

    /// A request whose bodies are files; the response as the client gives it.
    pub(crate) async fn file(
        &self,
        method: &str,
        path: &str,
        token: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> reqwest::Response {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.client.request(method, format!("{}{path}", self.base)).bearer_auth(token).body(body);
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Reply {
        self.send("GET", path, token, &[], None).await
    }

    /// Enrols a patient and gives its id.
    pub(crate) async fn enrol(&self, token: &str) -> String {
        let reply = self.send("POST", "/patients", token, &[], None).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.body["patient"].as_str().unwrap().to_owned()
    }

    /// Writes a new note.
    pub(crate) async fn write(&self, patient: &str, record: &str, token: &str, text: &str) -> Reply {
        let path = format!("/patients/{patient}/notes/{record}");
        self.send("PUT", &path, token, &[("If-None-Match", "*")], Some(json!({ "text": text }))).await
    }

    /// Writes the next revision.
    pub(crate) async fn rewrite(&self, path: &str, token: &str, etag: &str, text: &str) -> Reply {
        self.send("PUT", path, token, &[("If-Match", etag)], Some(json!({ "text": text }))).await
    }

    /// Gives a share.
    pub(crate) async fn share(&self, token: &str, share: &str) -> Reply {
        self.send("POST", "/glass/shares", token, &[], Some(json!({ "share": share }))).await
    }
}

/// A door in a process of its own. It is killed if the test ends before it does.
pub(crate) struct Process {
    child: Child,
    pub(crate) caller: Caller,
    output: Option<JoinHandle<String>>,
}

impl Process {
    fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        stdout.read_line(&mut first).unwrap();
        // Both are read to their ends, so that the process never waits for a full pipe.
        let output = std::thread::spawn(move || {
            let mut log = String::new();
            stderr.read_to_string(&mut log).unwrap();
            stdout.read_to_string(&mut log).unwrap();
            log
        });
        let Some(base) = first.trim().strip_prefix("listening on ") else {
            panic!("it did not start: {}", output.join().unwrap())
        };
        Self { child, caller: Caller::new(base.to_owned()), output: Some(output) }
    }

    pub(crate) fn signal(&self, name: &str) {
        let killed = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
        assert!(killed.success());
    }

    /// Waits for the end; gives the exit code and everything that was written.
    pub(crate) fn wait(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        (code, self.output.take().unwrap().join().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
