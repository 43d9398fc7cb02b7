//! What officers do.

use futures_util::StreamExt as _;
use lukko_clinic::{Clinic, Error, FrontDesk, Key, Memory, Purpose, THERAPIST};
use lukko_store::{Scrub, Store};

use crate::put_back::registrar;
use crate::world::{World, on_both};

on_both! {
    a_colleague_is_admitted_and_shown_before_a_patient_is_shared
    a_revoked_member_is_out_with_the_next_call
    a_patient_is_erased_with_a_receipt_that_names_people
    a_re_key_moves_everything_and_leaves_a_named_task_or_none
    t098_a_verification_finds_what_was_altered
}

async fn admit<S: Store + Clone + 'static>(world: &World<S>, name: &str) -> (Clinic<S>, Key) {
    let (key, invitation) = (Key::draw(name).unwrap(), world.clinic.invitation());
    let application = Clinic::apply_for(&world.store, &key, &invitation).await.unwrap();
    let officer = world.clinic.officer(registrar(world));
    let wrong = officer.admit(&application, world.clinic.me().fingerprint(), THERAPIST).await;
    assert!(matches!(wrong, Err(Error::NewKey(met)) if met == application.fingerprint));
    officer.admit(&application, application.fingerprint, THERAPIST).await.unwrap();
    let joined = Clinic::join(world.store.clone(), Memory::in_memory(), &key, &invitation).await.unwrap();
    (joined.clinic, key)
}

async fn a_colleague_is_admitted_and_shown_before_a_patient_is_shared<S: Store + Clone + 'static>(world: World<S>) {
    let patient = world.session().enrol().await.unwrap();
    let niemi = world.join("niemi").await;
    patient.share_with("niemi").await.unwrap();
    let (salo, _) = admit(&world, "salo").await;
    // The officer's own memory knows whom it has admitted. A colleague's does not.
    patient.share_with("salo").await.unwrap();
    let hers = niemi.session(Purpose::care("consultation")).patient(&patient.id()).await.unwrap();
    niemi.vault().await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    patient.withdraw("salo").await.unwrap();
    assert!(matches!(hers.share_with("salo").await, Err(Error::NewKey(met)) if met == salo.me().fingerprint()));
    niemi.confirm_colleague("salo", salo.me().fingerprint()).await.unwrap();
    hers.share_with("salo").await.unwrap();
    salo.session(Purpose::care("substitute")).patient(&patient.id()).await.unwrap();
    // A second key under the name: a thief of the registrar's key, or a new telephone.
    let (_, _) = admit(&world, "salo").await;
    assert!(matches!(patient.share_with("salo").await, Err(Error::SeveralKeys(keys)) if keys.len() == 2));
}

async fn a_revoked_member_is_out_with_the_next_call<S: Store + Clone + 'static>(world: World<S>) {
    let patient = world.session().enrol().await.unwrap();
    let note = patient.write("note", "slept better").await.unwrap();
    patient.share_with("niemi").await.unwrap();
    let niemi = world.join("niemi").await;
    let hers = niemi.session(Purpose::care("consultation")).patient(&patient.id()).await.unwrap();
    hers.read(&note).await.unwrap();
    world.clinic.officer(registrar(&world)).revoke(niemi.me().fingerprint()).await.unwrap();
    assert_eq!(hers.read(&note).await.unwrap_err().code(), "untrusted");
    let intake = world.join("intake").await;
    world.clinic.officer(registrar(&world)).retire(intake.me().fingerprint()).await.unwrap();
    let refused = FrontDesk::from(intake).deposit(&patient.id(), "form", "text").await.unwrap_err();
    assert_eq!(refused.code(), "untrusted");
}

async fn a_patient_is_erased_with_a_receipt_that_names_people<S: Store + Clone + 'static>(world: World<S>) {
    let patient = world.session().enrol().await.unwrap();
    let note = patient.write("note", "slept better").await.unwrap();
    patient.attach("scan", b"scan".as_slice()).await.unwrap();
    patient.share_with("niemi").await.unwrap();
    let niemi = world.join("niemi").await;
    let session = niemi.session(Purpose::care("consultation"));
    session.patient(&patient.id()).await.unwrap().read(&note).await.unwrap();
    patient.withdraw("niemi").await.unwrap();
    let officer = world.clinic.officer(registrar(&world));
    let receipt = officer.erase(&patient.id()).await.unwrap();
    let mut names: Vec<&str> = receipt.keys().map(|(name, _)| name).collect();
    names.sort_unstable();
    assert_eq!(names, ["aalto", "niemi"], "whose grant was withdrawn opens old copies too");
    let text = receipt.to_string();
    assert!(text.contains("the key of niemi") && text.contains("generation 1"), "{text}");
    assert!(matches!(receipt.scrubbed(), Scrub::Files | Scrub::Tables));
    assert_eq!(patient.read(&note).await.unwrap_err().code(), "not-granted");
    assert_eq!(officer.erase(&patient.id()).await.unwrap_err().code(), "no-patient");
    // The memory forgets too, and raises no alarm.
    assert_eq!(world.clinic.differences().await.unwrap(), []);
    let objects = std::fs::read_dir(world.directory.path().join("files")).unwrap();
    let left = objects.flat_map(|vault| std::fs::read_dir(vault.unwrap().path()).unwrap()).count();
    assert_eq!(left, 0, "the attachment's object");
    // Other members' memories remember the patient, and are not alarmed either.
    let again = world.session().enrol_as(&patient.id()).await.unwrap();
    again.write("note", "enrolled anew").await.unwrap();
    again.share_with("niemi").await.unwrap();
    let hers = session.patient(&patient.id()).await.unwrap();
    let texts: Vec<_> = hers.notes().map(|text| text.unwrap().text().to_owned()).collect().await;
    assert_eq!(texts, ["enrolled anew"]);
    assert_eq!(niemi.differences().await.unwrap(), []);
}

async fn a_re_key_moves_everything_and_leaves_a_named_task_or_none<S: Store + Clone + 'static>(world: World<S>) {
    let patient = world.session().enrol().await.unwrap();
    patient.share_with("niemi").await.unwrap();
    let niemi = world.join("niemi").await;
    let hers = niemi.session(Purpose::care("consultation")).patient(&patient.id()).await.unwrap();
    let desk = FrontDesk::from(world.join("intake").await);
    let note = patient.write("note", "slept better").await.unwrap();
    let form = desk.deposit(&patient.id(), "form", "not slept").await.unwrap();
    let taken = desk.deposit(&patient.id(), "form", "taken over").await.unwrap();
    patient.take_over(&taken).await.unwrap();
    let file: Vec<u8> = (0..200_000_u32).map(|number| (number % 251) as u8).collect();
    let scan = patient.attach("scan", file.as_slice()).await.unwrap();

    let rekeyed = patient.rekey().await.unwrap();
    assert_eq!((rekeyed.moved, rekeyed.left_out.len()), (4, 0));
    let task = rekeyed.open.unwrap();
    assert!(task.to_string().contains(patient.id().as_ref()), "{task}");
    assert_eq!(world.clinic.open_tasks().await.unwrap(), std::slice::from_ref(&task));
    // Again: there is nothing to do, and no third key is made.
    let again = patient.rekey().await.unwrap();
    assert_eq!((again.moved, again.open), (0, Some(task.clone())));
    let officer = world.clinic.officer(registrar(&world));
    officer.close(&task).await.unwrap();
    officer.close(&task).await.unwrap();
    assert_eq!(world.clinic.open_tasks().await.unwrap(), []);
    // Everything opens under the next key, to a handle from before too, and the front end follows.
    for handle in [&patient, &hers] {
        assert_eq!(handle.read(&note).await.unwrap().text(), "slept better");
        assert_eq!(handle.read_deposit(&form).await.unwrap().text(), "not slept");
        assert_eq!(handle.read_deposit(&taken).await.unwrap().text(), "taken over");
    }
    let mut back = Vec::new();
    patient.attachment(&scan).await.unwrap().copy_to(&mut back).await.unwrap();
    assert!(back == file);
    desk.deposit(&patient.id(), "form", "after the re-key").await.unwrap();
    hers.write("note", "after the re-key").await.unwrap();
    // By an officer nothing is left open; who was revoked meanwhile is left out.
    officer.revoke(niemi.me().fingerprint()).await.unwrap();
    let rekeyed = officer.rekey(&patient).await.unwrap();
    assert_eq!((rekeyed.open, rekeyed.left_out), (None, vec![niemi.me().fingerprint()]));
    assert_eq!(patient.read(&note).await.unwrap().text(), "slept better");
}

async fn t098_a_verification_finds_what_was_altered<S: Store + Clone + 'static>(world: World<S>) {
    let session = world.session();
    let (whole, altered) = (session.enrol().await.unwrap(), session.enrol().await.unwrap());
    let desk = FrontDesk::from(world.join("intake").await);
    for patient in [&whole, &altered] {
        patient.write("note", "slept better").await.unwrap();
        patient.attach("scan", b"scan".as_slice()).await.unwrap();
        desk.deposit(&patient.id(), "form", "not slept").await.unwrap();
    }
    let findings = |job: &'static str| {
        let clinic = world.clinic.clone();
        async move {
            let progress: Vec<_> = clinic.verify(job).map(Result::unwrap).collect().await;
            assert_eq!(progress.len(), 2);
            progress.into_iter().map(|patient| patient.findings.len()).sum::<usize>()
        }
    };
    assert_eq!(findings("first").await, 0);
    let literal = world.thief.literal(altered.id().as_bytes());
    world.thief.run(&format!("UPDATE record SET revision = 7 WHERE patient = {literal} AND revision = 0")).await;
    assert_eq!(findings("second").await, 1);
    // A job that is over is not begun again under its name.
    let again = world.clinic.verify("second").next().await.unwrap();
    assert_eq!(again.unwrap_err().code(), "store-usage");
}
