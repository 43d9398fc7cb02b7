//! What each object costs in bytes, as docs/BENCHMARKS.md says it.

use std::fs;
use std::path::Path as FilePath;

use lukko::*;

use super::clinic::{Clinic, PATIENT, field, place};

/// The note of the table.
const NOTE_LEN: usize = 1_024;

/// Each object of a vault, and its length in bytes without the identifiers that a caller chooses.
fn sizes(suite: Suite) -> Vec<(&'static str, usize)> {
    let Clinic { mut rng, vault, patient, front_end, grant, descriptor, rotation, first_pin, roster, .. } =
        Clinic::new(suite, 90);
    let note = [b'a'; NOTE_LEN];
    let Enrolment { card, endorsement, master_grant, key, .. } = &patient;
    let stored = StoredPatient { cards: &[card], endorsement, master_grant };
    let verified = vault.card(PatientId::new(PATIENT).unwrap(), &stored, None).unwrap();
    let record = vault.seal(key, &place(), &note, &mut rng).unwrap();
    let deposit = vault.deposit(&verified, &front_end, field(), Padding::Padme, &note, &mut rng).unwrap();
    let id = RecordId::new(&deposit.record).unwrap();
    let absorbed = vault.absorb(key, Place::new(id, field()), &deposit.bytes, &mut rng).unwrap();
    assert_eq!(vault.roster().members().count(), 3, "keys on the roster");
    vec![
        ("record, 1,024 bytes, padded to 1,088", record.len()),
        ("deposit of the same", deposit.bytes.len()),
        ("the same, absorbed", absorbed.len()),
        ("card", card.len() - PATIENT.len()),
        ("endorsement by a member", endorsement.len()),
        ("grant to the master key", master_grant.len()),
        ("grant to a member", grant.bytes.len()),
        ("member entry", front_end.entry().len() - "intake".len()),
        ("roster, and 34 per key, 33 per closed card", roster.len() - 3 * 34),
        ("descriptor, and 32 per share", descriptor.as_bytes().len() - 3 * 32),
        ("rotation statement", rotation.statement.len()),
        ("pin", first_pin.to_bytes().len()),
    ]
}

fn grouped(number: usize) -> String {
    if number < 1_000 { number.to_string() } else { format!("{},{:03}", number / 1_000, number % 1_000) }
}

#[test]
fn the_table_of_sizes_is_right() {
    let document = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("docs/BENCHMARKS.md");
    let document = fs::read_to_string(document).unwrap();
    for ((name, x25519), (_, x_wing)) in sizes(Suite::X25519).into_iter().zip(sizes(Suite::XWing)) {
        let row = format!("| {name} | {} | {} |", grouped(x25519), grouped(x_wing));
        assert!(document.contains(&row), "docs/BENCHMARKS.md should have the row\n{row}");
    }
    let sealed = sealed_len(NOTE_LEN, Padding::Padme).unwrap();
    assert!(sealed - 1_088 <= 200, "{} bytes besides padding", sealed - 1_088);
}
