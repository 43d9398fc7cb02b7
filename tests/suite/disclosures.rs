//! Copies for someone outside.

use lukko::error::{Object, Untrusted, Usage, Versioned};
use lukko::*;

use super::clinic::{Clinic, NOTE, PATIENT, SUITES, field, record};

#[test]
fn the_recipient_opens_the_copy_and_learns_where_it_stood() {
    for suite in SUITES {
        let clinic = Clinic::new(suite, 0xC0);
        // The court is a client with public things only: it pins the fingerprint and loads what is published.
        let entries = clinic.entries();
        let court = Vault::load(clinic.first_pin.clone(), clinic.descriptor.as_bytes(), &clinic.roster, entries);
        let disclosed = court.unwrap().open_disclosure(&clinic.court, &clinic.disclosure).unwrap();
        assert_eq!(disclosed.plaintext.as_bytes(), NOTE);
        assert_eq!(
            (disclosed.patient.as_slice(), disclosed.record.as_slice()),
            (PATIENT.as_bytes(), b"r-00000".as_slice())
        );
        assert_eq!((disclosed.field.as_slice(), disclosed.revision), (b"note".as_slice(), Revision::FIRST));
        assert_eq!((disclosed.signer, disclosed.writer), (clinic.therapist.fingerprint(), None));
    }
}

#[test]
fn a_disclosed_deposit_names_its_writer() {
    let mut clinic = Clinic::new(Suite::X25519, 0xC1);
    for bytes in [clinic.deposit.bytes.clone(), clinic.absorbed.clone()] {
        let id = clinic.deposit.record.clone();
        let note = StoredNote {
            place: Place::new(RecordId::new(&id).unwrap(), field()),
            path: path_of(&bytes).unwrap(),
            bytes: &bytes,
        };
        let key = &clinic.patient.key;
        let copy =
            clinic.vault.disclose(key, &note, clinic.court.public(), &clinic.therapist, &mut clinic.rng).unwrap();
        let disclosed = clinic.vault.open_disclosure(&clinic.court, &copy).unwrap();
        assert_eq!(disclosed.writer, Some(clinic.front_end.fingerprint()));
        assert_eq!(disclosed.revision, Revision::DEPOSIT);
    }
}

#[test]
fn nobody_else_opens_it_and_it_opens_nothing_else() {
    let mut clinic = Clinic::new(Suite::X25519, 0xC2);
    let other = RecipientKey::generate(Suite::X25519, &mut clinic.rng).unwrap();
    let refused = clinic.vault.open_disclosure(&other, &clinic.disclosure).unwrap_err();
    assert_eq!(refused, Usage::WrongRecipient { addressed_to: clinic.court.public().fingerprint() }.into());
    // A disclosure is no record of the vault, and a record no disclosure.
    assert!(matches!(clinic.open(&clinic.disclosure).unwrap_err(), Error::Malformed { field: "magic", .. }));
    let refused = clinic.vault.open_disclosure(&clinic.court, &clinic.sealed).unwrap_err();
    assert_eq!(refused, Error::Malformed { object: Object::Disclosure, field: "magic", offset: 0 });
    // Another vault's members did not sign it.
    let elsewhere = Clinic::new(Suite::X25519, 0xC3);
    let refused = elsewhere.vault.open_disclosure(&clinic.court, &clinic.disclosure).unwrap_err();
    assert_eq!(refused, Usage::WrongVault.into());
}

/// The recipient knows the key of the copy. It cannot present another text under the signature: the signature covers
/// the payload, and a second copy has another payload.
#[test]
fn the_recipient_cannot_exchange_the_text() {
    let mut clinic = Clinic::new(Suite::X25519, 0xC4);
    let place = RecordContext::new(Place::new(RecordId::new("r-2").unwrap(), field()), Revision::FIRST);
    let sealed = clinic.vault.seal(&clinic.patient.key, &place, b"quite different", &mut clinic.rng).unwrap();
    let note =
        StoredNote { place: Place::new(RecordId::new("r-2").unwrap(), field()), path: Path::Reader, bytes: &sealed };
    let key = &clinic.patient.key;
    let other = clinic.vault.disclose(key, &note, clinic.court.public(), &clinic.therapist, &mut clinic.rng).unwrap();
    // Behind magic, suite, vault, recipient, signer, roster version, sealed key and signature.
    let payload = 110 + 80 + 64;
    let mixed = [&clinic.disclosure[..payload], &other[payload..]].concat();
    let refused = Error::from(Untrusted::DisclosureSignature(clinic.therapist.fingerprint()));
    assert_eq!(clinic.vault.disclosure_signer(&mixed).unwrap_err(), refused);
    assert_eq!(clinic.vault.open_disclosure(&clinic.court, &mixed).unwrap_err(), refused);
    assert_eq!(clinic.vault.disclosure_signer(&other), Ok(clinic.therapist.fingerprint()));
}

#[test]
fn only_readers_disclose_and_a_revoked_signer_counts_for_nothing() {
    let mut clinic = Clinic::new(Suite::X25519, 0xC5);
    let note = StoredNote { place: Place::new(record(), field()), path: Path::Reader, bytes: &clinic.sealed };
    let key = &clinic.patient.key;
    let refused = clinic.vault.disclose(key, &note, clinic.court.public(), &clinic.front_end, &mut clinic.rng);
    assert_eq!(refused.unwrap_err(), Untrusted::Role(clinic.front_end.fingerprint()).into());
    let signer = clinic.therapist.fingerprint();
    clinic.next_roster(|draft| {
        draft.set_status(signer, Status::Retired).unwrap();
    });
    assert_eq!(clinic.vault.disclosure_signer(&clinic.disclosure), Ok(signer));
    clinic.next_roster(|draft| {
        draft.set_status(signer, Status::Revoked).unwrap();
    });
    let refused = clinic.vault.disclosure_signer(&clinic.disclosure).unwrap_err();
    assert_eq!(refused, Untrusted::Revoked(signer).into());
}

#[test]
fn a_recipients_key_is_checked_and_restored() {
    let clinic = Clinic::new(Suite::X25519, 0xC6);
    for weak in [[0; 32], [0xFF; 32]] {
        assert!(matches!(RecipientPublicKey::from_bytes(Suite::X25519, &weak), Err(Error::Malformed { .. })));
    }
    let seed: [u8; 32] = clinic.court.seed().expose().try_into().unwrap();
    let again = RecipientKey::from_seed(Suite::X25519, &seed).unwrap();
    assert_eq!(again.public(), clinic.court.public());
    assert_eq!(RecipientPublicKey::from_bytes(Suite::X25519, again.public().as_bytes()).as_ref(), Ok(again.public()));
    let elsewhere = RecipientKey::generate(Suite::XWing, &mut OsRng).unwrap();
    let note = StoredNote { place: Place::new(record(), field()), path: Path::Reader, bytes: &clinic.sealed };
    let refused = clinic.vault.disclose(&clinic.patient.key, &note, elsewhere.public(), &clinic.therapist, &mut OsRng);
    assert_eq!(refused.unwrap_err(), Usage::WrongSuite.into());
}

/// The signer saw a newer roster than the recipient: whether the signer still counts, this roster cannot say.
#[test]
fn a_disclosure_of_a_newer_roster_waits_for_it() {
    let mut clinic = Clinic::new(Suite::X25519, 0xC7);
    let before = clinic.vault.clone();
    clinic.next_roster(|_| {});
    let note = StoredNote { place: Place::new(record(), field()), path: Path::Reader, bytes: &clinic.sealed };
    let key = &clinic.patient.key;
    let copy = clinic.vault.disclose(key, &note, clinic.court.public(), &clinic.therapist, &mut clinic.rng).unwrap();
    let stale = Error::Stale { what: Versioned::Roster, known: 1, met: 2 };
    assert_eq!(before.disclosure_signer(&copy).unwrap_err(), stale);
    assert_eq!(before.open_disclosure(&clinic.court, &copy).unwrap_err(), stale);
    assert!(clinic.vault.open_disclosure(&clinic.court, &copy).is_ok());
    // One of an older roster is opened by whoever has a newer one.
    assert!(clinic.vault.open_disclosure(&clinic.court, &clinic.disclosure).is_ok());
}
