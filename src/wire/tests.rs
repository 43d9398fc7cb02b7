//! What parses is encoded back to the same bytes, and huge lengths are refused before anything is allocated.

use alloc::vec;
use alloc::vec::Vec;
use std::println;

use proptest::prelude::*;

use super::card::{Card, Voucher, put_voucher};
use super::descriptor::Descriptor;
use super::disclosure::{Disclosure, Inner};
use super::endorsement::{Endorsement, Endorser};
use super::frame::Field;
use super::grant::{Grant, Recipient};
use super::member::MemberEntry;
use super::pin::Pin;
use super::record::{Front, Head, Origin, SealedKey, Wrap, WrappedKey};
use super::reencode::reencode;
use super::roster::{Closed, Line, Roster, RosterSigner};
use super::rotation::Rotation;
use super::share::{SHARE_LEN, Share};
use super::share_text;
use crate::choice::{ClosedReason, Padding, Roles, Status, Suite};
use crate::digest::{CardId, Fingerprint, KeyFingerprint, VaultId};
use crate::error::{Error, Object};
use crate::ident::{FieldLabel, MemberId, PatientId, RecordId, Revision, Scope};

const SUITES: [Suite; 2] = [Suite::XWing, Suite::X25519];

/// One valid example of each object and suite.
fn examples() -> Vec<(&'static str, Vec<u8>)> {
    let mut all = Vec::new();
    for suite in SUITES {
        all.push(("descriptor", descriptor(suite)));
        all.push(("member entry", member(suite)));
        all.push(("card 1", card(suite, 1, None)));
        all.push(("card 2", card(suite, 2, Some([9; 64]))));
        all.push(("card 3", card(suite, 3, None)));
        let key = KeyFingerprint([6; 32]);
        for recipient in [Recipient::Member(key), Recipient::Master { generation: 7, key }] {
            let body = Grant { scope: scope(suite), card: CardId([2; 32]), recipient }.encode_body();
            all.push(("grant", [body, vec![3; suite.sealed_secret_len()]].concat()));
        }
        all.extend(records(suite).map(|record| ("record", record)));
    }
    for endorser in [Endorser::Root, Endorser::Member(KeyFingerprint([6; 32]))] {
        all.push(("endorsement", endorsement(endorser)));
    }
    all.push(("roster", roster(2, 3, 2)));
    all.push(("first roster", roster(1, 0, 0)));
    all.push(("share", share()));
    all.push(("pin", pin(4, [8; 32])));
    all.push(("first pin", pin(0, [0; 32])));
    all.push(("rotation", rotation()));
    for suite in SUITES {
        all.push(("disclosure", disclosure(suite)));
    }
    for writer in [None, Some(KeyFingerprint([6; 32]))] {
        let (patient, record) = (PatientId::new("p-1").unwrap(), RecordId::new("r").unwrap());
        let (field, revision) = (FieldLabel::new("note").unwrap(), Revision::new(4).unwrap());
        let inner = Inner { patient, record, field, revision, writer };
        all.push(("inner", inner.encode()));
    }
    all
}

fn scope(suite: Suite) -> Scope {
    Scope { suite, vault: VaultId([1; 32]) }
}

fn descriptor(suite: Suite) -> Vec<u8> {
    let (scope, generation) = (scope(suite), 2);
    let master_key = vec![3; suite.public_key_len()];
    let (root_key, registrar_key) = (Field::new([4; 32]), Field::new([5; 32]));
    let (master_key, share_digests) = (Field::new(master_key.as_slice()), &[6; 5 * 32]);
    Descriptor { scope, generation, k: 3, n: 5, master_key, root_key, registrar_key, share_digests }.encode()
}

fn member(suite: Suite) -> Vec<u8> {
    let hpke_key = vec![3; suite.public_key_len()];
    let (scope, member) = (scope(suite), MemberId::new("dr-salo").unwrap());
    let (hpke_key, signing_key) = (Field::new(hpke_key.as_slice()), Field::new([4; 32]));
    [MemberEntry { scope, member, hpke_key, signing_key }.encode_body().as_slice(), &[5; 64]].concat()
}

fn card(suite: Suite, version: u32, voucher: Voucher) -> Vec<u8> {
    let hpke_key = vec![3; suite.public_key_len()];
    let previous = CardId(if version == 1 { [0; 32] } else { [6; 32] });
    let (scope, patient) = (scope(suite), PatientId::new("p-1").unwrap());
    let (hpke_key, succession_key) = (Field::new(hpke_key.as_slice()), Field::new([4; 32]));
    let mut bytes = Card { scope, patient, version, hpke_key, succession_key, previous }.encode_body();
    put_voucher(&mut bytes, &voucher);
    bytes
}

fn records(suite: Suite) -> [Vec<u8>; 4] {
    let key = WrappedKey { nonce: &[4; 24], ciphertext: &[5; 32], tag: &[6; 16] };
    let writer = KeyFingerprint([8; 32]);
    let sealed = vec![9; suite.sealed_secret_len()];
    let sealed = SealedKey { writer, roster_seen: 6, sealed: &sealed };
    let (sealed_key_digest, signature) = ([10; 32], [11; 64]);
    let origin = Origin { card: CardId([12; 32]), writer, roster_seen: 6, sealed_key_digest, signature };
    let wraps = [
        Wrap::Reader(key),
        Wrap::Deposit { key: sealed, signature },
        Wrap::Absorbed { origin, key },
        Wrap::DepositedAttachment(sealed),
    ];
    wraps.map(|wrap| {
        let revision = if matches!(wrap, Wrap::Reader(_)) { Revision::new(3).unwrap() } else { Revision::DEPOSIT };
        let front = Front { head: Head { suite, card: CardId([2; 32]), revision, padding: Padding::Padme }, wrap };
        let mut record = Vec::new();
        front.put(&mut record);
        assert_eq!(Front::start(&record), Ok((front.path(), record.len())));
        assert_eq!(Front::parse(&record), Ok(front));
        record.extend_from_slice(&[7; 90]);
        record
    })
}

fn endorsement(endorser: Endorser) -> Vec<u8> {
    let (vault, card, master_grant) = (VaultId([1; 32]), CardId([2; 32]), [4; 32]);
    let body = Endorsement { vault, card, generation: 3, master_grant, roster_seen: 5, endorser }.encode_body();
    [body.as_slice(), &[7; 64]].concat()
}

fn roster(version: u64, lines: u8, closed: u8) -> Vec<u8> {
    let line = |n| Line {
        key: KeyFingerprint([n; 32]),
        roles: Roles::from_byte(n % 7 + 1).unwrap(),
        status: Status::from_byte(n % 3 + 1).unwrap(),
    };
    let roster = Roster {
        vault: VaultId([1; 32]),
        generation: 2,
        version,
        previous: if version == 1 { [0; 32] } else { [3; 32] },
        signer: RosterSigner::Registrar,
        lines: (0..lines).map(line).collect(),
        closed: (0..closed)
            .map(|n| Closed { card: CardId([n; 32]), reason: ClosedReason::from_byte(n % 2 + 1).unwrap() })
            .collect(),
    };
    [roster.encode_body().as_slice(), &[9; 64]].concat()
}

fn share() -> Vec<u8> {
    let mut bytes = [0; SHARE_LEN];
    Share { vault: VaultId([1; 32]), generation: 2, k: 3, n: 5, x: 4, y: &[6; 32] }.encode_into(&mut bytes);
    bytes.to_vec()
}

fn rotation() -> Vec<u8> {
    let (old, new) = (Fingerprint([2; 32]), Fingerprint([3; 32]));
    let (vault, roster_digest) = (VaultId([1; 32]), [5; 32]);
    let body = Rotation { vault, generation: 2, old, new, roster_version: 4, roster_digest }.encode_body();
    [body.as_slice(), &[6; 128]].concat()
}

fn disclosure(suite: Suite) -> Vec<u8> {
    let (recipient, signer) = (KeyFingerprint([2; 32]), KeyFingerprint([3; 32]));
    let sealed = &vec![4; suite.sealed_secret_len()];
    let (scope, signature, payload) = (scope(suite), [5; 64], Field::new([7; 90].as_slice()));
    Disclosure { scope, recipient, signer, roster_seen: 6, sealed, signature, payload }.encode()
}

fn pin(roster_version: u64, roster_digest: [u8; 32]) -> Vec<u8> {
    let fingerprint = Fingerprint([1; 32]);
    let body = Pin { fingerprint, generation: 2, roster_version, roster_digest }.encode_body();
    [body.as_slice(), &[5; 32]].concat()
}

#[test]
fn examples_parse_and_encode_to_themselves() {
    for (name, bytes) in examples() {
        assert_eq!(reencode(&bytes).as_ref(), Some(&bytes), "{name}");
    }
}

#[test]
fn a_share_is_its_text() {
    let (share, mut read) = (share().try_into().unwrap(), [0; SHARE_LEN]);
    share_text::decode_into(&share_text::encode(&share), &mut read).unwrap();
    assert_eq!(read, share);
}

/// T009: for every single byte set to every value, and every truncation: refused, or encoded back to the same.
#[test]
fn t009_what_parses_has_one_encoding() {
    for (name, mut bytes) in examples() {
        for position in 0..bytes.len() {
            let own = bytes[position];
            for value in 0..=255 {
                bytes[position] = value;
                if let Some(again) = reencode(&bytes) {
                    assert!(again == bytes, "{name}: byte {position} = {value}");
                }
            }
            bytes[position] = own;
            if !matches!(name, "record" | "disclosure") {
                assert_eq!(reencode(&bytes[..position]), None, "{name} of {position} bytes");
            }
        }
    }
}

/// T075 and T076: every length and count field at its largest values. Nothing is reserved for what is not there; the
/// suite's allocation test measures it.
#[test]
fn t075_t076_huge_lengths_and_counts_are_refused() {
    for (offset, field) in [(81, "members"), (85 + 34 * 3, "closed cards")] {
        for count in [5, 0x7FFF_FFFF, 0x8000_0000, u32::MAX] {
            let mut bytes = roster(2, 3, 2);
            bytes[offset..offset + 4].copy_from_slice(&count.to_be_bytes());
            let refused = Roster::parse(&bytes).unwrap_err();
            let malformed = matches!(refused, Error::Malformed { object: Object::Roster, .. });
            assert!(malformed, "{field} = {count}: {refused:?}");
        }
    }
    for (mut bytes, offset) in [(card(Suite::X25519, 1, None), 38), (member(Suite::X25519), 38)] {
        for length in [0, 200, 255] {
            bytes[offset] = length;
            assert!(Card::parse(&bytes).is_err() && MemberEntry::parse(&bytes).is_err());
        }
    }
}

/// T009: lists in another order, with a double, with roles, statuses or reasons that do not exist.
#[test]
fn t009_rosters_are_canonical() {
    let good = roster(2, 3, 2);
    let refuse = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        assert!(matches!(Roster::parse(&bytes), Err(Error::Malformed { object: Object::Roster, .. })));
    };
    let (line, closed) = (85, 85 + 3 * 34 + 4);
    refuse(&|bytes| bytes[line..line + 68].rotate_left(34));
    refuse(&|bytes| bytes.copy_within(line..line + 32, line + 34));
    refuse(&|bytes| bytes[closed..closed + 66].rotate_left(33));
    refuse(&|bytes| bytes.copy_within(closed..closed + 32, closed + 33));
    for roles in [0, 8, 0x80, 0xFF] {
        refuse(&|bytes| bytes[line + 32] = roles);
    }
    for status in [0, 4, 0xFF] {
        refuse(&|bytes| bytes[line + 33] = status);
    }
    for reason in [0, 3, 0xFF] {
        refuse(&|bytes| bytes[closed + 32] = reason);
    }
    for signer in [0, 3, 0xFF] {
        refuse(&|bytes| bytes[80] = signer);
    }
    refuse(&|bytes| bytes[40..48].fill(0));
    refuse(&|bytes| bytes[48..80].fill(0));
    refuse(&|bytes| bytes[36..40].fill(0));
}

#[test]
fn refusals_name_object_field_and_offset() {
    let expected = |object, field, offset| Err(Error::Malformed { object, field, offset });
    assert_eq!(Descriptor::parse(b"LKD"), expected(Object::Descriptor, "magic", 0));
    assert_eq!(Descriptor::parse(b"LKD\x01\x00"), expected(Object::Descriptor, "suite", 4));
    let mut bytes = descriptor(Suite::X25519);
    bytes[42] = 6;
    assert_eq!(Descriptor::parse(&bytes), expected(Object::Descriptor, "k", 42));
    let mut bytes = descriptor(Suite::X25519);
    bytes.push(0);
    let offset = bytes.len() - 1;
    assert_eq!(Descriptor::parse(&bytes), expected(Object::Descriptor, "trailing bytes", offset));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_parse_to_themselves_or_not_at_all(
        kind in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        length in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let examples = examples();
        let (name, mut bytes) = kind.get(&examples).clone();
        for (position, value) in edits {
            let position = position.index(bytes.len());
            bytes[position] = value;
        }
        if cut {
            bytes.truncate(length.index(bytes.len()));
        }
        if let Some(again) = reencode(&bytes) {
            prop_assert!(again == bytes, "{}", name);
        } else {
            println!("{name} refused");
        }
    }
}
