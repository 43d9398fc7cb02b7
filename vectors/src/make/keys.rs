//! The key schedule (section 3).

use lukko::Suite;

use super::hpke;
use super::prim::{ed_public, h, kdf32, lp};

/// What follows from a master secret.
#[derive(Debug, Clone)]
pub(crate) struct Master {
    pub(crate) hpke: [u8; 32],
    pub(crate) root: [u8; 32],
    pub(crate) public: Vec<u8>,
    pub(crate) fingerprint: [u8; 32],
}

impl Master {
    pub(crate) fn derive(suite: Suite, vault: &[u8], generation: u32, secret: &[u8; 32]) -> Self {
        let place: [&[u8]; 3] = [&hpke::id(suite), vault, &generation.to_be_bytes()];
        let hpke = kdf32(secret, "master hpke", &place);
        let public = hpke::public(suite, &hpke);
        let fingerprint = h("master key fingerprint", &[&hpke::id(suite), &public]);
        Self { hpke, root: kdf32(secret, "master root", &place), public, fingerprint }
    }
}

/// What follows from a member's seed.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) hpke: [u8; 32],
    pub(crate) signing: [u8; 32],
}

impl Member {
    pub(crate) fn derive(suite: Suite, vault: &[u8], id: &[u8], seed: &[u8; 32]) -> Self {
        let place: [&[u8]; 3] = [&hpke::id(suite), vault, &lp(id)];
        Self { hpke: kdf32(seed, "member hpke", &place), signing: kdf32(seed, "member signing", &place) }
    }
}

/// What follows from a patient secret.
#[derive(Debug, Clone)]
pub(crate) struct Patient {
    pub(crate) secret: [u8; 32],
    pub(crate) kek: [u8; 32],
    pub(crate) hpke: [u8; 32],
    pub(crate) succession: [u8; 32],
    /// Public HPKE key and public succession key, as on the card.
    pub(crate) public: (Vec<u8>, [u8; 32]),
}

impl Patient {
    pub(crate) fn derive(suite: Suite, vault: &[u8], id: &[u8], version: u32, secret: &[u8; 32]) -> Self {
        let place: [&[u8]; 4] = [&hpke::id(suite), vault, &lp(id), &version.to_be_bytes()];
        let key = |label| kdf32(secret, label, &place);
        let (hpke, succession) = (key("patient hpke"), key("patient succession"));
        let public = (hpke::public(suite, &hpke), ed_public(&succession));
        Self { secret: *secret, kek: key("patient kek"), hpke, succession, public }
    }
}

/// The HPKE private key of someone outside.
pub(crate) fn recipient(suite: Suite, seed: &[u8; 32]) -> [u8; 32] {
    kdf32(seed, "recipient hpke", &[&hpke::id(suite)])
}

pub(crate) fn registrar(seed: &[u8; 32]) -> [u8; 32] {
    kdf32(seed, "registrar signing", &[])
}
