//! What the sources promise: rooms point one way, and no route goes past its description.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms, each with its tier: a room uses those of lower tiers only.
const ROOMS: [(&str, u8); 8] = [
    ("clock", 0),
    ("config", 0),
    ("files", 0),
    ("problem", 1),
    ("state", 2),
    ("routes", 3),
    ("found", 4),
    ("server", 4),
];

/// Every file below `src`, with its room.
fn sources() -> Vec<(String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut directories = vec![src.clone()];
    let mut sources = Vec::new();
    while let Some(directory) = directories.pop() {
        for path in directory.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let room: PathBuf = path.strip_prefix(&src).unwrap().iter().take(1).collect();
            sources.push((room.with_extension("").to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap()));
        }
    }
    sources
}

#[test]
fn rooms_point_one_way() {
    let tier = |room: &str| ROOMS.iter().find(|(name, _)| *name == room).map(|(_, tier)| *tier);
    let (mut edges, mut faults) = (0, Vec::new());
    for (room, source) in sources() {
        // `lib` and `main` are above all rooms.
        let Some(own) = tier(&room) else { continue };
        for used in source.split("crate::").skip(1).filter_map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next())
        {
            let Some(below) = tier(used) else { continue };
            edges += 1;
            if used != room && below >= own {
                faults.push(format!("{room} uses {used}"));
            }
        }
        assert!(!source.contains("use crate::{"), "{room}: one path in each `use crate::`, so that this test sees it");
    }
    assert!(edges > 30, "{edges}: does this test still see them?");
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn routes_are_registered_with_their_description_only() {
    let calls = [".route(", ".nest(", ".fallback(", "_service("];
    let sources = sources();
    let lines = sources.iter().flat_map(|(_, source)| source.lines());
    let plain: Vec<_> = lines.filter(|line| calls.iter().any(|call| line.contains(call))).collect();
    assert_eq!(plain.len(), 1, "{plain:?}");
    assert!(plain[0].contains("\"/openapi.json\""), "{plain:?}");
}
