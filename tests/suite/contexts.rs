//! A record opens in its place and nowhere else.

use lukko::error::{Conflict, Usage};
use lukko::*;

use super::clinic::{Clinic, NOTE, PATIENT, SUITES, field, place, record};

fn with_patient(clinic: &mut Clinic, id: &str) -> Enrolment {
    let enroller = Enroller::Member(&clinic.therapist);
    clinic.vault.enrol(enroller, PatientId::new(id).unwrap(), &mut clinic.rng).unwrap()
}

#[test]
fn t015_swapped_records_of_one_patient_do_not_open() {
    let mut clinic = Clinic::new(Suite::XWing, 15);
    let other = RecordId::new("r-00001").unwrap();
    let context = RecordContext::new(Place::new(other, field()), Revision::FIRST);
    let sealed = clinic.vault.seal(&clinic.patient.key, &context, b"another note", &mut clinic.rng).unwrap();
    let key = &clinic.patient.key;
    assert_eq!(clinic.vault.open(key, Place::new(record(), field()), &sealed).unwrap_err(), Error::NotAuthentic);
    assert_eq!(clinic.vault.open(key, Place::new(other, field()), &clinic.sealed).unwrap_err(), Error::NotAuthentic);
}

#[test]
fn t016_a_record_of_another_patient_does_not_open() {
    let mut clinic = Clinic::new(Suite::XWing, 16);
    let other = with_patient(&mut clinic, "p-other");
    let moved = clinic.vault.open(&other.key, Place::new(record(), field()), &clinic.sealed);
    let expected = Usage::WrongCard { key: other.card_id, object: clinic.patient.card_id };
    assert_eq!(moved.unwrap_err(), Error::Usage(expected));
    // The card id is public: a thief sets it to the other patient's. Then the key decides.
    let mut relabelled = clinic.sealed.clone();
    relabelled[7..39].copy_from_slice(other.card_id.as_bytes());
    let opened = clinic.vault.open(&other.key, Place::new(record(), field()), &relabelled);
    assert_eq!(opened.unwrap_err(), Error::NotAuthentic);
}

#[test]
fn t018_swapped_fields_do_not_open() {
    let mut clinic = Clinic::new(Suite::XWing, 18);
    let title = FieldLabel::new("title").unwrap();
    let context = RecordContext::new(Place::new(record(), title), Revision::FIRST);
    let sealed_title = clinic.vault.seal(&clinic.patient.key, &context, b"a title", &mut clinic.rng).unwrap();
    let key = &clinic.patient.key;
    assert_eq!(clinic.vault.open(key, Place::new(record(), field()), &sealed_title).unwrap_err(), Error::NotAuthentic);
    assert_eq!(clinic.vault.open(key, Place::new(record(), title), &clinic.sealed).unwrap_err(), Error::NotAuthentic);
}

#[test]
fn t019_a_record_of_another_vault_with_the_same_ids_does_not_open() {
    for suite in SUITES {
        let (clinic, other) = (Clinic::new(suite, 19), Clinic::new(suite, 20));
        assert!(matches!(other.open(&clinic.sealed), Err(Error::Usage(Usage::WrongCard { .. }))));
        let mut relabelled = clinic.sealed.clone();
        relabelled[7..39].copy_from_slice(other.patient.card_id.as_bytes());
        assert_eq!(other.open(&relabelled).unwrap_err(), Error::NotAuthentic);
        // And a key of one vault is refused by the other.
        let crossed = other.vault.open(&clinic.patient.key, Place::new(record(), field()), &clinic.sealed);
        assert_eq!(crossed.unwrap_err(), Error::Usage(Usage::WrongVault));
        let sealed = other.vault.seal(&clinic.patient.key, &place(), NOTE, &mut OsRng);
        assert_eq!(sealed.unwrap_err(), Error::Usage(Usage::WrongVault));
    }
}

#[test]
fn t029_the_revision_and_the_padding_rule_are_bound() {
    let mut clinic = Clinic::new(Suite::X25519, 29);
    let second = Revision::FIRST.next().unwrap();
    let context = RecordContext::new(Place::new(record(), field()), second).with_padding(Padding::None);
    let sealed = clinic.vault.seal(&clinic.patient.key, &context, NOTE, &mut clinic.rng).unwrap();
    let opened = clinic.open(&sealed).unwrap();
    assert_eq!((opened.revision.get(), opened.padding, opened.origin), (2, Padding::None, Origin::Reader));
    let mut older = sealed.clone();
    older[46] = 1;
    assert_eq!(clinic.open(&older).unwrap_err(), Error::NotAuthentic);
    let mut padded = sealed;
    padded[47] = 1;
    assert_eq!(clinic.open(&padded).unwrap_err(), Error::NotAuthentic);
}

/// T026: ids are bytes. Case, composition, spaces, NUL and invalid UTF-8 make different places, and all round-trip.
#[test]
fn t026_ids_are_compared_bytewise() {
    let mut clinic = Clinic::new(Suite::X25519, 26);
    let longest = [0xFF; 255];
    let ids: [&[u8]; 10] =
        [b"a", b"A", b"a ", b" a", b"a\0", "\u{e9}".as_bytes(), "e\u{301}".as_bytes(), b"\xff\xfe", &longest, b"\0"];
    let sealed: Vec<Vec<u8>> = ids
        .iter()
        .map(|id| {
            let context = RecordContext::new(Place::new(RecordId::new(id).unwrap(), field()), Revision::FIRST);
            clinic.vault.seal(&clinic.patient.key, &context, NOTE, &mut clinic.rng).unwrap()
        })
        .collect();
    for (own, sealed) in sealed.iter().enumerate() {
        for (met, id) in ids.iter().enumerate() {
            let opened =
                clinic.vault.open(&clinic.patient.key, Place::new(RecordId::new(id).unwrap(), field()), sealed);
            assert_eq!(opened.is_ok(), own == met, "record {own} opened as {met}");
        }
    }
}

/// T008: the parts of a context cannot flow into one another.
#[test]
fn t008_contexts_are_injective() {
    let mut clinic = Clinic::new(Suite::X25519, 8);
    let splits: [(&str, &str, &str); 5] =
        [("ab", "c", "d"), ("a", "bc", "d"), ("a", "b", "cd"), ("abc", "d", "\0"), ("abcd", "\0", "\0")];
    let mut sealed = Vec::new();
    for (patient, record, field) in splits {
        let enrolled = with_patient(&mut clinic, patient);
        let (record, field) = (RecordId::new(record).unwrap(), FieldLabel::new(field).unwrap());
        let context = RecordContext::new(Place::new(record, field), Revision::FIRST);
        let bytes = clinic.vault.seal(&enrolled.key, &context, NOTE, &mut clinic.rng).unwrap();
        sealed.push((enrolled, record, field, bytes));
    }
    for (own, (_, _, _, bytes)) in sealed.iter().enumerate() {
        for (met, (enrolled, record, field, _)) in sealed.iter().enumerate() {
            let mut relabelled = bytes.clone();
            relabelled[7..39].copy_from_slice(enrolled.card_id.as_bytes());
            let opened = clinic.vault.open(&enrolled.key, Place::new(*record, *field), &relabelled);
            assert_eq!(opened.is_ok(), own == met);
        }
    }
}

#[test]
fn identifiers_have_1_to_255_bytes() {
    for length in [0_usize, 256, 1_000] {
        let expected = Error::Usage(Usage::IdentifierLength { length });
        assert_eq!(RecordId::new(&vec![b'x'; length]).unwrap_err(), expected);
        assert_eq!(PatientId::new(&vec![b'x'; length]).unwrap_err(), expected);
        assert_eq!(FieldLabel::new(&vec![b'x'; length]).unwrap_err(), expected);
        assert_eq!(MemberId::new(&vec![b'x'; length]).unwrap_err(), expected);
    }
    assert!(RecordId::new(&[0; 255]).is_ok());
}

#[test]
fn revisions_are_1_to_the_last_but_one() {
    assert_eq!(Revision::new(0).unwrap_err(), Error::Usage(Usage::RevisionRange));
    assert_eq!(Revision::new(u64::MAX).unwrap_err(), Error::Usage(Usage::RevisionRange));
    assert_eq!(Revision::new(u64::MAX - 1).unwrap().next().unwrap_err(), Error::Usage(Usage::RevisionRange));
    assert_eq!(Revision::FIRST.next().unwrap().get(), 2);
}

/// T013: a key of the right type of another patient; every wrong key gives the one opaque error.
#[test]
fn t013_t123_wrong_keys_give_the_opaque_error() {
    let mut clinic = Clinic::new(Suite::XWing, 13);
    for patient in ["p-a", "p-b", "p-c"] {
        let other = with_patient(&mut clinic, patient);
        let mut relabelled = clinic.sealed.clone();
        relabelled[7..39].copy_from_slice(other.card_id.as_bytes());
        let error = clinic.vault.open(&other.key, Place::new(record(), field()), &relabelled).unwrap_err();
        assert_eq!(error, Error::NotAuthentic);
        assert_eq!(error.to_string(), Error::NotAuthentic.to_string());
    }
}

/// T124: for a reader without the key there is one answer, whether the record exists under this id or not.
#[test]
fn t124_no_existence_oracle() {
    let mut clinic = Clinic::new(Suite::X25519, 124);
    let other = with_patient(&mut clinic, "p-other");
    let mut relabelled = clinic.sealed.clone();
    relabelled[7..39].copy_from_slice(other.card_id.as_bytes());
    let missing = RecordId::new("r-missing").unwrap();
    let errors =
        [record(), missing].map(|id| clinic.vault.open(&other.key, Place::new(id, field()), &relabelled).unwrap_err());
    assert_eq!(errors, [Error::NotAuthentic, Error::NotAuthentic]);
}

/// T041 and T042: the record key of another record does not open a payload, whatever the wrap says.
#[test]
fn t042_t044_a_payload_under_another_records_wrap_is_stopped() {
    let mut clinic = Clinic::new(Suite::X25519, 42);
    let again = clinic.vault.seal(&clinic.patient.key, &place(), NOTE, &mut clinic.rng).unwrap();
    // Same place, same note: only the commitment of the payload can tell.
    let mixed = [&again[..120], &clinic.sealed[120..]].concat();
    assert_eq!(clinic.open(&mixed).unwrap_err(), Error::NotAuthentic);
}

/// T025: two cards of one version are a conflict, never the first or the highest.
#[test]
fn t025_two_cards_of_one_version_are_a_conflict() {
    let mut clinic = Clinic::new(Suite::XWing, 25);
    let second = with_patient(&mut clinic, PATIENT);
    for cards in [[&clinic.patient.card, &second.card], [&second.card, &clinic.patient.card]] {
        let stored = StoredPatient {
            cards: &cards.map(Vec::as_slice),
            endorsement: &second.endorsement,
            master_grant: &second.master_grant,
        };
        let error = clinic.vault.card(PatientId::new(PATIENT).unwrap(), &stored, None).unwrap_err();
        let conflict =
            matches!(error, Error::Conflict(Conflict::Cards { version: 1, first, second }) if first != second);
        assert!(conflict, "{error:?}");
    }
    let twice = [clinic.patient.card.as_slice(); 2];
    let stored = StoredPatient {
        cards: &twice,
        endorsement: &clinic.patient.endorsement,
        master_grant: &clinic.patient.master_grant,
    };
    let twice = clinic.vault.card(PatientId::new(PATIENT).unwrap(), &stored, None).unwrap_err();
    assert_eq!(twice, Error::Usage(Usage::CardTwice(clinic.patient.card_id)));
}

#[test]
fn cards_of_two_patients_and_no_card_are_refused() {
    let mut clinic = Clinic::new(Suite::X25519, 31);
    let other = with_patient(&mut clinic, "p-other");
    let cards = [clinic.patient.card.as_slice(), &other.card];
    let stored = StoredPatient { cards: &cards, endorsement: &other.endorsement, master_grant: &other.master_grant };
    assert_eq!(
        clinic.vault.card(PatientId::new(PATIENT).unwrap(), &stored, None).unwrap_err(),
        Error::Usage(Usage::WrongPatient)
    );
    let none = StoredPatient { cards: &[], ..stored };
    assert_eq!(
        clinic.vault.card(PatientId::new(PATIENT).unwrap(), &none, None).unwrap_err(),
        Error::Usage(Usage::NoCard)
    );
}
