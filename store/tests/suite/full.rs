//! A full disk, a read-only file system and permissions that change while the store runs.
//!
//! Each case runs in a process of its own, in a namespace of mounts that goes with it, and without root's right to pass over
//! permissions. Where `unshare`, `mount` and `setpriv` do not do that, the test fails: it would show nothing.

use std::fs::{File, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::mix::{Mix, picture};
use crate::postgres::Session;
use lukko_store::{PostgresStore, Result, SqliteStore, Store};

const CASE: &str = "LUKKO_FULL_CASE";

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the means of this test failed: {command:?}: {text}");
}

/// Runs one case in a process that may mount, and that permissions bind.
fn in_a_namespace(case: &str) {
    let root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    let mut command = Command::new("unshare");
    command.arg("--mount").args(if root { &[][..] } else { &["--user", "--map-root-user"] });
    command.args(["setpriv", "--bounding-set=-dac_override,-dac_read_search"]).arg(std::env::current_exe().unwrap());
    command.args(["--exact", "full::child", "--nocapture"]).env(CASE, case);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let shown = text.lines().find(|line| line.starts_with("shown: "));
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    println!("{}", shown.expect("the case ran"));
}

#[test]
fn t099_a_full_disk_in_sqlite() {
    in_a_namespace("full");
}

#[test]
fn t099_a_read_only_file_system_in_sqlite() {
    in_a_namespace("read-only");
}

#[test]
fn t099_permissions_change_in_sqlite() {
    in_a_namespace("permissions");
}

/// What runs in the namespace. Does nothing where no case is named.
#[tokio::test]
async fn child() {
    let Ok(case) = std::env::var(CASE) else { return };
    match case.as_str() {
        "full" => full().await,
        "read-only" => read_only().await,
        "permissions" => permissions().await,
        other => panic!("{other}"),
    }
}

/// A small file system in memory. Goes when it is dropped.
struct Small {
    directory: tempfile::TempDir,
    ballast: Option<File>,
}

impl Small {
    fn mount(size: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(directory.path()));
        Self { directory, ballast: None }
    }

    fn remount(&self, option: &str) {
        run(Command::new("mount").args(["-o", &format!("remount,bind,{option}")]).arg(self.directory.path()));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Leaves not a byte.
    fn fill(&mut self) {
        let mut ballast = File::options().create(true).append(true).open(self.path("ballast")).unwrap();
        let error = loop {
            if let Err(error) = ballast.write_all(&[0xff; 4096]) {
                break error;
            }
        };
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
        self.ballast = Some(ballast);
    }

    fn clear(&mut self) {
        self.ballast = None;
        std::fs::remove_file(self.path("ballast")).unwrap();
    }

    /// Makes so much room, in bytes.
    fn make_room(&self, bytes: u64) {
        let ballast = self.ballast.as_ref().unwrap();
        ballast.set_len(ballast.metadata().unwrap().len() - bytes).unwrap();
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.directory.path()).status();
    }
}

/// Unavailable, with words that say what to do.
fn refused<T: std::fmt::Debug>(result: Result<T>, word: &str) {
    let error = result.unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains(word), "{error:?}");
}

/// The disk is full before each change, and gets one page of room after another until the change succeeds.
async fn full() {
    let mut disk = Small::mount("4m");
    let mix = Mix::new(0x9901, 60_000);
    let vault = mix.clinic.id();
    let path = disk.path("vault.db");
    let (mut store, mut refusals) = (SqliteStore::open(&path).await.unwrap(), 0);
    for (number, step) in mix.steps().iter().enumerate() {
        // Without the log's old pages, which could be written over.
        store.scrub(vault).await.unwrap();
        let before = picture(&store, vault).await;
        disk.fill();
        refused(store.apply(vault, step).await, "make room");
        loop {
            refusals += 1;
            assert!(picture(&store, vault).await == before, "step {number} is half done");
            disk.make_room(4096);
            match store.apply(vault, step).await {
                Ok(()) => break,
                refusal => refused(refusal, "make room"),
            }
        }
        let after = picture(&store, vault).await;
        assert!(after != before, "step {number} changed nothing");
        // What was acknowledged is there for whoever opens the database next.
        store.close().await;
        disk.clear();
        store = SqliteStore::open(&path).await.unwrap();
        assert!(picture(&store, vault).await == after, "step {number} was lost");
    }
    let steps = mix.steps().len();
    println!("shown: {steps} changes on a full disk, refused {refusals} times: 0 half done, 0 lost");
}

async fn read_only() {
    let disk = Small::mount("4m");
    let mix = Mix::new(0x9902, 20_000);
    let (vault, path) = (mix.clinic.id(), disk.path("vault.db"));
    let steps = mix.steps();
    for (number, step) in steps.iter().enumerate() {
        let store = SqliteStore::open(&path).await.unwrap();
        store.apply(vault, step).await.unwrap();
        let before = picture(&store, vault).await;
        store.close().await;
        let files = bytes(&path);
        disk.remount("ro");
        refused(SqliteStore::open(&path).await, "permissions");
        refused(SqliteStore::open(disk.path("new.db")).await, "permissions");
        disk.remount("rw");
        assert!(bytes(&path) == files);
        let store = SqliteStore::open(&path).await.unwrap();
        assert!(picture(&store, vault).await == before, "step {number} was lost");
        store.close().await;
    }
    println!("shown: opened on a read-only file system {} times: refused, and nothing lost", steps.len());
}

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// The file and its directory lose the right to be written, while the store runs.
async fn permissions() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vault.db");
    let mix = Mix::new(0x9903, 20_000);
    let vault = mix.clinic.id();
    let (mut served, mut refusals) = (0, 0);
    for (number, step) in mix.steps().iter().enumerate() {
        let store = SqliteStore::open(&path).await.unwrap();
        let before = picture(&store, vault).await;
        let files = ["vault.db", "vault.db-wal", "vault.db-shm"].map(|name| directory.path().join(name));
        let modes = |file, directory_| {
            files.iter().filter(|path| path.exists()).for_each(|path| set_mode(path, file));
            set_mode(directory.path(), directory_);
        };
        modes(0o444, 0o555);
        assert!(File::options().append(true).open(&path).is_err(), "permissions do not bind this process");
        // Files that are open stay so. What is acknowledged must count.
        let was_served = store.apply(vault, step).await;
        match &was_served {
            Ok(()) => served += 1,
            Err(error) => assert!(error.to_string().contains("permissions"), "{error:?}"),
        }
        let after = picture(&store, vault).await;
        store.close().await;
        // Whoever opens it now may read, at most.
        match SqliteStore::open(&path).await {
            Ok(store) => {
                // What was served already is only looked at, and acknowledged again.
                let again = store.apply(vault, step).await;
                if was_served.is_err() || again.is_err() {
                    refused(again, "permissions");
                }
                assert!(picture(&store, vault).await == after, "step {number} was lost");
                store.close().await;
            }
            refusal => refused(refusal, "permissions"),
        }
        refusals += 1;
        modes(0o644, 0o755);
        let store = SqliteStore::open(&path).await.unwrap();
        assert!(picture(&store, vault).await == after, "step {number} was lost");
        store.apply(vault, step).await.unwrap();
        assert!(picture(&store, vault).await != before, "step {number} changed nothing");
        store.close().await;
    }
    println!("shown: {served} changes by files that were open, {refusals} opened anew refused: 0 lost");
}

async fn server(statement: &str) -> String {
    Session::to("postgres:///postgres").await.text(statement).await
}

/// Whoever runs the server sets it to be read only, as some do when its disk is nearly full.
#[tokio::test]
async fn t099_a_read_only_server_in_postgresql() {
    let Some(database) = crate::postgres::fresh("readonly").await else { return };
    let url = format!("postgres:///{database}");
    let mix = Mix::new(0x9904, 20_000);
    let vault = mix.clinic.id();
    PostgresStore::open(&url).await.unwrap().close().await;
    for (number, step) in mix.steps().iter().enumerate() {
        server(&format!("ALTER DATABASE {database} SET default_transaction_read_only = on")).await;
        let store = PostgresStore::open(&url).await.unwrap();
        let before = picture(&store, vault).await;
        refused(store.apply(vault, step).await, "takes no changes now");
        assert!(picture(&store, vault).await == before, "step {number} is half done");
        store.close().await;
        server(&format!("ALTER DATABASE {database} RESET default_transaction_read_only")).await;
        let store = PostgresStore::open(&url).await.unwrap();
        store.apply(vault, step).await.unwrap();
        assert!(picture(&store, vault).await != before, "step {number} changed nothing");
        store.close().await;
    }
    server(&format!("ALTER DATABASE {database} SET default_transaction_read_only = on")).await;
    let fresh = crate::postgres::fresh("readonlynew").await.unwrap();
    server(&format!("ALTER DATABASE {fresh} SET default_transaction_read_only = on")).await;
    refused(PostgresStore::open(&format!("postgres:///{fresh}")).await, "takes no changes now");
}

/// The tables lie in a tablespace on a small disk. The write-ahead log has another one.
#[tokio::test]
async fn t099_a_full_disk_in_postgresql() {
    let Some(database) = crate::postgres::fresh("full").await else { return };
    crate::postgres::remove(&database).await;
    let mut disk = Small::mount("40m");
    // The server must reach the directory, and own what is in it.
    set_mode(disk.directory.path(), 0o755);
    let data = PathBuf::from(server("SHOW data_directory").await);
    let owner = std::fs::metadata(data).unwrap();
    let space = disk.path("space");
    std::fs::create_dir(&space).unwrap();
    std::os::unix::fs::chown(&space, Some(owner.uid()), Some(owner.gid())).unwrap();
    server(&format!("CREATE TABLESPACE {database}_space LOCATION '{}'", space.to_str().unwrap())).await;
    server(&format!("CREATE DATABASE {database} TABLESPACE {database}_space")).await;

    let store = PostgresStore::open(&format!("postgres:///{database}")).await.unwrap();
    let (mut refusals, mut served) = (0, 0);
    // Many vaults: pages that are there have room for the changes of the first ones.
    for seed in 0..4 {
        let mix = Mix::new(0x9910 + seed, 100_000);
        let vault = mix.clinic.id();
        for (number, step) in mix.steps().iter().enumerate() {
            let before = picture(&store, vault).await;
            disk.fill();
            let mut room = 8192;
            loop {
                match store.apply(vault, step).await {
                    Ok(()) => break,
                    refusal => refused(refusal, "make room"),
                }
                refusals += 1;
                assert!(picture(&store, vault).await == before, "step {number} is half done");
                disk.make_room(room);
                room += 8192;
            }
            served += 1;
            assert!(picture(&store, vault).await != before, "step {number} was lost");
        }
    }
    store.close().await;
    crate::postgres::remove(&database).await;
    server(&format!("DROP TABLESPACE {database}_space")).await;
    println!("shown: {served} changes on a full disk, refused {refusals} times: 0 half done, 0 lost");
    assert!(refusals > 20, "the disk was hardly ever full: {refusals}");
}
