//! What members do every day.

use futures_util::{StreamExt as _, TryStreamExt as _};
use lukko::{OsRng, RecipientKey, Suite};
use lukko_clinic::{Author, Error, FrontDesk, Patient, Purpose};
use lukko_store::Store;

use crate::world::{World, on_both};

on_both! {
    a_note_is_written_edited_read_and_deleted
    who_was_overtaken_gets_what_is_stored
    a_patient_is_shared_and_taken_back
    a_deposit_is_taken_over_twice
    an_attachment_of_any_length_comes_back
    a_search_finds_words_in_one_patient
    a_disclosure_opens_to_its_recipient
    a_call_reads_only_its_own_kind
}

/// Every text of a patient's notes, in no order.
async fn texts<S: Store + 'static>(patient: &Patient<S>) -> Vec<String> {
    let mut texts: Vec<String> = patient.notes().map_ok(|text| text.text().to_owned()).try_collect().await.unwrap();
    texts.sort();
    texts
}

async fn a_note_is_written_edited_read_and_deleted<S: Store + Clone + 'static>(world: World<S>) {
    let patient = world.session().enrol().await.unwrap();
    let note = patient.write("note", "slept better").await.unwrap();
    assert_eq!((note.revision(), note.field().as_ref()), (1, "note"));
    let edited = patient.edit(&note, "slept well").await.unwrap();
    let read = patient.read(&note).await.unwrap();
    assert_eq!((read.text(), read.note().revision(), read.author()), ("slept well", 2, &Author::Reader));
    assert_eq!(format!("{read:?}").find("slept"), None);
    // Seventy more, so that a listing has two pages.
    for number in 0..70 {
        patient.write("note", &format!("note {number:02}")).await.unwrap();
    }
    let all = texts(&patient).await;
    assert_eq!((all.len(), all[0].as_str(), all[70].as_str()), (71, "note 00", "slept well"));
    patient.delete(&edited).await.unwrap();
    assert!(matches!(patient.read(&edited).await, Err(Error::NoRecord)));
    assert_eq!(texts(&patient).await.len(), 70);
    // In another session, by another handle.
    let again = world.session().patient(&patient.id()).await.unwrap();
    assert_eq!(texts(&again).await.len(), 70);
}

async fn who_was_overtaken_gets_what_is_stored<S: Store + Clone + 'static>(world: World<S>) {
    let patient = world.session().enrol().await.unwrap();
    patient.share_with("niemi").await.unwrap();
    let niemi = world.join("niemi").await.session(Purpose::care("consultation"));
    let hers = niemi.patient(&patient.id()).await.unwrap();
    let note = patient.write("note", "slept better").await.unwrap();
    hers.edit(&note, "slept well").await.unwrap();
    let error = patient.edit(&note, "slept badly").await.unwrap_err();
    assert!(error.is_overtaken());
    assert!(!format!("{error:?} {error}").contains("slept"));
    assert_eq!(error.stored().unwrap().revision(), 2);
    let Error::Overtaken(overtaken) = error else { unreachable!() };
    let stored = overtaken.stored.unwrap();
    assert_eq!(stored.text(), "slept well");
    patient.edit(stored.note(), "slept badly").await.unwrap();
    // A deletion at a revision that is not the newest changes nothing, and is told so.
    assert!(hers.delete(&note).await.unwrap_err().is_overtaken());
    assert_eq!(hers.read(&note).await.unwrap().text(), "slept badly");
}

async fn a_patient_is_shared_and_taken_back<S: Store + Clone + 'static>(world: World<S>) {
    let patient = world.session().enrol().await.unwrap();
    let note = patient.write("note", "slept better").await.unwrap();
    let niemi = world.join("niemi").await.session(Purpose::care("consultation"));
    let refused = niemi.patient(&patient.id()).await.unwrap_err();
    let unknown = niemi.patient("nobody").await.unwrap_err();
    assert_eq!((refused.code(), unknown.code()), ("not-granted", "not-granted"));
    assert_eq!(patient.share_with("intake").await.unwrap_err().code(), "no-colleague");
    patient.share_with("niemi").await.unwrap();
    patient.share_with("niemi").await.unwrap();
    let mut readers = patient.shared_with().await.unwrap();
    readers.sort();
    assert_eq!(readers, ["aalto", "niemi"]);
    let hers = niemi.patient(&patient.id()).await.unwrap();
    assert_eq!(hers.read(&note).await.unwrap().text(), "slept better");
    patient.withdraw("niemi").await.unwrap();
    assert_eq!(niemi.patient(&patient.id()).await.unwrap_err().code(), "not-granted");
}

async fn a_deposit_is_taken_over_twice<S: Store + Clone + 'static>(world: World<S>) {
    let patient = world.session().enrol().await.unwrap();
    let desk = FrontDesk::from(world.join("intake").await);
    assert_eq!(desk.deposit("nobody", "form", "text").await.unwrap_err().code(), "no-patient");
    let form = desk.deposit(&patient.id(), "form", "not slept since the move").await.unwrap();
    let other = desk.deposit(&patient.id(), "form", "another form").await.unwrap();
    let read = patient.read_deposit(&form).await.unwrap();
    let Author::Depositor { name, revoked: false, .. } = read.author() else { panic!("{:?}", read.author()) };
    assert_eq!((read.text(), name.as_deref()), ("not slept since the move", Some("intake")));
    patient.take_over(&form).await.unwrap();
    patient.take_over(&form).await.unwrap();
    assert_eq!(patient.read_deposit(&form).await.unwrap().text(), "not slept since the move");
    let all: Vec<_> = patient.deposits().map(|text| text.unwrap().text().to_owned()).collect().await;
    assert_eq!(all.len(), 2);
    // One that was taken over stays deleted, too.
    patient.delete(&other).await.unwrap();
    assert_eq!(patient.deposits().count().await, 1);
}

async fn an_attachment_of_any_length_comes_back<S: Store + Clone + 'static>(world: World<S>) {
    let patient = world.session().enrol().await.unwrap();
    for length in [0, 1, 65_535, 65_536, 65_537, 300_000] {
        let file: Vec<u8> = (0..length).map(|number: u32| (number % 251) as u8).collect();
        let note = patient.attach("scan", file.as_slice()).await.unwrap();
        let mut attachment = patient.attachment(&note).await.unwrap();
        let mut back = Vec::new();
        attachment.copy_to(&mut back).await.unwrap();
        assert_eq!((attachment.len(), back == file), (u64::from(length), true));
        assert!(attachment.next().await.unwrap().is_none());
    }
    let note = patient.attach("scan", b"first".as_slice()).await.unwrap();
    let second = patient.replace_attachment(&note, b"second".as_slice()).await.unwrap();
    assert!(patient.replace_attachment(&note, b"third".as_slice()).await.unwrap_err().is_overtaken());
    let mut back = Vec::new();
    patient.attachment(&second).await.unwrap().copy_to(&mut back).await.unwrap();
    assert_eq!(back, b"second");
    let bare = world.founded.clinic.session(Purpose::care("appointment"));
    let bare = bare.patient(&patient.id()).await.unwrap();
    assert_eq!(bare.attachment(&note).await.unwrap_err().code(), "no-files");
}

async fn a_search_finds_words_in_one_patient<S: Store + Clone + 'static>(world: World<S>) {
    let session = world.session();
    let (one, other) = (session.enrol().await.unwrap(), session.enrol().await.unwrap());
    one.write("note", "Nukkui hyvin. ÄITI soitti").await.unwrap();
    one.write("plan", "soittaa äiti").await.unwrap();
    other.write("note", "äiti").await.unwrap();
    let hits = one.search("Äiti").await.unwrap();
    assert_eq!(hits.len(), 2);
    assert!(hits.iter().all(|hit| !format!("{hit} {hit:?}").to_lowercase().contains("äiti")));
    assert!(one.search("vaari").await.unwrap().is_empty());
}

async fn a_disclosure_opens_to_its_recipient<S: Store + Clone + 'static>(world: World<S>) {
    let patient = world.session().enrol().await.unwrap();
    let note = patient.write("note", "slept better").await.unwrap();
    let court = RecipientKey::generate(Suite::X25519, &mut OsRng).unwrap();
    let copy = patient.disclose(&note, court.public()).await.unwrap();
    let vault = world.clinic.vault().await.unwrap();
    let disclosed = vault.open_disclosure(&court, &copy).unwrap();
    assert_eq!(disclosed.plaintext.as_bytes(), b"slept better");
    assert_eq!(disclosed.signer, world.clinic.me().fingerprint());
}

async fn a_call_reads_only_its_own_kind<S: Store + Clone + 'static>(world: World<S>) {
    let patient = world.session().enrol().await.unwrap();
    let other = world.session().enrol().await.unwrap();
    let note = patient.write("note", "slept better").await.unwrap();
    let scan = patient.attach("scan", b"scan".as_slice()).await.unwrap();
    let desk = FrontDesk::from(world.join("intake").await);
    let form = desk.deposit(&patient.id(), "form", "text").await.unwrap();
    for misplaced in [patient.read(&scan).await.err(), patient.read(&form).await.err()] {
        assert_eq!(misplaced.unwrap().code(), "misplaced");
    }
    assert_eq!(patient.read_deposit(&note).await.unwrap_err().code(), "misplaced");
    assert_eq!(patient.attachment(&note).await.unwrap_err().code(), "misplaced");
    assert_eq!(other.read(&note).await.unwrap_err().code(), "no-record");
    for name in ["", "deposit/form", "file/scan", "lukko/access", &"x".repeat(241)] {
        assert_eq!(patient.write(name, "text").await.unwrap_err().code(), "name");
    }
}
