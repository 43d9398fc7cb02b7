//! Known answers from another implementation.
//!
//! Computed in Python: HMAC by hand over `hashlib`, X25519 and Ed25519 from `cryptography` 50, ML-KEM-768 from
//! `kyber-py`, X-Wing from its draft (SHAKE256(sk, 96) = d || z || sk_X; pk = ek || pk_X). The seed is the bytes 0 to
//! 31, the vault id 32 times 0x11. An X-Wing key is given by its SHA-256.

use alloc::string::String;

use sha2::{Digest, Sha256};

use super::labels;
use super::master::MasterSecret;
use super::member::MemberKey;
use super::patient::{PatientContext, PatientSecret};
use super::record::RecordSecrets;
use super::registrar::RegistrarKey;
use crate::choice::Suite;
use crate::digest::{CardId, VaultId};
use crate::ident::{MemberId, PatientId, Scope};
use crate::prim::rng::OneShot;
use crate::secret::Secret;

const VAULT: VaultId = VaultId([0x11; 32]);

fn seed() -> [u8; 32] {
    core::array::from_fn(|position| position as u8)
}

fn shown(key: &[u8]) -> String {
    if key.len() == 32 { hex::encode(key) } else { hex::encode(Sha256::digest(key)) }
}

struct Answers {
    suite: Suite,
    member: [&'static str; 2],
    master: [&'static str; 2],
    patient: [&'static str; 3],
}

const ANSWERS: [Answers; 2] = [
    Answers {
        suite: Suite::XWing,
        member: [
            "7be405b13498eae08208ac13ca26c6fe88eaec0fb8d7b215c89eab1b1b1932cf",
            "5cdca46b2a218bdad8d90b60b51483eeb866a3c5477e91d5d60f31ee1b19b46e",
        ],
        master: [
            "29345cb0aeccb7eac67c99eae8b60a5aaed0f4f0882c4f844e3ba965f9b0e1cc",
            "75ebb70fac4ff0199869be82d7c76c67f017cc80c454c5bbb29e408306a3e21e",
        ],
        patient: [
            "195a8bdc5d4e56cace4e829057eb017c679f0a663c996525fd2fd03d405a3d45",
            "bdd252a2c650fa11c34710a296f14405955bd348c9abad83500c277aeb455bba",
            "2c8d379fa5a24d769518dbaffe5fe9015e4e6cb425e2c5b799a517a4d913c850",
        ],
    },
    Answers {
        suite: Suite::X25519,
        member: [
            "25418b4a491a79822a6b0a3b48f7da117945856ebab13267caa44684f998f912",
            "f503c4fe610f8d25c3e4a6a84a35594ab4a464753f8b90748858144d97ea2872",
        ],
        master: [
            "887d31086c43396fcaceb61ac12884b835cc07788815e65e20ea5da727e45d42",
            "92646eb7c79efba4cd6e50406de4da91fa62f02996d5e5751eb4841e2d5741bd",
        ],
        patient: [
            "2324d9e44efbb2c6930cfd009cf5bb2b0a0fad68f36703abb86aec1b67181e2d",
            "8bf20f58df921672e3cbffa23ab35d863cee5bf165c425ecedabca71ac4c7b87",
            "5e92e0cfb349976549f9f52b4100c21c1b0e3950e57bcd6e000a43cc41c17aff",
        ],
    },
];

#[test]
fn member_keys_of_a_seed() {
    for Answers { suite, member, .. } in ANSWERS {
        let key =
            MemberKey::from_secret(Scope { suite, vault: VAULT }, MemberId::new("m").unwrap(), Secret::copied(&seed()))
                .unwrap();
        let hpke = key.hpke.public_key().unwrap();
        assert_eq!([shown(hpke.as_bytes()), shown(key.signing.verifying_key().as_bytes())], member);
    }
}

#[test]
fn master_keys_of_a_secret() {
    for Answers { suite, master, .. } in ANSWERS {
        let pairs =
            MasterSecret::from_secret(Secret::copied(&seed())).derive(Scope { suite, vault: VAULT }, 7).unwrap();
        assert_eq!([shown(pairs.hpke_public.as_bytes()), shown(pairs.root_public().as_bytes())], master);
    }
}

#[test]
fn patient_keys_of_a_secret() {
    for Answers { suite, patient, .. } in ANSWERS {
        let context = PatientContext {
            scope: Scope { suite, vault: VAULT },
            patient: PatientId::new("p-1").unwrap(),
            version: 3,
        };
        let pairs = PatientSecret::from_secret(Secret::copied(&seed())).derive(&context).unwrap();
        let (hpke, succession) = (pairs.hpke_public.as_bytes().to_vec(), *pairs.succession_public().as_bytes());
        let key = pairs.matching(&context, CardId([0; 32]), &hpke, &succession).unwrap();
        assert_eq!([shown(&hpke), shown(&succession), shown(key.kek().expose())], patient);
    }
}

#[test]
fn registrar_key_of_a_seed() {
    let key = RegistrarKey::from_seed(&seed()).public();
    assert_eq!(shown(key.as_bytes()), "e8b0eddc7de3a67fc88e996d2065665ec59114c63170764a6c3edbb27a38802f");
}

#[test]
fn one_draw_of_a_record() {
    let mut secrets = RecordSecrets::empty();
    secrets.draw(labels::RECORD_DRAW, [&[0x22; 32]], &mut OneShot::new(&seed())).unwrap();
    assert_eq!(hex::encode(secrets.key()), "736b14c5b4650e0bacc98ae739e458d94366e564c76f5472cd2ad8f9700d2858");
    assert_eq!(hex::encode(secrets.salt), "ea875ffb5d2704cc75dbd62e24d0ae7ec0407edaea0031a5");
    assert_eq!(hex::encode(secrets.wrap_nonce), "d87ec57caf63d55b4e086dab077c1ed0003b78ddeb04da6f");
}
