//! A program that starts again, and one without an asynchronous runtime.

use lukko_clinic::blocking::Blocking;
use lukko_clinic::{Attachments, Clinic, DEPOSIT, FrontDesk, Memory, Plan, Purpose, READER, SqliteStore, THERAPIST};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_starts_again_reads_what_it_wrote() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("database")).unwrap();
    let (database, file) = (directory.path().join("database/clinic.db"), directory.path().join("memory.db"));
    let store = SqliteStore::open(&database).await.unwrap();
    let plan = Plan::custodians(3, 5).member("aalto", THERAPIST);
    let founded = Clinic::found(store.clone(), Memory::file(&file).await.unwrap(), plan).await.unwrap();
    let key = founded.key("aalto").unwrap().clone();
    let patient = founded.clinic.session(Purpose::care("first visit")).enrol().await.unwrap();
    let note = patient.write("note", "slept better").await.unwrap();
    let (patient, id) = (patient.id().into_owned(), note.id().into_owned());
    store.close().await;

    let store = SqliteStore::open(&database).await.unwrap();
    let clinic = Clinic::open(store, Memory::file(&file).await.unwrap(), &key).await.unwrap();
    let patient = clinic.session(Purpose::care("second visit")).patient(&patient).await.unwrap();
    let note = patient.note("note", &id).unwrap();
    assert_eq!(patient.read(&note).await.unwrap().text(), "slept better");
}

/// The same day without `await`.
#[test]
fn a_whole_day_without_a_runtime() {
    let directory = tempfile::tempdir().unwrap();
    let blocking = Blocking::new().unwrap();
    let store = blocking.wait(SqliteStore::open(directory.path().join("clinic.db"))).unwrap();
    let plan = Plan::custodians(2, 3).classical();
    let plan = plan.member("aalto", THERAPIST).member("niemi", READER).member("intake", DEPOSIT);
    let founded = blocking.wait(Clinic::found(store.clone(), Memory::in_memory(), plan)).unwrap();
    let clinic = founded.clinic.clone().with_files(Attachments::local(directory.path()).unwrap());
    let session = blocking.twin(clinic.session(Purpose::care("appointment")));
    let patient = session.enrol().unwrap();
    let note = patient.write("note", "slept better").unwrap();
    let edited = patient.edit(&note, "slept well").unwrap();
    assert!(patient.edit(&note, "slept badly").unwrap_err().is_overtaken());
    assert_eq!(patient.read(&edited).unwrap().text(), "slept well");
    assert_eq!(patient.notes().map(|text| text.unwrap().text().to_owned()).collect::<Vec<_>>(), ["slept well"]);
    patient.share_with("niemi").unwrap();
    let file: Vec<u8> = (0..100_000_u32).map(|number| (number % 251) as u8).collect();
    let scan = patient.attach("scan", file.as_slice()).unwrap();
    let mut back = Vec::new();
    patient.copy_attachment(&scan, &mut back).unwrap();
    assert!(back == file);
    let (key, invitation) = (founded.key("intake").unwrap(), clinic.invitation());
    let desk = blocking.wait(Clinic::join(store, Memory::in_memory(), key, &invitation)).unwrap().clinic;
    let form = blocking.twin(FrontDesk::from(desk)).deposit(&patient.id(), "form", "not slept").unwrap();
    patient.take_over(&form).unwrap();
    assert_eq!(patient.deposits().count(), 1);
    assert_eq!(patient.search("SLEPT").unwrap().len(), 1);
    let officer = blocking.twin(clinic.officer(founded.registrar));
    assert!(officer.erase(&patient.id()).unwrap().to_string().contains("niemi"));
    session.close();
    assert_eq!(session.enrol().unwrap_err().code(), "session-expired");
}
