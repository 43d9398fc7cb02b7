//! Attachments under another key, and those of a revoked writer.

use std::io::{Cursor, Read};

use lukko::error::{Untrusted, Usage};
use lukko::*;

use super::deposited::deposit_with;
use super::{open, refusal, seal, text};
use crate::clinic::{Clinic, TestRng, field, record};

fn place_of_its_own(id: &str) -> RecordContext<'_> {
    RecordContext::new(Place::new(RecordId::new(id).unwrap(), field()), Revision::FIRST)
}

#[test]
fn an_attachment_is_resealed_under_the_next_version_and_leaves_a_compromised_card() {
    let mut clinic = Clinic::new(Suite::X25519, 0x5E);
    let text = text(50_000);
    let sealed = seal(&mut clinic, Padding::Padme, &text);
    let (id, deposited) = deposit_with(&clinic, Padding::Padme, &text, &mut TestRng::new(6));
    let by = Enroller::Member(&clinic.therapist);
    let second = clinic.vault.rekey(by, &clinic.patient.key, &mut clinic.rng).unwrap();
    let first = clinic.patient.card_id;
    clinic.next_roster(|draft| {
        draft.close(first, ClosedReason::Compromised).unwrap();
    });
    let refused = open(&clinic, Cursor::new(&sealed)).unwrap_err();
    assert_eq!(*refusal(&refused), Untrusted::CardCompromised(first).into());
    let deposit_id = RecordId::new(&id).unwrap();
    for (at, bytes) in [(record(), &sealed), (deposit_id, &deposited)] {
        let stored = StoredAttachment { place: Place::new(at, field()), source: Cursor::new(bytes) };
        let ((from, to), vault, rng) = ((&clinic.patient.key, &second.key), &clinic.vault, &mut clinic.rng);
        let place = place_of_its_own("taken-over");
        let (at, moved) = if at == record() {
            (at, vault.reseal_attachment(from, to, stored, Vec::new(), rng).unwrap())
        } else {
            let refused = vault.reseal_attachment(from, to, stored.clone(), Vec::new(), rng).unwrap_err();
            assert_eq!(*refusal(&refused), Usage::WrongPath { met: Path::DepositedAttachment }.into());
            // A writer who chose its id to meet a record gains nothing: what is taken over gets another.
            let own = place_of_its_own(&id);
            let refused = vault.take_over_attachment(from, to, stored.clone(), &own, Vec::new(), rng).unwrap_err();
            assert_eq!(*refusal(&refused), Usage::DepositsPlace.into());
            let taken = vault.take_over_attachment(from, to, stored, &place, Vec::new(), rng).unwrap();
            (RecordId::new("taken-over").unwrap(), taken)
        };
        let mut reader = clinic.vault.open_attachment(to, Place::new(at, field()), Cursor::new(&moved)).unwrap();
        let mut read = Vec::new();
        reader.read_to_end(&mut read).unwrap();
        assert_eq!((read, reader.origin()), (text.clone(), Origin::Reader));
    }
}

#[test]
fn a_reseal_writes_nothing_for_a_deposit_that_was_rewritten_and_moves_within_one_patient() {
    let mut clinic = Clinic::new(Suite::X25519, 0x5F);
    let (id, mut deposited) = deposit_with(&clinic, Padding::Padme, &text(50_000), &mut TestRng::new(7));
    let at = RecordId::new(&id).unwrap();
    let payload = 168;
    deposited[payload + 100] ^= 1;
    let key = &clinic.patient.key;
    let place = place_of_its_own("taken-over");
    let mut sink = Vec::new();
    let stored = StoredAttachment { place: Place::new(at, field()), source: Cursor::new(&deposited) };
    let refused = clinic.vault.take_over_attachment(key, key, stored, &place, &mut sink, &mut clinic.rng).unwrap_err();
    assert_eq!(*refusal(&refused), Error::NotAuthentic);
    assert!(sink.is_empty());
    let by = Enroller::Member(&clinic.therapist);
    let other = clinic.vault.enrol(by, PatientId::new("p-2").unwrap(), &mut clinic.rng).unwrap();
    let stored = StoredAttachment { place: Place::new(at, field()), source: Cursor::new(&deposited) };
    let refused = clinic.vault.reseal_attachment(key, &other.key, stored, &mut sink, &mut clinic.rng);
    assert_eq!(*refusal(&refused.unwrap_err()), Usage::WrongPatient.into());
}

#[test]
fn a_revoked_writers_attachment_opens_without_an_author() {
    let mut clinic = Clinic::new(Suite::X25519, 0x60);
    let text = text(20_000);
    let (id, deposited) = deposit_with(&clinic, Padding::None, &text, &mut TestRng::new(8));
    let writer = clinic.front_end.fingerprint();
    clinic.next_roster(|draft| {
        draft.set_status(writer, Status::Revoked).unwrap();
    });
    let at = RecordId::new(&id).unwrap();
    let (vault, key) = (&clinic.vault, &clinic.patient.key);
    let refused = vault.open_deposited_attachment(key, Place::new(at, field()), Cursor::new(&deposited)).unwrap_err();
    assert_eq!(*refusal(&refused), Untrusted::Revoked(writer).into());
    let triage = vault.open_unattributed_attachment(key, Place::new(at, field()), Cursor::new(&deposited)).unwrap();
    assert_eq!(triage.claimed_writer(), writer);
    let mut read = Vec::new();
    triage.into_inner().read_to_end(&mut read).unwrap();
    assert_eq!(read, text);
}
