//! Attachments through an object store: streamed both ways, resealed, swept.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use crate::clinic::{Clinic, field, first, patient, record, with_notes};
use lukko::{OsRng, PatientKey, RecordContext, Revision, Vault};
use lukko_store::placed::RecordRow;
use lukko_store::{Attachments, Body, Change, Error, ObjectSink, SqliteStore, Store, StoredBody};

const LENGTH: usize = 6_000_000;

fn text() -> Vec<u8> {
    (0..LENGTH).map(|at| (at / 7 % 251) as u8).collect()
}

fn files(directory: &Path) -> usize {
    let below = |entry: std::fs::DirEntry| if entry.path().is_dir() { files(&entry.path()) } else { 1 };
    std::fs::read_dir(directory).unwrap().map(|entry| below(entry.unwrap())).sum()
}

/// What a service does with an upload.
async fn seal(vault: Vault, key: Arc<PatientKey>, sink: ObjectSink) -> (String, u64) {
    let work = move || {
        let place = RecordContext::new(record("scan"), field(), Revision::FIRST);
        let mut writer = vault.seal_attachment(&key, &place, sink, &mut OsRng).unwrap();
        writer.write_all(&text()).unwrap();
        writer.finish().unwrap().finish().unwrap().into_parts()
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t023_t107_an_attachment_is_streamed_read_at_random_and_swept_after_erasure() {
    let scratch = tempfile::tempdir().unwrap();
    let objects = scratch.path().join("objects");
    std::fs::create_dir(&objects).unwrap();
    let attachments = Attachments::local(&objects).unwrap();
    let store = SqliteStore::open(scratch.path().join("vault.db")).await.unwrap();
    let mut clinic = Clinic::new(0x23);
    let id = clinic.id();
    store.apply(id, &clinic.founding()).await.unwrap();
    let enrolled = with_notes(&store, &mut clinic, "p-1", 0).await;
    let (card, key) = (enrolled.card_id, Arc::new(enrolled.key));

    // An upload that nothing became of, and one that is stored.
    let abandoned = attachments.begin(&store, id, 100).await.unwrap();
    seal(clinic.vault.clone(), Arc::clone(&key), abandoned).await;
    let sink = attachments.begin(&store, id, 100).await.unwrap();
    let (object, length) = seal(clinic.vault.clone(), Arc::clone(&key), sink).await;
    let new = RecordRow { body: Body::Object { object: &object, length }, ..first("p-1", "scan", card, b"") };
    store.apply(id, &[Change::Record(new.into())]).await.unwrap();
    assert_eq!(files(&objects), 2);
    assert_eq!(attachments.sweep(&store, id, 100).await.unwrap(), 0);
    assert_eq!(attachments.sweep(&store, id, 101).await.unwrap(), 1);
    assert_eq!(files(&objects), 1);

    let stored = store.record(id, patient("p-1"), record("scan"), field()).await.unwrap().unwrap();
    assert_eq!(stored.body, StoredBody::Object { object: object.clone(), length });
    let source = attachments.source(id, &object).await.unwrap();
    let (vault, reader) = (clinic.vault.clone(), Arc::clone(&key));
    let read = move || {
        let mut reader = vault.open_attachment(&reader, record("scan"), field(), source).unwrap();
        let (mut whole, mut middle) = (Vec::new(), [0; 100]);
        reader.read_to_end(&mut whole).unwrap();
        reader.seek(SeekFrom::Start(3_000_000)).unwrap();
        reader.read_exact(&mut middle).unwrap();
        (whole, middle)
    };
    let (whole, middle) = tokio::task::spawn_blocking(read).await.unwrap();
    assert!(whole == text());
    assert_eq!(middle[..], text()[3_000_000..3_000_100]);

    // One byte is altered in the object.
    let file = objects.join(id.to_string()).join(&object);
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[4_000_000] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let source = attachments.source(id, &object).await.unwrap();
    let (vault, reader) = (clinic.vault.clone(), Arc::clone(&key));
    let read = move || {
        let mut reader = vault.open_attachment(&reader, record("scan"), field(), source).unwrap();
        reader.read_to_end(&mut Vec::new()).unwrap_err()
    };
    let error = tokio::task::spawn_blocking(read).await.unwrap();
    assert_eq!(lukko::Error::from_io(&error), Some(&lukko::Error::NotAuthentic));

    let cards = [card];
    let closing = clinic.erasing(&cards);
    store.apply(id, &[closing.publish(), Change::Erase(closing.erase("p-1", &cards))]).await.unwrap();
    assert_eq!(attachments.sweep(&store, id, 1).await.unwrap(), 1);
    assert_eq!(files(&objects), 0);
    let gone = attachments.source(id, &object).await;
    assert!(matches!(gone, Err(Error::Missing(_))), "{gone:?}");
}

/// The first part is full, and uploaded, while the text is still being written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t023_an_attachment_is_written_by_a_thread_of_its_own() {
    let scratch = tempfile::tempdir().unwrap();
    let attachments = Attachments::local(scratch.path()).unwrap();
    let store = SqliteStore::open(scratch.path().join("vault.db")).await.unwrap();
    let sink = attachments.begin(&store, Clinic::new(0x2301).id(), 1).await.unwrap();
    let mut sink = std::io::BufWriter::with_capacity(100_000, sink);
    let write = move || {
        sink.write_all(&text()).unwrap();
        sink.into_inner().unwrap().finish().unwrap().into_parts()
    };
    let write = std::thread::spawn(write);
    let (_, length) = tokio::task::spawn_blocking(|| write.join().unwrap()).await.unwrap();
    assert_eq!(length, LENGTH as u64);
}
