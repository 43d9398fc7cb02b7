//! A memory that cannot be written: what it should have noted is not used. It is also a memory of the caller's own kind.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use lukko_clinic::{
    Answer, Clinic, DEPOSIT, Error, FrontDesk, Limits, Memory, Page, Plan, Purpose, READER, Remember, THERAPIST,
};
use lukko_store::MemoryStore;

#[derive(Debug, Default, Clone)]
struct Disk {
    notes: Arc<Mutex<BTreeMap<Vec<u8>, Vec<u8>>>>,
    full: Arc<AtomicBool>,
}

impl Disk {
    fn fill(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }
}

impl Remember for Disk {
    fn read<'a>(&'a self, about: &'a [u8]) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(async { Ok(self.notes.lock().unwrap().get(about).cloned()) })
    }

    fn write<'a>(&'a self, about: &'a [u8], was: Option<&'a [u8]>, now: Option<&'a [u8]>) -> Answer<'a, bool> {
        Box::pin(async move {
            if self.full.load(Ordering::SeqCst) {
                return Err("the disk is full".into());
            }
            let mut notes = self.notes.lock().unwrap();
            let same = notes.get(about).map(Vec::as_slice) == was;
            match now {
                Some(now) if same => drop(notes.insert(about.to_vec(), now.to_vec())),
                None if same => drop(notes.remove(about)),
                _ => {}
            }
            Ok(same)
        })
    }

    fn list<'a>(&'a self, prefix: &'a [u8], after: Option<&'a [u8]>, limit: u32) -> Answer<'a, Page> {
        let behind = move |about: &[u8]| about.starts_with(prefix) && after.is_none_or(|after| about > after);
        Box::pin(async move {
            let notes = self.notes.lock().unwrap();
            let page = notes.iter().filter(|(about, _)| behind(about)).take(limit as usize);
            Ok(page.map(|(about, value)| (about.clone(), value.clone())).collect())
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t167_what_a_memory_could_not_note_is_not_used() {
    let (store, disk) = (MemoryStore::new(), Disk::default());
    let plan =
        Plan::custodians(2, 3).classical().member("aalto", THERAPIST).member("niemi", READER).member("intake", DEPOSIT);
    let founded = Clinic::found(store.clone(), Memory::in_memory(), plan).await.unwrap();
    let limits = Limits { members_for: std::time::Duration::ZERO, ..Limits::default() };
    let (aalto, invitation) = (founded.clinic.clone().with_limits(limits), founded.clinic.invitation());
    let patient = aalto.session(Purpose::care("appointment")).enrol().await.unwrap();
    let other = aalto.session(Purpose::care("appointment")).enrol().await.unwrap();
    let note = patient.write("note", "slept better").await.unwrap();
    for shared in [&patient, &other] {
        shared.share_with("niemi").await.unwrap();
    }
    let join = async |name: &str, memory| {
        let key = founded.key(name).unwrap();
        Clinic::join(store.clone(), memory, key, &invitation).await.map(|joined| joined.clinic.with_limits(limits))
    };
    disk.fill(true);
    assert!(matches!(join("niemi", Memory::of(disk.clone())).await, Err(Error::Memory(_))));
    disk.fill(false);
    let niemi = join("niemi", Memory::of(disk.clone())).await.unwrap();
    let intake = Disk::default();
    let desk = FrontDesk::from(join("intake", Memory::of(intake.clone())).await.unwrap());
    let session = niemi.session(Purpose::care("consultation"));
    let hers = session.patient(&patient.id()).await.unwrap();
    disk.fill(true);
    intake.fill(true);
    // No text, no card, no front end's seal.
    assert!(matches!(hers.read(&note).await, Err(Error::Memory(_))));
    assert!(matches!(session.patient(&other.id()).await, Err(Error::Memory(_))));
    assert!(matches!(desk.deposit(&patient.id(), "form", "text").await, Err(Error::Memory(_))));
    // What is stored and could not be noted is said to be so, and is there.
    assert!(matches!(hers.write("note", "stored").await, Err(Error::NotNoted(_))));
    assert!(matches!(hers.edit(&note, "edited").await, Err(Error::NotNoted(_))));
    assert_eq!(patient.read(&note).await.unwrap().text(), "edited");
    // Nothing is deleted that is not noted before.
    let newest = patient.read(&note).await.unwrap().note().clone();
    assert!(matches!(hers.delete(&newest).await, Err(Error::Memory(_))));
    assert_eq!(patient.read(&note).await.unwrap().text(), "edited");
    // Nor is a newer list of members used.
    let intake = join("intake", Memory::in_memory()).await.unwrap().me().fingerprint();
    let registrar = lukko::RegistrarKey::from_seed(founded.registrar.seed().expose().try_into().unwrap());
    aalto.officer(registrar).revoke(intake).await.unwrap();
    assert!(matches!(hers.read(&note).await, Err(Error::Memory(_))));
    disk.fill(false);
    assert_eq!(hers.read(&note).await.unwrap().text(), "edited");
}
