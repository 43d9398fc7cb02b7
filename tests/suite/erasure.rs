//! A patient is erased, and what that means for every copy.

use lukko::error::{Untrusted, Usage};
use lukko::*;

use super::clinic::{Clinic, NOTE, PATIENT, SUITES, field, place, record};

fn patient() -> PatientId<'static> {
    PatientId::new(PATIENT).unwrap()
}

/// Closes the patient's cards and gives the erasure.
fn erase(clinic: &mut Clinic) -> Erasure {
    let grants = [clinic.grant.bytes.clone(), clinic.patient.master_grant.clone()];
    let erasure = clinic.vault.begin_erasure(patient(), &[&clinic.patient.card], &grants).unwrap();
    let early = erasure.receipt(&clinic.vault, 1).unwrap_err();
    assert_eq!(early, Usage::ErasurePending(clinic.patient.card_id).into());
    let closing = erasure.clone();
    clinic.next_roster(|draft| closing.close_in(draft).unwrap());
    erasure
}

#[test]
fn t108_an_erased_patient_is_refused_everywhere_and_can_be_enrolled_anew() {
    for suite in SUITES {
        let mut clinic = Clinic::new(suite, 0xF0);
        let opened = clinic.card(None).unwrap();
        erase(&mut clinic);
        let refused = Error::from(Untrusted::CardErased(clinic.patient.card_id));
        let (vault, key) = (&clinic.vault, &clinic.patient.key);
        assert_eq!(clinic.card(None).unwrap_err(), refused);
        assert_eq!(clinic.open(&clinic.sealed).unwrap_err(), refused);
        assert_eq!(clinic.open_deposit(&clinic.deposit.bytes).unwrap_err(), refused);
        assert_eq!(vault.seal(key, &place(), NOTE, &mut OsRng).unwrap_err(), refused);
        assert_eq!(vault.grant(key, clinic.therapist.fingerprint(), &mut OsRng).unwrap_err(), refused);
        assert_eq!(vault.open_grant(&opened, &clinic.therapist, &clinic.grant.bytes).unwrap_err(), refused);
        assert_eq!(vault.break_glass(&opened, &clinic.master).unwrap_err(), refused);
        let by = Enroller::Member(&clinic.therapist);
        assert_eq!(vault.endorse(by, key, &mut OsRng).unwrap_err(), refused);
        assert_eq!(vault.rekey(by, key, &mut OsRng).unwrap_err(), refused);
        assert_eq!(vault.grant_to_master(key, &mut OsRng).unwrap_err(), refused);
        let deposit = vault.deposit(&opened, &clinic.front_end, field(), Padding::Padme, NOTE, &mut OsRng);
        assert_eq!(deposit.unwrap_err(), refused);
        let note = StoredNote { place: Place::new(record(), field()), path: Path::Reader, bytes: &clinic.sealed };
        let copy = vault.disclose(key, &note, clinic.court.public(), &clinic.therapist, &mut OsRng);
        assert_eq!(copy.unwrap_err(), refused);
        // The id is free. New keys: what was sealed before does not open, and the old card, from a backup, is no conflict.
        let again = vault.enrol(by, patient(), &mut OsRng).unwrap();
        let refused = vault.open(&again.key, Place::new(record(), field()), &clinic.sealed).unwrap_err();
        assert_eq!(refused, Usage::WrongCard { key: again.card_id, object: clinic.patient.card_id }.into());
        let cards = [clinic.patient.card.as_slice(), &again.card];
        let stored =
            StoredPatient { cards: &cards, endorsement: &again.endorsement, master_grant: &again.master_grant };
        assert_eq!(vault.card(patient(), &stored, None).unwrap().id(), again.card_id);
        assert_eq!(
            vault.rewrap(key, &again.key, Place::new(record(), field()), &clinic.sealed, &mut OsRng).unwrap_err(),
            { Untrusted::CardErased(clinic.patient.card_id).into() }
        );
    }
}

/// T107: nobody else is affected.
#[test]
fn t107_other_patients_stay() {
    let mut clinic = Clinic::new(Suite::X25519, 0xF1);
    let by = Enroller::Member(&clinic.therapist);
    let other = clinic.vault.enrol(by, PatientId::new("p-2").unwrap(), &mut clinic.rng).unwrap();
    let sealed = clinic.vault.seal(&other.key, &place(), b"hers", &mut clinic.rng).unwrap();
    erase(&mut clinic);
    assert_eq!(
        clinic.vault.open(&other.key, Place::new(record(), field()), &sealed).unwrap().plaintext.as_bytes(),
        b"hers"
    );
    let card = clinic.card_for("p-2", &other.card, &other.endorsement, &other.master_grant, Some(other.card_id));
    clinic.vault.break_glass(&card.unwrap(), &clinic.master).unwrap();
}

/// T106: the receipt says no more than what has happened.
#[test]
fn t106_the_receipt_is_never_early() {
    let mut clinic = Clinic::new(Suite::X25519, 0xF2);
    let member = clinic.therapist.fingerprint();
    let erasure = erase(&mut clinic);
    let mut receipt = erasure.receipt(&clinic.vault, 100).unwrap();
    assert_eq!((receipt.closed(), receipt.generations()), (100, [(1, None)].as_slice()));
    assert_eq!(receipt.keys(), [(member, None)]);
    assert_eq!(receipt.cards(), [clinic.patient.card_id]);
    assert!(!receipt.is_complete() && receipt.to_string().matches("PENDING").count() == 2);
    // The generation is retired.
    let next = clinic.followed();
    let mut retirement = Retirement::new(&clinic.pinned, next.descriptor(), []).unwrap();
    for share in &clinic.rotation.shares {
        retirement.confirm_share(share).unwrap();
    }
    retirement.confirm_destroyed(1).unwrap();
    retirement.confirm_destroyed(2).unwrap();
    let retired = retirement.finish().unwrap();
    receipt.note_retired(&retired, 200).unwrap();
    receipt.note_retired(&retired, 300).unwrap();
    assert_eq!(receipt.generations(), [(1, Some(200))]);
    assert!(!receipt.is_complete());
    // The member's key is destroyed, and not before the roster says that it is out of use.
    let refused = receipt.note_key_destroyed(&clinic.vault, member, 400).unwrap_err();
    assert_eq!(refused, Usage::StillActive(member).into());
    let stranger = clinic.colleague.fingerprint();
    let refused = receipt.note_key_destroyed(&clinic.vault, stranger, 400).unwrap_err();
    assert_eq!(refused, Usage::NotOnRoster(stranger).into());
    clinic.next_roster(|draft| {
        draft.set_status(member, Status::Retired).unwrap();
    });
    receipt.note_key_destroyed(&clinic.vault, member, 400).unwrap();
    assert!(receipt.is_complete() && !receipt.to_string().contains("PENDING"));
    // A retirement in another vault, or of a later generation, says nothing about this one.
    let other = Clinic::new(Suite::X25519, 0xF6);
    let elsewhere = erase_in_second_generation(other, &retired);
    assert_eq!(elsewhere, [Usage::WrongVault.into(), Usage::NoSuccessor.into()]);
}

/// A receipt of generation 2 meets a retirement of another vault, and its own of generations 1 and 2: it is complete with
/// both, and a receipt of generation 1 is not helped by generation 2.
fn erase_in_second_generation(clinic: Clinic, foreign: &Retired) -> [Error; 2] {
    let mut next = clinic.followed();
    let none: [&[u8]; 0] = [];
    let erasure = next.begin_erasure(patient(), &[&clinic.patient.card], none).unwrap();
    let mut draft = next.roster().next().unwrap();
    erasure.close_in(&mut draft).unwrap();
    let roster = draft.sign_as_registrar(&clinic.registrar, next.descriptor()).unwrap();
    next.update_roster(&roster, clinic.entries()).unwrap();
    let mut retirement = Retirement::new(&clinic.pinned, next.descriptor(), []).unwrap();
    clinic.rotation.shares.iter().for_each(|share| retirement.confirm_share(share).unwrap());
    retirement.confirm_destroyed(1).unwrap();
    retirement.confirm_destroyed(3).unwrap();
    let first = retirement.finish().unwrap();
    let mut receipt = erasure.receipt(&next, 1).unwrap();
    assert_eq!(receipt.generations(), [(1, None), (2, None)]);
    receipt.note_retired(&first, 7).unwrap();
    assert_eq!(receipt.generations(), [(1, Some(7)), (2, None)]);
    assert!(!receipt.is_complete());
    let mut earlier = erasure_in_the_first(&clinic);
    let draft = next.roster().next_generation().unwrap();
    let policy = Policy::new(2, 3).unwrap();
    let third = next.rotate(&clinic.rotation.master, policy, &clinic.registrar.public(), draft, &mut OsRng).unwrap();
    let pair = (third.descriptor.as_bytes(), third.statement.as_slice());
    let successor = next.descriptor().successor([pair]).unwrap();
    let after = next.follow(successor, &third.roster, clinic.entries()).unwrap();
    let mut retirement = Retirement::new(next.descriptor(), after.descriptor(), []).unwrap();
    third.shares.iter().for_each(|share| retirement.confirm_share(share).unwrap());
    (1..=3).for_each(|index| retirement.confirm_destroyed(index).unwrap());
    let second = retirement.finish().unwrap();
    [(&mut receipt, foreign), (&mut earlier, &second)]
        .map(|(receipt, retired)| receipt.note_retired(retired, 2).unwrap_err())
}

fn erasure_in_the_first(clinic: &Clinic) -> ErasureReceipt {
    let mut vault = clinic.vault.clone();
    let none: [&[u8]; 0] = [];
    let erasure = vault.begin_erasure(patient(), &[&clinic.patient.card], none).unwrap();
    let mut draft = vault.roster().next().unwrap();
    erasure.close_in(&mut draft).unwrap();
    let roster = draft.sign_as_registrar(&clinic.registrar, vault.descriptor()).unwrap();
    vault.update_roster(&roster, clinic.entries()).unwrap();
    erasure.receipt(&vault, 1).unwrap()
}

#[test]
fn an_erasure_is_begun_again_and_knows_whose_rows_it_was_given() {
    let mut clinic = Clinic::new(Suite::X25519, 0xF3);
    let none: [&[u8]; 0] = [];
    let erasure = erase(&mut clinic);
    // Interrupted after the roster: the same again, and the cards are closed already.
    let again = clinic.vault.begin_erasure(patient(), &[&clinic.patient.card, &clinic.patient.card], none).unwrap();
    assert_eq!(again.cards(), erasure.cards());
    clinic.next_roster(|draft| again.close_in(draft).unwrap());
    again.receipt(&clinic.vault, 5).unwrap();
    let refused = clinic.vault.begin_erasure(patient(), &[], none).unwrap_err();
    assert_eq!(refused, Usage::NoCard.into());
    let other = PatientId::new("p-2").unwrap();
    let refused = clinic.vault.begin_erasure(other, &[&clinic.patient.card], none).unwrap_err();
    assert_eq!(refused, Usage::WrongPatient.into());
    assert!(matches!(clinic.vault.begin_erasure(patient(), &[b"x"], none).unwrap_err(), Error::Malformed { .. }));
}

/// T105: the database from before is kept by a thief. The patient is erased, the vault rotated, n-k+1 old shares are
/// destroyed. He gets every new share, every member's key but the therapist's (who was granted the patient), and every
/// copy. The other patient's notes show that his methods work.
#[test]
fn t105_new_shares_open_nothing_of_an_erased_patient_in_old_copies() {
    for suite in SUITES {
        let mut clinic = Clinic::new(suite, 0xF5);
        let by = Enroller::Member(&clinic.therapist);
        let kept_id = PatientId::new("p-kept").unwrap();
        let kept = clinic.vault.enrol(by, kept_id, &mut clinic.rng).unwrap();
        let kept_note = clinic.vault.seal(&kept.key, &place(), b"kept", &mut clinic.rng).unwrap();
        let old_vault = clinic.vault.clone();
        erase(&mut clinic);
        // The rotation begins from the roster that closes the card.
        let draft = clinic.vault.roster().next_generation().unwrap();
        let policy = Policy::new(2, 3).unwrap();
        let registrar = clinic.registrar.public();
        let rotation = clinic.vault.rotate(&clinic.master, policy, &registrar, draft, &mut clinic.rng).unwrap();
        let pair = (rotation.descriptor.as_bytes(), rotation.statement.as_slice());
        let successor = clinic.pinned.successor([pair]).unwrap();
        let next = clinic.vault.follow(successor, &rotation.roster, clinic.entries()).unwrap();
        let by = Enroller::Root(&rotation.master);
        let run = PatientRotation { from: &clinic.vault, master: &clinic.master, to: &next, by };
        let cards = [clinic.patient.card.as_slice()];
        let refused = run.patient(patient(), &clinic.stored(&cards), None, &mut OsRng).unwrap_err();
        assert_eq!(refused, Untrusted::CardErased(clinic.patient.card_id).into());
        let cards = [kept.card.as_slice()];
        let stored = StoredPatient { cards: &cards, endorsement: &kept.endorsement, master_grant: &kept.master_grant };
        let moved = run.patient(kept_id, &stored, None, &mut OsRng).unwrap().unwrap();

        let mut recovery = Recovery::new(next.descriptor());
        for share in &rotation.shares {
            recovery.add(Share::from_bytes(share.to_bytes().expose()).unwrap()).unwrap();
        }
        let master = recovery.finish().unwrap();
        let stolen = [&clinic.patient.master_grant, &clinic.grant.bytes];
        // With the library as it was before the erasure, and as it is now.
        for vault in [&old_vault, &next] {
            for grant in stolen {
                let with = GrantKey::Master { key: &master, grant };
                let cards = [clinic.patient.card.as_slice()];
                assert!(vault.open_remembered(patient(), &cards, clinic.patient.card_id, &with).is_err());
                for key in [&clinic.colleague, &clinic.front_end] {
                    let with = GrantKey::Member { key, grant };
                    assert!(vault.open_remembered(patient(), &cards, clinic.patient.card_id, &with).is_err());
                }
            }
        }
        // The old master grant is sealed to a key that no new share gives, whatever the thief writes on it.
        let mut relabelled = clinic.patient.master_grant.clone();
        relabelled[71..75].copy_from_slice(&2_u32.to_be_bytes());
        relabelled[75..107].copy_from_slice(master.fingerprint().as_bytes());
        let with = GrantKey::Master { key: &master, grant: &relabelled };
        let cards = [clinic.patient.card.as_slice()];
        let refused = old_vault.open_remembered(patient(), &cards, clinic.patient.card_id, &with).unwrap_err();
        assert_eq!(refused, Error::NotAuthentic);
        // The kept patient opens to the same shares.
        let with = GrantKey::Master { key: &master, grant: &moved.master_grant };
        let key = next.open_remembered(kept_id, &[&kept.card], kept.card_id, &with).unwrap();
        assert_eq!(next.open(&key, Place::new(record(), field()), &kept_note).unwrap().plaintext.as_bytes(), b"kept");
        // And the named key, the therapist's, still opens the old copy: that is what the receipt lists it for.
        let with = GrantKey::Member { key: &clinic.therapist, grant: &clinic.grant.bytes };
        assert!(old_vault.open_remembered(patient(), &cards, clinic.patient.card_id, &with).is_ok());
    }
}

/// A card's row is hidden while the patient is erased, to be put back later: the newer card names it, and there is no
/// receipt until it is closed too. A card that was closed as compromised before becomes an erased one.
#[test]
fn a_hidden_card_does_not_survive() {
    let mut clinic = Clinic::new(Suite::X25519, 0xF7);
    let by = Enroller::Member(&clinic.therapist);
    let second = clinic.vault.rekey(by, &clinic.patient.key, &mut clinic.rng).unwrap();
    let first = clinic.patient.card_id;
    clinic.next_roster(|draft| {
        draft.close(first, ClosedReason::Compromised).unwrap();
    });
    let none: [&[u8]; 0] = [];
    let mut erasure = clinic.vault.begin_erasure(patient(), &[&second.card], none).unwrap();
    assert_eq!(erasure.missing(), [first]);
    let partly = erasure.clone();
    clinic.next_roster(|draft| partly.close_in(draft).unwrap());
    assert_eq!(erasure.receipt(&clinic.vault, 1).unwrap_err(), Usage::CardMissing(first).into());
    erasure.also_close(first).also_granted(clinic.therapist.fingerprint());
    assert_eq!(erasure.receipt(&clinic.vault, 1).unwrap_err(), Usage::ErasurePending(first).into());
    let all = erasure.clone();
    clinic.next_roster(|draft| all.close_in(draft).unwrap());
    let receipt = erasure.receipt(&clinic.vault, 1).unwrap();
    assert_eq!(receipt.keys(), [(clinic.therapist.fingerprint(), None)]);
    assert_eq!(clinic.vault.roster().closed(first), Some(ClosedReason::Erased));
    let refused = clinic.vault.rekey(by_root(&clinic), &clinic.patient.key, &mut OsRng).unwrap_err();
    assert_eq!(refused, Untrusted::CardErased(first).into());
    let with = GrantKey::Member { key: &clinic.therapist, grant: &clinic.grant.bytes };
    let refused = clinic.vault.open_remembered(patient(), &[&clinic.patient.card], first, &with).unwrap_err();
    assert_eq!(refused, Untrusted::CardErased(first).into());
}

fn by_root(clinic: &Clinic) -> Enroller<'_> {
    Enroller::Root(&clinic.master)
}
