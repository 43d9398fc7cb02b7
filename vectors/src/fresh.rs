//! Valid objects that the library makes from the operating system's randomness, for other implementations to open.

use std::fs;
use std::io::Write;
use std::path::Path;

use lukko::rand_core::TryRng;
use lukko::*;
use serde_json::{Value, json};

use crate::case::{Book, hex_of, number, with, world_file};
use crate::make::hpke;
use crate::make::objects::roster_digest;
use crate::rng::Seeded;
use crate::run::{run, text_of};
use crate::world::{PATIENT, World, agrees_with_builder};

const KINDS: [&str; 19] = [
    "record",
    "deposit",
    "absorbed",
    "attachment",
    "deposited_attachment",
    "disclosure",
    "grant",
    "master_grant_open",
    "patient",
    "roster",
    "member",
    "rotation",
    "recovery",
    "share",
    "share_text",
    "pin",
    "public_key",
    "signing_key",
    "sealing",
];

/// Writes `count` cases over all kinds and both suites, with worlds of their own.
pub(crate) fn fresh(count: usize, folder: &Path) -> Result<String, String> {
    let mut seed = [0; 32];
    OsRng.try_fill_bytes(&mut seed).map_err(|error| error.to_string())?;
    let mut rng = Seeded::new(&seed);
    let worlds = [Suite::X25519, Suite::XWing].map(|suite| World::new(suite, &mut rng));
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let mut books: Vec<Book> = Vec::new();
    for world in &worlds {
        agrees_with_builder(world)?;
        write(folder, &world_file(world.suite), &format!("{}\n", world.to_json()))?;
    }
    for index in 0..count {
        let (world, kind) = (&worlds[index / KINDS.len() % 2], KINDS[index % KINDS.len()]);
        let object = if kind == "absorbed" { "deposit" } else { kind };
        let at = books.iter().position(|book| book.object == object && book.suite == world.suite);
        let at = at.unwrap_or_else(|| {
            books.push(Book::new(object, world.suite));
            books.len() - 1
        });
        let (input, result) = one(world, kind, &mut rng);
        books[at].ok("Fresh.", input, result);
    }
    books.iter().try_for_each(|book| write(folder, &book.file(), &book.text()))?;
    Ok(format!("{count} fresh cases in {} files", books.len()))
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), String> {
    fs::write(folder.join(name), text).map_err(|error| format!("{name}: {error}"))
}

/// Input and result of one case.
fn one(world: &World, kind: &str, rng: &mut Seeded) -> (Value, Value) {
    match kind {
        "record" | "attachment" => record(world, kind, rng),
        "deposit" | "absorbed" => deposit(world, kind, rng),
        "deposited_attachment" => deposited(world, rng),
        "disclosure" => disclosure(world, rng),
        "grant" => {
            let bytes =
                world.vault.grant(&world.patient_key, world.person("therapist").key.fingerprint(), rng).unwrap().bytes;
            (json!({"grant": hex_of(bytes)}), json!({"patient_secret": hex_of(world.patient.secret)}))
        }
        "master_grant_open" => {
            let bytes = world.vault.grant_to_master(&world.patient_key, rng).unwrap();
            (json!({"master_grant": hex_of(bytes)}), json!({"patient_secret": hex_of(world.patient.secret)}))
        }
        "sealing" => sealing(world, rng),
        "patient" => patient(world, rng),
        "roster" => roster(world, rng),
        "rotation" => rotation(world, rng),
        "member" => {
            let id = identifier(rng);
            let key = world.vault.descriptor().new_member(MemberId::new(&id).unwrap(), rng).unwrap();
            (json!({"entry": hex_of(key.entry())}), json!({"fingerprint": hex_of(key.fingerprint().as_bytes())}))
        }
        "public_key" => {
            let key = RecipientKey::generate(world.suite, rng).unwrap();
            (json!({"key": hex_of(key.public().as_bytes())}), json!({}))
        }
        "signing_key" => (json!({"key": hex_of(RegistrarKey::generate(rng).unwrap().public().as_bytes())}), json!({})),
        _ => founding(world, kind, rng),
    }
}

fn identifier(rng: &mut Seeded) -> Vec<u8> {
    let length = 1 + rng.below(255) as usize;
    rng.bytes(length)
}

/// A note of up to 2,000 bytes, and one in four of up to 40,000.
fn note(rng: &mut Seeded) -> Vec<u8> {
    let most = if rng.below(4) == 0 { 40_000 } else { 2_000 };
    let length = rng.below(most) as usize;
    rng.bytes(length)
}

fn padding(rng: &mut Seeded) -> Padding {
    if rng.below(2) == 0 { Padding::None } else { Padding::Padme }
}

fn place(record: &[u8], id: &[u8], field: &[u8]) -> Value {
    json!({"record": hex_of(record), "record_id": hex_of(id), "field": hex_of(field)})
}

fn record(world: &World, kind: &str, rng: &mut Seeded) -> (Value, Value) {
    let (id, field, note) = (identifier(rng), identifier(rng), note(rng));
    let revision = 1 + rng.below(u64::MAX - 2) / (1 << rng.below(60));
    let padding = padding(rng);
    let context = RecordContext::new(
        RecordId::new(&id).unwrap(),
        FieldLabel::new(&field).unwrap(),
        Revision::new(revision).unwrap(),
    )
    .with_padding(padding);
    let bytes = if kind == "record" {
        world.vault.seal(&world.patient_key, &context, &note, rng).unwrap()
    } else {
        let mut writer = world.vault.seal_attachment(&world.patient_key, &context, Vec::new(), rng).unwrap();
        writer.write_all(&note).unwrap();
        writer.finish().unwrap()
    };
    let result = with(&text_of(&note), json!({"revision": number(revision), "padding": padding as u8}));
    (place(&bytes, &id, &field), result)
}

fn depositor<'a>(world: &'a World, rng: &mut Seeded) -> &'a crate::world::Person {
    world.person(if rng.below(2) == 0 { "intake" } else { "other_intake" })
}

fn deposit(world: &World, kind: &str, rng: &mut Seeded) -> (Value, Value) {
    let (field, note, person, padding) = (identifier(rng), note(rng), depositor(world, rng), padding(rng));
    let label = FieldLabel::new(&field).unwrap();
    let Deposit { record, bytes } =
        world.vault.deposit(&world.card(), &person.key, label, padding, &note, rng).unwrap();
    let (path, bytes) = if kind == "deposit" {
        (2, bytes)
    } else {
        (3, world.vault.absorb(&world.patient_key, RecordId::new(&record).unwrap(), label, &bytes, rng).unwrap())
    };
    let result = with(&text_of(&note), json!({"writer": hex_of(person.fingerprint), "path": path}));
    (place(&bytes, record.as_bytes(), &field), result)
}

fn deposited(world: &World, rng: &mut Seeded) -> (Value, Value) {
    let (field, note, person, padding) = (identifier(rng), note(rng), depositor(world, rng), padding(rng));
    let label = FieldLabel::new(&field).unwrap();
    let mut writer =
        world.vault.deposit_attachment(&world.card(), &person.key, label, padding, Vec::new(), rng).unwrap();
    writer.write_all(&note).unwrap();
    let id = writer.record().to_owned();
    let bytes = writer.finish().unwrap();
    (place(&bytes, id.as_bytes(), &field), with(&text_of(&note), json!({"writer": hex_of(person.fingerprint)})))
}

fn disclosure(world: &World, rng: &mut Seeded) -> (Value, Value) {
    let (id, field, note) = (identifier(rng), identifier(rng), note(rng));
    let (record, label, revision) =
        (RecordId::new(&id).unwrap(), FieldLabel::new(&field).unwrap(), 1 + rng.below(1 << 60));
    let context = RecordContext::new(record, label, Revision::new(revision).unwrap());
    let bytes = world.vault.seal(&world.patient_key, &context, &note, rng).unwrap();
    let stored = StoredNote { record, field: label, path: lukko::Path::Reader, bytes: &bytes };
    let signer = world.person(if rng.below(2) == 0 { "therapist" } else { "colleague" });
    let bytes = world.vault.disclose(&world.patient_key, &stored, world.recipient.public(), &signer.key, rng).unwrap();
    let result = json!({
        "plaintext": hex_of(&note), "patient": hex_of(PATIENT), "record": hex_of(&id), "field": hex_of(&field),
        "revision": number(revision), "writer": null, "signer": hex_of(signer.fingerprint)
    });
    (json!({"disclosure": hex_of(bytes)}), result)
}

/// Sealed by the library with randomness that is told.
fn sealing(world: &World, rng: &mut Seeded) -> (Value, Value) {
    let kinds = ["grant", "master grant", "record", "deposit", "deposited attachment", "disclosure"];
    let kind = kinds[rng.below(6) as usize];
    let deposited = kind.starts_with("deposit");
    let (id, field, note, padding) = (rng.bytes(16), identifier(rng), note(rng), padding(rng));
    let record = if deposited { hex_of(&id).into_bytes() } else { identifier(rng) };
    let revision = if deposited { 0 } else { 1 + rng.below(u64::MAX - 2) };
    let coins = hex_of(rng.bytes(hpke::coins_len(world.suite)));
    let mut input = match kind {
        "grant" | "master grant" => json!({"coins": coins}),
        _ => json!({
            "r": hex_of(rng.bytes(32)), "record_id": hex_of(record), "field": hex_of(field), "revision": number(revision),
            "padding": padding as u8, "note": hex_of(note)
        }),
    };
    input["kind"] = json!(kind);
    if deposited {
        input["id"] = json!(hex_of(id));
    }
    if kind != "record" {
        input["coins"] = json!(coins);
    }
    let result = run(world, "sealing", &input).expect("sealed");
    (input, result)
}

fn patient(world: &World, rng: &mut Seeded) -> (Value, Value) {
    let id = identifier(rng);
    let patient = PatientId::new(&id).unwrap();
    let enroller = |rng: &mut Seeded| match rng.below(2) {
        0 => Enroller::Root(&world.first.master),
        _ => Enroller::Member(&world.person("therapist").key),
    };
    let mut newest = world.vault.enrol(enroller(rng), patient, rng).unwrap();
    let (mut cards, first) = (vec![hex_of(&newest.card)], newest.card_id);
    for _ in 0..rng.below(3) {
        newest = world.vault.rekey(enroller(rng), &newest.key, rng).unwrap();
        cards.insert(rng.below(cards.len() as u64 + 1) as usize, hex_of(&newest.card));
    }
    let expect = if rng.below(2) == 0 { Value::Null } else { json!(hex_of(first.as_bytes())) };
    let input = json!({
        "patient_id": hex_of(&id), "cards": cards, "endorsement": hex_of(&newest.endorsement),
        "master_grant": hex_of(&newest.master_grant), "expect": expect
    });
    (input, json!({"card_id": hex_of(newest.card_id.as_bytes())}))
}

fn roster(world: &World, rng: &mut Seeded) -> (Value, Value) {
    let pinned = world.vault.descriptor();
    let mut draft = world.vault.roster().next().unwrap();
    let mut entries = world.entries();
    for _ in 0..rng.below(4) {
        let id = identifier(rng);
        let key = pinned.new_member(MemberId::new(&id).unwrap(), rng).unwrap();
        draft.admit(&MemberEntry::verify(key.entry(), pinned).unwrap(), Roles::READ | Roles::DEPOSIT).unwrap();
        draft.close(CardId::from_bytes(rng.array()), ClosedReason::Compromised).unwrap();
        entries.push(hex_of(key.entry()));
    }
    let status = if rng.below(2) == 0 { Status::Retired } else { Status::Revoked };
    draft.set_status(world.person("colleague").key.fingerprint(), status).unwrap();
    let roster = match rng.below(2) {
        0 => draft.sign_as_root(&world.first.master, pinned).unwrap(),
        _ => draft.sign_as_registrar(&world.registrar, pinned).unwrap(),
    };
    let input = json!({"roster": hex_of(&roster), "entries": entries, "pin": hex_of(world.vault.pin().to_bytes())});
    (input, json!({"version": 2, "digest": hex_of(roster_digest(&roster))}))
}

fn rotation(world: &World, rng: &mut Seeded) -> (Value, Value) {
    let n = 3 + rng.below(30) as u8;
    let policy = Policy::new(n / 2 + 1, n).unwrap();
    let registrar = RegistrarKey::generate(rng).unwrap();
    let draft = world.vault.roster().next_generation().unwrap();
    let made = world.vault.rotate(&world.first.master, policy, &registrar.public(), draft, rng).unwrap();
    let input = json!({"descriptor": hex_of(made.descriptor.as_bytes()), "statement": hex_of(made.statement)});
    let fingerprint = hex_of(made.descriptor.fingerprint().as_bytes());
    (input, json!({"fingerprint": fingerprint, "generation": 2, "roster_version": 2}))
}

/// What comes with a vault of its own: shares, their text, recovery, pin.
fn founding(world: &World, kind: &str, rng: &mut Seeded) -> (Value, Value) {
    let n = 3 + rng.below(20) as u8;
    let made = create(Policy::new(n / 2 + 1, n).unwrap(), world.suite, &world.registrar.public(), rng).unwrap();
    let first = usize::from(n / 2);
    let pin = Pin::new(made.descriptor.fingerprint(), &made.descriptor).unwrap();
    let own = crate::world::Generation::new(made.descriptor, &made.shares, made.master);
    let (share, text) = (&own.shares[first], made.shares[first].to_text());
    let trust = json!({"descriptor": hex_of(&own.descriptor), "fingerprint": hex_of(pin.fingerprint().as_bytes())});
    match kind {
        "share" => (with(&trust, json!({"share": hex_of(share)})), json!({"index": first + 1})),
        "share_text" => (json!({"text": text.expose()}), json!({"share": hex_of(share)})),
        "recovery" => {
            let shares: Vec<String> =
                own.shares.iter().rev().take(first + 1 + rng.below(2) as usize).map(hex_of).collect();
            (with(&trust, json!({"shares": shares})), json!({"master_secret": hex_of(own.secret)}))
        }
        "pin" => (json!({"pin": hex_of(pin.to_bytes())}), json!({"roster_version": 0, "generation": 1})),
        other => panic!("no such kind: {other}"),
    }
}
