//! Files that are not taken, and why: named by line, before anything is written.

use std::time::{Duration, SystemTime};

use crate::clinic::{Clinic, patient};
use futures_util::StreamExt;
use lukko_store::error::Usage;
use lukko_store::{
    Attachments, Change, Error, ImportFile, ImportJob, ImportMistake, KeyOf, MemoryStore, Store, VerifyJob, Worker,
};

const HEADER: &str = "patient_id,record_id,note\n";

fn csv(text: &[u8]) -> Result<ImportFile, ImportMistake> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.csv");
    std::fs::write(&path, text).unwrap();
    ImportFile::csv(path)
}

fn json_lines(text: &str) -> Result<ImportFile, ImportMistake> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.jsonl");
    std::fs::write(&path, text).unwrap();
    ImportFile::json_lines(path)
}

#[test]
fn a_csv_file_without_its_columns_is_refused() {
    for header in
        ["", "patient_id,record_id\n", "patient_id,note\n", "patient_id,record_id,note,note\n", "a,b,c\n1,2,3\n"]
    {
        let refused = csv(header.as_bytes()).unwrap_err();
        assert!(matches!(refused, ImportMistake::Header), "{header:?}: {refused}");
    }
}

#[test]
fn a_wrong_row_is_named_by_its_line() {
    let rows: [(&[u8], u64); 6] = [
        (b"p-1,r-1,one\np-1,r-2\n", 3),
        (b"p-1,r-1,\"a\nb\nc\"\n,r-2,two\n", 5),
        (b"p-1,r-1,one\np-1,,two\n", 3),
        (b"p-1,r-1,one\np-1,r-2,\xFF\n", 3),
        (b"p-1,r-1,one\np-1,r-2,\"two\nand no end\n", 3),
        (b"p-1,r-1,one\np-1,r-2,two,three\n", 3),
    ];
    for (rows, expected) in rows {
        let refused = csv(&[HEADER.as_bytes(), rows].concat()).unwrap_err();
        let ImportMistake::Row { line, .. } = refused else { panic!("{refused:?}") };
        assert_eq!(line, expected, "{:?}", rows.escape_ascii().to_string());
        // The message is for a terminal and a log: none of the file's text is in it.
        let said = refused.to_string();
        assert!(!said.contains("one") && !said.contains("two"), "{said}");
    }
    let id = "x".repeat(2_000);
    for (lines, expected) in [
        ("[1]", 1),
        ("{\"patient_id\":\"p-1\",\"record_id\":\"r\",\"note\":1}", 1),
        ("{\"patient_id\":\"p-1\",\"record_id\":\"r\",\"note\":\"a\"}\n{\"patient_id\":\"p-1\"}", 2),
        (&format!("\n{{\"patient_id\":\"{id}\",\"record_id\":\"r\",\"note\":\"a\"}}"), 2),
        ("{\"patient_id\":\"p-1\",\"record_id\":\"r\",\"\":\"a\"}", 1),
        ("{\"patient_id\":\"p-1\",\"record_id\":\"r\",\"note\":\"a\",\"note\":\"b\"}", 1),
    ] {
        let refused = json_lines(lines).unwrap_err();
        assert!(matches!(refused, ImportMistake::Row { line, .. } if line == expected), "{refused}");
    }
}

#[test]
fn t025_a_record_that_is_twice_in_the_file_is_refused() {
    let text = format!("{HEADER}p-1,r-1,a\np-2,r-1,b\np-1,r-1,c\n");
    let refused = csv(text.as_bytes()).unwrap_err();
    assert!(matches!(refused, ImportMistake::Twice { first: 2, second: 4 }), "{refused}");
    let line = "{\"patient_id\":\"p\",\"record_id\":\"r\",\"note\":\"a\"}";
    let refused = json_lines(&format!("{line}\n{line}")).unwrap_err();
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
    let new = lukko_store::NewRecord { body, ..crate::clinic::first("p-1", "scan", enrolled.card_id, b"") };
    store.apply(vault, &[Change::Record(new)]).await.unwrap();
    let task = VerifyJob { vault: &clinic.vault, by: KeyOf::Member(&clinic.salo), attachments: Some(&attachments) };
    let lease = Duration::from_secs(60);
    let worker = Worker { store: &store, vault, job: "verify", lease, clock: SystemTime::now };
    let stopped: Vec<_> = worker.run(task).collect().await;
    assert!(matches!(stopped[..], [Err(Error::Usage(Usage::OneThread))]), "{stopped:?}");
}
