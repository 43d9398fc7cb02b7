//! The memory: a file, who shares it, and where it must not lie.

use std::fs;

use lukko_clinic::{Clinic, Error, Memory, Plan, Purpose, RolledBack, THERAPIST};
use lukko_store::SqliteStore;

use crate::world::sqlite;

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_its_owners_alone_with_everything_beside_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("memory.db");
    let memory = Memory::file(&path).await.unwrap();
    let store = lukko_store::MemoryStore::new();
    Clinic::found(store, memory.clone(), Plan::custodians(2, 3).classical().member("aalto", THERAPIST)).await.unwrap();
    let mut files = 0;
    for file in fs::read_dir(directory.path()).unwrap() {
        assert_eq!(file.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
        files += 1;
    }
    assert_eq!(files, 3, "the file, its log and its index");
    for mode in [0o640, 0o604, 0o666] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert!(matches!(Memory::file(&path).await, Err(Error::MemoryMode)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_memory_in_the_directory_of_the_database_is_refused_unless_it_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let below = directory.path().join("below");
    fs::create_dir(&below).unwrap();
    let store = SqliteStore::open(directory.path().join("clinic.db")).await.unwrap();
    let plan = || Plan::custodians(2, 3).classical().member("aalto", THERAPIST);
    for path in [directory.path().join("memory.db"), below.join("memory.db")] {
        let memory = Memory::file(&path).await.unwrap();
        assert!(matches!(Clinic::found(store.clone(), memory, plan()).await, Err(Error::MemoryBeside)));
    }
    let path = directory.path().join("memory.db");
    let memory = Memory::file_beside_the_database(&path).await.unwrap();
    let founded = Clinic::found(store.clone(), memory, plan()).await.unwrap();
    let key = founded.key("aalto").unwrap();
    let named = Memory::file(&path).await.unwrap();
    assert!(matches!(Clinic::open(store.clone(), named, key).await, Err(Error::MemoryBeside)));
    Clinic::open(store, Memory::file_beside_the_database(&path).await.unwrap(), key).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t167_a_memory_is_of_one_clinic_and_an_empty_one_opens_nothing() {
    let (world, other) = (sqlite().await, sqlite().await);
    let key = world.key("aalto");
    let empty = Clinic::open(world.store.clone(), Memory::in_memory(), &key).await.unwrap_err();
    assert_eq!(empty.code(), "memory-empty");
    let elsewhere = Clinic::open(other.store.clone(), world.memory.clone(), &key).await.unwrap_err();
    assert_eq!(elsewhere.code(), "other-database");
    let again = Clinic::join(world.store.clone(), world.memory.clone(), &key, &world.clinic.invitation()).await;
    assert_eq!(again.unwrap_err().code(), "memory-in-use");
    let foreign = Clinic::join(world.store.clone(), Memory::in_memory(), &key, &other.clinic.invitation()).await;
    assert_eq!(foreign.unwrap_err().code(), "other-database");
    // An invitation that was mistyped names no clinic, or is none.
    let text = world.clinic.invitation().to_string();
    assert_eq!((text.len(), text.parse::<lukko_clinic::Invitation>().unwrap()), (129, world.clinic.invitation()));
    for wrong in [&text[1..], &text[..128], &text.replace('-', ""), &text.replace('-', "-x"), ""] {
        assert_eq!(wrong.parse::<lukko_clinic::Invitation>().unwrap_err().code(), "invitation");
    }
    // A key of somebody who was never admitted.
    let stranger = lukko_clinic::Key::draw("stranger").unwrap();
    let joined = Clinic::join(world.store.clone(), Memory::in_memory(), &stranger, &world.clinic.invitation()).await;
    assert_eq!(joined.unwrap_err().code(), "not-a-member");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t167_a_lost_memory_is_rebuilt_from_the_fingerprint_and_says_what_was_lost() {
    let world = sqlite().await;
    let patient = world.session().enrol().await.unwrap();
    let note = patient.write("note", "slept better").await.unwrap();
    let (key, invitation) = (world.key("aalto"), world.clinic.invitation());
    let joined = Clinic::join(world.store.clone(), Memory::in_memory(), &key, &invitation).await.unwrap();
    assert_eq!((joined.roster, joined.patients), (1, 1));
    assert!(joined.to_string().contains("revisions of 1 patients"), "{joined}");
    let session = joined.clinic.session(Purpose::care("appointment"));
    let patient = session.patient(&patient.id()).await.unwrap();
    assert_eq!(patient.read(&note).await.unwrap().text(), "slept better");
}

/// Two processes of one member: two clinics over two handles of one file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t167_two_processes_of_one_member_share_a_memory() {
    let world = sqlite().await;
    let path = world.directory.path().join("memory.db");
    let (key, invitation) = (world.key("aalto"), world.clinic.invitation());
    let first = Memory::file(&path).await.unwrap();
    let first = Clinic::join(world.store.clone(), first, &key, &invitation).await.unwrap().clinic;
    let second = Clinic::open(world.store.clone(), Memory::file(&path).await.unwrap(), &key).await.unwrap();
    let sessions = [first, second].map(|clinic| clinic.session(Purpose::care("appointment")));
    let one = sessions[0].enrol().await.unwrap();
    let other = sessions[1].patient(&one.id()).await.unwrap();
    let note = one.write("note", "slept better").await.unwrap();
    world.thief.copy("record").await;
    let edited = one.edit(&note, "slept well").await.unwrap();
    world.thief.put_back("record").await;
    // What one has seen, the other knows.
    let error = other.read(&note).await.unwrap_err();
    assert_eq!(error.rolled_back(), Some(&RolledBack::Record { note: note.clone(), remembered: 2 }));
    world.thief.run("DELETE FROM record").await;
    world.thief.run("DROP TABLE old_record").await;
    drop(edited);
    // Both write at once, and neither takes the other's work for a theft.
    let write = |patient: lukko_clinic::Patient<SqliteStore>| async move {
        for _ in 0..20 {
            let mut note = patient.write("note", "text").await.unwrap();
            for _ in 0..3 {
                note = patient.edit(&note, "text").await.unwrap();
                patient.read(&note).await.unwrap();
            }
        }
    };
    let writers = tokio::join!(tokio::spawn(write(one.clone())), tokio::spawn(write(other)));
    assert!(writers.0.is_ok() && writers.1.is_ok());
    let shared = one.write("note", "0").await.unwrap();
    let race = |session: lukko_clinic::Session<SqliteStore>, id: String, shared: lukko_clinic::Note| async move {
        let patient = session.patient(&id).await.unwrap();
        let mut won = 0;
        for _ in 0..40 {
            let stored = patient.read(&shared).await.unwrap();
            match patient.edit(stored.note(), "text").await {
                Ok(_) => won += 1,
                Err(error) => assert!(error.is_overtaken(), "{error}"),
            }
        }
        won
    };
    let [first, second] = sessions;
    let races = tokio::join!(
        tokio::spawn(race(first, one.id().into_owned(), shared.clone())),
        tokio::spawn(race(second, one.id().into_owned(), shared.clone())),
    );
    let won: u64 = races.0.unwrap() + races.1.unwrap();
    assert_eq!(one.read(&shared).await.unwrap().note().revision(), won + 1);
}
