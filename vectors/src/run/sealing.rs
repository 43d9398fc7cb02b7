//! Sealing with randomness that the case gives: the library must make these bytes.

use std::io::Write;

use lukko::*;
use serde_json::{Value, json};

use super::bytes;
use crate::case::hex_of;
use crate::rng::Seeded;
use crate::world::World;

pub(super) fn sealing(world: &World, input: &Value) -> Result<Value> {
    let drawn: Vec<u8> = ["id", "r", "coins"]
        .iter()
        .filter(|name| !input[**name].is_null())
        .flat_map(|name| bytes(input, name))
        .collect();
    let mut rng = Seeded::of(&drawn);
    let sealed = sealed(world, input, &mut rng)?;
    assert!(rng.is_spent(), "the randomness that the case gives");
    Ok(json!({"bytes": hex_of(sealed)}))
}

fn sealed(world: &World, input: &Value, rng: &mut Seeded) -> Result<Vec<u8>> {
    let (vault, key, kind) = (&world.vault, &world.patient_key, input["kind"].as_str().expect("a text"));
    match kind {
        "grant" => return Ok(vault.grant(key, world.person("therapist").key.fingerprint(), rng)?.bytes),
        "master grant" => return vault.grant_to_master(key, rng),
        _ => (),
    }
    let [record, field, note] = ["record_id", "field", "note"].map(|name| bytes(input, name));
    let (record, field) = (RecordId::new(&record)?, FieldLabel::new(&field)?);
    let padding = if input["padding"] == 0 { Padding::None } else { Padding::Padme };
    let (card, intake, therapist) = (world.card(), &world.person("intake").key, &world.person("therapist").key);
    match kind {
        "record" => vault.seal(key, &context(input, record, field)?.with_padding(padding), &note, rng),
        "deposit" => Ok(vault.deposit(&card, intake, field, padding, &note, rng)?.bytes),
        "absorbed" => vault.absorb(key, record, field, &bytes(input, "deposit"), rng),
        "deposited attachment" => {
            let mut writer =
                vault.deposit_attachment(&card, intake, field, padding, Vec::new(), rng).expect("to memory");
            writer.write_all(&note).expect("to memory");
            Ok(writer.finish().expect("to memory"))
        }
        "disclosure" => {
            let other = &mut Seeded::new(b"the record that is disclosed");
            let record_bytes = vault.seal(key, &context(input, record, field)?, &note, other)?;
            let stored = StoredNote { record, field, path: Path::Reader, bytes: &record_bytes };
            vault.disclose(key, &stored, world.recipient.public(), therapist, rng)
        }
        other => panic!("no such kind: {other}"),
    }
}

fn context<'a>(input: &Value, record: RecordId<'a>, field: FieldLabel<'a>) -> Result<RecordContext<'a>> {
    let revision = &input["revision"];
    let revision = revision.as_u64().or_else(|| revision.as_str()?.parse().ok()).expect("a number");
    Ok(RecordContext::new(record, field, Revision::new(revision)?))
}
