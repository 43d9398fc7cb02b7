//! The invariant: everybody who should read reads byte for byte, nobody else reads anything.

use std::collections::BTreeMap;

use lukko::error::{Untrusted, Usage};
use lukko::*;

use crate::class::Class;
use crate::model::{Actor, CardIx, Model, NoteId, PATIENTS, Row};
use crate::world::{Public, World, patient_id, text};

pub(crate) fn class<T>(result: &Result<T>) -> Result<(), Class> {
    result.as_ref().map(drop).map_err(Class::from)
}

/// Everything about one patient, in every generation in use.
pub(crate) fn patient(world: &World, model: &Model, patient: usize) {
    for view in 0..model.views.len() {
        for actor in model.actors() {
            readings(world, model, (view, patient, actor));
        }
        closed_cards_stay_closed(world, model, view, patient);
        outsiders_open_nothing(world, model, view, patient);
    }
}

/// What one actor reads of one patient.
fn readings(world: &World, model: &Model, (view, patient, actor): (usize, usize, Actor)) {
    let said = |what: &str| format!("{what} of patient {patient} in view {view} by {actor:?}");
    let mut keys: BTreeMap<Option<CardIx>, Result<PatientKey>> = BTreeMap::new();
    let current = model.key(view, patient, None, actor);
    let key = world.key(view, patient, None, actor);
    assert_eq!(class(&key), current.map(drop), "{}", said("the key"));
    if let (Ok(key), Ok(card)) = (&key, current) {
        assert_eq!(key.card(), world.cards[card.0], "{}", said("the current card"));
    }
    keys.insert(current.ok(), key);
    for (id, note) in model.notes(patient) {
        let key = keys.entry(Some(note.card)).or_insert_with(|| world.key(view, patient, Some(note.card), actor));
        let opened = match key {
            Ok(key) => world.open(view, key, patient, &id),
            Err(error) => Err(error.clone()),
        };
        let expected = model.read(view, patient, id, actor);
        assert_eq!(class(&opened), expected.map(drop), "{}", said(&format!("{id:?}, {note:?}")));
        if let Ok(opened) = &opened {
            world.assert_note(opened, &note, |key| model.keys[key.0].status);
        }
        if let Ok(key) = key {
            refused_notes(world, model, (view, patient, id), key, class(&opened));
        }
    }
}

/// What a key is good for where the note does not open in place.
fn refused_notes(
    world: &World,
    model: &Model,
    (view, patient, id): (usize, usize, NoteId),
    key: &PatientKey,
    met: Result<(), Class>,
) {
    let note = model.notes(patient).into_iter().find(|(other, _)| *other == id).expect("a stored note").1;
    match met {
        Err(Class::Revoked) => {
            let opened = world.open_unattributed(view, key, patient, &id).unwrap();
            assert_eq!(opened.into_inner().plaintext.as_bytes(), text(note.text));
        }
        Err(Class::CardCompromised) => {
            // Refused before anything is drawn, so that the life stays the same in every run.
            let sealed = world.seal(view, key, &id, (1, b"never"), &mut OsRng);
            assert_eq!(class(&sealed), Err(Class::CardCompromised), "a closed card seals nothing");
        }
        _ => {}
    }
}

/// However a card came back: an erased one is refused by its reason, also to a quorum that has every grant; the key of a
/// compromised one opens and seals nothing.
fn closed_cards_stay_closed(world: &World, model: &Model, view: usize, patient: usize) {
    for card in model.stored_cards(patient) {
        let Err(reason) = model.require_open(card) else { continue };
        let opened = world.with_grant(view, patient, card, Actor::Quorum, |with| {
            let cards = world.card_rows(patient);
            world.vaults[view].open_remembered(patient_id(patient), &cards, world.cards[card.0], with)
        });
        let erased = reason == Class::CardErased;
        let expected = if erased { Err(reason) } else { model.opens(view, patient, card, Actor::Quorum) };
        assert_eq!(class(&opened), expected, "a closed card of patient {patient}");
        if let Ok(key) = opened {
            for (id, note) in model.notes(patient).iter().filter(|(_, note)| note.card == card) {
                let read = world.open(view, &key, patient, id);
                assert_eq!(class(&read), Err(reason), "a closed card of patient {patient} opens {note:?}");
            }
            let id = model.notes(patient).first().map(|(id, _)| *id);
            let sealed = id.map(|id| class(&world.seal(view, &key, &id, (1, b"never"), &mut OsRng)));
            assert!(sealed.is_none_or(|sealed| sealed == Err(reason)), "a closed card of patient {patient} seals");
        }
    }
}

/// Keys of retired generations, and one that was never admitted.
fn outsiders_open_nothing(world: &World, model: &Model, view: usize, patient: usize) {
    let Ok(card) = world.card(view, patient) else { return };
    let stranger = world.vaults[view].open_grant(&card, &world.stranger, &[]);
    assert!(matches!(stranger, Err(Error::Untrusted(Untrusted::UnknownMember(_)))), "a stranger: {stranger:?}");
    for old in &world.retired {
        let opened = world.vaults[view].break_glass(&card, &old.master);
        assert_eq!(class(&opened), Err(Class::WrongRecipient), "an old master key");
        if !model.damaged {
            let (endorsement, master_grant) = world.endorsed_rows(patient, old.vault.descriptor().generation());
            let stored = StoredPatient { cards: &world.card_rows(patient), endorsement, master_grant };
            let card = old.vault.card(patient_id(patient), &stored, None);
            assert!(card.is_err(), "a retired generation has rows in the present store");
        }
    }
}

/// Old shares: refused by the present generation, too few for their own.
pub(crate) fn old_shares_are_worthless(world: &World) {
    for old in &world.retired {
        let (pinned, present) = (old.vault.descriptor(), world.vaults[0].descriptor());
        let mut own = Recovery::new(pinned);
        for text in &world.shares[&pinned.generation()] {
            let added = Recovery::new(present).add(Share::from_text(text).unwrap());
            assert_eq!(class(&added), Err(Class::OldShare));
            own.add(Share::from_text(text).unwrap()).unwrap();
        }
        assert_eq!(class(&own.finish()), Err(Class::NotEnoughShares));
    }
}

/// A client that saw the latest roster meets a database of another day.
pub(crate) fn stale_roster_is_refused(vault: &Vault, met: &Public, latest: &Public) {
    let generation = vault.descriptor().generation();
    let roster = met.rosters.get(&generation);
    let expected = match roster {
        None => Err(Class::StaleGeneration),
        Some(roster) if *roster == latest.rosters[&generation] => Ok(()),
        Some(_) => Err(Class::StaleRoster),
    };
    let roster = roster.or(met.rosters.values().last()).expect("a roster");
    let mut running = vault.clone();
    assert_eq!(class(&running.update_roster(roster, &met.entries)), expected, "a running client");
    assert_eq!(running.pin(), vault.pin(), "a pin that moved");
    let descriptor = vault.descriptor().as_bytes();
    let restarted = Vault::load(vault.pin().clone(), descriptor, roster, &met.entries);
    assert_eq!(class(&restarted), expected, "a client that starts again");
}

/// A client that slept since the first day follows every generation, one after the other.
pub(crate) fn sleeper_catches_up(world: &World) {
    let public = &world.store.public;
    let mut pin = world.first_pin.clone();
    let mut generation = 1;
    while let Some(statement) = public.statements.get(&(generation + 1)) {
        let pinned = pin.check(Descriptor::parse(&public.descriptors[&generation]).unwrap()).unwrap();
        generation += 1;
        let pair = (public.descriptors[&generation].as_slice(), statement.as_slice());
        pin.follow(pinned.successor([pair]).unwrap()).unwrap();
        assert!(pin.roster_version() > 1, "whoever follows a statement knows the roster that it names");
    }
    let descriptor = &public.descriptors[&generation];
    let vault = Vault::load(pin, descriptor, &public.rosters[&generation], &public.entries).unwrap();
    let awake = world.vaults.last().expect("a vault");
    assert_eq!(vault.pin(), awake.pin(), "both clients remember the same");
}

/// With nothing damaged and everything settled, the rows agree with the intent: all of it is read by whom it is meant
/// for, under the current card, and by no one else.
pub(crate) fn intent(world: &World, model: &Model) {
    for patient in 0..PATIENTS {
        let notes = model.notes(patient);
        for (owner, id) in model.truth.keys().filter(|(owner, _)| *owner == patient) {
            let note = notes.iter().find(|(stored, _)| stored == id).expect("every note is stored").1;
            assert_eq!(note.text, model.truth[&(*owner, *id)], "the latest text");
            for actor in model.actors() {
                let reads = world.key(0, patient, None, actor).and_then(|key| world.open(0, &key, patient, id));
                assert_eq!(
                    reads.is_ok(),
                    model.should_read(patient, &note, actor),
                    "{id:?} of {patient} by {actor:?}: {:?}",
                    class(&reads)
                );
            }
        }
        let lost = notes.iter().filter(|(id, _)| !model.truth.contains_key(&(patient, *id)));
        for (id, _) in lost {
            for actor in model.actors() {
                let opened = world.key(0, patient, None, actor).and_then(|key| world.open(0, &key, patient, id));
                let refused = matches!(
                    opened,
                    Err(Error::Untrusted(_)
                        | Error::Usage(Usage::NoCard | Usage::WrongCard { .. } | Usage::WrongRecipient { .. }))
                );
                assert!(refused, "a note of an erased patient: {opened:?}");
            }
        }
    }
}

/// Rows and model name the same rows.
pub(crate) fn same_rows(world: &World, model: &Model) {
    let model: Vec<&Row> = model.store.keys().collect();
    assert_eq!(world.store.rows.keys().collect::<Vec<_>>(), model, "rows in the store (left) and in the model (right)");
}
