//! Import: files that change, ids that look alike, and patients who were erased.

use std::time::{Duration, SystemTime};

use crate::clinic::{Clinic, patient};
use futures_util::StreamExt;
use lukko::PatientId;
use lukko_store::error::Usage;
use lukko_store::placed::RecordRow;
use lukko_store::{
    Attachments, Change, Error, ImportFile, ImportJob, ImportMistake, KeyOf, MemoryStore, Progress, Store, VerifyJob,
    Worker, look_alikes,
};

pub const HEADER: &str = "patient_id,record_id,note\n";

pub fn csv(text: &[u8]) -> Result<ImportFile, ImportMistake> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.csv");
    std::fs::write(&path, text).unwrap();
    ImportFile::csv(path)
}

pub fn json_lines(text: impl AsRef<[u8]>) -> Result<ImportFile, ImportMistake> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.jsonl");
    std::fs::write(&path, text.as_ref()).unwrap();
    ImportFile::json_lines(path)
}

#[test]
fn t025_a_record_that_is_twice_in_the_file_is_refused() {
    let text = format!("{HEADER}p-1,r-1,a\np-2,r-1,b\np-1,r-1,c\n");
    let refused = csv(text.as_bytes()).unwrap_err();
    assert!(matches!(refused, ImportMistake::Twice { first: 2, second: 4 }), "{refused}");
    let line = "{\"patient_id\":\"p\",\"record_id\":\"r\",\"note\":\"a\"}";
    let refused = json_lines(format!("{line}\n{line}")).unwrap_err();
    assert!(matches!(refused, ImportMistake::Twice { first: 1, second: 2 }), "{refused}");
    let refused = ImportFile::csv("no/such/file.csv").unwrap_err();
    assert!(matches!(refused, ImportMistake::Unreadable(_)), "{refused}");
    assert!(csv(HEADER.as_bytes()).unwrap().is_empty());
}

/// A file that is exchanged under the job is noticed: its rows are where they were, or the job stops.
#[tokio::test]
async fn a_file_that_changed_stops_the_import() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.csv");
    std::fs::write(&path, format!("{HEADER}p-1,r-1,first\n")).unwrap();
    let clinic = Clinic::new(0x7);
    let store = MemoryStore::new();
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let file = ImportFile::csv(&path).unwrap();
    std::fs::write(&path, format!("{HEADER}p-9,r-1,other\n")).unwrap();
    let patients = &file.patients();
    let task = ImportJob { vault: &clinic.vault, by: &clinic.salo, grant_to: &[], file: &file, patients };
    let lease = Duration::from_secs(60);
    let worker = Worker { store: &store, vault: clinic.id(), job: "import", lease, clock: SystemTime::now };
    let stopped: Vec<_> = worker.run(task).collect().await;
    assert!(matches!(stopped[..], [Err(Error::Stream(_))]), "{stopped:?}");
    assert!(store.records(clinic.id(), patient("p-1"), None, 10).await.unwrap().is_empty());
}

fn named(groups: &[Vec<PatientId<'_>>]) -> Vec<Vec<String>> {
    groups.iter().map(|group| group.iter().map(|id| id.as_bytes().escape_ascii().to_string()).collect()).collect()
}

/// One person under several ids: an erasure of one would leave the others.
#[test]
fn ids_that_look_alike_are_listed() {
    let alike: [&[&str]; 9] = [
        &["00123", "123", " 123", "123 ", "\u{3000}123"],
        &["M\u{e4}ki", "Ma\u{308}ki", "M\u{c4}KI"],
        &["p-1", "p-1\0", "p-1\u{a0}", "p\u{2011}1", "P-01", "\u{200b}p-1", "p-\u{ad}1"],
        &["p-\u{ff11}0", "p-10"],
        &["stra\u{df}e", "STRASSE"],
        &["a 0", "a0"],
        &["x-007-8", "x-7-08"],
        // A letter that gets its capital from Unicode's compatibility forms, and one that a capital takes apart.
        &["\u{210c}1", "h1"],
        &["\u{390}", "\u{3aa}\u{301}"],
    ];
    let apart = ["p-2", "p-20", "p-200", "1230", "0", "a", "q-1", "\u{430}"];
    let mut text = HEADER.to_owned();
    for id in alike.iter().flat_map(|group| group.iter()).chain(&apart) {
        text.push_str(&format!("{id},r-1,one\n"));
    }
    let file = csv(text.as_bytes()).unwrap();
    let mut expected: Vec<Vec<String>> = alike
        .iter()
        .map(|group| {
            let mut ids: Vec<&str> = group.to_vec();
            ids.sort_unstable();
            ids.into_iter().map(|id| id.as_bytes().escape_ascii().to_string()).collect()
        })
        .collect();
    let mut found = named(&file.look_alikes());
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    assert_eq!(file.patients().len(), file.len());

    // Together with the ids that the store has: the file lost its zeros in a spreadsheet.
    let file = csv(format!("{HEADER}7,r-1,one\n8,r-1,two\n").as_bytes()).unwrap();
    assert!(file.look_alikes().is_empty());
    let stored = [patient("0007"), patient("8")];
    let both = file.patients().into_iter().chain(stored);
    assert_eq!(named(&look_alikes(both)), [["0007", "7"]]);

    let file = csv(format!("{HEADER}p-1,r-1,one\np-1,r-1 ,two\np-2,R-1,three\n").as_bytes()).unwrap();
    let records = file.look_alike_records();
    let [(of, ids)] = &records[..] else { panic!("{records:?}") };
    assert_eq!(of.as_bytes(), b"p-1");
    assert_eq!(ids.iter().map(|id| id.as_bytes()).collect::<Vec<_>>(), [&b"r-1"[..], b"r-1 "]);
}

/// Everything that a job says, and the patients that are stored afterwards.
async fn import(store: &MemoryStore, clinic: &Clinic, job: &str, file: &ImportFile) -> (Vec<Progress>, Vec<Vec<u8>>) {
    let patients = &file.patients();
    let task = ImportJob { vault: &clinic.vault, by: &clinic.salo, grant_to: &[], file, patients };
    let lease = Duration::from_secs(60);
    let worker = Worker { store, vault: clinic.id(), job, lease, clock: SystemTime::now };
    let said: Vec<_> = worker.run(task).collect().await;
    let said = said.into_iter().map(Result::unwrap).collect();
    (said, store.patients(clinic.id(), None, 10).await.unwrap())
}

/// An import knows no erasures, and the caller's list does: the erased are passed over and named.
#[tokio::test]
async fn an_erased_patient_is_not_imported_again() {
    let text = format!("{HEADER}p-1,r-1,one\np-1 ,r-9,the same person\np-2,r-1,two\n");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.csv");
    std::fs::write(&path, text).unwrap();
    let (clinic, store, erased) = (Clinic::new(0x21), MemoryStore::new(), [patient("p-1"), patient("p-7")]);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let file = ImportFile::csv(&path).unwrap().without(&erased);
    assert_eq!((file.len(), file.patients()), (1, vec![patient("p-2")]));

    let (said, stored) = import(&store, &clinic, "import", &file).await;
    let reasons: Vec<_> = said.iter().flat_map(|one| &one.findings).map(|finding| finding.reason.as_str()).collect();
    assert!(reasons[0].contains("was erased") && reasons[1].contains("looks like"), "{reasons:?}");
    let said: Vec<_> = said.iter().map(|one| (one.patient.as_slice(), one.written, one.findings.len())).collect();
    assert_eq!(said, [(&b"p-1"[..], 0, 1), (b"p-1 ", 0, 1), (b"p-2", 1, 0)]);
    assert_eq!(stored, [b"p-2"]);
    // No table names the erased.
    let state = store.job(clinic.id(), "import").await.unwrap().unwrap();
    assert_eq!((state.open, state.done, state.failed), (0, 1, 0));

    // Without a list they are enrolled: this is what the documentation warns of.
    let file = ImportFile::csv(&path).unwrap();
    let (said, stored) = import(&store, &clinic, "import again", &file).await;
    assert!(said.iter().all(|one| one.findings.is_empty()), "{said:?}");
    assert_eq!(stored, [&b"p-1"[..], b"p-1 ", b"p-2"]);
}

/// A row that is given out shows no text by accident.
#[test]
fn a_row_shows_its_texts_only_to_who_asks() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.csv");
    std::fs::write(&path, format!("{HEADER}p-1,r-1,Geheimnis\n")).unwrap();
    let file = ImportFile::csv(&path).unwrap();
    let rows: Vec<_> = file.rows(patient("p-1")).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows[0].fields, [(b"note".to_vec(), "Geheimnis".to_owned())]);
    let shown = format!("{rows:?} {file:?}");
    assert!(shown.contains("r-1") && !shown.contains("Geheimnis"), "{shown}");
    assert_eq!(file.rows(patient("p-2")).unwrap().count(), 0);
}

/// On a runtime of one thread a stream that blocks would wait for itself.
#[tokio::test(flavor = "current_thread")]
async fn attachments_need_a_runtime_of_several_threads() {
    let directory = tempfile::tempdir().unwrap();
    let attachments = Attachments::local(directory.path()).unwrap();
    let mut clinic = Clinic::new(0x8);
    let (store, vault) = (MemoryStore::new(), clinic.id());
    store.apply(vault, &clinic.founding()).await.unwrap();
    let enrolled = crate::clinic::with_notes(&store, &mut clinic, "p-1", 1).await;
    let (object, length) = ("an-object", 3);
    std::fs::create_dir(directory.path().join(vault.to_string())).unwrap();
    std::fs::write(directory.path().join(vault.to_string()).join(object), "abc").unwrap();
    store.apply(vault, &[Change::Upload { object, at: 1 }]).await.unwrap();
    let body = lukko_store::Body::Object { object, length };
    let new = RecordRow { body, ..crate::clinic::first("p-1", "scan", enrolled.card_id, b"") };
    store.apply(vault, &[Change::Record(new.into())]).await.unwrap();
    let task = VerifyJob {
        vault: &clinic.vault,
        by: KeyOf::Member(&clinic.salo),
        attachments: Some(&attachments),
        deposits: &[],
    };
    let lease = Duration::from_secs(60);
    let worker = Worker { store: &store, vault, job: "verify", lease, clock: SystemTime::now };
    let stopped: Vec<_> = worker.run(task).collect().await;
    assert!(matches!(stopped[..], [Err(Error::Usage(Usage::OneThread))]), "{stopped:?}");
}
