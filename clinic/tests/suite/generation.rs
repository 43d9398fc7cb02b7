//! The next generation: a clinic moves when a person has compared its fingerprint, and never by itself.

use futures_util::TryStreamExt as _;
use lukko::{Enroller, OsRng, PatientRotation, Policy, Recovery};
use lukko_clinic::{Clinic, Purpose, RolledBack};
use lukko_store::{Change, NewGeneration, RotationJob, Store, Worker};

use crate::put_back::registrar;
use crate::world::{World, on_both};

on_both! {
    t159_a_clinic_moves_to_a_generation_that_a_person_has_compared
}

async fn t159_a_clinic_moves_to_a_generation_that_a_person_has_compared<S: Store + Clone + 'static>(world: World<S>) {
    let patient = world.session().enrol().await.unwrap();
    let left_behind = world.session().enrol().await.unwrap();
    let note = patient.write("note", "slept better").await.unwrap();
    let niemi = world.join("niemi").await;
    assert_eq!(world.clinic.next_generation().await.unwrap(), None);
    // The custodians, with the core.
    let from = world.clinic.vault().await.unwrap();
    let mut recovery = Recovery::new(from.descriptor());
    for share in &world.founded.shares[..2] {
        let text = share.to_text();
        recovery.add(lukko::Share::from_text(text.expose()).unwrap()).unwrap();
    }
    let master = recovery.finish().unwrap();
    let draft = from.roster().next_generation().unwrap();
    let (version, key) = (draft.version(), registrar(&world).public());
    let next = from.rotate(&master, Policy::new(2, 3).unwrap(), &key, draft, &mut OsRng).unwrap();
    let fingerprint = next.descriptor.fingerprint();
    let (descriptor, statement) = (next.descriptor.as_bytes(), Some(next.statement.as_slice()));
    let id = from.descriptor().vault();
    let generation = NewGeneration { generation: 2, descriptor, statement, version, roster: &next.roster };
    world.store.apply(id, &[Change::Generation(generation)]).await.unwrap();

    // Shown, and followed by nobody yet.
    assert_eq!(world.clinic.next_generation().await.unwrap(), Some(fingerprint));
    assert_eq!(world.clinic.vault().await.unwrap().descriptor().generation(), 1);
    let wrong = world.clinic.move_to(from.descriptor().fingerprint()).await.unwrap();
    assert_eq!(wrong.descriptor().generation(), 1, "it is there already");
    let other = lukko::Fingerprint::from_bytes([7; 32]);
    assert_eq!(world.clinic.move_to(other).await.unwrap_err().code(), "untrusted");
    assert!(!world.clinic.is_confirmed(other).await.unwrap());
    let to = world.clinic.move_to(fingerprint).await.unwrap();
    assert!(world.clinic.is_confirmed(fingerprint).await.unwrap());
    assert_eq!(world.session().patient(&patient.id()).await.unwrap_err().code(), "not-endorsed");
    // Whoever has no grant does not learn that there is such a patient.
    niemi.move_to(fingerprint).await.unwrap();
    let refused = niemi.session(Purpose::care("consultation")).patient(&patient.id()).await;
    assert_eq!(refused.unwrap_err().code(), "not-granted");
    let step = PatientRotation { from: &from, master: &master, to: &to, by: Enroller::Root(&next.master) };
    world.thief.copy("endorsement").await;
    let worker = Worker {
        store: &world.store,
        vault: id,
        job: "rotation",
        lease: std::time::Duration::from_secs(600),
        clock: std::time::SystemTime::now,
    };
    let progress: Vec<_> = worker.run(RotationJob { step }).try_collect().await.unwrap();
    assert_eq!(progress.len(), 2);
    assert_eq!(patient.read(&note).await.unwrap().text(), "slept better");
    left_behind.write("note", "in the next generation").await.unwrap();

    // A process that starts again is in the next generation, and a database without it is an older one.
    let open = async || Clinic::open(world.store.clone(), world.memory.clone(), &world.key("aalto")).await;
    assert_eq!(open().await.unwrap().vault().await.unwrap().descriptor().generation(), 2);
    world.thief.run("DELETE FROM generation WHERE generation = 2").await;
    let error = open().await.unwrap_err();
    assert_eq!(error.rolled_back(), Some(&RolledBack::Generation { remembered: 2 }));
}
