//! Worked examples: every value on the way to a grant, a record and a deposit, made by the builder from FORMAT.md.

use lukko::Suite;
use serde_json::{Value, json};

use crate::case::{file_suite, hex_of, suite_name, with, world_file};
use crate::cases::Desk;
use crate::make::hpke;
use crate::make::objects::{To, grant_head};
use crate::make::payload::{MessageKeys, Payload, pad};
use crate::make::prim::{h, kdf, label, lp, sign, xchacha_seal};
use crate::make::record::{Deposit, Place};
use crate::rng::Seeded;
use crate::world::PATIENT;

const NOTE: &[u8] = b"Slept better.";
const TEXT: &str = include_str!("examples.md");

/// A value: its name, how it is made, and its bytes.
type Step = (&'static str, &'static str, Vec<u8>);

/// What is sealed, and every value on the way; the last one is the object.
#[derive(Debug)]
pub(crate) struct Example {
    /// As the input of a case of `sealing`.
    pub(crate) input: Value,
    title: &'static str,
    given: Vec<(&'static str, Vec<u8>)>,
    steps: Vec<Step>,
}

pub(crate) fn file(suite: Suite) -> String {
    format!("examples-{}.json", file_suite(suite))
}

/// All examples of a world.
pub(crate) fn all(desk: &Desk) -> Vec<Example> {
    let mut rng = Seeded::new(b"lukko-vectors/1 worked examples");
    vec![grant(desk, &mut rng), record(desk, &mut rng), deposit(desk, &mut rng)]
}

/// The file for programs.
pub(crate) fn text(suite: Suite, examples: &[Example]) -> String {
    let examples: Vec<Value> = examples.iter().map(Example::to_json).collect();
    let file = json!({
        "schema": "lukko-vectors/1 examples", "suite": suite_name(suite), "world": world_file(suite), "examples": examples
    });
    format!("{}\n", serde_json::to_string_pretty(&file).expect("plain values"))
}

/// The page for people: the examples of the suite X25519, whose values are short.
pub(crate) fn page(examples: &[Example]) -> String {
    let parts: Vec<String> = examples.iter().map(Example::section).collect();
    TEXT.replace("EXAMPLES\n", &parts.join("\n"))
}

impl Example {
    /// The whole object.
    pub(crate) fn object(&self) -> &[u8] {
        &self.steps.last().expect("an object").2
    }

    fn to_json(&self) -> Value {
        let steps =
            self.steps.iter().map(|(name, how, value)| json!({"name": name, "is": how, "value": hex_of(value)}));
        with(&self.input, json!({"steps": steps.collect::<Vec<_>>()}))
    }

    fn section(&self) -> String {
        let given = self.given.iter().map(|(name, value)| line(name, "given", value));
        let steps = self.steps.iter().map(|(name, how, value)| line(name, how, value));
        format!("## {}\n\n{}", self.title, given.chain(steps).collect::<String>())
    }
}

/// One value, in lines of 32 bytes.
fn line(name: &str, how: &str, value: &[u8]) -> String {
    let rows: Vec<String> = value.chunks(32).map(|row| format!("    {}\n", hex_of(row))).collect();
    format!("{name} ({} bytes) = {how}\n\n{}\n", value.len(), rows.concat())
}

/// What HPKE SealBase goes through.
fn hpke_steps(suite: Suite, to: &[u8], info: &[u8], aad: &[u8], secret: &[u8], coins: &[u8]) -> (Vec<Step>, Vec<u8>) {
    let values = hpke::seal_in_steps(suite, to, info, aad, secret, coins);
    let how = [
        "DeriveKeyPair(coins), RFC 9180, 7.1.3",
        "its public key",
        "ExtractAndExpand(dh, kem_context), RFC 9180, 4.1",
        "KeySchedule, RFC 9180, 5.1: key",
        "the same: base_nonce",
        "ChaCha20-Poly1305 under HPKE key and HPKE nonce",
    ];
    let how = if suite == Suite::XWing {
        [
            "the last 32 bytes of the coins",
            "ML-KEM ciphertext || its public key",
            "SHA3-256, X-Wing",
            how[3],
            how[4],
            how[5],
        ]
    } else {
        how
    };
    let names = [
        "ephemeral X25519 private key",
        "encapsulation",
        "shared secret",
        "HPKE key",
        "HPKE nonce",
        "ciphertext and tag",
    ];
    let sealed = [values[1].as_slice(), &values[5]].concat();
    (names.into_iter().zip(how).zip(values).map(|((name, how), value)| (name, how, value)).collect(), sealed)
}

/// What a payload of one chunk goes through.
fn payload_steps(steps: &mut Vec<Step>, place: &Place, key: &[u8; 32], salt: &[u8; 24], note: &[u8]) -> Vec<u8> {
    let (keys, padded) = (MessageKeys::derive(key, salt, &place.context()), pad(note, place.padding));
    let payload = Payload::seal(key, salt, &place.context(), &padded).bytes();
    steps.extend([
        ("padded text", "note || 0x80 || zeros", padded),
        ("payload key", "bytes 0 to 31 of the expansion of section 7, Payload", keys.key.to_vec()),
        ("base nonce", "bytes 32 to 43 of it", keys.base_nonce.to_vec()),
        ("commitment", "bytes 44 to 75 of it", keys.commitment.to_vec()),
        ("nonce of chunk 0", "base nonce XOR 0", keys.nonce(0).to_vec()),
        ("payload", "salt || commitment || chunk 0 with its tag", payload.clone()),
    ]);
    payload
}

fn grant(desk: &Desk, rng: &mut Seeded) -> Example {
    let (suite, world, therapist) = (desk.suite(), &desk.world, desk.world.person("therapist"));
    let coins = rng.bytes(hpke::coins_len(suite));
    let head = grant_head(suite, &world.id, &world.stored.card_id, To::Member(therapist.fingerprint));
    let (key, secret, info) = (hpke::public(suite, &therapist.secrets.hpke), world.patient.secret, label("grant"));
    let (sealing, sealed) = hpke_steps(suite, &key, &info, &head, &secret, &coins);
    let mut steps: Vec<Step> = vec![
        ("patient secret", "drawn at enrolment", secret.to_vec()),
        ("head", "all of the grant before the sealed secret; the associated data", head.clone()),
        ("info", "lp(\"lukko/v1 grant\")", info),
        ("coins", "drawn", coins.clone()),
    ];
    steps.extend(sealing);
    steps.push(("grant", "head || encapsulation || ciphertext and tag", [head, sealed].concat()));
    Example {
        input: json!({"kind": "grant", "coins": hex_of(coins)}),
        title: "A grant to a member",
        given: vec![
            ("vault id", world.id.to_vec()),
            ("card id", world.stored.card_id.to_vec()),
            ("member fingerprint", therapist.fingerprint.to_vec()),
            ("member's HPKE key", key),
        ],
        steps,
    }
}

/// The input of a note in its place.
fn at(place: &Place, more: Value) -> Value {
    let place = json!({
        "record_id": hex_of(&place.record), "field": hex_of(&place.field), "revision": place.revision,
        "padding": place.padding, "note": hex_of(NOTE)
    });
    with(&place, more)
}

fn given(desk: &Desk, place: &Place) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("vault id", desk.world.id.to_vec()),
        ("card id", place.card.to_vec()),
        ("patient id", PATIENT.to_vec()),
        ("record id", place.record.clone()),
        ("field", place.field.clone()),
        ("revision", place.revision.to_be_bytes().to_vec()),
        ("padding", vec![place.padding]),
        ("note", NOTE.to_vec()),
    ]
}

fn record(desk: &Desk, rng: &mut Seeded) -> Example {
    let (patient, place, r) = (&desk.world.patient, desk.place("r-1", 1, 1), rng.array::<32>());
    let c = [hpke::id(place.suite).as_slice(), &place.vault, &lp(PATIENT), &1_u32.to_be_bytes()].concat();
    let (draw, context) = (place.draw(&mut Seeded::of(&r)), place.wrap_context("reader wrap", 1));
    let wrapped = xchacha_seal(&patient.kek, &draw.nonce, &context, &draw.key);
    let mut steps: Vec<Step> = vec![
        ("patient secret", "drawn at enrolment", patient.secret.to_vec()),
        ("C", "suite || vault id || lp(patient id) || u32 version, section 3", c),
        ("patient KEK", "KDF(patient secret, \"patient kek\", C, 32)", patient.kek.to_vec()),
        (
            "payload context id",
            "H(\"payload context\", vault id || lp(patient id) || lp(record id) || lp(field) || revision || padding)",
            place.context().to_vec(),
        ),
        ("r", "drawn", r.to_vec()),
        ("record key", "bytes 0 to 31 of KDF(r, \"record draw\", payload context id, 80)", draw.key.to_vec()),
        ("salt", "bytes 32 to 55 of it", draw.salt.to_vec()),
        ("wrap nonce", "bytes 56 to 79 of it", draw.nonce.to_vec()),
        ("wrap context", "lp(\"lukko/v1 reader wrap\") || u8 1 || card id || payload context id", context),
        (
            "wrapped key and tag",
            "XChaCha20-Poly1305(patient KEK, wrap nonce, aad = wrap context, record key)",
            wrapped.clone(),
        ),
    ];
    let payload = payload_steps(&mut steps, &place, &draw.key, &draw.salt, NOTE);
    let record = [place.head(1), draw.nonce.to_vec(), wrapped, payload].concat();
    steps.push(("record", "head || wrap nonce || wrapped key and tag || payload", record));
    Example {
        input: at(&place, json!({"kind": "record", "r": hex_of(r)})),
        title: "A record of a reader, path 1",
        given: given(desk, &place),
        steps,
    }
}

fn deposit(desk: &Desk, rng: &mut Seeded) -> Example {
    let (suite, world, writer) = (desk.suite(), &desk.world, desk.world.person("intake"));
    let (id, r, coins) = (rng.bytes(16), rng.array::<32>(), rng.bytes(hpke::coins_len(suite)));
    let (place, digest) = (desk.place(&hex_of(&id), 0, 1), h("text digest", &[NOTE]));
    let draw = kdf(&r, "deposit draw", &[&place.context(), &digest], 56);
    let (key, salt) = (draw[..32].try_into().expect("32 bytes"), draw[32..].try_into().expect("24 bytes"));
    let mut steps: Vec<Step> = vec![
        ("payload context id", "as of a record, with revision 0", place.context().to_vec()),
        ("text digest", "H(\"text digest\", note)", digest.to_vec()),
        ("r", "drawn", r.to_vec()),
        (
            "record key",
            "bytes 0 to 31 of KDF(r, \"deposit draw\", payload context id || text digest, 56)",
            draw[..32].to_vec(),
        ),
        ("salt", "bytes 32 to 55 of it", draw[32..].to_vec()),
    ];
    let payload = payload_steps(&mut steps, &place, &key, &salt, NOTE);
    let card_key = world.patient.public.0.clone();
    let mut deposit = Deposit {
        place: place.clone(),
        path: 2,
        writer: writer.fingerprint,
        seen: 1,
        key,
        sealed: Vec::new(),
        payload,
    };
    let info = deposit.info();
    let (sealing, sealed) = hpke_steps(suite, &card_key, &info, b"", &key, &coins);
    deposit.sealed = sealed;
    let wrap_context = place.wrap_context("deposit wrap", 2);
    steps.extend([
        ("payload digest", "H(\"payload digest\", payload)", deposit.payload_digest().to_vec()),
        ("wrap context", "lp(\"lukko/v1 deposit wrap\") || u8 2 || card id || payload context id", wrap_context),
        ("info", "wrap context || writer || payload digest", info),
        ("coins", "drawn", coins.clone()),
    ]);
    steps.extend(sealing);
    let (message, signature) = (deposit.message(), sign(&writer.secrets.signing, "deposit", &deposit.message()));
    steps.extend([
        (
            "sealed key digest",
            "H(\"sealed key digest\", encapsulation || ciphertext and tag)",
            h("sealed key digest", &[&deposit.sealed]).to_vec(),
        ),
        (
            "statement",
            "wrap context || writer || sealed key digest || payload digest || u64 roster version seen",
            message,
        ),
        ("signature", "Sign(writer's key, \"deposit\", statement)", signature.to_vec()),
        (
            "record",
            "head || writer || roster version seen || sealed key || signature || payload",
            deposit.bytes(&signature),
        ),
    ]);
    let mut all = given(desk, &place);
    all.extend([
        ("card's HPKE key", card_key),
        ("writer", writer.fingerprint.to_vec()),
        ("writer's Ed25519 seed", writer.secrets.signing.to_vec()),
        ("roster version seen", 1_u64.to_be_bytes().to_vec()),
    ]);
    let drawn = json!({"kind": "deposit", "id": hex_of(id), "r": hex_of(r), "coins": hex_of(coins)});
    Example { input: at(&place, drawn), title: "A deposit, path 2", given: all, steps }
}
