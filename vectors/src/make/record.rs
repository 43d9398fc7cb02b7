//! Records of all paths (section 7).

use lukko::Suite;

use super::hpke;
use super::payload::{Payload, pad};
use super::prim::{array, h, kdf, label, lp, sign, xchacha_seal};
use crate::rng::Seeded;

/// Where a note belongs, and what its front says of it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) suite: Suite,
    pub(crate) vault: [u8; 32],
    pub(crate) card: [u8; 32],
    pub(crate) patient: Vec<u8>,
    pub(crate) record: Vec<u8>,
    pub(crate) field: Vec<u8>,
    pub(crate) revision: u64,
    pub(crate) padding: u8,
}

/// Record key, salt, wrap nonce.
#[derive(Debug, Clone)]
pub(crate) struct Draw {
    pub(crate) key: [u8; 32],
    pub(crate) salt: [u8; 24],
    pub(crate) nonce: [u8; 24],
}

impl Draw {
    pub(crate) fn new(name: &str, r: &[u8; 32], context: &[&[u8]]) -> Self {
        let okm = kdf(r, name, context, 80);
        Self { key: array(&okm[..32]), salt: array(&okm[32..56]), nonce: array(&okm[56..]) }
    }
}

impl Place {
    /// The payload context id.
    pub(crate) fn context(&self) -> [u8; 32] {
        let ids = [lp(&self.patient), lp(&self.record), lp(&self.field)].concat();
        h("payload context", &[&self.vault, &ids, &self.revision.to_be_bytes(), &[self.padding]])
    }

    pub(crate) fn head(&self, path: u8) -> Vec<u8> {
        let revision = self.revision.to_be_bytes();
        [b"LKN\x01", hpke::id(self.suite).as_slice(), &[path], &self.card, &revision, &[self.padding]].concat()
    }

    pub(crate) fn wrap_context(&self, name: &str, path: u8) -> Vec<u8> {
        [label(name), vec![path], self.card.to_vec(), self.context().to_vec()].concat()
    }

    pub(crate) fn draw(&self, rng: &mut Seeded) -> Draw {
        Draw::new("record draw", &rng.array(), &[&self.context()])
    }

    /// The payload of a note, honestly padded.
    pub(crate) fn payload(&self, draw: &Draw, note: &[u8]) -> Payload {
        self.payload_of(draw, &pad(note, self.padding))
    }

    /// The payload of a text that is padded, rightly or not.
    pub(crate) fn payload_of(&self, draw: &Draw, padded: &[u8]) -> Payload {
        Payload::seal(&draw.key, &draw.salt, &self.context(), padded)
    }

    /// Path 1.
    pub(crate) fn reader(&self, kek: &[u8; 32], draw: &Draw, payload: &[u8]) -> Vec<u8> {
        let aad = self.wrap_context("reader wrap", 1);
        [self.head(1), draw.nonce.to_vec(), xchacha_seal(kek, &draw.nonce, &aad, &draw.key), payload.to_vec()].concat()
    }
}

/// What a depositor makes, path 2 or 4, before it is signed.
#[derive(Debug, Clone)]
pub(crate) struct Deposit {
    pub(crate) place: Place,
    pub(crate) path: u8,
    pub(crate) writer: [u8; 32],
    pub(crate) seen: u64,
    pub(crate) key: [u8; 32],
    pub(crate) sealed: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

impl Deposit {
    /// Honest, by `writer`, to the card's key.
    pub(crate) fn new(
        place: &Place,
        path: u8,
        writer: [u8; 32],
        card_key: &[u8],
        note: &[u8],
        rng: &mut Seeded,
    ) -> Self {
        let (context, r) = (place.context(), rng.array());
        let draw = if path == 2 {
            Draw::new("deposit draw", &r, &[&context, &h("text digest", &[note])])
        } else {
            Draw::new("deposited attachment draw", &r, &[&context])
        };
        Self::with(place, path, writer, card_key, &draw.key, place.payload(&draw, note).bytes(), rng)
    }

    /// With any record key and payload.
    pub(crate) fn with(
        place: &Place,
        path: u8,
        writer: [u8; 32],
        card_key: &[u8],
        key: &[u8; 32],
        payload: Vec<u8>,
        rng: &mut Seeded,
    ) -> Self {
        let place = Place { revision: 0, ..place.clone() };
        let mut deposit = Self { place, path, writer, seen: 1, key: *key, sealed: Vec::new(), payload };
        deposit.sealed = hpke::seal(deposit.place.suite, card_key, &deposit.info(), b"", key, rng);
        deposit
    }

    pub(crate) fn payload_digest(&self) -> [u8; 32] {
        h("payload digest", &[&self.payload])
    }

    pub(crate) fn info(&self) -> Vec<u8> {
        let mut info = [self.place.wrap_context("deposit wrap", self.path), self.writer.to_vec()].concat();
        if self.path == 2 {
            info.extend_from_slice(&self.payload_digest());
        }
        info
    }

    pub(crate) fn message(&self) -> Vec<u8> {
        let sealed = h("sealed key digest", &[&self.sealed]);
        let wrap_context = self.place.wrap_context("deposit wrap", self.path);
        [&wrap_context, self.writer.as_slice(), &sealed, &self.payload_digest(), &self.seen.to_be_bytes()].concat()
    }

    pub(crate) fn sign(&self, seed: &[u8; 32]) -> [u8; 64] {
        sign(seed, "deposit", &self.message())
    }

    /// The record, with this signature.
    pub(crate) fn bytes(&self, signature: &[u8; 64]) -> Vec<u8> {
        let seen = self.seen.to_be_bytes();
        let front = [&self.place.head(self.path), self.writer.as_slice(), &seen, &self.sealed].concat();
        if self.path == 2 {
            [&front, signature.as_slice(), &self.payload].concat()
        } else {
            [&front, self.payload.as_slice(), &self.payload_digest(), signature].concat()
        }
    }

    /// What an absorbed record keeps of it.
    pub(crate) fn origin(&self, signature: &[u8; 64]) -> Vec<u8> {
        let (seen, digest) = (self.seen.to_be_bytes(), h("sealed key digest", &[&self.sealed]));
        [self.place.card.as_slice(), &self.writer, &seen, &digest, signature].concat()
    }
}

/// Path 3: `key` wrapped for this origin and payload.
pub(crate) fn absorbed(
    place: &Place,
    kek: &[u8; 32],
    nonce: &[u8; 24],
    key: &[u8; 32],
    origin: &[u8],
    payload: &[u8],
) -> Vec<u8> {
    let digest = h("payload digest", &[payload]);
    let aad = [&place.wrap_context("absorbed wrap", 3), origin, &digest].concat();
    [&place.head(3), origin, nonce, &xchacha_seal(kek, nonce, &aad, key), payload].concat()
}
