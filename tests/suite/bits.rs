//! Every single modification of every kind of object is refused.

use lukko::error::{Untrusted, Usage};
use lukko::*;

use super::clinic::{Clinic, NOTE, SUITES};

/// The kinds of objects that come from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Descriptor,
    Share,
    Pin,
    MemberEntry,
    Roster,
    Card,
    Endorsement,
    MasterGrant,
    Grant,
    Record,
    Deposit,
    Absorbed,
    Rotation,
    Disclosure,
}

const KINDS: [Kind; 14] = [
    Kind::Descriptor,
    Kind::Share,
    Kind::Pin,
    Kind::MemberEntry,
    Kind::Roster,
    Kind::Card,
    Kind::Endorsement,
    Kind::MasterGrant,
    Kind::Grant,
    Kind::Record,
    Kind::Deposit,
    Kind::Absorbed,
    Kind::Rotation,
    Kind::Disclosure,
];

impl Kind {
    fn bytes(self, clinic: &Clinic) -> Vec<u8> {
        match self {
            Self::Descriptor => clinic.descriptor.as_bytes().to_vec(),
            Self::Share => clinic.shares()[1].to_bytes().expose().to_vec(),
            Self::Pin => clinic.vault.pin().to_bytes(),
            Self::MemberEntry => clinic.therapist.entry().to_vec(),
            Self::Roster => clinic.roster.clone(),
            Self::Card => clinic.patient.card.clone(),
            Self::Endorsement => clinic.patient.endorsement.clone(),
            Self::MasterGrant => clinic.patient.master_grant.clone(),
            Self::Grant => clinic.grant.bytes.clone(),
            Self::Record => clinic.sealed.clone(),
            Self::Deposit => clinic.deposit.bytes.clone(),
            Self::Absorbed => clinic.absorbed.clone(),
            Self::Rotation => clinic.rotation.statement.clone(),
            Self::Disclosure => clinic.disclosure.clone(),
        }
    }

    /// Does with the bytes what a client does; everything else is as it should be.
    fn accept(self, clinic: &Clinic, bytes: &[u8]) -> Result<()> {
        let Enrolment { card, endorsement, master_grant, .. } = &clinic.patient;
        match self {
            Self::Descriptor => {
                clinic.first_pin.check(Descriptor::parse(bytes)?)?;
            }
            Self::Share => clinic.pinned.check_share(&Share::from_bytes(bytes)?)?,
            Self::Pin => {
                Pin::from_bytes(bytes)?;
            }
            Self::MemberEntry => {
                MemberEntry::verify(bytes, &clinic.pinned)?;
                let pin = clinic.first_pin.clone();
                let vault = Vault::load(pin, clinic.descriptor.as_bytes(), &clinic.roster, [bytes])?;
                vault.roster().member(clinic.therapist.fingerprint())?;
            }
            Self::Roster => {
                let pin = clinic.first_pin.clone();
                Vault::load(pin, clinic.descriptor.as_bytes(), bytes, clinic.entries())?;
            }
            Self::Card => {
                clinic.card_of(bytes, endorsement, master_grant, None)?;
            }
            Self::Endorsement => {
                clinic.card_of(card, bytes, master_grant, None)?;
            }
            Self::MasterGrant => {
                let card = clinic.card_of(card, endorsement, bytes, None)?;
                clinic.vault.break_glass(&card, &clinic.master)?;
            }
            Self::Grant => {
                clinic.vault.open_grant(&clinic.card(None)?, &clinic.therapist, bytes)?;
            }
            Self::Record => {
                let opened = clinic.open(bytes)?;
                assert_eq!(opened.plaintext.as_bytes(), NOTE);
            }
            Self::Deposit | Self::Absorbed => {
                let opened = clinic.open_deposit(bytes)?;
                assert_eq!(opened.plaintext.as_bytes(), NOTE);
            }
            Self::Rotation => {
                clinic.pinned.successor([(clinic.rotation.descriptor.as_bytes(), bytes)])?;
            }
            Self::Disclosure => {
                let opened = clinic.vault.open_disclosure(&clinic.court, bytes)?;
                assert_eq!(opened.plaintext.as_bytes(), NOTE);
            }
        }
        Ok(())
    }

    /// Requires a refusal, and where a key is involved one that tells nothing.
    fn refuse(self, clinic: &Clinic, bytes: &[u8], what: &str) {
        let error = match self.accept(clinic, bytes) {
            Err(error) => error,
            Ok(()) => panic!("{self:?} was accepted with {what}"),
        };
        if matches!(self, Self::Grant | Self::Record) {
            let public = matches!(
                error,
                Error::Malformed { .. }
                    | Error::Usage(
                        Usage::WrongCard { .. } | Usage::WrongSuite | Usage::WrongVault | Usage::WrongRecipient { .. }
                    )
            );
            assert!(public || error == Error::NotAuthentic, "{self:?} with {what}: {error:?}");
        }
    }
}

fn clinics() -> [Clinic; 2] {
    SUITES.map(|suite| Clinic::new(suite, 0xB175))
}

#[test]
fn unmodified_objects_are_accepted() {
    for clinic in clinics() {
        for kind in KINDS {
            kind.accept(&clinic, &kind.bytes(&clinic)).unwrap_or_else(|error| panic!("{kind:?}: {error:?}"));
        }
    }
}

#[test]
fn t001_every_bit_flip_is_refused() {
    for clinic in clinics() {
        for kind in KINDS {
            let mut bytes = kind.bytes(&clinic);
            for position in 0..bytes.len() * 8 {
                bytes[position / 8] ^= 1 << (position % 8);
                kind.refuse(&clinic, &bytes, &format!("bit {position} flipped"));
                bytes[position / 8] ^= 1 << (position % 8);
            }
        }
    }
}

#[test]
fn t003_every_truncation_is_refused() {
    for clinic in clinics() {
        for kind in KINDS {
            let bytes = kind.bytes(&clinic);
            for length in 0..bytes.len() {
                kind.refuse(&clinic, &bytes[..length], &format!("length {length}"));
            }
        }
    }
}

#[test]
fn t004_every_extension_is_refused() {
    for clinic in clinics() {
        for kind in KINDS {
            let bytes = kind.bytes(&clinic);
            for extra in [1, 15, 16, 17, 4096, 16_400] {
                for filler in [0, 0xFF] {
                    let longer = [bytes.as_slice(), &vec![filler; extra]].concat();
                    kind.refuse(&clinic, &longer, &format!("{extra} bytes appended"));
                }
            }
            kind.refuse(&clinic, &[bytes.as_slice(), &bytes].concat(), "itself appended");
        }
    }
}

#[test]
fn t005_every_insertion_and_deletion_is_refused() {
    for clinic in clinics() {
        for kind in KINDS {
            let bytes = kind.bytes(&clinic);
            for position in 0..bytes.len() {
                let (head, tail) = bytes.split_at(position);
                let shorter = [head, &tail[1..]].concat();
                kind.refuse(&clinic, &shorter, &format!("byte {position} deleted"));
                for inserted in [0, tail[0]] {
                    let longer = [head, &[inserted], tail].concat();
                    kind.refuse(&clinic, &longer, &format!("a byte inserted at {position}"));
                }
            }
        }
    }
}

/// T006: tags of zeros, of ones, of another record, and short ones, at the end of the payload and in the wrap.
#[test]
fn t006_forged_tags_are_refused() {
    let mut clinic = Clinic::new(Suite::X25519, 6);
    let other = clinic.vault.seal(&clinic.patient.key, &super::clinic::place(), NOTE, &mut clinic.rng).unwrap();
    let sealed = clinic.sealed.clone();
    let wrap_tag = 104..120;
    let payload_tag = sealed.len() - 16..sealed.len();
    for range in [wrap_tag, payload_tag] {
        for tag in [&[0; 16], &[0xFF; 16], &other[range.clone()]] {
            let mut forged = sealed.clone();
            forged[range.clone()].copy_from_slice(tag);
            assert_eq!(clinic.open(&forged).unwrap_err(), Error::NotAuthentic);
        }
        for length in 0..16 {
            let mut short = sealed.clone();
            short.drain(range.start + length..range.end);
            assert!(clinic.open(&short).is_err());
        }
    }
}

/// T007: the nonce, the wrapped key, the salt and the commitment of another record of the same place.
#[test]
fn t007_t017_t044_parts_of_another_record_are_refused() {
    let mut clinic = Clinic::new(Suite::X25519, 7);
    let other = clinic.vault.seal(&clinic.patient.key, &super::clinic::place(), NOTE, &mut clinic.rng).unwrap();
    let parts = [("nonce", 48..72), ("wrapped key", 72..120), ("nonce and key", 48..120), ("salt", 120..144)];
    let commitment = [("commitment", 144..176), ("header", 120..176), ("payload", 120..other.len())];
    for (part, range) in parts.into_iter().chain(commitment) {
        let mut mixed = clinic.sealed.clone();
        mixed[range.clone()].copy_from_slice(&other[range]);
        assert_eq!(clinic.open(&mixed).unwrap_err(), Error::NotAuthentic, "{part} of another record");
    }
}

/// T010: every value of the version byte, of each suite byte, and the other suite that is supported.
#[test]
fn t010_t011_versions_and_suites_are_not_negotiable() {
    for clinic in clinics() {
        for kind in KINDS {
            let bytes = kind.bytes(&clinic);
            for value in (0..=255).filter(|value| *value != 1) {
                let mut changed = bytes.clone();
                changed[3] = value;
                let error = kind.accept(&clinic, &changed).unwrap_err();
                // A master grant is compared with its endorsed digest before it is read.
                let expected = match kind {
                    Kind::MasterGrant => Untrusted::MasterGrant(clinic.patient.card_id).into(),
                    _ => error.clone(),
                };
                let by_magic = matches!(error, Error::Malformed { field: "magic", offset: 0, .. });
                assert!(by_magic || kind == Kind::MasterGrant, "{kind:?} of version {value}: {error:?}");
                assert_eq!(error, expected);
            }
        }
        let with_suite = [
            Kind::Descriptor,
            Kind::MemberEntry,
            Kind::Card,
            Kind::MasterGrant,
            Kind::Grant,
            Kind::Record,
            Kind::Deposit,
            Kind::Absorbed,
            Kind::Disclosure,
        ];
        for kind in with_suite {
            let bytes = kind.bytes(&clinic);
            let own = [bytes[4], bytes[5]];
            let high = (0..=255).map(|high| [high, own[1]]);
            let low = (0..=255).map(|low| [own[0], low]);
            let supported = SUITES.map(|suite| suite.kem_id().to_be_bytes());
            for suite in high.chain(low).chain(supported).filter(|suite| *suite != own) {
                let mut changed = bytes.clone();
                changed[4..6].copy_from_slice(&suite);
                kind.refuse(&clinic, &changed, "another suite");
            }
        }
    }
}

/// T002: two flips at random.
#[test]
fn t002_two_random_flips_are_refused() {
    use lukko::rand_core::Rng;
    let mut clinic = Clinic::new(Suite::X25519, 2);
    for kind in KINDS {
        let bytes = kind.bytes(&clinic);
        for _ in 0..2_000 {
            let mut changed = bytes.clone();
            for _ in 0..2 {
                let bit = clinic.rng.next_u64() as usize % (bytes.len() * 8);
                changed[bit / 8] ^= 1 << (bit % 8);
            }
            if changed != bytes {
                kind.refuse(&clinic, &changed, "two flips");
            }
        }
    }
}
