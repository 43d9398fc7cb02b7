//! Receipts are never early, whatever was rotated, re-keyed, hidden or planted (T154).

mod life;

use std::num::NonZeroU32;

use lukko::error::{Untrusted, Usage, Versioned};
use lukko::*;

use super::clinic::{Clinic, PATIENT, field, record};

fn patient() -> PatientId<'static> {
    PatientId::new(PATIENT).unwrap()
}

const NO_GRANTS: [&[u8]; 0] = [];

/// Closes the erasure's cards in the clinic's roster.
fn close(clinic: &mut Clinic, erasure: &Erasure) {
    clinic.next_roster(|draft| erasure.close_in(draft).unwrap());
}

/// A later patient of the same clinic.
fn enrol(clinic: &mut Clinic, id: &str) -> Enrolment {
    let by = Enroller::Member(&clinic.therapist);
    clinic.vault.enrol(by, PatientId::new(id).unwrap(), &mut clinic.rng).unwrap()
}

/// Retires generation 1, which the clinic's rotation has followed.
fn retire_the_first(clinic: &Clinic, next: &Vault) -> Retired {
    let mut retirement = Retirement::new(&clinic.pinned, next.descriptor(), []).unwrap();
    clinic.rotation.shares.iter().for_each(|share| retirement.confirm_share(share).unwrap());
    (1..=3).for_each(|index| retirement.confirm_destroyed(index).unwrap());
    retirement.finish().unwrap()
}

/// A client of generation 1 erases a patient whom a rotation has brought into generation 2 already: the new quorum opens
/// last night's backup, and so its generation is on the receipt.
#[test]
fn t154_a_receipt_during_a_rotation_lists_the_next_generation() {
    let mut clinic = Clinic::new(Suite::X25519, 0xE1);
    let next = clinic.followed();
    let by = Enroller::Root(&clinic.rotation.master);
    let run = PatientRotation { from: &clinic.vault, master: &clinic.master, to: &next, by };
    let cards = [clinic.patient.card.as_slice()];
    let moved = run.patient(patient(), &clinic.stored(&cards), None, &mut OsRng).unwrap().unwrap();
    let grants = [&clinic.grant.bytes, &clinic.patient.master_grant, &moved.master_grant];
    let erasure = clinic.vault.begin_erasure(patient(), &cards, grants).unwrap();
    close(&mut clinic, &erasure);
    let mut receipt = erasure.receipt(&clinic.vault, 100).unwrap();
    assert_eq!(receipt.generations(), [(1, None), (2, None)]);
    receipt.note_retired(&retire_the_first(&clinic, &next), 200).unwrap();
    let member = clinic.therapist.fingerprint();
    clinic.next_roster(|draft| {
        draft.set_status(member, Status::Retired).unwrap();
    });
    receipt.note_key_destroyed(&clinic.vault, member, 300).unwrap();
    assert!(!receipt.is_complete() && receipt.to_string().contains("PENDING"));
    // Rightly so: the new master key opens the backup, with the roster of its day.
    let cards = [clinic.patient.card.as_slice()];
    let Endorsed { endorsement, master_grant } = &moved;
    let card = next.card(patient(), &StoredPatient { cards: &cards, endorsement, master_grant }, None).unwrap();
    let key = next.break_glass(&card, &clinic.rotation.master).unwrap();
    assert!(next.open(&key, record(), field(), &clinic.sealed).is_ok());
}

/// A generation far ahead, which a planted grant names, and a real one between: nothing is complete before each was
/// retired, also those that no grant names.
#[test]
fn every_generation_up_to_the_newest_on_the_receipt_counts() {
    let mut clinic = Clinic::new(Suite::X25519, 0xE2);
    let next = clinic.followed();
    let mut erasure = clinic.vault.begin_erasure(patient(), &[&clinic.patient.card], NO_GRANTS).unwrap();
    erasure.also_granted_to_generation(NonZeroU32::new(3).unwrap());
    close(&mut clinic, &erasure);
    let mut receipt = erasure.receipt(&clinic.vault, 1).unwrap();
    assert_eq!(receipt.generations(), [(1, None), (3, None)]);
    receipt.note_retired(&retire_the_first(&clinic, &next), 2).unwrap();
    let policy = Policy::new(2, 3).unwrap();
    let (mut vault, mut rotations) = (next, Vec::<Rotation>::new());
    let mut retired = Vec::new();
    for _ in 0..2 {
        let draft = vault.roster().next_generation().unwrap();
        let master = rotations.last().map_or(&clinic.rotation.master, |rotation| &rotation.master);
        let rotation = vault.rotate(master, policy, &clinic.registrar.public(), draft, &mut OsRng).unwrap();
        let pair = (rotation.descriptor.as_bytes(), rotation.statement.as_slice());
        let later = vault.follow(vault.descriptor().successor([pair]).unwrap(), &rotation.roster, clinic.entries());
        let later = later.unwrap();
        let mut retirement = Retirement::new(vault.descriptor(), later.descriptor(), []).unwrap();
        rotation.shares.iter().for_each(|share| retirement.confirm_share(share).unwrap());
        (1..=3).for_each(|index| retirement.confirm_destroyed(index).unwrap());
        retired.push(retirement.finish().unwrap());
        rotations.push(rotation);
        vault = later;
    }
    // All that is listed is retired, and generation 2, which nothing named, is not.
    receipt.note_retired(&retired[1], 3).unwrap();
    assert_eq!(receipt.generations(), [(1, Some(2)), (3, Some(3))]);
    assert!(!receipt.is_complete() && receipt.to_string().contains("1 older generations"));
    receipt.note_retired(&retired[0], 4).unwrap();
    assert_eq!(receipt.generations(), [(1, Some(2)), (2, Some(4)), (3, Some(3))]);
    assert!(receipt.is_complete());
    // The largest generation that a grant can name costs no memory, and is never complete.
    let mut planted = clinic.patient.master_grant.clone();
    planted[71..75].copy_from_slice(&u32::MAX.to_be_bytes());
    let erasure = clinic.vault.begin_erasure(patient(), &[&clinic.patient.card], [&planted]).unwrap();
    let receipt = erasure.receipt(&clinic.vault, 1).unwrap();
    assert_eq!(receipt.generations(), [(1, None), (u32::MAX, None)]);
    assert!(receipt.to_string().contains("4294967293 older generations"));
}

/// The newest card and its row of grants: the card is hidden while the patient is erased, the grants are not.
#[test]
fn a_hidden_card_is_known_by_its_grants() {
    let mut clinic = Clinic::new(Suite::X25519, 0xE3);
    let by = Enroller::Member(&clinic.therapist);
    let second = clinic.vault.rekey(by, &clinic.patient.key, &mut clinic.rng).unwrap();
    let colleague = clinic.colleague.fingerprint();
    let grant = clinic.vault.grant(&second.key, colleague, &mut clinic.rng).unwrap();
    let first = clinic.patient.card.clone();
    let cards = [first.as_slice()];
    let mut erasure = clinic.vault.begin_erasure(patient(), &cards, [&grant.bytes]).unwrap();
    assert_eq!(erasure.missing(), [second.card_id]);
    close(&mut clinic, &erasure);
    assert_eq!(erasure.receipt(&clinic.vault, 1).unwrap_err(), Usage::CardMissing(second.card_id).into());
    // Found in a backup, or closed unseen.
    let mut unseen = erasure.clone();
    assert_eq!(erasure.also_found(&clinic.vault, &second.card), Ok(true));
    unseen.also_close(second.card_id);
    assert_eq!((erasure.missing(), erasure.cards()), (unseen.missing(), unseen.cards()));
    assert_eq!(erasure.receipt(&clinic.vault, 1).unwrap_err(), Usage::ErasurePending(second.card_id).into());
    close(&mut clinic, &erasure);
    let receipt = erasure.receipt(&clinic.vault, 1).unwrap();
    assert_eq!(receipt.keys(), [(colleague, None)]);
    assert_eq!(receipt.cards(), [clinic.patient.card_id, second.card_id]);
    // Begun again from the same rows: the card is closed as erased by now, and holds nothing up.
    let again = clinic.vault.begin_erasure(patient(), &cards, [&grant.bytes]).unwrap();
    assert_eq!(again.receipt(&clinic.vault, 1).unwrap().keys(), [(colleague, None)]);
}

/// A planted card, and a planted grant, name another patient's card. That patient is not closed, nor on the receipt, and
/// the erasure comes to its end.
#[test]
fn planted_rows_do_not_close_another_patient() {
    let mut clinic = Clinic::new(Suite::X25519, 0xE4);
    let other = enrol(&mut clinic, "p-other");
    let to_other = clinic.vault.grant(&other.key, clinic.colleague.fingerprint(), &mut clinic.rng).unwrap();
    let by = Enroller::Member(&clinic.therapist);
    let second = clinic.vault.rekey(by, &clinic.patient.key, &mut clinic.rng).unwrap();
    let mut planted = second.card.clone();
    let previous = planted.len() - 65 - 32;
    planted[previous..previous + 32].copy_from_slice(other.card_id.as_bytes());
    let (first, grant) = (clinic.patient.card.clone(), clinic.grant.bytes.clone());
    let grants = [&grant, &to_other.bytes];
    for cards in [vec![first.as_slice(), &planted], vec![first.as_slice()]] {
        let mut erasure = clinic.vault.begin_erasure(patient(), &cards, grants).unwrap();
        assert_eq!(erasure.missing(), [other.card_id]);
        let mut unseen = erasure.clone();
        assert_eq!(erasure.also_found(&clinic.vault, &other.card), Ok(false));
        assert!(erasure.missing().is_empty() && !erasure.cards().contains(&other.card_id));
        // Whoever closed it unseen, and finds it in time, takes it back.
        unseen.also_close(other.card_id);
        assert_eq!(unseen.also_found(&clinic.vault, &other.card), Ok(false));
        assert_eq!(unseen, erasure);
        clinic.next_roster(|draft| erasure.close_in(draft).unwrap());
        let receipt = erasure.receipt(&clinic.vault, 1).unwrap();
        assert_eq!(receipt.keys(), [(clinic.therapist.fingerprint(), None)]);
        assert!(!receipt.cards().contains(&other.card_id));
        assert_eq!((receipt.sources().grants, receipt.sources().passed_over), (1, 1));
    }
    let card = clinic.card_for("p-other", &other.card, &other.endorsement, &other.master_grant, None).unwrap();
    assert!(clinic.vault.break_glass(&card, &clinic.master).is_ok());
    // What is no card of this vault is no find.
    let elsewhere = Clinic::new(Suite::X25519, 0xE5);
    let mut erasure = clinic.vault.begin_erasure(patient(), &[&clinic.patient.card], grants).unwrap();
    let before = erasure.clone();
    for (vault, card) in [(&clinic.vault, &elsewhere.patient.card), (&elsewhere.vault, &elsewhere.patient.card)] {
        assert_eq!(erasure.also_found(vault, card).unwrap_err(), Usage::WrongVault.into());
    }
    assert!(matches!(erasure.also_found(&clinic.vault, b"x"), Err(Error::Malformed { .. })));
    assert_eq!(erasure, before);
}

/// What another vault, or a roster from before, says about a key does not count.
#[test]
fn only_a_roster_of_this_vault_and_of_this_time_speaks_of_a_key() {
    let mut clinic = Clinic::new(Suite::X25519, 0xE6);
    let next = clinic.followed();
    let (before, member) = (clinic.vault.clone(), clinic.therapist.fingerprint());
    let elsewhere = Clinic::new(Suite::X25519, 0xE7);
    let mut erasure = clinic.vault.begin_erasure(patient(), &[&clinic.patient.card], [&clinic.grant.bytes]).unwrap();
    // A key that no roster lists, of which a planted grant may speak.
    let stranger = elsewhere.colleague.fingerprint();
    erasure.also_granted(stranger);
    close(&mut clinic, &erasure);
    assert_eq!(erasure.receipt(&elsewhere.vault, 1).unwrap_err(), Usage::WrongVault.into());
    let mut receipt = erasure.receipt(&clinic.vault, 1).unwrap();
    assert_eq!(receipt.note_key_destroyed(&elsewhere.vault, member, 2).unwrap_err(), Usage::WrongVault.into());
    let stale = Error::Stale { what: Versioned::Roster, known: 2, met: 1 };
    assert_eq!(receipt.note_key_destroyed(&before, stranger, 2).unwrap_err(), stale);
    assert_eq!(receipt.note_key_destroyed(&clinic.vault, member, 2).unwrap_err(), Usage::StillActive(member).into());
    receipt.note_key_destroyed(&clinic.vault, stranger, 2).unwrap();
    assert_eq!(receipt.keys().iter().filter(|(_, noted)| noted.is_some()).count(), 1);
    // The receipt speaks of generation 2: a client of generation 1 cannot know a key that was admitted there.
    erasure.also_granted_to_generation(NonZeroU32::new(2).unwrap());
    let mut receipt = erasure.receipt(&clinic.vault, 1).unwrap();
    let stale = Error::Stale { what: Versioned::Generation, known: 2, met: 1 };
    assert_eq!(receipt.note_key_destroyed(&clinic.vault, stranger, 2).unwrap_err(), stale);
    receipt.note_key_destroyed(&next, stranger, 2).unwrap();
}

/// The receipt says what it rests on, as a value and in its text.
#[test]
fn a_receipt_names_its_sources() {
    let mut clinic = Clinic::new(Suite::X25519, 0xE8);
    let by = Enroller::Member(&clinic.therapist);
    let second = clinic.vault.rekey(by, &clinic.patient.key, &mut clinic.rng).unwrap();
    let first = clinic.patient.card.clone();
    let cards = [first.as_slice(), &second.card];
    let elsewhere = Clinic::new(Suite::X25519, 0xE9);
    let grants = [clinic.grant.bytes.as_slice(), &clinic.patient.master_grant, b"garbage", &elsewhere.grant.bytes];
    let mut erasure = clinic.vault.begin_erasure(patient(), &cards, grants).unwrap();
    close(&mut clinic, &erasure);
    let expected = Sources {
        grants: 2,
        passed_over: 2,
        remembered: 0,
        cards: 2,
        cards_without_grants: 1,
        cards_left_open: 1,
        readers: 2,
        readers_not_listed: 1,
    };
    let receipt = erasure.receipt(&clinic.vault, 1).unwrap();
    assert_eq!(receipt.sources(), expected);
    let text = receipt.to_string();
    assert!(text.contains("1. Closed at 1970-01-01 00:00:01 UTC."), "{text}");
    // With the roster in hand the key has its member's name, and so has the key of an error.
    let therapist = clinic.therapist.fingerprint();
    let named = clinic.vault.roster().with_names(&receipt);
    let id = clinic.vault.roster().member(therapist).unwrap().entry().id().escape_ascii();
    assert!(named.contains(&format!("member key {therapist} ({id}).")), "{named}");
    let error = clinic.vault.roster().with_names(&Error::from(Untrusted::Revoked(therapist)));
    assert_eq!(error, format!("member key {therapist} ({id}) is revoked"));
    let strange = KeyFingerprint::from_bytes([7; 32]);
    let error = Error::from(Untrusted::UnknownMember(strange));
    assert_eq!(clinic.vault.roster().with_names(&error), error.to_string());
    for said in [
        "2 grants that were given (2 more rows do not count)",
        "0 keys and generations named from memory",
        "2 closed cards",
        "1 came without a grant, and 1 had been left open after a re-key",
        "lists 2 keys with the role read; 1 of them are not on this receipt",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    // Grants that were made meanwhile, a generation from memory, and every reader of the roster.
    erasure
        .also_given([&second.master_grant])
        .also_granted_to_generation(NonZeroU32::new(2).unwrap())
        .also_readers(&clinic.vault);
    let receipt = erasure.receipt(&clinic.vault, 1).unwrap();
    let all = Sources { grants: 3, remembered: 3, cards_without_grants: 0, readers_not_listed: 0, ..expected };
    assert_eq!(receipt.sources(), all);
    let mut readers = [clinic.therapist.fingerprint(), clinic.colleague.fingerprint()];
    readers.sort();
    assert_eq!(receipt.keys(), readers.map(|key| (key, None)));
    assert_eq!(receipt.generations(), [(1, None), (2, None)]);
    // Begun after the first card was closed, nothing had been left open.
    let mut clinic = Clinic::new(Suite::X25519, 0xE8);
    let first = clinic.patient.card_id;
    clinic.next_roster(|draft| {
        draft.close(first, ClosedReason::Compromised).unwrap();
    });
    let erasure = clinic.vault.begin_erasure(patient(), &cards, NO_GRANTS).unwrap();
    close(&mut clinic, &erasure);
    assert_eq!(erasure.receipt(&clinic.vault, 1).unwrap().sources().cards_left_open, 0);
    let refused = clinic.card(None).unwrap_err();
    assert_eq!(refused, Untrusted::CardErased(first).into());
}
