//! Pins, descriptors and rosters: forward only, and by the right key.

use lukko::error::{Conflict, Untrusted, Usage, Versioned};
use lukko::*;

use super::clinic::{Clinic, PATIENT, SUITES, field, record};

#[test]
fn a_descriptor_counts_only_by_its_fingerprint() {
    for suite in SUITES {
        let (clinic, other) = (Clinic::new(suite, 40), Clinic::new(suite, 41));
        let (pinned, met) = (clinic.descriptor.fingerprint(), other.descriptor.fingerprint());
        let expected = Error::Untrusted(Untrusted::Fingerprint { pinned, met });
        assert_eq!(clinic.first_pin.check(other.descriptor.clone()).unwrap_err(), expected);
        assert_eq!(Pin::new(pinned, &other.descriptor).unwrap_err(), expected);
        let mut pin = clinic.first_pin.clone();
        let refused = VerifiedRoster::verify(&other.roster, other.entries(), &other.pinned, &mut pin);
        assert_eq!(refused.unwrap_err(), expected);
        assert_eq!(pin, clinic.first_pin);
    }
}

#[test]
fn t034_a_damaged_pin_is_never_ok() {
    let clinic = Clinic::new(Suite::X25519, 42);
    let bytes = clinic.vault.pin().to_bytes();
    assert_eq!(bytes.len(), 112);
    let pin = Pin::from_bytes(&bytes).unwrap();
    assert_eq!(&pin, clinic.vault.pin());
    assert_eq!((pin.generation(), pin.roster_version()), (1, 1));
    let mut damaged = bytes;
    damaged[5] ^= 1;
    assert_eq!(Pin::from_bytes(&damaged).unwrap_err(), Error::Untrusted(Untrusted::Pin));
}

#[test]
fn a_second_roster_of_one_version_is_a_conflict() {
    let mut clinic = Clinic::new(Suite::X25519, 43);
    let colleague = clinic.colleague.fingerprint();
    let mut other = clinic.vault.roster().next().unwrap();
    other.set_status(colleague, Status::Retired).unwrap();
    let other = other.sign_as_root(&clinic.master, &clinic.pinned).unwrap();
    clinic.next_roster(|draft| {
        draft.set_status(colleague, Status::Revoked).unwrap();
    });
    let before = clinic.vault.pin().clone();
    let entries = clinic.entries().map(<[u8]>::to_vec);
    let refused = clinic.vault.update_roster(&other, &entries).unwrap_err();
    assert_eq!(refused, Error::Conflict(Conflict::Roster { version: 2 }));
    assert_eq!(clinic.vault.pin(), &before);
}

#[test]
fn a_roster_must_name_the_one_before() {
    let mut clinic = Clinic::new(Suite::X25519, 44);
    let first = clinic.vault.clone();
    let colleague = clinic.colleague.fingerprint();
    clinic.next_roster(|draft| {
        draft.set_status(colleague, Status::Retired).unwrap();
    });
    // Another second roster, and a third one that follows it instead.
    let mut fork = first;
    let second = fork.roster().next().unwrap().sign_as_registrar(&clinic.registrar, &clinic.pinned).unwrap();
    fork.update_roster(&second, clinic.entries()).unwrap();
    let third = fork.roster().next().unwrap().sign_as_registrar(&clinic.registrar, &clinic.pinned).unwrap();
    let entries = clinic.entries().map(<[u8]>::to_vec);
    let refused = clinic.vault.update_roster(&third, &entries).unwrap_err();
    assert_eq!(refused, Error::Untrusted(Untrusted::RosterChain));
}

/// Publishes a change that clients follow, and offers them a later roster of a registrar's thief, who began again from the
/// first roster and made another change. A version is left out between, so that the chain does not tell.
fn offer_a_fork(
    seed: u64,
    change: impl FnOnce(&Clinic, &mut RosterDraft),
    other: impl FnOnce(&Clinic, &mut RosterDraft),
) -> Result<()> {
    let mut clinic = Clinic::new(Suite::X25519, seed);
    let mut fork = clinic.vault.clone();
    let mut draft = clinic.vault.roster().next().unwrap();
    change(&clinic, &mut draft);
    let roster = draft.sign_as_registrar(&clinic.registrar, &clinic.pinned).unwrap();
    let entries = clinic.entries().map(<[u8]>::to_vec);
    clinic.vault.update_roster(&roster, &entries).unwrap();
    for _ in 0..2 {
        let next = fork.roster().next().unwrap().sign_as_registrar(&clinic.registrar, &clinic.pinned).unwrap();
        fork.update_roster(&next, &entries).unwrap();
    }
    let mut draft = fork.roster().next().unwrap();
    other(&clinic, &mut draft);
    let fourth = draft.sign_as_registrar(&clinic.registrar, &clinic.pinned).unwrap();
    let before = clinic.vault.pin().clone();
    let met = clinic.vault.update_roster(&fourth, &entries);
    assert_eq!(clinic.vault.pin() == &before, met.is_err(), "a refused roster does not move the pin");
    met
}

fn reversal() -> Result<()> {
    Err(Untrusted::RosterReversal.into())
}

fn set_colleague(status: Status) -> impl FnOnce(&Clinic, &mut RosterDraft) {
    move |clinic, draft| {
        draft.set_status(clinic.colleague.fingerprint(), status).unwrap();
    }
}

fn close(reason: ClosedReason) -> impl FnOnce(&Clinic, &mut RosterDraft) {
    move |clinic, draft| {
        draft.close(clinic.patient.card_id, reason).unwrap();
    }
}

#[test]
fn no_key_goes_back() {
    assert_eq!(offer_a_fork(45, set_colleague(Status::Revoked), |_, _| {}), reversal());
    assert_eq!(offer_a_fork(45, set_colleague(Status::Retired), |_, _| {}), reversal());
    assert_eq!(offer_a_fork(45, set_colleague(Status::Revoked), set_colleague(Status::Retired)), reversal());
    // Onwards it goes, also in a fork.
    assert_eq!(offer_a_fork(45, set_colleague(Status::Retired), set_colleague(Status::Revoked)), Ok(()));
    assert_eq!(offer_a_fork(45, set_colleague(Status::Revoked), set_colleague(Status::Revoked)), Ok(()));
}

#[test]
fn no_card_is_opened_again() {
    for reason in [ClosedReason::Erased, ClosedReason::Compromised] {
        assert_eq!(offer_a_fork(46, close(reason), |_, _| {}), reversal());
        assert_eq!(offer_a_fork(46, close(reason), close(reason)), Ok(()));
    }
}

/// A card closed as compromised may be closed as erased later, and never the other way round.
#[test]
fn the_reason_of_a_closed_card_changes_only_to_erased() {
    let (erased, compromised) = (ClosedReason::Erased, ClosedReason::Compromised);
    assert_eq!(offer_a_fork(47, close(erased), close(compromised)), reversal());
    assert_eq!(offer_a_fork(47, close(compromised), close(erased)), Ok(()));
}

/// A key that vanishes, or that has other roles than before.
#[test]
fn no_key_vanishes_and_none_changes_its_roles() {
    let admit = |roles: Roles| {
        move |clinic: &Clinic, draft: &mut RosterDraft| {
            let seed = [7; 32];
            let new = clinic.pinned.member_from_seed(MemberId::new("new").unwrap(), &seed).unwrap();
            draft.admit(&MemberEntry::verify(new.entry(), &clinic.pinned).unwrap(), roles).unwrap();
        }
    };
    assert_eq!(offer_a_fork(48, admit(Roles::READ), |_, _| {}), reversal());
    assert_eq!(offer_a_fork(48, admit(Roles::READ), admit(Roles::READ)), Ok(()));
    for other in [Roles::READ | Roles::ENROL, Roles::DEPOSIT] {
        assert_eq!(offer_a_fork(48, admit(Roles::READ), admit(other)), reversal());
    }
    assert_eq!(offer_a_fork(48, admit(Roles::READ | Roles::ENROL), admit(Roles::READ)), reversal());
}

#[test]
fn only_registrar_and_root_sign_rosters() {
    for suite in SUITES {
        let mut clinic = Clinic::new(suite, 46);
        let other = Clinic::new(suite, 47);
        let draft = || clinic.vault.roster().next().unwrap();
        let refused = draft().sign_as_registrar(&other.registrar, &clinic.pinned).unwrap_err();
        assert_eq!(refused, Error::Usage(Usage::WrongSigner));
        let refused = draft().sign_as_root(&other.master, &clinic.pinned).unwrap_err();
        assert_eq!(refused, Error::Usage(Usage::WrongSigner));
        // Signed by the registrar, said to be by the root.
        let mut relabelled = draft().sign_as_registrar(&clinic.registrar, &clinic.pinned).unwrap();
        relabelled[80] = 2;
        let entries = clinic.entries().map(<[u8]>::to_vec);
        let refused = clinic.vault.update_roster(&relabelled, &entries).unwrap_err();
        assert_eq!(refused, Error::Untrusted(Untrusted::RosterSignature));
        let by_root = clinic.vault.roster().next().unwrap().sign_as_root(&clinic.master, &clinic.pinned).unwrap();
        clinic.vault.update_roster(&by_root, &entries).unwrap();
        assert_eq!(clinic.vault.roster().version(), 2);
    }
}

#[test]
fn a_roster_of_another_vault_is_refused() {
    let (clinic, other) = (Clinic::new(Suite::X25519, 48), Clinic::new(Suite::X25519, 49));
    let pin = clinic.first_pin.clone();
    let refused = Vault::load(pin, clinic.descriptor.as_bytes(), &other.roster, clinic.entries()).unwrap_err();
    assert_eq!(refused, Error::Usage(Usage::WrongVault));
    let pin = clinic.first_pin.clone();
    // Rows that the roster does not list, of another vault or no entries at all, stand in nobody's way and count for
    // nothing.
    let rows: Vec<&[u8]> = other.entries().into_iter().chain([&b""[..], b"garbage", &[0; 64], &[7; 300]]).collect();
    let vault = Vault::load(pin.clone(), clinic.descriptor.as_bytes(), &clinic.roster, &rows).unwrap();
    assert_eq!(vault.roster().members().count(), 0);
    let rows: Vec<&[u8]> = rows.into_iter().chain(clinic.entries()).collect();
    let vault = Vault::load(pin, clinic.descriptor.as_bytes(), &clinic.roster, &rows).unwrap();
    assert_eq!(vault.roster().members().count(), 3);
    let refused = MemberEntry::verify(other.therapist.entry(), &clinic.pinned).unwrap_err();
    assert_eq!(refused, Error::Usage(Usage::WrongVault));
    let wing = Clinic::new(Suite::XWing, 50);
    let mut of_suite = wing.therapist.entry().to_vec();
    of_suite[6..38].copy_from_slice(clinic.descriptor.vault().as_bytes());
    let refused = MemberEntry::verify(&of_suite, &clinic.pinned).unwrap_err();
    assert_eq!(refused, Error::Usage(Usage::WrongSuite));
}

#[test]
fn roles_and_statuses_only_move_forward() {
    let mut clinic = Clinic::new(Suite::X25519, 51);
    let (therapist, colleague) = (clinic.therapist.fingerprint(), clinic.colleague.fingerprint());
    let entry = MemberEntry::verify(clinic.colleague.entry(), &clinic.pinned).unwrap();
    let stranger = clinic.pinned.new_member(MemberId::new("x").unwrap(), &mut clinic.rng).unwrap();
    let card = clinic.patient.card_id;
    clinic.next_roster(|draft| {
        assert_eq!(draft.version(), 2);
        let again = draft.admit(&entry, Roles::READ | Roles::ENROL).unwrap_err();
        assert_eq!(again, Error::Usage(Usage::AlreadyOnRoster(colleague)));
        let unknown = draft.set_status(stranger.fingerprint(), Status::Revoked).unwrap_err();
        assert_eq!(unknown, Error::Usage(Usage::NotOnRoster(stranger.fingerprint())));
        draft.set_status(colleague, Status::Retired).unwrap();
        for status in [Status::Active, Status::Retired] {
            let backwards = draft.set_status(colleague, status).unwrap_err();
            assert_eq!(backwards, Error::Usage(Usage::StatusBackwards(colleague)));
        }
        draft.set_status(colleague, Status::Revoked).unwrap();
        draft.close(card, ClosedReason::Erased).unwrap();
        let twice = draft.close(card, ClosedReason::Compromised).unwrap_err();
        assert_eq!(twice, Error::Usage(Usage::AlreadyClosed(card)));
        draft.set_status(therapist, Status::Retired).unwrap();
    });
    let roster = clinic.vault.roster();
    assert_eq!(roster.member(colleague).unwrap().status(), Status::Revoked);
    assert_eq!(roster.member(therapist).unwrap().roles(), Roles::READ | Roles::ENROL);
    assert_eq!(roster.closed(card), Some(ClosedReason::Erased));
    assert_eq!(roster.members().count(), 3);
    assert_eq!(roster.member(therapist).unwrap().entry().id(), b"dr-salo");
}

#[test]
fn roles_are_a_set_of_three() {
    for bits in 0..=255 {
        let valid = (1..=7).contains(&bits);
        assert_eq!(Roles::from_bits(bits).is_ok(), valid, "{bits}");
        if let Err(error) = Roles::from_bits(bits) {
            assert_eq!(error, Error::Usage(Usage::Roles));
        }
    }
    let both = Roles::READ | Roles::DEPOSIT;
    assert!(both.contains(Roles::READ) && both.contains(both) && !both.contains(Roles::ENROL));
    assert_eq!(format!("{both:?}"), r#"{"read", "deposit"}"#);
}

/// What a retired key endorsed stands, what a revoked one did not; neither signs or receives anything new.
#[test]
fn retired_and_revoked_members() {
    let mut clinic = Clinic::new(Suite::X25519, 52);
    let therapist = clinic.therapist.fingerprint();
    let patient = PatientId::new("p-9").unwrap();
    for (status, expected) in
        [(Status::Retired, Untrusted::Retired(therapist)), (Status::Revoked, Untrusted::Revoked(therapist))]
    {
        clinic.next_roster(|draft| {
            draft.set_status(therapist, status).unwrap();
        });
        let refused = clinic.vault.enrol(Enroller::Member(&clinic.therapist), patient, &mut clinic.rng).unwrap_err();
        assert_eq!(refused, Error::Untrusted(expected));
        let refused = clinic.vault.grant(&clinic.patient.key, therapist, &mut clinic.rng).unwrap_err();
        assert_eq!(refused, Error::Untrusted(expected));
        match (status, clinic.card(None)) {
            (Status::Retired, card) => {
                let refused = clinic.vault.open_grant(&card.unwrap(), &clinic.therapist, &clinic.grant.bytes);
                assert_eq!(refused.unwrap_err(), Error::Untrusted(expected));
            }
            (_, card) => assert_eq!(card.unwrap_err(), Error::Untrusted(expected)),
        }
    }
}

/// T108: a closed card is refused for everything, and the patient's id can be enrolled anew under other keys.
#[test]
fn t108_closed_cards_are_refused_and_ids_can_be_enrolled_anew() {
    for (reason, seed) in [(ClosedReason::Erased, 53), (ClosedReason::Compromised, 54)] {
        let mut clinic = Clinic::new(Suite::X25519, seed);
        let id = clinic.patient.card_id;
        let card = clinic.card(None).unwrap();
        clinic.next_roster(|draft| {
            draft.close(id, reason).unwrap();
        });
        let expected = Error::Untrusted(match reason {
            ClosedReason::Erased => Untrusted::CardErased(id),
            ClosedReason::Compromised => Untrusted::CardCompromised(id),
        });
        let colleague = clinic.colleague.fingerprint();
        assert_eq!(clinic.card(None).unwrap_err(), expected);
        assert_eq!(clinic.open(&clinic.sealed).unwrap_err(), expected);
        let key = &clinic.patient.key;
        assert_eq!(clinic.vault.grant(key, colleague, &mut clinic.rng).unwrap_err(), expected);
        let sealed = clinic.vault.seal(key, &super::clinic::place(), b"x", &mut clinic.rng);
        assert_eq!(sealed.unwrap_err(), expected);
        assert_eq!(clinic.vault.open_grant(&card, &clinic.therapist, &clinic.grant.bytes).unwrap_err(), expected);
        assert_eq!(clinic.vault.break_glass(&card, &clinic.master).unwrap_err(), expected);
        let by = Enroller::Member(&clinic.therapist);
        let anew = clinic.vault.enrol(by, PatientId::new(PATIENT).unwrap(), &mut clinic.rng).unwrap();
        assert_ne!(anew.card_id, id);
        let card = clinic.card_of(&anew.card, &anew.endorsement, &anew.master_grant, None).unwrap();
        assert_eq!(card.id(), anew.card_id);
        assert!(clinic.vault.open(&anew.key, Place::new(record(), field()), &clinic.sealed).is_err());
    }
}

#[test]
fn grants_name_their_recipient_and_card() {
    let mut clinic = Clinic::new(Suite::X25519, 56);
    let card = clinic.card(None).unwrap();
    let refused = clinic.vault.open_grant(&card, &clinic.colleague, &clinic.grant.bytes).unwrap_err();
    let addressed_to = clinic.therapist.fingerprint();
    assert_eq!(refused, Error::Usage(Usage::WrongRecipient { addressed_to }));
    let by = Enroller::Member(&clinic.therapist);
    let other = clinic.vault.enrol(by, PatientId::new("p-other").unwrap(), &mut clinic.rng).unwrap();
    let grant = clinic.vault.grant(&other.key, clinic.therapist.fingerprint(), &mut clinic.rng).unwrap();
    let refused = clinic.vault.open_grant(&card, &clinic.therapist, &grant.bytes).unwrap_err();
    assert_eq!(refused, Error::Usage(Usage::WrongCard { key: card.id(), object: other.card_id }));
    assert_eq!(grant.bytes.len(), 183);
    let refused = clinic.vault.open_grant(&card, &clinic.therapist, &clinic.patient.master_grant).unwrap_err();
    assert!(matches!(refused, Error::Usage(Usage::WrongRecipient { .. })));
}

#[test]
fn a_roster_of_an_unknown_generation_says_which() {
    let clinic = Clinic::new(Suite::X25519, 57);
    let mut newer = clinic.roster.clone();
    newer[39] = 2;
    let pin = clinic.first_pin.clone();
    let refused = Vault::load(pin, clinic.descriptor.as_bytes(), &newer, clinic.entries()).unwrap_err();
    assert_eq!(refused, Error::Stale { what: Versioned::Generation, known: 1, met: 2 });
}

/// The registrar of two vaults cannot sign one's draft as the other's, nor admit an entry of the other.
#[test]
fn drafts_and_entries_belong_to_one_vault() {
    let mut rng = super::clinic::TestRng::new(58);
    let registrar = RegistrarKey::generate(&mut rng).unwrap();
    let [one, two] = [(); 2].map(|()| {
        let policy = Policy::new(2, 3).unwrap();
        let vault = create(policy, Suite::X25519, &registrar.public(), &mut rng).unwrap();
        let pinned = Pin::new(vault.descriptor.fingerprint(), &vault.descriptor).unwrap().check(vault.descriptor);
        (pinned.unwrap(), vault.master)
    });
    let refused = RosterDraft::first(&one.0).sign_as_registrar(&registrar, &two.0).unwrap_err();
    assert_eq!(refused, Error::Usage(Usage::WrongVault));
    let refused = RosterDraft::first(&one.0).sign_as_root(&two.1, &two.0).unwrap_err();
    assert_eq!(refused, Error::Usage(Usage::WrongVault));
    let stranger = two.0.new_member(MemberId::new("x").unwrap(), &mut rng).unwrap();
    let entry = MemberEntry::verify(stranger.entry(), &two.0).unwrap();
    let refused = RosterDraft::first(&one.0).admit(&entry, Roles::READ).map(|_| ()).unwrap_err();
    assert_eq!(refused, Error::Usage(Usage::WrongVault));
}

/// A false card is settled by closing it, and what a backup brings back of an erased patient does not stand in the way.
#[test]
fn a_closed_card_that_was_replaced_is_passed_over() {
    for (reason, seed) in [(ClosedReason::Compromised, 59), (ClosedReason::Erased, 60)] {
        let mut clinic = Clinic::new(Suite::X25519, seed);
        let by = Enroller::Member(&clinic.therapist);
        let anew = clinic.vault.enrol(by, PatientId::new(PATIENT).unwrap(), &mut clinic.rng).unwrap();
        let closed = clinic.patient.card_id;
        let verify = |clinic: &Clinic| {
            let cards = [clinic.patient.card.as_slice(), &anew.card];
            let Enrolment { endorsement, master_grant, .. } = &anew;
            let stored = StoredPatient { cards: &cards, endorsement, master_grant };
            clinic.vault.card(PatientId::new(PATIENT).unwrap(), &stored, Some(anew.card_id)).map(|card| card.id())
        };
        assert!(matches!(verify(&clinic), Err(Error::Conflict(Conflict::Cards { .. }))));
        clinic.next_roster(|draft| {
            draft.close(closed, reason).unwrap();
        });
        assert_eq!(verify(&clinic), Ok(anew.card_id));
    }
}

/// A card of one vault is not opened through the door of another, whose roster does not list it as closed.
#[test]
fn a_card_is_opened_through_its_own_vault_only() {
    let (clinic, other) = (Clinic::new(Suite::X25519, 61), Clinic::new(Suite::X25519, 62));
    let card = clinic.card(None).unwrap();
    let refused = other.vault.break_glass(&card, &clinic.master).unwrap_err();
    assert_eq!(refused, Error::Usage(Usage::WrongVault));
    let refused = other.vault.open_grant(&card, &clinic.therapist, &clinic.grant.bytes).unwrap_err();
    assert_eq!(refused, Error::Usage(Usage::WrongVault));
}

/// The claimed list of closed cards is the verified one; bytes that are no roster have none.
#[test]
fn what_a_roster_claims_to_close() {
    let clinic = Clinic::new(Suite::X25519, 0x5C1);
    let mut cards = [[7; 32], [3; 32]].map(CardId::from_bytes);
    let mut draft = clinic.vault.roster().next().unwrap();
    draft.close(cards[0], ClosedReason::Erased).unwrap();
    draft.close(cards[1], ClosedReason::Compromised).unwrap();
    let bytes = draft.sign_as_registrar(&clinic.registrar, clinic.vault.descriptor()).unwrap();
    cards.sort();
    let expected = vec![(cards[0], ClosedReason::Compromised), (cards[1], ClosedReason::Erased)];
    assert_eq!(VerifiedRoster::claimed_closed(&bytes).unwrap(), expected);
    for length in 0..bytes.len() {
        assert!(matches!(VerifiedRoster::claimed_closed(&bytes[..length]), Err(Error::Malformed { .. })), "{length}");
    }
}

/// Two arguments of the same type, in the wrong order; and a seed with another member's id. Both are said.
#[test]
fn a_mix_up_is_said_in_words() {
    let clinic = Clinic::new(Suite::X25519, 0x5E);
    let pin = clinic.first_pin.clone();
    let swapped = Vault::load(pin, &clinic.roster, clinic.descriptor.as_bytes(), clinic.entries()).unwrap_err();
    assert!(swapped.to_string().contains("whether two objects were exchanged"), "{swapped}");
    let stored = clinic.therapist.seed();
    let seed = stored.expose().try_into().unwrap();
    let other = clinic.vault.descriptor().member_from_seed(MemberId::new("x").unwrap(), seed).unwrap();
    let card = clinic.card(None).unwrap();
    let refused = clinic.vault.deposit(&card, &other, field(), Padding::Padme, b"x", &mut OsRng).unwrap_err();
    assert_eq!(refused, Untrusted::UnknownMember(other.fingerprint()).into());
    assert!(refused.to_string().contains("another member's id"), "{refused}");
}
