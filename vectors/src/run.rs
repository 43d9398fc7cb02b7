//! Runs a case through the library.

mod sealing;

use std::io::{self, Cursor, Read};

use lukko::error::{Error, Object};
use lukko::hazmat::shamir::{self, Point};
use lukko::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::case::{Layer, hex_of, number};
use crate::make::keys::Master;
use crate::make::prim::array;
use crate::rng::Seeded;
use crate::world::{World, open_grant, patient_id};

/// From here on texts are given by their SHA-256.
const LONG: usize = 64 * 1024;

/// The library's verdict, as the schema writes results.
pub(crate) fn run(world: &World, object: &str, input: &Value) -> Result<Value> {
    match object {
        "descriptor" => {
            descriptor(world, input).map(|pinned| json!({"fingerprint": hex_of(pinned.fingerprint().as_bytes())}))
        }
        "share" => share(world, input),
        "share_text" => {
            let share = Share::from_text(input["text"].as_str().expect("a text"))?;
            Ok(json!({"share": hex_of(share.to_bytes().expose())}))
        }
        "recovery" => recovery(world, input),
        "pin" => {
            let pin = Pin::from_bytes(&bytes(input, "pin"))?;
            Ok(json!({"roster_version": number(pin.roster_version()), "generation": pin.generation()}))
        }
        "member" => {
            let entry = MemberEntry::verify(&bytes(input, "entry"), world.vault.descriptor())?;
            Ok(json!({"fingerprint": hex_of(entry.fingerprint().as_bytes())}))
        }
        "roster" => roster(world, input),
        "patient" => patient(world, input),
        "grant" => {
            let vault = vault(world, input)?;
            let card = if input["cards"].is_null() { world.card() } else { given_card(&world.vault, input)? };
            let key = vault.open_grant(&card, &world.person("therapist").key, &bytes(input, "grant"))?;
            secret_of(world, &vault, &key)
        }
        "master_grant_open" => master_grant(world, input),
        "record" | "deposit" | "attachment" | "deposited_attachment" => record(world, object, input),
        "rotation" => rotation(world, input),
        "sealing" => sealing::sealing(world, input),
        "disclosure" => disclosure(world, input),
        "public_key" => RecipientPublicKey::from_bytes(world.suite, &bytes(input, "key")).map(|_| json!({})),
        "signing_key" => {
            let refused = Error::Malformed { object: Object::Descriptor, field: "registrar key", offset: 0 };
            let key: Option<[u8; 32]> = bytes(input, "key").try_into().ok();
            key.and_then(|key| RegistrarPublicKey::from_bytes(&key)).map(|_| json!({})).ok_or(refused)
        }
        other => panic!("no such object: {other}"),
    }
}

/// The class of an error.
pub(crate) fn layer(error: &Error) -> Layer {
    match error {
        Error::Malformed { .. } | Error::ShareCharacter { .. } => Layer::Malformed,
        Error::Usage(_) => Layer::Usage,
        Error::Untrusted(_) => Layer::Untrusted,
        Error::Stale { .. } => Layer::Stale,
        Error::Conflict(_) => Layer::Conflict,
        Error::Share { .. } | Error::NotEnoughShares { .. } => Layer::Share,
        Error::NotAuthentic => Layer::NotAuthentic,
        other => panic!("not a class of a case: {other:?}"),
    }
}

fn unhex(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().expect("a text")).expect("hexadecimal")
}

fn bytes(input: &Value, name: &str) -> Vec<u8> {
    unhex(&input[name])
}

fn list(input: &Value, name: &str) -> Vec<Vec<u8>> {
    input[name].as_array().expect("a list").iter().map(unhex).collect()
}

/// The descriptor of the input or of the world, pinned by the fingerprint of the input or of the world.
fn descriptor(world: &World, input: &Value) -> Result<PinnedDescriptor> {
    let stored =
        if input["descriptor"].is_null() { world.first.descriptor.clone() } else { bytes(input, "descriptor") };
    let trusted = if input["fingerprint"].is_null() { world.fingerprint } else { array(&bytes(input, "fingerprint")) };
    let descriptor = Descriptor::parse(&stored)?;
    Pin::new(Fingerprint::from_bytes(trusted), &descriptor)?.check(descriptor)
}

/// The world's vault, or that of another roster.
fn vault(world: &World, input: &Value) -> Result<Vault> {
    if input["roster"].is_null() {
        return Ok(world.vault.clone());
    }
    let pin = if input["pin"].is_null() { world.pin.clone() } else { bytes(input, "pin") };
    Vault::load(Pin::from_bytes(&pin)?, &world.first.descriptor, &bytes(input, "roster"), list(input, "entries"))
}

fn share(world: &World, input: &Value) -> Result<Value> {
    let share = Share::from_bytes(&bytes(input, "share"))?;
    descriptor(world, input)?.check_share(&share)?;
    Ok(json!({"index": share.index()}))
}

fn recovery(world: &World, input: &Value) -> Result<Value> {
    let pinned = descriptor(world, input)?;
    let (mut recovery, shares) = (Recovery::new(&pinned), list(input, "shares"));
    for share in &shares {
        recovery.add(Share::from_bytes(share)?)?;
    }
    let master = recovery.finish()?;
    let points: Vec<Point> =
        shares.iter().map(|share| Point::new(share[42].try_into().expect("x > 0"), &array(&share[43..]))).collect();
    let quorum: Vec<&Point> = points.iter().take(pinned.k().into()).collect();
    let secret = *shamir::combine(&quorum)?.expose();
    let derived = Master::derive(world.suite, pinned.vault().as_bytes(), pinned.generation(), &secret);
    assert_eq!(&derived.fingerprint, master.fingerprint().as_bytes(), "the key schedule of the builder");
    Ok(json!({"master_secret": hex_of(secret)}))
}

fn roster(world: &World, input: &Value) -> Result<Value> {
    let vault = vault(world, input)?;
    let digest = crate::make::objects::roster_digest(&bytes(input, "roster"));
    assert_eq!(
        &digest,
        array::<112>(&vault.pin().to_bytes())[48..80].as_array().expect("32 bytes"),
        "the pinned digest"
    );
    Ok(json!({"version": number(vault.roster().version()), "digest": hex_of(digest)}))
}

/// The world's patient with the cards of the input.
fn given_card(vault: &Vault, input: &Value) -> Result<Card> {
    verified(vault, patient_id(), input, None)
}

fn verified(vault: &Vault, patient: PatientId<'_>, input: &Value, expect: Option<CardId>) -> Result<Card> {
    let cards = list(input, "cards");
    let cards: Vec<&[u8]> = cards.iter().map(Vec::as_slice).collect();
    let (endorsement, master_grant) = (bytes(input, "endorsement"), bytes(input, "master_grant"));
    let stored = StoredPatient { cards: &cards, endorsement: &endorsement, master_grant: &master_grant };
    vault.card(patient, &stored, expect)
}

fn patient(world: &World, input: &Value) -> Result<Value> {
    let patient = bytes(input, "patient_id");
    let expect = input["expect"].as_str().map(|_| CardId::from_bytes(array(&bytes(input, "expect"))));
    let card = verified(&vault(world, input)?, PatientId::new(&patient)?, input, expect)?;
    Ok(json!({"card_id": hex_of(card.id().as_bytes())}))
}

fn master_grant(world: &World, input: &Value) -> Result<Value> {
    let (vault, grant) = (vault(world, input)?, bytes(input, "master_grant"));
    let with = GrantKey::Master { key: &world.first.master, grant: &grant };
    let card = CardId::from_bytes(world.stored.card_id);
    let key = vault.open_remembered(patient_id(), &[&world.stored.card], card, &with)?;
    secret_of(world, &vault, &key)
}

/// The library does not hand out a patient secret; what it wraps to the master key, the builder opens.
fn secret_of(world: &World, vault: &Vault, key: &PatientKey) -> Result<Value> {
    let grant = vault.grant_to_master(key, &mut Seeded::new(b"to look at the secret"))?;
    Ok(json!({"patient_secret": hex_of(open_grant(world.suite, &world.first.keys.hpke, &grant))}))
}

fn record(world: &World, object: &str, input: &Value) -> Result<Value> {
    let [record, id, field] = ["record", "record_id", "field"].map(|name| bytes(input, name));
    let (id, field, key) = (RecordId::new(&id)?, FieldLabel::new(&field)?, &world.patient_key);
    let vault = vault(world, input)?;
    let opened = match object {
        "deposit" => vault.open_deposit(key, id, field, &record)?,
        "deposited_attachment" => return deposited(&vault, key, (id, field), &record),
        "attachment" => {
            let streamed = stream(&vault, key, (id, field), &record);
            let opened = vault.open(key, id, field, &record);
            let at_once = opened.as_ref().map(|opened| opened.plaintext.to_vec()).map_err(Clone::clone);
            assert_eq!(streamed, at_once, "as a stream and at once");
            opened?
        }
        _ => vault.open(key, id, field, &record)?,
    };
    let mut result = text_of(&opened.plaintext);
    match opened.origin {
        Origin::Deposit { writer } => {
            result["writer"] = json!(hex_of(writer.as_bytes()));
            result["path"] = json!(2);
        }
        Origin::Absorbed { writer, .. } => {
            result["writer"] = json!(hex_of(writer.as_bytes()));
            result["path"] = json!(3);
        }
        _ => {
            result["revision"] = number(opened.revision.get());
            result["padding"] = json!(opened.padding as u8);
        }
    }
    Ok(result)
}

/// The error of the library, which an `io::Error` carries.
fn carried(error: io::Error) -> Error {
    Error::from_io(&error).unwrap_or_else(|| panic!("not of the library: {error}")).clone()
}

fn stream(
    vault: &Vault,
    key: &PatientKey,
    (id, field): (RecordId<'_>, FieldLabel<'_>),
    record: &[u8],
) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut reader = vault.open_attachment(key, id, field, Cursor::new(record)).map_err(carried)?;
    reader.read_to_end(&mut text).map_err(carried)?;
    Ok(text)
}

fn deposited(
    vault: &Vault,
    key: &PatientKey,
    (id, field): (RecordId<'_>, FieldLabel<'_>),
    record: &[u8],
) -> Result<Value> {
    let opened = vault.open_deposited_attachment(key, id, field, Cursor::new(record)).map_err(carried)?;
    let writer = opened.claimed_writer();
    let (mut reader, mut text) = (opened.verify_authorship().map_err(carried)?, Vec::new());
    reader.read_to_end(&mut text).map_err(carried)?;
    let mut result = text_of(&text);
    result["writer"] = json!(hex_of(writer.as_bytes()));
    Ok(result)
}

/// A text as results give it.
pub(crate) fn text_of(text: &[u8]) -> Value {
    if text.len() > LONG {
        json!({"plaintext_sha256": hex_of(Sha256::digest(text))})
    } else {
        json!({"plaintext": hex_of(text)})
    }
}

fn rotation(world: &World, input: &Value) -> Result<Value> {
    let (descriptor, statement) = (bytes(input, "descriptor"), bytes(input, "statement"));
    let successor = world.vault.descriptor().successor([(descriptor.as_slice(), statement.as_slice())])?;
    let mut pin = world.vault.pin().clone();
    let next = pin.follow(successor)?;
    let fingerprint = hex_of(next.fingerprint().as_bytes());
    Ok(json!({
        "fingerprint": fingerprint, "generation": next.generation(), "roster_version": number(pin.roster_version())
    }))
}

fn disclosure(world: &World, input: &Value) -> Result<Value> {
    let opened = vault(world, input)?.open_disclosure(&world.recipient, &bytes(input, "disclosure"))?;
    Ok(json!({
        "plaintext": hex_of(&opened.plaintext), "patient": hex_of(&opened.patient), "record": hex_of(&opened.record),
        "field": hex_of(&opened.field), "revision": number(opened.revision.get()),
        "writer": opened.writer.map(|writer| hex_of(writer.as_bytes())), "signer": hex_of(opened.signer.as_bytes())
    }))
}
