//! Where each target begins: valid objects, and recipes that leave them as they are.

use crate::world::World;

/// Every object of a world with its kind. The kinds are the names of the targets that read them.
#[must_use]
pub fn objects(world: &'static World) -> Vec<(&'static str, &'static [u8])> {
    let mut all: Vec<(&str, &[u8])> = vec![
        ("descriptor", world.pinned.as_bytes()),
        ("share", &world.shares[0]),
        ("roster", &world.rosters[0]),
        ("roster", &world.rosters[1]),
        ("rotation", &world.rotation.statement),
        ("disclosure", &world.disclosure),
        ("record", &world.sealed[0][0]),
        ("deposit", &world.deposit.bytes),
        ("deposit", &world.absorbed),
    ];
    all.extend(world.entries.iter().map(|entry| ("member", entry.as_slice())));
    all.extend(world.grants.iter().map(|grant| ("grant", grant.as_slice())));
    for state in world.patients.iter().flat_map(|patient| &patient.states) {
        all.extend([&state.card, &state.endorsement, &state.master_grant].map(|bytes| ("patient", bytes.as_slice())));
    }
    all
}

/// A target's first inputs.
#[must_use]
pub fn of(target: &str) -> Vec<Vec<u8>> {
    let worlds = [World::of(false), World::of(true)];
    // World, object, number of edits and a choice, each counted up from zero.
    let recipes = (0..4_u8).flat_map(|world| [0, 1, 2].map(|how| vec![world, how, 0, how, 0, 0, how]));
    let stored = |kinds: &[&str]| {
        let of = worlds.into_iter().flat_map(objects).filter(|(kind, _)| kinds.contains(kind));
        of.map(|(_, bytes)| bytes.to_vec()).collect::<Vec<_>>()
    };
    let mut all = match target {
        "parse_share_text" => return share_texts(),
        "recovery" => {
            return vec![vec![0, 1, 0, 0, 1, 1, 0, 1, 2, 0, 0], vec![7, 1, 3, 0, 1, 3, 0, 1, 5, 0, 0, 1, 6, 1]];
        }
        "seeks" => {
            return (0..18).map(|which| vec![which, 0, 4, 0, 250, 1, 1, 0, 2, 64, 0, 1, 64, 0]).collect();
        }
        "parse_pin" => worlds.iter().map(|world| world.vault.pin().to_bytes()).collect(),
        // Every state of both patients, untouched or endorsed anew, alone or with the first card beside it.
        "parse_patient" => {
            let choices = (0..3_u8).flat_map(|chosen| [0, 2, 4, 0x10, 0x14, 0x1A].map(|how| (chosen, how)));
            let coherent = choices.map(|(chosen, how)| vec![0, chosen, 0, 0, 0, 0, 0, 0, how]);
            stored(&["patient"]).into_iter().chain(coherent).collect()
        }
        "parse_record" => stored(&["record", "deposit"]),
        "reencode" => {
            let kinds = ["descriptor", "share", "roster", "rotation", "disclosure", "deposit", "member", "grant"];
            stored(&[kinds.as_slice(), &["patient", "record"]].concat())
        }
        _ => stored(&[target.split_once('_').map_or("", |(_, kind)| kind)]),
    };
    all.extend(recipes);
    all
}

fn share_texts() -> Vec<Vec<u8>> {
    let text = |bytes: &Vec<u8>| lukko::Share::from_bytes(bytes).unwrap().to_text().expose().to_owned();
    let mut all: Vec<Vec<u8>> = World::of(false).shares.iter().map(|share| text(share).into_bytes()).collect();
    all[1].make_ascii_uppercase();
    all[2].insert(70, b'\n');
    all[3].swap(20, 21);
    all
}
