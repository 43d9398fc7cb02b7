//! Every secret of one run: what was drawn, and what FORMAT.md derives from it.

use hkdf::Hkdf;
use sha2::Sha256;

use crate::Outcome;
use crate::work;

/// One secret, and what it is.
pub(crate) struct Secret {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// The draws of one suite that are public: the vault id, which is the second draw, and record ids of 16 bytes.
const PUBLIC_DRAWS: [usize; 1] = [1];

/// What is derived from a draw, if it is a seed or a secret of that kind.
const LABELS: [&str; 8] = [
    "master hpke",
    "master root",
    "registrar signing",
    "member hpke",
    "member signing",
    "patient kek",
    "patient hpke",
    "patient succession",
];

/// Does the work once and lists its secrets.
pub(crate) fn of(seed: u64) -> Outcome<Vec<Secret>> {
    let mut draws: Vec<Vec<u8>> = Vec::new();
    let kept = work::whole_life(seed, &mut |draw| draws.push(draw.to_vec()))?;
    drop(kept);
    let half = draws.len() / 2;
    let mut secrets = Vec::new();
    for (at, draw) in draws.iter().enumerate() {
        let (suite, number) = (["x-wing", "x25519"][at / half.max(1) % 2], at % half.max(1));
        if PUBLIC_DRAWS.contains(&number) || draw.len() < 32 {
            continue;
        }
        secrets.push(Secret { name: format!("{suite} draw {number} of {} bytes", draw.len()), bytes: draw.clone() });
        let vault: &[u8] = &draws[at / half.max(1) * half + 1];
        secrets.extend(derived(suite, number, draw, vault));
    }
    Ok(secrets)
}

/// The keys that the schedule derives from a 32-byte draw, under every label: those that the draw is not a secret for
/// are never computed elsewhere and so not found.
fn derived(suite: &str, number: usize, draw: &[u8], vault: &[u8]) -> Vec<Secret> {
    if draw.len() != 32 {
        return Vec::new();
    }
    let suite_id: [u8; 2] = if suite == "x-wing" { [0x64, 0x7A] } else { [0, 0x20] };
    let mut all = Vec::new();
    for label in LABELS {
        for context in contexts(label, suite_id, vault) {
            let text = format!("lukko/v1 {label}");
            let info = [&[text.len() as u8], text.as_bytes(), &context].concat();
            let mut key = vec![0; 32];
            let expanded = Hkdf::<Sha256>::from_prk(draw).is_ok_and(|hkdf| hkdf.expand(&info, &mut key).is_ok());
            assert!(expanded, "HKDF-Expand of 32 bytes");
            all.push(Secret { name: format!("{suite} {label} of draw {number}"), bytes: key });
        }
    }
    all
}

fn contexts(label: &str, suite: [u8; 2], vault: &[u8]) -> Vec<Vec<u8>> {
    let with_id = |id: &[u8]| [&suite, vault, &[id.len() as u8], id].concat();
    let versioned = |version: u32| [with_id(b"p-1"), version.to_be_bytes().to_vec()].concat();
    match label.split(' ').next() {
        Some("master") => vec![[&suite, vault, &1_u32.to_be_bytes()].concat()],
        Some("member") => vec![with_id(b"dr-salo"), with_id(b"intake")],
        Some("patient") => vec![versioned(1), versioned(2)],
        _ => vec![Vec::new()],
    }
}
