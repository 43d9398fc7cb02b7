//! From one generation of the master secret to the next.

use lukko::error::{Conflict, ShareFault, Untrusted, Usage, Versioned};
use lukko::*;

use super::clinic::{Clinic, PATIENT, SUITES};

fn pair(rotation: &Rotation) -> (&[u8], &[u8]) {
    (rotation.descriptor.as_bytes(), &rotation.statement)
}

/// Another rotation of the same generation.
fn rotate_again(clinic: &mut Clinic) -> Rotation {
    let draft = clinic.vault.roster().next_generation().unwrap();
    let policy = Policy::new(2, 3).unwrap();
    clinic.vault.rotate(&clinic.master, policy, &clinic.registrar.public(), draft, &mut clinic.rng).unwrap()
}

fn patient() -> PatientId<'static> {
    PatientId::new(PATIENT).unwrap()
}

#[test]
fn a_quorum_of_the_new_generation_opens_what_was_re_wrapped() {
    for suite in SUITES {
        let mut clinic = Clinic::new(suite, 0xA0);
        let next = clinic.followed();
        assert_eq!((next.descriptor().generation(), next.descriptor().k(), next.descriptor().n()), (2, 3, 5));
        let mut rng = OsRng;
        let cards = [clinic.patient.card.as_slice()];
        let new_root = Enroller::Root(&clinic.rotation.master);
        for by in [Enroller::Member(&clinic.therapist), new_root] {
            let rotation = PatientRotation { from: &clinic.vault, master: &clinic.master, to: &next, by };
            let Endorsed { endorsement, master_grant } =
                rotation.patient(patient(), &clinic.stored(&cards), None, &mut rng).unwrap().unwrap();
            let stored = StoredPatient { cards: &cards, endorsement: &endorsement, master_grant: &master_grant };
            let card = next.card(patient(), &stored, Some(clinic.patient.card_id)).unwrap();
            // Three of the five new shares.
            let mut recovery = Recovery::new(next.descriptor());
            for share in &clinic.rotation.shares[1..4] {
                recovery.add(Share::from_bytes(share.to_bytes().expose()).unwrap()).unwrap();
            }
            let key = next.break_glass(&card, &recovery.finish().unwrap()).unwrap();
            assert_eq!(key.card(), clinic.patient.card_id);
            // No record was touched, and the therapist's grant stands.
            assert!(
                next.open(&key, Place::new(super::clinic::record(), super::clinic::field()), &clinic.sealed).is_ok()
            );
            next.open_grant(&card, &clinic.therapist, &clinic.grant.bytes).unwrap();
            // Idempotent.
            assert!(rotation.patient(patient(), &clinic.stored(&cards), Some(&stored), &mut rng).unwrap().is_none());
            // What is stored for the old generation is of no use in the new one, and the other way round.
            let refused = next.card(patient(), &clinic.stored(&cards), None).unwrap_err();
            assert_eq!(refused, Error::Stale { what: Versioned::Generation, known: 2, met: 1 });
            let refused = clinic.vault.card(patient(), &stored, None).unwrap_err();
            assert_eq!(refused, Error::Stale { what: Versioned::Generation, known: 1, met: 2 });
        }
        // Until it is retired, the old generation works as before.
        clinic.next_roster(|_| {});
        let card = clinic.card(None).unwrap();
        clinic.vault.break_glass(&card, &clinic.master).unwrap();
    }
}

#[test]
fn a_client_follows_over_several_generations_and_never_backwards() {
    let mut clinic = Clinic::new(Suite::X25519, 0xA1);
    let second = clinic.followed();
    let draft = second.roster().next_generation().unwrap();
    let registrar = RegistrarKey::generate(&mut clinic.rng).unwrap();
    let policy = Policy::new(2, 3).unwrap();
    let third = second.rotate(&clinic.rotation.master, policy, &registrar.public(), draft, &mut clinic.rng).unwrap();
    let mut pin = clinic.vault.pin().clone();
    let pinned = pin.follow(clinic.pinned.successor([pair(&clinic.rotation)]).unwrap()).unwrap();
    let pinned = pin.follow(pinned.successor([pair(&clinic.rotation), pair(&third)]).unwrap()).unwrap();
    assert_eq!((pin.generation(), pinned.fingerprint()), (3, third.descriptor.fingerprint()));
    let vault = Vault::load(pin.clone(), third.descriptor.as_bytes(), &third.roster, clinic.entries()).unwrap();
    assert_eq!(vault.roster().version(), 3);
    // Steps cannot be left out, repeated or taken back.
    let refused = clinic.pinned.successor([pair(&third)]).unwrap_err();
    assert!(matches!(refused, Error::Untrusted(Untrusted::Fingerprint { .. })));
    let refused = pinned.successor([pair(&clinic.rotation)]).unwrap_err();
    assert!(matches!(refused, Error::Untrusted(Untrusted::Fingerprint { .. })));
    let stale = clinic.pinned.successor([pair(&clinic.rotation)]).unwrap();
    assert!(matches!(pin.follow(stale).unwrap_err(), Error::Untrusted(Untrusted::Fingerprint { .. })));
    assert_eq!(pin.generation(), 3);
    // T034: a pin of the past no longer fits, and neither do old objects to the new pin.
    for (pin, rotation) in [(clinic.first_pin.clone(), &third), (pin, &clinic.rotation)] {
        let refused = Vault::load(pin, rotation.descriptor.as_bytes(), &rotation.roster, clinic.entries());
        assert!(matches!(refused.unwrap_err(), Error::Untrusted(Untrusted::Fingerprint { .. })));
    }
}

/// T033, T096: two rotations at once. Both are signed by both of their roots; nobody follows either.
#[test]
fn t033_t096_two_successors_are_a_conflict() {
    let mut clinic = Clinic::new(Suite::X25519, 0xA2);
    let other = rotate_again(&mut clinic);
    let (first, second) = (clinic.rotation.descriptor.fingerprint(), other.descriptor.fingerprint());
    let refused = clinic.pinned.successor([pair(&clinic.rotation), pair(&other)]).unwrap_err();
    assert_eq!(refused, Error::Conflict(Conflict::Successors { first, second }));
    // A row that is there twice is no conflict, and garbage stands in nobody's way.
    let garbage = (other.descriptor.as_bytes(), clinic.rotation.statement.as_slice());
    let candidates = [garbage, pair(&clinic.rotation), (&[], &[]), pair(&clinic.rotation)];
    assert_eq!(clinic.pinned.successor(candidates).unwrap().fingerprint(), first);
    assert_eq!(clinic.pinned.successor([]).unwrap_err(), Usage::NoSuccessor.into());
}

/// T072: the parameters change between what the custodians agreed on and what is published.
#[test]
fn t072_a_statement_holds_for_its_own_descriptor_and_roster() {
    let mut clinic = Clinic::new(Suite::X25519, 0xA3);
    let other = rotate_again(&mut clinic);
    let statement = clinic.rotation.statement.as_slice();
    let refused = clinic.pinned.successor([(other.descriptor.as_bytes(), statement)]).unwrap_err();
    assert!(matches!(refused, Error::Untrusted(Untrusted::Fingerprint { .. })));
    // Another threshold in the descriptor is another fingerprint.
    let mut lowered = clinic.rotation.descriptor.as_bytes().to_vec();
    lowered[42] = 2;
    let refused = clinic.pinned.successor([(lowered.as_slice(), statement)]).unwrap_err();
    assert!(matches!(refused, Error::Untrusted(Untrusted::Fingerprint { .. })));
    // The roster that the statement names, and no other of its version.
    let successor = clinic.pinned.successor([pair(&clinic.rotation)]).unwrap();
    let refused = clinic.vault.follow(successor, &other.roster, clinic.entries()).unwrap_err();
    assert_eq!(refused, Untrusted::RosterSignature.into());
    let next = clinic.followed();
    let draft = clinic.vault.roster().next_generation().unwrap();
    let sneaked = draft.sign_as_registrar(&clinic.registrar, next.descriptor()).unwrap();
    let successor = clinic.pinned.successor([pair(&clinic.rotation)]).unwrap();
    let refused = clinic.vault.follow(successor, &sneaked, clinic.entries()).unwrap_err();
    assert_eq!(refused, Error::Conflict(Conflict::Roster { version: 2 }));
}

/// The registrar, and a thief with fewer shares than k, have no root's signature.
#[test]
fn only_both_roots_together_make_a_successor() {
    let clinic = Clinic::new(Suite::X25519, 0xA4);
    let attacker = Clinic::new(Suite::X25519, 0xA5);
    let mut statement = clinic.rotation.statement.clone();
    let length = statement.len();
    for (generation, range) in [(1, length - 128..length - 64), (2, length - 64..length)] {
        let kept = statement[range.clone()].to_vec();
        statement[range.clone()].copy_from_slice(&attacker.rotation.statement[range.clone()]);
        let refused = clinic.pinned.successor([(clinic.rotation.descriptor.as_bytes(), statement.as_slice())]);
        assert_eq!(refused.unwrap_err(), Untrusted::RotationSignature { generation }.into());
        statement[range].copy_from_slice(&kept);
    }
    // Another vault's master key does not rotate this one.
    let draft = clinic.vault.roster().next_generation().unwrap();
    let policy = Policy::new(2, 3).unwrap();
    let refused = clinic.vault.rotate(&attacker.master, policy, &attacker.registrar.public(), draft, &mut OsRng);
    assert_eq!(refused.unwrap_err(), Usage::WrongSigner.into());
    // A draft for the present generation is no first roster of the next.
    let draft = clinic.vault.roster().next().unwrap();
    let refused = clinic.vault.rotate(&clinic.master, policy, &clinic.registrar.public(), draft, &mut OsRng);
    assert_eq!(refused.unwrap_err(), Usage::WrongVault.into());
}

/// T063, T071: every mixture of old and new shares, also with the generation in the share rewritten.
#[test]
fn t063_t071_shares_of_two_generations_never_mix() {
    let mut clinic = Clinic::new(Suite::X25519, 0xA6);
    // The same policy, so that nothing but generation and values tells the shares apart.
    let same = rotate_again(&mut clinic);
    let next = clinic.pinned.successor([pair(&same)]).unwrap();
    let next = clinic.vault.follow(next, &same.roster, clinic.entries()).unwrap();
    let old: Vec<Vec<u8>> = clinic.shares().iter().map(|share| share.to_bytes().expose().to_vec()).collect();
    let new: Vec<Vec<u8>> = same.shares.iter().map(|share| share.to_bytes().expose().to_vec()).collect();
    for pattern in 0..1_u8 << 3 {
        for relabel in [false, true] {
            let mut recovery = Recovery::new(next.descriptor());
            let mut accepted = 0;
            for index in 0..3 {
                let is_new = pattern >> index & 1 == 1;
                let mut bytes = if is_new { new[index].clone() } else { old[index].clone() };
                if relabel {
                    bytes[36..40].copy_from_slice(&2_u32.to_be_bytes());
                }
                match recovery.add(Share::from_bytes(&bytes).unwrap()) {
                    Ok(_) => accepted += 1,
                    Err(error) => {
                        assert!(!is_new);
                        let reason = if relabel { ShareFault::Value } else { ShareFault::Generation };
                        assert_eq!(error, Error::Share { index: index as u8 + 1, reason });
                    }
                }
            }
            assert_eq!(accepted, pattern.count_ones());
            assert_eq!(recovery.finish().is_ok(), accepted >= 2);
        }
    }
}

/// T073, T093, T106 for rotations: whatever step is missing, the old generation is not retired.
#[test]
fn t073_t093_the_old_generation_is_retired_only_when_nothing_is_missing() {
    let clinic = Clinic::new(Suite::X25519, 0xA7);
    let next = clinic.followed();
    let [done, failed] = [clinic.patient.card_id, CardId::from_bytes([7; 32])];
    let shares = || clinic.rotation.shares.iter();
    // 2 of 3 before: two destructions leave one share, which is fewer than k.
    for missing in 0..8 {
        let mut retirement = Retirement::new(&clinic.pinned, next.descriptor(), [done, failed]).unwrap();
        for share in shares().skip(usize::from(missing == 1)) {
            retirement.confirm_share(share).unwrap();
        }
        if missing != 2 {
            retirement.patient_done(done);
        }
        if missing != 3 {
            retirement.patient_failed(failed);
        }
        retirement.confirm_destroyed(1).unwrap();
        retirement.confirm_destroyed(if missing == 4 { 1 } else { 3 }).unwrap();
        let (open_shares, open_patients, destructions) = match missing {
            1 => (1, 0, 0),
            2 | 3 => (0, 1, 0),
            4 => (0, 0, 1),
            _ => {
                let retired = retirement.finish().unwrap();
                assert_eq!((retired.generation(), retired.failed()), (1, [failed].as_slice()));
                continue;
            }
        };
        let refused = Usage::NotRetired { shares: open_shares, patients: open_patients, destructions };
        assert_eq!(retirement.finish().unwrap_err(), refused.into());
        let missing = retirement.missing();
        assert_eq!((missing.unchecked_shares.len(), missing.patients.len()), (open_shares, open_patients));
    }
    // A share that was mistyped, an old one, and an index that does not exist confirm nothing.
    let mut retirement = Retirement::new(&clinic.pinned, next.descriptor(), []).unwrap();
    let refused = retirement.confirm_share(&clinic.shares()[0]).unwrap_err();
    assert_eq!(refused, Error::Share { index: 1, reason: ShareFault::Generation });
    for index in [0, 4] {
        let refused = retirement.confirm_destroyed(index).unwrap_err();
        assert_eq!(refused, Error::Share { index, reason: ShareFault::Index });
    }
    assert_eq!(retirement.missing().unchecked_shares, [1, 2, 3, 4, 5]);
    let refused = Retirement::new(next.descriptor(), &clinic.pinned, []).unwrap_err();
    assert_eq!(refused, Usage::NoSuccessor.into());
}

/// T095: who is enrolled while the loop runs is reachable in both generations.
#[test]
fn t095_enrolment_during_a_rotation_reaches_both_generations() {
    let mut clinic = Clinic::new(Suite::X25519, 0xA8);
    let next = clinic.followed();
    let by = Enroller::Member(&clinic.therapist);
    let id = PatientId::new("p-2").unwrap();
    let Enrolment { card, endorsement, master_grant, key, .. } = clinic.vault.enrol(by, id, &mut clinic.rng).unwrap();
    let also = next.endorse(by, &key, &mut clinic.rng).unwrap();
    let cards = [card.as_slice()];
    let stored = StoredPatient { cards: &cards, endorsement: &endorsement, master_grant: &master_grant };
    let card = clinic.vault.card(id, &stored, None).unwrap();
    clinic.vault.break_glass(&card, &clinic.master).unwrap();
    let stored = StoredPatient { cards: &cards, endorsement: &also.endorsement, master_grant: &also.master_grant };
    let card = next.card(id, &stored, None).unwrap();
    next.break_glass(&card, &clinic.rotation.master).unwrap();
}

/// T094: the loop stops after every number of patients and is run again; at no moment does neither generation work.
#[test]
fn t094_an_interrupted_loop_is_run_again() {
    let mut clinic = Clinic::new(Suite::X25519, 0xA9);
    let next = clinic.followed();
    let by = Enroller::Member(&clinic.therapist);
    let names: Vec<String> = (0..5).map(|number| format!("q-{number}")).collect();
    let patients: Vec<Enrolment> = names
        .iter()
        .map(|name| clinic.vault.enrol(by, PatientId::new(name).unwrap(), &mut clinic.rng).unwrap())
        .collect();
    for stop in 0..=patients.len() {
        let mut store: Vec<Option<Endorsed>> = patients.iter().map(|_| None).collect();
        for until in [stop, patients.len()] {
            let rotation = PatientRotation { from: &clinic.vault, master: &clinic.master, to: &next, by };
            for (at, (name, enrolment)) in names.iter().zip(&patients).enumerate().take(until) {
                let cards = [enrolment.card.as_slice()];
                let (endorsement, master_grant) = (&enrolment.endorsement, &enrolment.master_grant);
                let stored = StoredPatient { cards: &cards, endorsement, master_grant };
                let done = store[at].as_ref().map(|Endorsed { endorsement, master_grant }| StoredPatient {
                    cards: &cards,
                    endorsement,
                    master_grant,
                });
                let id = PatientId::new(name).unwrap();
                let made = rotation.patient(id, &stored, done.as_ref(), &mut clinic.rng).unwrap();
                assert_eq!(made.is_none(), done.is_some());
                store[at] = made.or(store[at].take());
            }
            for (at, (name, enrolment)) in names.iter().zip(&patients).enumerate() {
                let cards = [enrolment.card.as_slice()];
                let id = PatientId::new(name).unwrap();
                let (endorsement, master_grant) = (&enrolment.endorsement, &enrolment.master_grant);
                let old = StoredPatient { cards: &cards, endorsement, master_grant };
                let card = clinic.vault.card(id, &old, None).unwrap();
                clinic.vault.break_glass(&card, &clinic.master).unwrap();
                assert_eq!(store[at].is_some(), at < until);
                if let Some(Endorsed { endorsement, master_grant }) = &store[at] {
                    let card =
                        next.card(id, &StoredPatient { cards: &cards, endorsement, master_grant }, None).unwrap();
                    next.break_glass(&card, &clinic.rotation.master).unwrap();
                }
            }
        }
    }
}

/// The thief of a registrar's key signs the last roster that there can be. A rotation, from the roster before it, gets
/// the vault out of his hands.
#[test]
fn a_rotation_leaves_out_what_a_thief_of_the_registrars_key_did() {
    let mut clinic = Clinic::new(Suite::X25519, 0xAA);
    let good = clinic.vault.clone();
    let colleague = clinic.colleague.fingerprint();
    let card = clinic.patient.card_id;
    clinic.next_roster(|draft| {
        draft.set_status(colleague, Status::Revoked).unwrap();
        draft.close(card, ClosedReason::Erased).unwrap();
    });
    let registrar = RegistrarKey::generate(&mut clinic.rng).unwrap();
    let draft = good.roster().next_generation().unwrap();
    let policy = Policy::new(2, 3).unwrap();
    let rotation = clinic.vault.rotate(&clinic.master, policy, &registrar.public(), draft, &mut clinic.rng).unwrap();
    let successor = clinic.pinned.successor([pair(&rotation)]).unwrap();
    let next = clinic.vault.follow(successor, &rotation.roster, clinic.entries()).unwrap();
    assert_eq!(next.roster().member(colleague).unwrap().status(), Status::Active);
    assert_eq!(next.roster().closed(card), None);
    // The stolen key signs nothing in the new generation.
    let draft = next.roster().next().unwrap();
    let refused = draft.sign_as_registrar(&clinic.registrar, next.descriptor()).unwrap_err();
    assert_eq!(refused, Usage::WrongSigner.into());
}

/// A client follows with a roster that came after the first one of the generation. What both roots left out in the first,
/// they have signed; a later one is bound by what the client knows.
#[test]
fn a_later_roster_of_the_next_generation_takes_nothing_back() {
    let mut clinic = Clinic::new(Suite::X25519, 0xAE);
    let next = clinic.followed();
    let (colleague, card) = (clinic.colleague.fingerprint(), clinic.patient.card_id);
    clinic.next_roster(|draft| {
        draft.set_status(colleague, Status::Revoked).unwrap();
        draft.close(card, ClosedReason::Erased).unwrap();
    });
    let later = |revoked: bool, closed: bool| {
        let mut draft = next.roster().next().unwrap();
        if revoked {
            draft.set_status(colleague, Status::Revoked).unwrap();
        }
        if closed {
            draft.close(card, ClosedReason::Erased).unwrap();
        }
        let roster = draft.sign_as_registrar(&clinic.registrar, next.descriptor()).unwrap();
        let successor = clinic.pinned.successor([pair(&clinic.rotation)]).unwrap();
        clinic.vault.follow(successor, &roster, clinic.entries()).map(|vault| vault.roster().version())
    };
    let refused = Err(Untrusted::RosterReversal.into());
    assert_eq!(later(false, false), refused);
    assert_eq!(later(true, false), refused, "the card is open again");
    assert_eq!(later(false, true), refused, "the key counts again");
    assert_eq!(later(true, true), Ok(3));
    // The first roster is followed whatever it leaves out.
    assert_eq!(clinic.followed().roster().version(), 2);
}

#[test]
fn an_older_cards_master_grant_is_re_wrapped_too() {
    let mut clinic = Clinic::new(Suite::X25519, 0xAB);
    let next = clinic.followed();
    let by = Enroller::Member(&clinic.therapist);
    let second = clinic.vault.rekey(by, &clinic.patient.key, &mut clinic.rng).unwrap();
    let cards = [clinic.patient.card.as_slice(), &second.card];
    let stored = StoredPatient { cards: &cards, endorsement: &second.endorsement, master_grant: &second.master_grant };
    let rotation = PatientRotation { from: &clinic.vault, master: &clinic.master, to: &next, by };
    let older = clinic.patient.card_id;
    let grant = rotation.older(patient(), &stored, older, &clinic.patient.master_grant, &mut clinic.rng).unwrap();
    let Endorsed { endorsement, master_grant } =
        rotation.patient(patient(), &stored, None, &mut clinic.rng).unwrap().unwrap();
    let stored = StoredPatient { cards: &cards, endorsement: &endorsement, master_grant: &master_grant };
    let with = GrantKey::Master { key: &clinic.rotation.master, grant: &grant };
    let key = next.open_older(patient(), &stored, None, older, &with).unwrap();
    assert!(next.open(&key, Place::new(super::clinic::record(), super::clinic::field()), &clinic.sealed).is_ok());
}

/// T054: a vault never gets another suite.
#[test]
fn t054_a_successor_of_another_suite_is_refused() {
    let clinic = Clinic::new(Suite::XWing, 0xAC);
    let weaker = Clinic::new(Suite::X25519, 0xAC);
    let mut statement = weaker.rotation.statement.clone();
    statement[4..36].copy_from_slice(clinic.descriptor.vault().as_bytes());
    let mut descriptor = weaker.rotation.descriptor.as_bytes().to_vec();
    descriptor[6..38].copy_from_slice(clinic.descriptor.vault().as_bytes());
    let refused = clinic.pinned.successor([(descriptor.as_slice(), statement.as_slice())]).unwrap_err();
    assert_eq!(refused, Usage::WrongSuite.into());
}

/// What is stored for the new generation counts as done only if it is of the patient's own card: an enroller's thief who
/// enrolled the patient falsely there, and garbage, do not.
#[test]
fn a_rotation_is_not_done_for_another_card() {
    let mut clinic = Clinic::new(Suite::X25519, 0xAD);
    let next = clinic.followed();
    let false_one = next.enrol(Enroller::Member(&clinic.therapist), patient(), &mut clinic.rng).unwrap();
    let cards = [clinic.patient.card.as_slice()];
    let false_cards = [false_one.card.as_slice()];
    let (endorsement, master_grant) = (&false_one.endorsement, &false_one.master_grant);
    let false_row = StoredPatient { cards: &false_cards, endorsement, master_grant };
    let garbage = StoredPatient { cards: &cards, endorsement: b"garbage", master_grant: b"garbage" };
    let by = Enroller::Member(&clinic.therapist);
    let rotation = PatientRotation { from: &clinic.vault, master: &clinic.master, to: &next, by };
    for there in [&false_row, &garbage] {
        let made = rotation.patient(patient(), &clinic.stored(&cards), Some(there), &mut OsRng).unwrap();
        assert!(made.is_some());
    }
    // A worthless master grant, which any enroller can endorse, is noticed where the new root is at hand.
    let good = next.endorse(by, &clinic.patient.key, &mut OsRng).unwrap();
    let stored = StoredPatient { cards: &cards, endorsement: &good.endorsement, master_grant: &good.master_grant };
    let root = PatientRotation { by: Enroller::Root(&clinic.rotation.master), ..rotation };
    assert!(root.patient(patient(), &clinic.stored(&cards), Some(&stored), &mut OsRng).unwrap().is_none());
}
