//! A thief, or a restored backup, puts back what was there before: a client that has seen the newer state notices, and names
//! it.

use futures_util::StreamExt as _;
use lukko_clinic::{Error, FrontDesk, Note, Patient, RolledBack};
use lukko_store::Store;

use crate::world::{World, on_both};

on_both! {
    t029_t166_a_record_is_put_back_to_an_earlier_revision
    t029_t166_a_colleagues_revision_that_was_read_counts_too
    t032_t166_a_record_is_dropped
    t028_t166_a_deleted_record_is_put_back
    t165_an_older_card_is_put_back
    an_older_list_of_members_is_put_back
    t160_a_newer_list_that_takes_a_revocation_back
    t030_t166_the_whole_database_of_yesterday
    t155_another_deposit_in_the_place_of_one_that_was_taken_over
    t016_t155_a_deposit_in_a_notes_place
    t166_a_rightful_restore_is_accepted_by_the_named_act
}

fn rolled_back<T>(result: Result<T, Error>) -> RolledBack {
    let error = result.err().expect("it was not noticed");
    error.rolled_back().unwrap_or_else(|| panic!("not named: {error}")).clone()
}

/// What the listing says is wrong.
async fn listed<S: Store + 'static>(patient: &Patient<S>) -> Vec<RolledBack> {
    patient
        .notes()
        .filter_map(|text| async { text.err().map(|error| rolled_back(Err::<(), _>(error))) })
        .collect()
        .await
}

fn is(note: &Note, met: &Note) -> bool {
    (note.id(), note.field(), note.patient()) == (met.id(), met.field(), met.patient())
}

async fn t029_t166_a_record_is_put_back_to_an_earlier_revision<S: Store + Clone + 'static>(world: World<S>) {
    let patient = world.session().enrol().await.unwrap();
    let note = patient.write("note", "slept better").await.unwrap();
    world.thief.copy("record").await;
    let edited = patient.edit(&note, "slept well").await.unwrap();
    world.thief.put_back("record").await;
    let expected = RolledBack::Record { note: note.clone(), remembered: 2 };
    assert_eq!(rolled_back(patient.read(&note).await), expected);
    assert_eq!(listed(&patient).await, std::slice::from_ref(&expected));
    // Nothing is written on top of it, whatever the writer has at hand.
    assert_eq!(rolled_back(patient.edit(&note, "third").await), expected);
    assert_eq!(rolled_back(patient.edit(&edited, "third").await), expected);
    assert_eq!(world.clinic.differences().await.unwrap(), std::slice::from_ref(&expected));
    // The bytes alone, with the newer number: it is the sealed revision that counts.
    world.thief.run("UPDATE record SET revision = 2").await;
    assert_eq!(rolled_back(patient.read(&note).await), expected);
    // A client that remembers nothing is fooled, and is told the revision: that is what a memory is for.
    patient.share_with("niemi").await.unwrap();
    let hers = world.join("niemi").await.session(lukko_clinic::Purpose::care("consultation"));
    let read = hers.patient(&patient.id()).await.unwrap().read(&note).await.unwrap();
    assert_eq!((read.text(), read.note().revision()), ("slept better", 1));
}

/// Whoever reads a note remembers it: written by somebody else, deposited, or attached.
async fn t029_t166_a_colleagues_revision_that_was_read_counts_too<S: Store + Clone + 'static>(world: World<S>) {
    let patient = world.session().enrol().await.unwrap();
    patient.share_with("niemi").await.unwrap();
    let niemi = world.join("niemi").await.with_files(world.files());
    let hers = niemi.session(lukko_clinic::Purpose::care("consultation")).patient(&patient.id()).await.unwrap();
    let note = patient.write("note", "slept better").await.unwrap();
    let scan = patient.attach("scan", b"first".as_slice()).await.unwrap();
    let form = FrontDesk::from(world.join("intake").await).deposit(&patient.id(), "form", "text").await.unwrap();
    world.thief.copy("record").await;
    patient.edit(&note, "slept well").await.unwrap();
    patient.replace_attachment(&scan, b"second".as_slice()).await.unwrap();
    hers.read(&note).await.unwrap();
    hers.attachment(&scan).await.unwrap();
    hers.read_deposit(&form).await.unwrap();
    world.thief.put_back("record").await;
    let expected = RolledBack::Record { note: note.clone(), remembered: 2 };
    assert_eq!(rolled_back(hers.read(&note).await), expected);
    assert_eq!(rolled_back(hers.attachment(&scan).await), RolledBack::Record { note: scan.clone(), remembered: 2 });
    world.thief.run("DELETE FROM record").await;
    for gone in [rolled_back(hers.attachment(&scan).await), rolled_back(hers.read_deposit(&form).await)] {
        assert!(matches!(gone, RolledBack::Dropped(_)));
    }
}

async fn t032_t166_a_record_is_dropped<S: Store + Clone + 'static>(world: World<S>) {
    let patient = world.session().enrol().await.unwrap();
    let note = patient.write("note", "slept better").await.unwrap();
    patient.write("note", "slept well").await.unwrap();
    world.thief.copy("record").await;
    world.thief.run("DELETE FROM record").await;
    assert_eq!(rolled_back(patient.read(&note).await), RolledBack::Dropped(note.clone()));
    assert_eq!(rolled_back(patient.edit(&note, "third").await), RolledBack::Dropped(note.clone()));
    assert_eq!(listed(&patient).await.len(), 2);
    assert_eq!(world.clinic.differences().await.unwrap().len(), 2);
    // Dropped and put back as it was: there is nothing left to notice, and nothing was lost.
    world.thief.put_back("record").await;
    assert_eq!(patient.read(&note).await.unwrap().text(), "slept better");
    // Dropped, and written anew by somebody else from its first revision on.
    let edited = patient.edit(&note, "slept soundly").await.unwrap();
    world.thief.run("DELETE FROM record").await;
    world.thief.put_back("record").await;
    assert_eq!(rolled_back(patient.read(&edited).await), RolledBack::Record { note, remembered: 2 });
}

async fn t028_t166_a_deleted_record_is_put_back<S: Store + Clone + 'static>(world: World<S>) {
    let patient = world.session().enrol().await.unwrap();
    let note = patient.write("note", "slept better").await.unwrap();
    world.thief.copy("record").await;
    patient.delete(&note).await.unwrap();
    world.thief.put_back("record").await;
    assert_eq!(rolled_back(patient.read(&note).await), RolledBack::Undeleted(note.clone()));
    assert_eq!(rolled_back(patient.edit(&note, "third").await), RolledBack::Undeleted(note.clone()));
    assert_eq!(listed(&patient).await, [RolledBack::Undeleted(note)]);
}

async fn t165_an_older_card_is_put_back<S: Store + Clone + 'static>(world: World<S>) {
    let patient = world.session().enrol().await.unwrap();
    let note = patient.write("note", "slept better").await.unwrap();
    let tables = ["patient", "card", "endorsement", "patient_grant", "record"];
    for table in tables {
        world.thief.copy(table).await;
    }
    let rekeyed = patient.rekey().await.unwrap();
    assert_eq!((rekeyed.moved, rekeyed.open.is_some()), (1, true));
    for table in tables {
        world.thief.put_back(table).await;
    }
    // No list of members closes the old card. The memory knows that there is a newer one.
    let met = world.session().patient(&patient.id()).await;
    assert!(matches!(rolled_back(met), RolledBack::Card { stored: Some(_), .. }));
    // A handle that has the newer key meets records under the older card.
    assert!(matches!(rolled_back(patient.read(&note).await), RolledBack::Card { .. }));
    let found = world.clinic.differences().await.unwrap();
    assert!(matches!(found[..], [RolledBack::Card { .. }]), "{found:?}");
    // All rows of the patient are gone.
    for table in tables {
        world.thief.run(&format!("DELETE FROM {table}")).await;
    }
    let met = rolled_back(world.session().patient(&patient.id()).await);
    assert!(matches!(met, RolledBack::Card { stored: None, .. }), "{met:?}");
}

async fn an_older_list_of_members_is_put_back<S: Store + Clone + 'static>(world: World<S>) {
    let patient = world.session().enrol().await.unwrap();
    world.thief.copy("generation").await;
    let officer = world.clinic.officer(registrar(&world));
    let niemi = world.join("niemi").await;
    officer.revoke(niemi.me().fingerprint()).await.unwrap();
    world.thief.put_back("generation").await;
    let expected = RolledBack::Roster { remembered: 2, stored: 1 };
    assert_eq!(rolled_back(patient.write("note", "text").await), expected);
    let opened = lukko_clinic::Clinic::open(world.store.clone(), world.memory.clone(), &world.key("aalto")).await;
    assert_eq!(rolled_back(opened), expected);
    // Nor is the generation taken away.
    world.thief.run("DELETE FROM generation").await;
    assert_eq!(patient.write("note", "text").await.unwrap_err().code(), "other-database");
}

/// A thief of the registrar's key signs one list after the other, from the one before the revocation on.
async fn t160_a_newer_list_that_takes_a_revocation_back<S: Store + Clone + 'static>(world: World<S>) {
    let patient = world.session().enrol().await.unwrap();
    let (registrar, before) = (registrar(&world), world.clinic.vault().await.unwrap());
    let niemi = world.join("niemi").await;
    world.clinic.officer(self::registrar(&world)).revoke(niemi.me().fingerprint()).await.unwrap();
    let entries = world.store.members(before.descriptor().vault()).await.unwrap();
    let (mut thief, mut roster) = (lukko::Vault::clone(&before), Vec::new());
    for _ in 0..3 {
        roster = thief.roster().next().unwrap().sign_as_registrar(&registrar, thief.descriptor()).unwrap();
        thief.update_roster(&roster, &entries).unwrap();
    }
    let literal = world.thief.literal(&roster);
    world.thief.run(&format!("UPDATE generation SET roster = {literal}, version = 4")).await;
    let refused = |error: Error| assert!(matches!(error, Error::Core(lukko::Error::Untrusted(_))), "{error}");
    refused(patient.write("note", "text").await.unwrap_err());
    // A process that starts anew with the memory has the last list at hand.
    let key = world.key("aalto");
    let open = lukko_clinic::Clinic::open(world.store.clone(), world.memory.clone(), &key).await;
    refused(open.unwrap_err());
}

async fn t030_t166_the_whole_database_of_yesterday<S: Store + Clone + 'static>(world: World<S>) {
    let patient = world.session().enrol().await.unwrap();
    let note = patient.write("note", "slept better").await.unwrap();
    let tables = ["generation", "member", "patient", "card", "endorsement", "patient_grant", "record"];
    for table in tables {
        world.thief.copy(table).await;
    }
    patient.edit(&note, "slept well").await.unwrap();
    let second = patient.write("note", "of today").await.unwrap();
    let enrolled = world.session().enrol().await.unwrap();
    for table in tables {
        world.thief.put_back(table).await;
    }
    // A new process, with the memory.
    let opened =
        lukko_clinic::Clinic::open(world.store.clone(), world.memory.clone(), &world.key("aalto")).await.unwrap();
    let found = opened.differences().await.unwrap();
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found.contains(&RolledBack::Record { note: note.clone(), remembered: 2 }));
    assert!(found.contains(&RolledBack::Dropped(second.clone())));
    assert!(found.iter().any(|met| matches!(met, RolledBack::Card { patient, .. } if *patient == enrolled.id())));
    let session = opened.session(lukko_clinic::Purpose::care("appointment"));
    let patient = session.patient(&patient.id()).await.unwrap();
    assert_eq!(listed(&patient).await.len(), 2);
    assert!(rolled_back(session.patient(&enrolled.id()).await).to_string().contains("no card"));
}

async fn t155_another_deposit_in_the_place_of_one_that_was_taken_over<S: Store + Clone + 'static>(world: World<S>) {
    let patient = world.session().enrol().await.unwrap();
    let desk = FrontDesk::from(world.join("intake").await);
    let form = desk.deposit(&patient.id(), "form", "not slept").await.unwrap();
    world.thief.copy("record").await;
    patient.take_over(&form).await.unwrap();
    world.thief.put_back("record").await;
    assert!(matches!(rolled_back(patient.read_deposit(&form).await), RolledBack::TakenOver(note) if is(&note, &form)));
    assert!(matches!(rolled_back(patient.take_over(&form).await), RolledBack::TakenOver(note) if is(&note, &form)));
}

async fn t016_t155_a_deposit_in_a_notes_place<S: Store + Clone + 'static>(world: World<S>) {
    let patient = world.session().enrol().await.unwrap();
    let desk = FrontDesk::from(world.join("intake").await);
    let note = patient.write("note", "slept better").await.unwrap();
    desk.deposit(&patient.id(), "form", "not slept").await.unwrap();
    let take = "UPDATE record SET sealed = (SELECT sealed FROM record WHERE revision = 0) WHERE revision = 1";
    world.thief.run(take).await;
    assert_eq!(patient.read(&note).await.unwrap_err().code(), "misplaced");
    assert_eq!(patient.rekey().await.unwrap_err().code(), "misplaced");
}

async fn t166_a_rightful_restore_is_accepted_by_the_named_act<S: Store + Clone + 'static>(world: World<S>) {
    let patient = world.session().enrol().await.unwrap();
    let note = patient.write("note", "slept better").await.unwrap();
    world.thief.copy("record").await;
    patient.edit(&note, "slept well").await.unwrap();
    let lost = patient.write("note", "of today").await.unwrap();
    world.thief.put_back("record").await;
    let differences = patient.differences().await.unwrap();
    assert_eq!(differences.len(), 2);
    let officer = world.clinic.officer(registrar(&world));
    officer.accept_restore(&patient, &differences).await.unwrap();
    assert_eq!(patient.read(&note).await.unwrap().text(), "slept better");
    assert_eq!(patient.read(&lost).await.unwrap_err().code(), "no-record");
    assert!(listed(&patient).await.is_empty());
    assert_eq!(world.clinic.differences().await.unwrap(), []);
    let written = world.clinic.accepted().await.unwrap();
    assert!(
        written.len() == 2 && written.iter().any(|line| line.contains("revision 2 was seen before")),
        "{written:?}"
    );
    // And from then on it moves forward again.
    patient.edit(&note, "slept well").await.unwrap();
    world.thief.put_back("record").await;
    assert!(matches!(rolled_back(patient.read(&note).await), RolledBack::Record { remembered: 2, .. }));
}

pub(crate) fn registrar<S>(world: &World<S>) -> lukko::RegistrarKey {
    let seed = world.founded.registrar.seed();
    lukko::RegistrarKey::from_seed(seed.expose().try_into().unwrap())
}
