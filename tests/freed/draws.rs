//! A generator that registers what it hands out, and what the key schedule derives from it (FORMAT.md, "Keys").

use core::convert::Infallible;

use hkdf::Hkdf;
use lukko::Suite;
use lukko::rand_core::{TryCryptoRng, TryRng};
use sha2::Sha256;

use super::needles::{Kind, register};

/// SplitMix64, the same on every run. Never for keys that matter.
pub(crate) struct Draws {
    state: u64,
    suite: Suite,
    vault: Option<[u8; 32]>,
    next_is_vault_id: bool,
}

/// What may be derived from a draw of 32 bytes; only one of these ever is, and the others are found nowhere.
const LABELS: [&str; 9] = [
    "master hpke",
    "master root",
    "registrar signing",
    "member hpke",
    "member signing",
    "patient kek",
    "patient hpke",
    "patient succession",
    "recipient hpke",
];

const IDS: [&[u8]; 2] = [b"dr-salo", b"intake"];
const PATIENT: &[u8] = b"p-1";

impl Draws {
    pub(crate) fn new(suite: Suite) -> Self {
        Self { state: suite.kem_id().into(), suite, vault: None, next_is_vault_id: false }
    }

    /// The next draw is the vault's id, which is public and part of the contexts.
    pub(crate) fn founding(&mut self) -> &mut Self {
        self.next_is_vault_id = true;
        self
    }

    /// A note, which is registered.
    pub(crate) fn note(&mut self, note: &mut [u8]) {
        self.fill(note);
        register(Kind::Note, note);
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = self.state;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            let word = (z ^ (z >> 31)).to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }

    /// No allocation here: the test's own copies must not be what is found.
    fn register_derived(&self, draw: &[u8; 32]) {
        let suite = self.suite.kem_id().to_be_bytes();
        let vault = self.vault.unwrap_or_default();
        let generation = |number: u32| number.to_be_bytes();
        for label in LABELS {
            match label.split(' ').next() {
                Some("registrar") => expand(draw, label, &[]),
                Some("recipient") => expand(draw, label, &[&suite]),
                Some("master") => {
                    for number in [1, 2] {
                        expand(draw, label, &[&suite, &vault, &generation(number)]);
                    }
                }
                Some("member") => {
                    for id in IDS {
                        expand(draw, label, &[&suite, &vault, &[id.len() as u8], id]);
                    }
                }
                _ => {
                    for version in [1, 2] {
                        expand(draw, label, &[&suite, &vault, &[PATIENT.len() as u8], PATIENT, &generation(version)]);
                    }
                }
            }
        }
    }
}

fn expand(draw: &[u8; 32], label: &str, context: &[&[u8]]) {
    let hkdf = Hkdf::<Sha256>::from_prk(draw).unwrap();
    let length = [(b"lukko/v1 ".len() + label.len()) as u8];
    let mut parts: [&[u8]; 8] = [&[]; 8];
    parts[..3].copy_from_slice(&[&length, b"lukko/v1 ", label.as_bytes()]);
    parts[3..3 + context.len()].copy_from_slice(context);
    let mut key = [0; 32];
    hkdf.expand_multi_info(&parts, &mut key).unwrap();
    register(Kind::DerivedKey, &key);
}

impl TryRng for Draws {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.try_next_u64()? as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut word = [0; 8];
        self.fill(&mut word);
        Ok(u64::from_le_bytes(word))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.fill(bytes);
        if core::mem::take(&mut self.next_is_vault_id) {
            self.vault = (&*bytes).try_into().ok();
        } else if bytes.len() >= 32 {
            // Shorter draws are record ids.
            register(Kind::Draw, bytes);
            if let Ok(draw) = (&*bytes).try_into() {
                self.register_derived(draw);
            }
        }
        Ok(())
    }
}

impl TryCryptoRng for Draws {}
