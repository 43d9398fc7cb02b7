//! One test for each attacker of `docs/THREATS.md`, as far as the spine reaches.

use lukko::error::{Untrusted, Usage, Versioned};
use lukko::*;

use super::clinic::{Clinic, NOTE, PATIENT, SUITES, field, place, record};

/// A vault that the attacker made himself, with ids that he chose to look the same.
fn attackers_vault(suite: Suite) -> Clinic {
    Clinic::new(suite, 0x666)
}

/// T020: the database's card is replaced by the attacker's, endorsed by keys of his own.
#[test]
fn t020_database_writer_substitutes_a_card() {
    for suite in SUITES {
        let (clinic, attacker) = (Clinic::new(suite, 20), attackers_vault(suite));
        let Enrolment { card, endorsement, master_grant, .. } = &attacker.patient;
        let refused = clinic.card_of(card, endorsement, master_grant, None);
        assert_eq!(refused.unwrap_err(), Error::Usage(Usage::WrongVault));
        // He writes the true vault's id into his card: then it is another body, which his endorsement does not cover,
        // and no one else's does.
        let mut relabelled = card.clone();
        relabelled[6..38].copy_from_slice(clinic.descriptor.vault().as_bytes());
        let mut endorsement = clinic.patient.endorsement.clone();
        let master_grant = &clinic.patient.master_grant;
        let refused = clinic.card_of(&relabelled, &endorsement, master_grant, None).unwrap_err();
        let Error::Untrusted(Untrusted::EndorsedCard { card: relabelled_id, endorsed }) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(endorsed, clinic.patient.card_id);
        // And if he corrects the card id in the endorsement, its signature no longer holds.
        endorsement[36..68].copy_from_slice(relabelled_id.as_bytes());
        let refused = clinic.card_of(&relabelled, &endorsement, master_grant, None).unwrap_err();
        let key = clinic.therapist.fingerprint();
        assert_eq!(refused, Error::Untrusted(Untrusted::EndorsementSignature(Some(key))));
    }
}

/// T021: a grant that the attacker sealed to the public master key, with a secret that he chose.
#[test]
fn t021_database_writer_replaces_grants() {
    for suite in SUITES {
        let (clinic, attacker) = (Clinic::new(suite, 21), attackers_vault(suite));
        let Enrolment { card, endorsement, .. } = &clinic.patient;
        let refused = clinic.card_of(card, endorsement, &attacker.patient.master_grant, None).unwrap_err();
        assert_eq!(refused, Error::Untrusted(Untrusted::MasterGrant(clinic.patient.card_id)));
        // A member's grant needs no signature: its secret must derive the card's keys, and another patient's does not.
        let mut other = clinic;
        let second =
            other.vault.enrol(Enroller::Member(&other.therapist), PatientId::new("p-2").unwrap(), &mut other.rng);
        let grant = other.vault.grant(&second.unwrap().key, other.therapist.fingerprint(), &mut other.rng).unwrap();
        let mut relabelled = grant.bytes;
        relabelled[38..70].copy_from_slice(other.patient.card_id.as_bytes());
        let card = other.card(None).unwrap();
        let refused = other.vault.open_grant(&card, &other.therapist, &relabelled);
        assert_eq!(refused.unwrap_err(), Error::NotAuthentic);
    }
}

/// Master grant replaced by garbage: noticed before the next note is sealed, not on the day of need.
#[test]
fn database_writer_replaces_the_master_grant_by_garbage() {
    let clinic = Clinic::new(Suite::XWing, 22);
    let Enrolment { card, endorsement, master_grant, card_id, .. } = &clinic.patient;
    for garbage in [vec![0; master_grant.len()], Vec::new(), master_grant[1..].to_vec()] {
        let refused = clinic.card_of(card, endorsement, &garbage, None).unwrap_err();
        assert_eq!(refused, Error::Untrusted(Untrusted::MasterGrant(*card_id)));
    }
}

/// A member's key is swapped for the attacker's in the store: his entry is on no roster.
#[test]
fn database_writer_swaps_a_members_key() {
    for suite in SUITES {
        let mut clinic = Clinic::new(suite, 23);
        let attacker = clinic.pinned.new_member(MemberId::new("dr-niemi").unwrap(), &mut clinic.rng).unwrap();
        let entries = [clinic.therapist.entry(), attacker.entry()];
        let pin = clinic.first_pin.clone();
        let vault = Vault::load(pin, clinic.descriptor.as_bytes(), &clinic.roster, entries).unwrap();
        for key in [attacker.fingerprint(), clinic.colleague.fingerprint()] {
            let refused = vault.grant(&clinic.patient.key, key, &mut clinic.rng).unwrap_err();
            assert_eq!(refused, Error::Untrusted(Untrusted::UnknownMember(key)));
        }
        // Nor can he sign an entry with the colleague's public key.
        let mut forged = clinic.colleague.entry().to_vec();
        let signature = forged.len() - 64..;
        forged[signature.clone()].copy_from_slice(&attacker.entry()[signature]);
        let refused = MemberEntry::verify(&forged, &clinic.pinned).unwrap_err();
        assert_eq!(refused, Error::Untrusted(Untrusted::EntrySignature(clinic.colleague.fingerprint())));
    }
}

/// An old roster is put back: the pin has seen a newer one. Without the pin's memory, a newer endorsement tells.
#[test]
fn t031_database_writer_puts_an_old_roster_back() {
    let mut clinic = Clinic::new(Suite::X25519, 24);
    let old = clinic.roster.clone();
    let colleague = clinic.colleague.fingerprint();
    clinic.next_roster(|draft| {
        draft.set_status(colleague, Status::Revoked).unwrap();
    });
    let pin = clinic.vault.pin().clone();
    let refused = Vault::load(pin, clinic.descriptor.as_bytes(), &old, clinic.entries()).unwrap_err();
    assert_eq!(refused, Error::Stale { what: Versioned::Roster, known: 2, met: 1 });
    let by = Enroller::Member(&clinic.therapist);
    let second = clinic.vault.enrol(by, PatientId::new("p-2").unwrap(), &mut clinic.rng).unwrap();
    let pin = clinic.first_pin.clone();
    let misled = Vault::load(pin, clinic.descriptor.as_bytes(), &old, clinic.entries()).unwrap();
    let stored =
        StoredPatient { cards: &[&second.card], endorsement: &second.endorsement, master_grant: &second.master_grant };
    let refused = misled.card(PatientId::new("p-2").unwrap(), &stored, None).unwrap_err();
    assert_eq!(refused, Error::Stale { what: Versioned::Roster, known: 1, met: 2 });
}

/// T022 on the reader's path: who knows every public key still cannot make a record.
#[test]
fn t022_database_writer_forges_a_record() {
    for suite in SUITES {
        let (clinic, mut attacker) = (Clinic::new(suite, 26), attackers_vault(suite));
        let forged = attacker.vault.seal(&attacker.patient.key, &place(), b"forged", &mut attacker.rng).unwrap();
        let mut relabelled = forged;
        relabelled[7..39].copy_from_slice(clinic.patient.card_id.as_bytes());
        assert_eq!(clinic.open(&relabelled).unwrap_err(), Error::NotAuthentic);
    }
}

/// An enroller makes a second first card for a patient: clients that remember the true one refuse it.
#[test]
fn enroller_makes_a_second_first_card() {
    for suite in SUITES {
        let mut clinic = Clinic::new(suite, 27);
        let by = Enroller::Member(&clinic.therapist);
        let second = clinic.vault.enrol(by, PatientId::new(PATIENT).unwrap(), &mut clinic.rng).unwrap();
        let expected = clinic.patient.card_id;
        let refused = clinic.card_of(&second.card, &second.endorsement, &second.master_grant, Some(expected));
        let error = Untrusted::UnexpectedCard { expected, met: second.card_id };
        assert_eq!(refused.unwrap_err(), Error::Untrusted(error));
        // The true card is still accepted, and so is the false one by a client that remembers nothing: THREATS.md says so.
        assert_eq!(clinic.card(Some(expected)).unwrap().id(), expected);
        assert!(clinic.card_of(&second.card, &second.endorsement, &second.master_grant, None).is_ok());
    }
}

/// A front end that remembers the patient's card is shown another one, of another patient's id even.
#[test]
fn card_substituted_for_a_front_end_that_expects_another() {
    let mut clinic = Clinic::new(Suite::XWing, 28);
    let by = Enroller::Member(&clinic.therapist);
    let other = clinic.vault.enrol(by, PatientId::new("p-other").unwrap(), &mut clinic.rng).unwrap();
    let expected = clinic.patient.card_id;
    let refused = clinic.card_for("p-other", &other.card, &other.endorsement, &other.master_grant, Some(expected));
    let error = Untrusted::UnexpectedCard { expected, met: other.card_id };
    assert_eq!(refused.unwrap_err(), Error::Untrusted(error));
}

/// A `read` member tries to enrol, and one who is only on another roster; a `deposit` key tries to read.
#[test]
fn members_without_the_role_are_refused() {
    let mut clinic = Clinic::new(Suite::X25519, 29);
    let patient = PatientId::new("p-3").unwrap();
    let colleague = clinic.colleague.fingerprint();
    let refused = clinic.vault.enrol(Enroller::Member(&clinic.colleague), patient, &mut clinic.rng).unwrap_err();
    assert_eq!(refused, Error::Untrusted(Untrusted::Role(colleague)));
    let front_end = clinic.front_end.fingerprint();
    let refused = clinic.vault.grant(&clinic.patient.key, front_end, &mut clinic.rng).unwrap_err();
    assert_eq!(refused, Error::Untrusted(Untrusted::Role(front_end)));
    let stranger = clinic.pinned.new_member(MemberId::new("x").unwrap(), &mut clinic.rng).unwrap();
    let refused = clinic.vault.enrol(Enroller::Member(&stranger), patient, &mut clinic.rng).unwrap_err();
    assert_eq!(refused, Error::Untrusted(Untrusted::UnknownMember(stranger.fingerprint())));
    let attacker = attackers_vault(Suite::X25519);
    let refused = clinic.vault.enrol(Enroller::Member(&attacker.therapist), patient, &mut clinic.rng).unwrap_err();
    assert_eq!(refused, Error::Usage(Usage::WrongVault));
    let refused = clinic.vault.enrol(Enroller::Root(&attacker.master), patient, &mut clinic.rng).unwrap_err();
    assert_eq!(refused, Error::Usage(Usage::WrongSigner));
}

/// The registrar's key alone opens nothing, and cannot endorse.
#[test]
fn registrar_is_no_reader() {
    let mut clinic = Clinic::new(Suite::X25519, 30);
    let seed: [u8; 32] = clinic.registrar.seed().expose().try_into().unwrap();
    // The same seed as a member's gives another key, which no roster lists.
    let member = clinic.pinned.member_from_seed(MemberId::new("registrar").unwrap(), &seed).unwrap();
    let card = clinic.card(None).unwrap();
    let refused = clinic.vault.open_grant(&card, &member, &clinic.grant.bytes).unwrap_err();
    assert_eq!(refused, Error::Untrusted(Untrusted::UnknownMember(member.fingerprint())));
    // He admits himself: from then on grants can go to him, but the ones that exist stay shut.
    let entry = MemberEntry::verify(member.entry(), &clinic.pinned).unwrap();
    let mut draft = clinic.vault.roster().next().unwrap();
    draft.admit(&entry, Roles::READ).unwrap();
    let roster = draft.sign_as_registrar(&clinic.registrar, &clinic.pinned).unwrap();
    let entries = [clinic.therapist.entry().to_vec(), member.entry().to_vec()];
    clinic.vault.update_roster(&roster, entries).unwrap();
    let card = clinic.card(None).unwrap();
    let refused = clinic.vault.open_grant(&card, &member, &clinic.grant.bytes).unwrap_err();
    let addressed_to = clinic.therapist.fingerprint();
    assert_eq!(refused, Error::Usage(Usage::WrongRecipient { addressed_to }));
    let mut readdressed = clinic.grant.bytes.clone();
    readdressed[71..103].copy_from_slice(member.fingerprint().as_bytes());
    assert_eq!(clinic.vault.open_grant(&card, &member, &readdressed).unwrap_err(), Error::NotAuthentic);
}

/// An enroller with write access endorses a card whose master grant is of another patient: the quorum notices.
#[test]
fn a_master_grant_of_another_card_is_refused() {
    let mut clinic = Clinic::new(Suite::X25519, 32);
    let by = Enroller::Member(&clinic.therapist);
    let other = clinic.vault.enrol(by, PatientId::new("p-other").unwrap(), &mut clinic.rng).unwrap();
    let Enrolment { card, endorsement, card_id, .. } = &clinic.patient;
    let refused = clinic.card_of(card, endorsement, &other.master_grant, None).unwrap_err();
    assert_eq!(refused, Error::Untrusted(Untrusted::MasterGrant(*card_id)));
}

/// T055: a master key of another vault opens nothing here.
#[test]
fn t055_another_vaults_master_key_is_refused() {
    for suite in SUITES {
        let (clinic, attacker) = (Clinic::new(suite, 55), attackers_vault(suite));
        let refused = clinic.vault.break_glass(&clinic.card(None).unwrap(), &attacker.master).unwrap_err();
        let addressed_to = clinic.descriptor.master_fingerprint();
        assert_eq!(refused, Error::Usage(Usage::WrongRecipient { addressed_to }));
    }
}

/// The whole of break-glass: quorum, master key, grant, patient key, record; and a grant to a new member from there.
#[test]
fn a_quorum_breaks_the_glass_and_grants_from_there() {
    for suite in SUITES {
        let mut clinic = Clinic::new(suite, 33);
        let mut recovery = Recovery::new(&clinic.pinned);
        for share in clinic.shares().into_iter().skip(1) {
            recovery.add(share).unwrap();
        }
        let master = recovery.finish().unwrap();
        let card = clinic.card(Some(clinic.patient.card_id)).unwrap();
        let key = clinic.vault.break_glass(&card, &master).unwrap();
        let opened = clinic.vault.open(&key, Place::new(record(), field()), &clinic.sealed).unwrap();
        assert_eq!(opened.plaintext.as_bytes(), NOTE);
        let grant = clinic.vault.grant(&key, clinic.colleague.fingerprint(), &mut clinic.rng).unwrap();
        assert_eq!((grant.card, grant.recipient), (card.id(), clinic.colleague.fingerprint()));
        let key = clinic.vault.open_grant(&card, &clinic.colleague, &grant.bytes).unwrap();
        let opened = clinic.vault.open(&key, Place::new(record(), field()), &clinic.sealed).unwrap();
        assert_eq!(opened.plaintext.as_bytes(), NOTE);
    }
}

/// The root enrols too, on the first day.
#[test]
fn the_root_enrols() {
    let mut clinic = Clinic::new(Suite::XWing, 34);
    let patient = PatientId::new("p-root").unwrap();
    let enrolled = clinic.vault.enrol(Enroller::Root(&clinic.master), patient, &mut clinic.rng).unwrap();
    let Enrolment { card, endorsement, master_grant, .. } = &enrolled;
    let card = clinic.card_for("p-root", card, endorsement, master_grant, None).unwrap();
    assert_eq!((card.id(), card.version(), card.patient()), (enrolled.card_id, 1, &b"p-root"[..]));
    let mut forged = enrolled.endorsement;
    *forged.last_mut().unwrap() ^= 0x40;
    let refused = clinic.card_for("p-root", &enrolled.card, &forged, &enrolled.master_grant, None).unwrap_err();
    assert_eq!(refused, Error::Untrusted(Untrusted::EndorsementSignature(None)));
}

/// T016: all rows of one patient are stored under another's name. Who asks for the one is not shown the other.
#[test]
fn t016_database_writer_moves_all_rows_of_a_patient() {
    for suite in SUITES {
        let mut clinic = Clinic::new(suite, 35);
        let by = Enroller::Member(&clinic.therapist);
        let other = clinic.vault.enrol(by, PatientId::new("p-other").unwrap(), &mut clinic.rng).unwrap();
        for expect in [None, Some(other.card_id)] {
            let moved = clinic.card_for(PATIENT, &other.card, &other.endorsement, &other.master_grant, expect);
            assert_eq!(moved.unwrap_err(), Error::Usage(Usage::WrongPatient));
        }
        let own = clinic.card_for("p-other", &other.card, &other.endorsement, &other.master_grant, None);
        assert_eq!(own.unwrap().id(), other.card_id);
    }
}
