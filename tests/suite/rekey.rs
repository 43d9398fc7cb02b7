//! A patient's key is replaced, and the records follow.

use lukko::error::{Untrusted, Usage};
use lukko::*;

use super::clinic::{Clinic, NOTE, PATIENT, SUITES, field, place, record};

/// A clinic whose patient has a second version of the key.
struct Rekeyed {
    clinic: Clinic,
    second: Enrolment,
}

impl Rekeyed {
    fn new(suite: Suite, seed: u64) -> Self {
        let mut clinic = Clinic::new(suite, seed);
        let by = Enroller::Member(&clinic.therapist);
        let second = clinic.vault.rekey(by, &clinic.patient.key, &mut clinic.rng).unwrap();
        Self { clinic, second }
    }

    fn keys(&self) -> (&PatientKey, &PatientKey) {
        (&self.clinic.patient.key, &self.second.key)
    }

    fn rewrap(&self, record: RecordId<'_>, bytes: &[u8]) -> Result<Option<Vec<u8>>> {
        let (from, to) = self.keys();
        self.clinic.vault.rewrap(from, to, Place::new(record, field()), bytes, &mut OsRng)
    }

    fn reseal(&self, record: RecordId<'_>, bytes: &[u8]) -> Result<Option<Vec<u8>>> {
        let (from, to) = self.keys();
        self.clinic.vault.reseal(from, to, Place::new(record, field()), bytes, &mut OsRng)
    }

    /// Opens the key of the first card, while the second is the current one.
    fn open_first(&self, expect: Option<CardId>) -> Result<PatientKey> {
        let Enrolment { card, endorsement, master_grant, .. } = &self.second;
        let cards = [self.clinic.patient.card.as_slice(), card];
        let stored = StoredPatient { cards: &cards, endorsement, master_grant };
        let with = GrantKey::Member { key: &self.clinic.therapist, grant: &self.clinic.grant.bytes };
        let patient = PatientId::new(PATIENT).unwrap();
        self.clinic.vault.open_older(patient, &stored, expect, self.clinic.patient.card_id, &with)
    }
}

#[test]
fn records_deposits_and_absorbed_ones_move_to_the_next_version() {
    for suite in SUITES {
        let world = Rekeyed::new(suite, 0x4E);
        let Rekeyed { clinic, second } = &world;
        let writer = clinic.front_end.fingerprint();
        for moved in [world.rewrap(record(), &clinic.sealed), world.reseal(record(), &clinic.sealed)] {
            let moved = moved.unwrap().unwrap();
            let opened = clinic.vault.open(&second.key, Place::new(record(), field()), &moved).unwrap();
            assert_eq!((opened.plaintext.as_bytes(), opened.origin), (NOTE, Origin::Reader));
            assert_eq!(opened.revision, Revision::FIRST);
            let refused = clinic.open(&moved).unwrap_err();
            assert_eq!(refused, Usage::WrongCard { key: clinic.patient.card_id, object: second.card_id }.into());
        }
        let id = clinic.deposited();
        for bytes in [&clinic.deposit.bytes, &clinic.absorbed] {
            for moved in [world.rewrap(id, bytes), world.reseal(id, bytes)] {
                let moved = moved.unwrap().unwrap();
                let opened = clinic.vault.open_deposit(&second.key, Place::new(id, field()), &moved).unwrap();
                assert_eq!(opened.plaintext.as_bytes(), NOTE);
                assert_eq!(opened.origin, Origin::Absorbed { writer, status: Status::Active });
            }
        }
    }
}

#[test]
fn rewrap_keeps_the_payload_and_reseal_does_not() {
    let world = Rekeyed::new(Suite::X25519, 0x4F);
    let sealed = &world.clinic.sealed;
    let rewrapped = world.rewrap(record(), sealed).unwrap().unwrap();
    let resealed = world.reseal(record(), sealed).unwrap().unwrap();
    assert_eq!(rewrapped[120..], sealed[120..]);
    assert_ne!(rewrapped[48..120], sealed[48..120]);
    assert_ne!(resealed[120..176], sealed[120..176]);
    assert_eq!(resealed.len(), sealed.len());
}

/// T094: a loop that stops in the middle is run again from its beginning; every record opens at every step.
#[test]
fn t094_a_move_is_resumed() {
    let mut world = Rekeyed::new(Suite::X25519, 0x50);
    let places: Vec<String> = (0..7).map(|number| format!("r-{number}")).collect();
    for stop in 0..=places.len() {
        for reseal in [false, true] {
            let mut store: Vec<Vec<u8>> = Vec::new();
            for place in &places {
                let context = RecordContext::new(Place::new(RecordId::new(place).unwrap(), field()), Revision::FIRST);
                let (vault, key) = (&world.clinic.vault, &world.clinic.patient.key);
                store.push(vault.seal(key, &context, place.as_bytes(), &mut world.clinic.rng).unwrap());
            }
            for (round, until) in [(1, stop), (2, places.len()), (3, places.len())] {
                let mut changed = 0;
                for (place, bytes) in places.iter().zip(&mut store).take(until) {
                    let id = RecordId::new(place).unwrap();
                    let moved = if reseal { world.reseal(id, bytes) } else { world.rewrap(id, bytes) };
                    if let Some(moved) = moved.unwrap() {
                        *bytes = moved;
                        changed += 1;
                    }
                }
                let (old, new) = world.keys();
                for (at, (place, bytes)) in places.iter().zip(&store).enumerate() {
                    let key = if at < stop || round > 1 { new } else { old };
                    let id = RecordId::new(place).unwrap();
                    let opened = world.clinic.vault.open(key, Place::new(id, field()), bytes).unwrap();
                    assert_eq!(opened.plaintext.as_bytes(), place.as_bytes());
                }
                assert_eq!(changed, [stop, places.len() - stop, 0][round - 1]);
            }
        }
    }
}

/// A record that only says that it has been moved is not believed: closing the old card would lose it.
#[test]
fn a_record_that_pretends_to_be_moved_is_refused() {
    let world = Rekeyed::new(Suite::X25519, 0x51);
    let mut pretender = world.clinic.sealed.clone();
    pretender[7..39].copy_from_slice(world.second.card_id.as_bytes());
    assert_eq!(world.rewrap(record(), &pretender).unwrap_err(), Error::NotAuthentic);
    assert_eq!(world.reseal(record(), &pretender).unwrap_err(), Error::NotAuthentic);
}

#[test]
fn records_move_between_keys_of_one_patient_only() {
    let mut clinic = Clinic::new(Suite::X25519, 0x52);
    let by = Enroller::Member(&clinic.therapist);
    let other = clinic.vault.enrol(by, PatientId::new("p-2").unwrap(), &mut clinic.rng).unwrap();
    let key = &clinic.patient.key;
    let refused = clinic.vault.rewrap(key, &other.key, Place::new(record(), field()), &clinic.sealed, &mut clinic.rng);
    assert_eq!(refused.unwrap_err(), Usage::WrongPatient.into());
    let refused = clinic.vault.reseal(key, &other.key, Place::new(record(), field()), &clinic.sealed, &mut clinic.rng);
    assert_eq!(refused.unwrap_err(), Usage::WrongPatient.into());
}

/// The key leaked: its card is closed at once, nothing new is sealed or opened with it, and the records leave it.
#[test]
fn a_compromised_card_is_left_behind_and_cannot_be_replayed() {
    let mut world = Rekeyed::new(Suite::X25519, 0x53);
    let first = world.clinic.patient.card_id;
    world.clinic.next_roster(|draft| {
        draft.close(first, ClosedReason::Compromised).unwrap();
    });
    let refused = Error::from(Untrusted::CardCompromised(first));
    let Clinic { vault, patient, .. } = &world.clinic;
    assert_eq!(vault.seal(&patient.key, &place(), NOTE, &mut OsRng).unwrap_err(), refused);
    assert_eq!(world.clinic.open(&world.clinic.sealed).unwrap_err(), refused);
    // The key of the old card, opened by its grant, serves to move the records and for nothing else.
    let old = world.open_first(None).unwrap();
    let moved =
        vault.reseal(&old, &world.second.key, Place::new(record(), field()), &world.clinic.sealed, &mut OsRng).unwrap();
    let opened = vault.open(&world.second.key, Place::new(record(), field()), &moved.unwrap()).unwrap();
    assert_eq!(opened.plaintext.as_bytes(), NOTE);
    let back = vault.rewrap(&world.second.key, &old, Place::new(record(), field()), &world.clinic.sealed, &mut OsRng);
    assert_eq!(back.unwrap_err(), refused);
    // The store shows the old card alone, as if there had been no second one.
    assert_eq!(world.clinic.card(None).unwrap_err(), refused);
}

#[test]
fn an_older_card_is_opened_only_if_the_current_one_leads_to_it() {
    let mut world = Rekeyed::new(Suite::X25519, 0x54);
    let key = world.open_first(Some(world.second.card_id)).unwrap();
    assert_eq!((key.card(), key.version()), (world.clinic.patient.card_id, 1));
    // Another patient's card is no link of this chain.
    let by = Enroller::Member(&world.clinic.therapist);
    let other = world.clinic.vault.enrol(by, PatientId::new("p-2").unwrap(), &mut world.clinic.rng).unwrap();
    let Enrolment { card, endorsement, master_grant, card_id, .. } = &world.second;
    let cards = [world.clinic.patient.card.as_slice(), card];
    let stored = StoredPatient { cards: &cards, endorsement, master_grant };
    let with = GrantKey::Member { key: &world.clinic.therapist, grant: &world.clinic.grant.bytes };
    let patient = PatientId::new(PATIENT).unwrap();
    let refused = world.clinic.vault.open_older(patient, &stored, None, other.card_id, &with).unwrap_err();
    assert_eq!(refused, Untrusted::UnexpectedCard { expected: *card_id, met: other.card_id }.into());
    // Nor is an erased one opened.
    let first = world.clinic.patient.card_id;
    world.clinic.next_roster(|draft| {
        draft.close(first, ClosedReason::Erased).unwrap();
    });
    assert!(matches!(world.open_first(None).unwrap_err(), Error::Untrusted(_)));
}

/// T045: one record id, first under the old version, then under the new one: each key opens its own only.
#[test]
fn t045_a_key_of_another_version_is_refused() {
    let mut world = Rekeyed::new(Suite::X25519, 0x55);
    let newer = world.clinic.vault.seal(&world.second.key, &place(), b"new", &mut world.clinic.rng).unwrap();
    let (old, new) = world.keys();
    let vault = &world.clinic.vault;
    assert_eq!(
        vault.open(old, Place::new(record(), field()), &world.clinic.sealed).unwrap().plaintext.as_bytes(),
        NOTE
    );
    assert_eq!(vault.open(new, Place::new(record(), field()), &newer).unwrap().plaintext.as_bytes(), b"new");
    assert!(matches!(vault.open(new, Place::new(record(), field()), &world.clinic.sealed), Err(Error::Usage(_))));
    assert!(matches!(vault.open(old, Place::new(record(), field()), &newer), Err(Error::Usage(_))));
}

/// A whole backup from before the re-key is put back: nothing is stored but a card that is closed by now. Whoever knows
/// it opens its key, makes the next version, and the records leave the closed card.
#[test]
fn a_backup_that_brings_back_only_a_compromised_card_loses_nothing() {
    let mut world = Rekeyed::new(Suite::X25519, 0x56);
    let known = world.clinic.patient.card_id;
    world.clinic.next_roster(|draft| {
        draft.close(known, ClosedReason::Compromised).unwrap();
    });
    let Clinic { vault, patient, therapist, master, grant, sealed, .. } = &world.clinic;
    let id = PatientId::new(PATIENT).unwrap();
    let cards = [patient.card.as_slice()];
    let by_member = GrantKey::Member { key: therapist, grant: &grant.bytes };
    let by_quorum = GrantKey::Master { key: master, grant: &patient.master_grant };
    for with in [by_member, by_quorum] {
        let old = vault.open_remembered(id, &cards, known, &with).unwrap();
        let refused = vault.open(&old, Place::new(record(), field()), sealed).unwrap_err();
        assert_eq!(refused, Untrusted::CardCompromised(known).into());
        let again = vault.rekey(Enroller::Member(therapist), &old, &mut OsRng).unwrap();
        let moved = vault.reseal(&old, &again.key, Place::new(record(), field()), sealed, &mut OsRng).unwrap().unwrap();
        assert_eq!(vault.open(&again.key, Place::new(record(), field()), &moved).unwrap().plaintext.as_bytes(), NOTE);
        let cards = [patient.card.as_slice(), &again.card];
        let Enrolment { endorsement, master_grant, card_id, .. } = &again;
        let stored = StoredPatient { cards: &cards, endorsement, master_grant };
        assert_eq!(vault.card(id, &stored, Some(known)).unwrap().id(), *card_id);
    }
}

/// Every card of a patient is closed as compromised, and the patient is enrolled anew: the old rows, which lead to the
/// new card by no link, stand in nobody's way, whatever their versions.
#[test]
fn closed_cards_of_another_chain_are_passed_over() {
    let mut world = Rekeyed::new(Suite::X25519, 0x57);
    let [first, second] = [world.clinic.patient.card_id, world.second.card_id];
    world.clinic.next_roster(|draft| {
        draft.close(first, ClosedReason::Compromised).unwrap();
        draft.close(second, ClosedReason::Compromised).unwrap();
    });
    let by = Enroller::Member(&world.clinic.therapist);
    let id = PatientId::new(PATIENT).unwrap();
    let anew = world.clinic.vault.enrol(by, id, &mut world.clinic.rng).unwrap();
    let cards = [world.clinic.patient.card.as_slice(), &world.second.card, &anew.card];
    let stored = StoredPatient { cards: &cards, endorsement: &anew.endorsement, master_grant: &anew.master_grant };
    assert_eq!(world.clinic.vault.card(id, &stored, None).unwrap().id(), anew.card_id);
    assert_eq!(world.clinic.vault.card_ids(id, &cards), Ok(vec![first, second, anew.card_id]));
    // A closed card that leads back to an open one is no stranger: the open one is not the newest.
    let mut world = Rekeyed::new(Suite::X25519, 0x58);
    let second = world.second.card_id;
    world.clinic.next_roster(|draft| {
        draft.close(second, ClosedReason::Compromised).unwrap();
    });
    let Enrolment { card, endorsement, master_grant, .. } = &world.clinic.patient;
    let cards = [card.as_slice(), &world.second.card];
    let stored = StoredPatient { cards: &cards, endorsement, master_grant };
    assert_eq!(world.clinic.vault.card(id, &stored, None).unwrap_err(), Untrusted::CardCompromised(second).into());
}

/// With the keys exchanged by mistake every record that has not moved would count as moved.
#[test]
fn keys_in_the_wrong_order_are_refused() {
    let world = Rekeyed::new(Suite::X25519, 0x59);
    let (old, new) = world.keys();
    let (vault, sealed) = (&world.clinic.vault, &world.clinic.sealed);
    for refused in [
        vault.rewrap(new, old, Place::new(record(), field()), sealed, &mut OsRng),
        vault.reseal(new, old, Place::new(record(), field()), sealed, &mut OsRng),
    ] {
        assert_eq!(refused.unwrap_err(), Usage::OlderKey.into());
    }
}

/// A deposit and an absorbed record that only name the new card are not believed either, and a revoked writer's deposit is
/// not taken over by the way.
#[test]
fn deposits_move_only_if_they_hold() {
    let mut world = Rekeyed::new(Suite::X25519, 0x5A);
    let id = world.clinic.deposit.record.clone();
    let id = RecordId::new(&id).unwrap();
    for bytes in [world.clinic.deposit.bytes.clone(), world.clinic.absorbed.clone()] {
        let mut pretender = bytes;
        pretender[7..39].copy_from_slice(world.second.card_id.as_bytes());
        assert!(world.rewrap(id, &pretender).is_err() && world.reseal(id, &pretender).is_err());
    }
    // Two wraps of one key never share a nonce.
    let [one, two] = [(); 2].map(|()| world.rewrap(record(), &world.clinic.sealed).unwrap().unwrap());
    assert_ne!(one[48..72], two[48..72]);
    let writer = world.clinic.front_end.fingerprint();
    world.clinic.next_roster(|draft| {
        draft.set_status(writer, Status::Revoked).unwrap();
    });
    let refused = Error::from(Untrusted::Revoked(writer));
    assert_eq!(world.rewrap(id, &world.clinic.deposit.bytes).unwrap_err(), refused);
    assert_eq!(world.reseal(id, &world.clinic.deposit.bytes).unwrap_err(), refused);
    let (old, _) = world.keys();
    let vault = &world.clinic.vault;
    let triage =
        vault.open_unattributed(old, Place::new(id, field()), &world.clinic.deposit.bytes).unwrap().into_inner();
    assert_eq!(triage.origin, Origin::Unattributed { claimed_writer: writer });
    // What was absorbed before moves on.
    assert!(world.rewrap(id, &world.clinic.absorbed).unwrap().is_some());
}

/// The padding rule is the writer's choice, and moves with the record.
#[test]
fn a_record_keeps_its_padding_rule_when_it_moves() {
    let world = Rekeyed::new(Suite::X25519, 0x5B);
    for padding in [Padding::None, Padding::Padme] {
        let context = place().with_padding(padding);
        let sealed = world.clinic.vault.seal(&world.clinic.patient.key, &context, b"short", &mut OsRng).unwrap();
        for moved in [world.reseal(record(), &sealed), world.rewrap(record(), &sealed)] {
            let moved = moved.unwrap().unwrap();
            let opened = world.clinic.vault.open(&world.second.key, Place::new(record(), field()), &moved).unwrap();
            assert_eq!((opened.padding, moved.len()), (padding, sealed.len()));
        }
    }
}

/// T165: after the re-key, records moved, the old card still verifies for a client without memory. The re-key counts as
/// open until a roster closes that card.
#[test]
fn t165_a_re_key_is_open_until_a_roster_closes_the_old_card() {
    let mut world = Rekeyed::new(Suite::X25519, 0x5C);
    let [first, second] = [world.clinic.patient.card_id, world.second.card_id];
    world.reseal(record(), &world.clinic.sealed).unwrap().unwrap();
    // A database writer shows the old rows alone.
    assert_eq!(world.clinic.card(None).unwrap().id(), first);
    let id = PatientId::new(PATIENT).unwrap();
    let by = Enroller::Member(&world.clinic.therapist);
    let third = world.clinic.vault.rekey(by, &world.second.key, &mut world.clinic.rng).unwrap();
    let old = world.clinic.patient.card.clone();
    let all = [old.as_slice(), &third.card, &world.second.card];
    let left_open = |vault: &Vault, cards: &[&[u8]], newest: &Enrolment| {
        let Enrolment { endorsement, master_grant, .. } = newest;
        vault.cards_left_open(id, &StoredPatient { cards, endorsement, master_grant }, None)
    };
    assert_eq!(left_open(&world.clinic.vault, &all, &third), Ok(vec![second, first]));
    assert_eq!(left_open(&world.clinic.vault, &all[..1], &world.clinic.patient), Ok(vec![]));
    // The row of the first card is hidden: the second one names it. Whoever hides the second one refuses the third.
    assert_eq!(left_open(&world.clinic.vault, &all[1..], &third), Ok(vec![second, first]));
    let refused = left_open(&world.clinic.vault, &all[..2], &third).unwrap_err();
    assert_eq!(refused, Untrusted::Succession(third.card_id).into());
    for (closing, left) in [(second, vec![first]), (first, vec![])] {
        world.clinic.next_roster(|draft| {
            draft.close(closing, ClosedReason::Compromised).unwrap();
        });
        assert_eq!(left_open(&world.clinic.vault, &all, &third), Ok(left));
    }
    assert_eq!(world.clinic.card(None).unwrap_err(), Untrusted::CardCompromised(first).into());
}

/// What FORMAT.md says of a card that is closed as compromised: grants of it open to move its records out, a revoked
/// writer's deposit shows itself as unattributed, and nothing else opens, is sealed or is granted.
#[test]
fn a_compromised_card_opens_for_what_leads_out_of_it_and_for_nothing_else() {
    let mut world = Rekeyed::new(Suite::X25519, 0x5D);
    let (first, writer) = (world.clinic.patient.card_id, world.clinic.front_end.fingerprint());
    let open = world.clinic.card(None).unwrap();
    world.clinic.next_roster(|draft| {
        draft.close(first, ClosedReason::Compromised).unwrap().set_status(writer, Status::Revoked).unwrap();
    });
    let refused = Error::from(Untrusted::CardCompromised(first));
    let Clinic { vault, therapist, master, grant, deposit, absorbed, colleague, .. } = &world.clinic;
    let old = world.open_first(None).unwrap();
    let id = RecordId::new(&deposit.record).unwrap();
    assert_eq!(vault.open_grant(&open, therapist, &grant.bytes).unwrap_err(), refused);
    assert_eq!(vault.break_glass(&open, master).unwrap_err(), refused);
    assert_eq!(vault.grant(&old, colleague.fingerprint(), &mut OsRng).unwrap_err(), refused);
    assert_eq!(vault.open(&old, Place::new(record(), field()), &world.clinic.sealed).unwrap_err(), refused);
    for bytes in [&deposit.bytes, absorbed] {
        assert_eq!(vault.open_deposit(&old, Place::new(id, field()), bytes).unwrap_err(), refused);
        assert_eq!(vault.open_absorbed(&old, Place::new(id, field()), bytes).unwrap_err(), refused);
        assert_eq!(vault.absorb(&old, Place::new(id, field()), bytes, &mut OsRng).unwrap_err(), refused);
    }
    assert!(world.rewrap(id, absorbed).unwrap().is_some());
    let shown = vault.open_unattributed(&old, Place::new(id, field()), &deposit.bytes).unwrap();
    assert_eq!(shown.into_inner().plaintext.as_bytes(), NOTE);
}
