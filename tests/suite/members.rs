//! Members leave, lose keys, and are replaced.

use lukko::error::{Untrusted, Usage};
use lukko::*;

use super::clinic::{Clinic, PATIENT, SUITES, field, record};

fn patient() -> PatientId<'static> {
    PatientId::new(PATIENT).unwrap()
}

#[test]
fn a_lost_key_is_replaced_with_the_same_roles() {
    let mut clinic = Clinic::new(Suite::X25519, 0xE0);
    let lost = clinic.colleague.fingerprint();
    let new = clinic.pinned.new_member(MemberId::new("dr-niemi").unwrap(), &mut clinic.rng).unwrap();
    let entry = MemberEntry::verify(new.entry(), &clinic.pinned).unwrap();
    let mut draft = clinic.vault.roster().next().unwrap();
    draft.replace(lost, &entry).unwrap();
    let roster = draft.sign_as_registrar(&clinic.registrar, &clinic.pinned).unwrap();
    let entries = [clinic.entries().as_slice(), &[new.entry()]].concat().into_iter().map(<[u8]>::to_vec);
    let entries: Vec<Vec<u8>> = entries.collect();
    clinic.vault.update_roster(&roster, entries).unwrap();
    let members = clinic.vault.roster();
    assert_eq!(members.member(lost).unwrap().status(), Status::Revoked);
    assert_eq!(members.member(new.fingerprint()).unwrap().roles(), Roles::READ);
    let refused = clinic.vault.grant(&clinic.patient.key, lost, &mut clinic.rng).unwrap_err();
    assert_eq!(refused, Untrusted::Revoked(lost).into());
    let grant = clinic.vault.grant(&clinic.patient.key, new.fingerprint(), &mut clinic.rng).unwrap();
    let key = clinic.vault.open_grant(&clinic.card(None).unwrap(), &new, &grant.bytes).unwrap();
    assert!(clinic.vault.open(&key, Place::new(record(), field()), &clinic.sealed).is_ok());
}

#[test]
fn a_replacement_that_fails_changes_nothing() {
    let mut clinic = Clinic::new(Suite::X25519, 0xE1);
    let colleague = clinic.colleague.fingerprint();
    let own = MemberEntry::verify(clinic.colleague.entry(), &clinic.pinned).unwrap();
    let stranger = clinic.pinned.new_member(MemberId::new("x").unwrap(), &mut clinic.rng).unwrap();
    let entry = MemberEntry::verify(stranger.entry(), &clinic.pinned).unwrap();
    let mut draft = clinic.vault.roster().next().unwrap();
    assert_eq!(draft.replace(colleague, &own).unwrap_err(), Usage::AlreadyOnRoster(colleague).into());
    let unknown = stranger.fingerprint();
    assert_eq!(draft.replace(unknown, &entry).unwrap_err(), Usage::NotOnRoster(unknown).into());
    draft.set_status(colleague, Status::Revoked).unwrap();
    assert_eq!(draft.replace(colleague, &entry).unwrap_err(), Usage::StatusBackwards(colleague).into());
    let roster = draft.sign_as_registrar(&clinic.registrar, &clinic.pinned).unwrap();
    clinic.vault.update_roster(&roster, [stranger.entry()]).unwrap();
    assert_eq!(clinic.vault.roster().member(unknown).unwrap_err(), Untrusted::UnknownMember(unknown).into());
}

/// What a revoked enroller signed counts no more. A colleague who remembers the card endorses it anew; a card that the
/// thief of the enroller's key made is not remembered by anyone.
#[test]
fn a_revoked_enrollers_cards_are_endorsed_anew() {
    for suite in SUITES {
        let mut clinic = Clinic::new(suite, 0xE2);
        let enroller = clinic.therapist.fingerprint();
        let second = clinic.pinned.new_member(MemberId::new("dr-aalto").unwrap(), &mut clinic.rng).unwrap();
        let grant = clinic.vault.grant(&clinic.patient.key, clinic.colleague.fingerprint(), &mut clinic.rng).unwrap();
        let mut draft = clinic.vault.roster().next().unwrap();
        draft.set_status(enroller, Status::Revoked).unwrap();
        draft.admit(&MemberEntry::verify(second.entry(), &clinic.pinned).unwrap(), Roles::ENROL).unwrap();
        let roster = draft.sign_as_registrar(&clinic.registrar, &clinic.pinned).unwrap();
        let entries = [clinic.entries().as_slice(), &[second.entry()]].concat().into_iter().map(<[u8]>::to_vec);
        let entries: Vec<Vec<u8>> = entries.collect();
        clinic.vault.update_roster(&roster, entries).unwrap();
        assert_eq!(clinic.card(None).unwrap_err(), Untrusted::Revoked(enroller).into());
        // By a reader who has a grant, or by a quorum.
        let known = clinic.patient.card_id;
        let cards = [clinic.patient.card.as_slice()];
        let readers = GrantKey::Member { key: &clinic.colleague, grant: &grant.bytes };
        let quorums = GrantKey::Master { key: &clinic.master, grant: &clinic.patient.master_grant };
        for with in [readers, quorums] {
            let key = clinic.vault.open_remembered(patient(), &cards, known, &with).unwrap();
            let by = Enroller::Member(&second);
            let Endorsed { endorsement, master_grant } = clinic.vault.endorse(by, &key, &mut clinic.rng).unwrap();
            let card = clinic.card_of(&clinic.patient.card, &endorsement, &master_grant, Some(known)).unwrap();
            clinic.vault.break_glass(&card, &clinic.master).unwrap();
        }
        // The revoked enroller endorses nothing, and an unknown id opens nothing.
        let by = Enroller::Member(&clinic.therapist);
        let refused = clinic.vault.endorse(by, &clinic.patient.key, &mut clinic.rng).unwrap_err();
        assert_eq!(refused, Untrusted::Revoked(enroller).into());
        let unknown = CardId::from_bytes([9; 32]);
        let refused = clinic.vault.open_remembered(patient(), &cards, unknown, &readers).unwrap_err();
        assert_eq!(refused, Usage::NoCard.into());
        let other = PatientId::new("p-2").unwrap();
        let refused = clinic.vault.open_remembered(other, &cards, known, &readers).unwrap_err();
        assert_eq!(refused, Usage::WrongPatient.into());
    }
}

/// T043: what the store shows, with grants that were added and removed by who can write it.
#[test]
fn t043_the_list_of_who_can_open_says_what_the_store_shows() {
    let mut clinic = Clinic::new(Suite::X25519, 0xE3);
    let colleague = clinic.colleague.fingerprint();
    let granted = clinic.vault.grant(&clinic.patient.key, colleague, &mut clinic.rng).unwrap();
    clinic.next_roster(|draft| {
        draft.set_status(colleague, Status::Revoked).unwrap();
    });
    let by = Enroller::Member(&clinic.therapist);
    let other = clinic.vault.enrol(by, PatientId::new("p-2").unwrap(), &mut clinic.rng).unwrap();
    let mut unlisted = clinic.grant.bytes.clone();
    unlisted[71] ^= 1;
    let grants: [&[u8]; 6] =
        [&clinic.grant.bytes, &granted.bytes, &clinic.patient.master_grant, &unlisted, &other.master_grant, b"garbage"];
    let hint = clinic.vault.who_can_open(clinic.patient.card_id, grants);
    let [first, second, third, fourth] = hint.holders.as_slice() else { panic!("{hint:?}") };
    let member = |holder: &Holder, expected: &MemberKey, expected_status| match holder {
        Holder::Member { key, status, .. } => (*key, *status) == (expected.fingerprint(), expected_status),
        _ => false,
    };
    assert!(member(first, &clinic.therapist, Status::Active));
    assert!(member(second, &clinic.colleague, Status::Revoked));
    assert_eq!(*third, Holder::Quorum { generation: 1, current: true });
    assert!(matches!(fourth, Holder::Unlisted { .. }));
    assert_eq!(hint.foreign, 2);
    let shown = hint.to_string();
    assert!(shown.contains("a hint, no proof") && shown.contains("dr-salo (Active") && shown.contains("2 grants"));
    // After the next generation the old quorum is shown as such.
    let next = clinic.followed();
    let hint = next.who_can_open(clinic.patient.card_id, [&clinic.patient.master_grant]);
    assert_eq!(hint.holders, [Holder::Quorum { generation: 1, current: false }]);
}

/// T126: a master key opens and signs while it is in scope; shares are wiped by the recovery that used them.
#[test]
fn t126_a_recovery_is_used_once() {
    let clinic = Clinic::new(Suite::X25519, 0xE4);
    let mut recovery = Recovery::new(&clinic.pinned);
    for share in clinic.shares().into_iter().take(2) {
        recovery.add(share).unwrap();
    }
    let master = recovery.finish().unwrap();
    assert_eq!(master.generation(), 1);
    assert_eq!(recovery.finish().unwrap_err(), Error::NotEnoughShares { have: 0, need: 2 });
}
