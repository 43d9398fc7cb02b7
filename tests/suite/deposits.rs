//! The write-only door, from outside. What holders of keys can forge is in `src/record/tests.rs`.

use lukko::error::{Untrusted, Usage, Versioned};
use lukko::*;

use super::clinic::{Clinic, NOTE, SUITES, field, record};

#[test]
fn a_deposit_opens_says_who_wrote_and_is_absorbed() {
    for suite in SUITES {
        let clinic = Clinic::new(suite, 0xD0);
        let writer = clinic.front_end.fingerprint();
        let overhead = clinic.deposit.bytes.len() - 256;
        assert_eq!(overhead, if suite == Suite::X25519 { 304 } else { 1_392 });
        let opened = clinic.open_deposit(&clinic.deposit.bytes).unwrap();
        assert_eq!((opened.origin, opened.revision), (Origin::Deposit { writer }, Revision::DEPOSIT));
        let opened = clinic.open_deposit(&clinic.absorbed).unwrap();
        assert_eq!(opened.origin, Origin::Absorbed { writer, status: Status::Active });
        assert_eq!(opened.plaintext.as_bytes(), NOTE);
        let paths = [&clinic.sealed, &clinic.deposit.bytes, &clinic.absorbed].map(|bytes| path_of(bytes).unwrap());
        assert_eq!(paths, [Path::Reader, Path::Deposit, Path::Absorbed]);
    }
}

#[test]
fn deposits_of_every_length_come_back() {
    let mut clinic = Clinic::new(Suite::X25519, 0xD1);
    let card = clinic.card(None).unwrap();
    for length in [0, 1, 254, 255, 256, 16_383, 16_384, 16_385, 100_000] {
        for padding in [Padding::None, Padding::Padme] {
            let note: Vec<u8> = (0..length).map(|at| at as u8).collect();
            let Deposit { record, bytes } =
                clinic.vault.deposit(&card, &clinic.front_end, field(), padding, &note, &mut clinic.rng).unwrap();
            let id = RecordId::new(&record).unwrap();
            let opened = clinic.vault.open_deposit(&clinic.patient.key, Place::new(id, field()), &bytes).unwrap();
            assert_eq!((opened.plaintext.as_bytes(), opened.padding), (note.as_slice(), padding));
        }
    }
}

/// The library draws each record's id, so that a deposit meets no record that exists.
#[test]
fn t097_two_deposits_never_share_an_id() {
    let mut clinic = Clinic::new(Suite::X25519, 0xD2);
    let card = clinic.card(None).unwrap();
    let mut ids = std::collections::BTreeSet::new();
    for _ in 0..1_000 {
        let deposit =
            clinic.vault.deposit(&card, &clinic.front_end, field(), Padding::Padme, NOTE, &mut clinic.rng).unwrap();
        assert_eq!(deposit.record.len(), 32);
        assert!(ids.insert(deposit.record));
    }
}

#[test]
fn the_front_end_reads_nothing() {
    let clinic = Clinic::new(Suite::XWing, 0xD3);
    let card = clinic.card(None).unwrap();
    let refused = clinic.vault.open_grant(&card, &clinic.front_end, &clinic.grant.bytes).unwrap_err();
    assert_eq!(refused, Untrusted::Role(clinic.front_end.fingerprint()).into());
    let mut rng = OsRng;
    let refused = clinic.vault.grant(&clinic.patient.key, clinic.front_end.fingerprint(), &mut rng).unwrap_err();
    assert_eq!(refused, Untrusted::Role(clinic.front_end.fingerprint()).into());
}

#[test]
fn only_active_depositors_deposit() {
    let mut clinic = Clinic::new(Suite::X25519, 0xD4);
    let card = clinic.card(None).unwrap();
    let key = clinic.therapist.fingerprint();
    let refused =
        clinic.vault.deposit(&card, &clinic.therapist, field(), Padding::Padme, NOTE, &mut clinic.rng).unwrap_err();
    assert_eq!(refused, Untrusted::Role(key).into());
    let key = clinic.front_end.fingerprint();
    for (status, error) in [(Status::Retired, Untrusted::Retired(key)), (Status::Revoked, Untrusted::Revoked(key))] {
        clinic.next_roster(|draft| {
            draft.set_status(key, status).unwrap();
        });
        let refused =
            clinic.vault.deposit(&card, &clinic.front_end, field(), Padding::Padme, NOTE, &mut clinic.rng).unwrap_err();
        assert_eq!(refused, error.into());
    }
    // A front end of another vault.
    let other = Clinic::new(Suite::X25519, 0xD5);
    let refused =
        clinic.vault.deposit(&card, &other.front_end, field(), Padding::Padme, NOTE, &mut clinic.rng).unwrap_err();
    assert_eq!(refused, Usage::WrongVault.into());
}

#[test]
fn a_retired_writers_deposits_open_and_a_revoked_ones_only_without_an_author() {
    let mut clinic = Clinic::new(Suite::X25519, 0xD6);
    let writer = clinic.front_end.fingerprint();
    clinic.next_roster(|draft| {
        draft.set_status(writer, Status::Retired).unwrap();
    });
    assert_eq!(clinic.open_deposit(&clinic.deposit.bytes).unwrap().origin, Origin::Deposit { writer });
    clinic.next_roster(|draft| {
        draft.set_status(writer, Status::Revoked).unwrap();
    });
    let refused = clinic.open_deposit(&clinic.deposit.bytes).unwrap_err();
    assert_eq!(refused, Untrusted::Revoked(writer).into());
    let (vault, key, id) = (&clinic.vault, &clinic.patient.key, clinic.deposited());
    let refused = vault.absorb(key, Place::new(id, field()), &clinic.deposit.bytes, &mut OsRng).unwrap_err();
    assert_eq!(refused, Untrusted::Revoked(writer).into());
    let triage = vault.open_unattributed(key, Place::new(id, field()), &clinic.deposit.bytes).unwrap();
    assert_eq!(triage.claimed_writer(), writer);
    assert!(!format!("{triage:?}").contains("Slept"));
    assert_eq!(triage.into_inner().plaintext.as_bytes(), NOTE);
    // What a reader took over before stays, and says what became of the key.
    let opened = clinic.open_deposit(&clinic.absorbed).unwrap();
    assert_eq!(opened.origin, Origin::Absorbed { writer, status: Status::Revoked });
}

#[test]
fn every_call_opens_its_own_paths_only() {
    let clinic = Clinic::new(Suite::X25519, 0xD7);
    let (vault, key, id) = (&clinic.vault, &clinic.patient.key, clinic.deposited());
    for (bytes, met) in [(&clinic.deposit.bytes, Path::Deposit), (&clinic.absorbed, Path::Absorbed)] {
        assert_eq!(vault.open(key, Place::new(id, field()), bytes).unwrap_err(), Usage::WrongPath { met }.into());
    }
    let refused = vault.open_deposit(key, Place::new(record(), field()), &clinic.sealed).unwrap_err();
    assert_eq!(refused, Usage::WrongPath { met: Path::Reader }.into());
    for bytes in [&clinic.sealed, &clinic.absorbed] {
        let met = path_of(bytes).unwrap();
        let refused = vault.open_unattributed(key, Place::new(id, field()), bytes).unwrap_err();
        assert_eq!(refused, Usage::WrongPath { met }.into());
        let expected = if met == Path::Absorbed { Usage::TakenOver } else { Usage::WrongPath { met } };
        assert_eq!(vault.absorb(key, Place::new(id, field()), bytes, &mut OsRng).unwrap_err(), expected.into());
    }
}

/// T015, T016, T018, T019: a deposit elsewhere does not open; its writer did not sign that.
#[test]
fn t015_t018_a_deposit_is_bound_to_its_place() {
    let mut clinic = Clinic::new(Suite::X25519, 0xD8);
    let writer = Untrusted::DepositSignature(clinic.front_end.fingerprint());
    let (key, id) = (&clinic.patient.key, clinic.deposited());
    let title = FieldLabel::new("title").unwrap();
    for bytes in [&clinic.deposit.bytes, &clinic.absorbed] {
        let refused = clinic.vault.open_deposit(key, Place::new(record(), field()), bytes).unwrap_err();
        assert_eq!(refused, writer.into());
        assert_eq!(clinic.vault.open_deposit(key, Place::new(id, title), bytes).unwrap_err(), writer.into());
    }
    let by = Enroller::Member(&clinic.therapist);
    let other = clinic.vault.enrol(by, PatientId::new("p-2").unwrap(), &mut clinic.rng).unwrap();
    let mut moved = clinic.deposit.bytes.clone();
    moved[7..39].copy_from_slice(other.card_id.as_bytes());
    let refused = clinic.vault.open_deposit(&other.key, Place::new(clinic.deposited(), field()), &moved).unwrap_err();
    assert_eq!(refused, writer.into());
}

/// A deposit that was made under a newer roster than the reader's.
#[test]
fn t031_a_reader_with_an_old_roster_is_told() {
    let mut clinic = Clinic::new(Suite::X25519, 0xD9);
    let old = clinic.vault.clone();
    clinic.next_roster(|_| {});
    let card = clinic.card(None).unwrap();
    let Deposit { record, bytes } =
        clinic.vault.deposit(&card, &clinic.front_end, field(), Padding::Padme, NOTE, &mut clinic.rng).unwrap();
    let id = RecordId::new(&record).unwrap();
    let refused = old.open_deposit(&clinic.patient.key, Place::new(id, field()), &bytes).unwrap_err();
    assert_eq!(refused, Error::Stale { what: Versioned::Roster, known: 1, met: 2 });
}

/// T028, T029: what a thief with write access can still do is put old rows back. The original deposit, put back over
/// the absorbed one, says what it is; a record that is put back says its revision.
#[test]
fn t028_t029_rows_that_are_put_back_show_what_they_are() {
    let mut clinic = Clinic::new(Suite::X25519, 0xDA);
    let opened = clinic.open_deposit(&clinic.deposit.bytes).unwrap();
    assert!(matches!(opened.origin, Origin::Deposit { .. }));
    let second = RecordContext::new(Place::new(record(), field()), Revision::FIRST.next().unwrap());
    let newer = clinic.vault.seal(&clinic.patient.key, &second, b"second", &mut clinic.rng).unwrap();
    assert_eq!(clinic.open(&newer).unwrap().revision.get(), 2);
    assert_eq!(clinic.open(&clinic.sealed).unwrap().revision, Revision::FIRST);
}

/// Where a store keeps what was absorbed, a second deposit of the same writer, under the same id, is refused; and a note
/// of another path than expected is not disclosed.
#[test]
fn what_was_absorbed_is_not_replaced_by_a_deposit() {
    let clinic = Clinic::new(Suite::X25519, 0xDB);
    let (vault, key, id) = (&clinic.vault, &clinic.patient.key, clinic.deposited());
    assert!(vault.open_absorbed(key, Place::new(id, field()), &clinic.absorbed).is_ok());
    let refused = vault.open_absorbed(key, Place::new(id, field()), &clinic.deposit.bytes).unwrap_err();
    assert_eq!(refused, Usage::NotTakenOver.into());
    // The advice is never the call that would open the other deposit.
    for error in [Usage::NotTakenOver, Usage::TakenOver] {
        assert!(!error.to_string().contains("open_deposit"), "{error}");
    }
    let note = StoredNote { place: Place::new(id, field()), path: Path::Reader, bytes: &clinic.deposit.bytes };
    let refused = vault.disclose(key, &note, clinic.court.public(), &clinic.therapist, &mut OsRng).unwrap_err();
    assert_eq!(refused, Usage::WrongPath { met: Path::Deposit }.into());
}
