//! All objects but records (sections 4 to 6 and 8).

use lukko::Suite;

use super::hpke;
use super::keys::{Master, Member, Patient};
use super::payload::{Payload, pad};
use super::prim::{array, ed_public, h, kdf, label, lp, sign};
use crate::rng::Seeded;

/// `body || Sign(seed, label, body)`.
pub(crate) fn signed(name: &str, seed: &[u8; 32], body: Vec<u8>) -> Vec<u8> {
    let signature = sign(seed, name, &body);
    [body, signature.to_vec()].concat()
}

/// The object with a new signature in its last 64 bytes.
pub(crate) fn resigned(name: &str, seed: &[u8; 32], object: &[u8]) -> Vec<u8> {
    signed(name, seed, object[..object.len() - 64].to_vec())
}

pub(crate) fn share(vault: &[u8], generation: u32, k: u8, n: u8, x: u8, y: &[u8]) -> Vec<u8> {
    [b"LKS\x01", vault, &generation.to_be_bytes(), &[k, n, x], y].concat()
}

pub(crate) fn share_digest(vault: &[u8], generation: u32, x: u8, y: &[u8]) -> [u8; 32] {
    h("share digest", &[vault, &generation.to_be_bytes(), &[x], y])
}

pub(crate) struct Descriptor<'a> {
    pub(crate) suite: Suite,
    pub(crate) vault: [u8; 32],
    pub(crate) generation: u32,
    pub(crate) k: u8,
    pub(crate) n: u8,
    pub(crate) master: &'a Master,
    pub(crate) registrar: [u8; 32],
    pub(crate) digests: Vec<u8>,
}

impl Descriptor<'_> {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let Self { suite, vault, generation, k, n, master, registrar, digests } = self;
        let start = [b"LKD\x01", hpke::id(*suite).as_slice(), vault, &generation.to_be_bytes(), &[*k, *n]].concat();
        [&start, master.public.as_slice(), &ed_public(&master.root), registrar, digests].concat()
    }
}

pub(crate) fn pin(fingerprint: &[u8], generation: u32, version: u64, digest: &[u8; 32]) -> Vec<u8> {
    let body = [b"LKP\x01", fingerprint, &generation.to_be_bytes(), &version.to_be_bytes(), digest].concat();
    with_checksum(&body)
}

pub(crate) fn with_checksum(body: &[u8]) -> Vec<u8> {
    [body, &h("pin checksum", &[body])].concat()
}

pub(crate) fn entry(suite: Suite, vault: &[u8], id: &[u8], keys: &Member) -> Vec<u8> {
    let (hpke_key, signing) = (hpke::public(suite, &keys.hpke), ed_public(&keys.signing));
    let body = [b"LKM\x01", hpke::id(suite).as_slice(), vault, &lp(id), &hpke_key, &signing].concat();
    signed("member entry", &keys.signing, body)
}

pub(crate) fn member_fingerprint(entry: &[u8]) -> [u8; 32] {
    h("member key fingerprint", &[&entry[..entry.len() - 64]])
}

/// A line of a roster: fingerprint, roles, status.
pub(crate) type Line = ([u8; 32], u8, u8);

#[derive(Debug, Clone)]
pub(crate) struct Roster {
    pub(crate) vault: [u8; 32],
    pub(crate) generation: u32,
    pub(crate) version: u64,
    pub(crate) previous: [u8; 32],
    pub(crate) signer: u8,
    pub(crate) lines: Vec<Line>,
    pub(crate) closed: Vec<([u8; 32], u8)>,
}

impl Roster {
    pub(crate) fn sorted(mut self) -> Self {
        self.lines.sort();
        self.closed.sort();
        self
    }

    pub(crate) fn signed(&self, seed: &[u8; 32]) -> Vec<u8> {
        let Self { vault, generation, version, previous, signer, lines, closed } = self;
        let mut body =
            [b"LKR\x01", vault.as_slice(), &generation.to_be_bytes(), &version.to_be_bytes(), previous, &[*signer]]
                .concat();
        body.extend((lines.len() as u32).to_be_bytes());
        lines.iter().for_each(|(key, roles, status)| body.extend([key.as_slice(), &[*roles, *status]].concat()));
        body.extend((closed.len() as u32).to_be_bytes());
        closed.iter().for_each(|(card, reason)| body.extend([card.as_slice(), &[*reason]].concat()));
        signed("roster", seed, body)
    }
}

pub(crate) fn roster_digest(roster: &[u8]) -> [u8; 32] {
    h("roster digest", &[roster])
}

/// A card's body: all before the voucher.
pub(crate) fn card_body(
    suite: Suite,
    vault: &[u8],
    id: &[u8],
    version: u32,
    keys: &Patient,
    previous: &[u8],
) -> Vec<u8> {
    let (hpke_key, succession) = &keys.public;
    let start = [b"LKC\x01", hpke::id(suite).as_slice(), vault, &lp(id), &version.to_be_bytes()].concat();
    [&start, hpke_key.as_slice(), succession, previous].concat()
}

pub(crate) fn card_id(body: &[u8]) -> [u8; 32] {
    h("card id", &[body])
}

/// The card with the voucher of the card before.
pub(crate) fn vouched(body: &[u8], succession: &[u8; 32]) -> Vec<u8> {
    [body, &[1], &sign(succession, "succession", &card_id(body))].concat()
}

/// Whom a grant names.
#[derive(Debug, Clone, Copy)]
pub(crate) enum To {
    Master(u32, [u8; 32]),
    Member([u8; 32]),
}

pub(crate) fn grant_head(suite: Suite, vault: &[u8], card: &[u8], to: To) -> Vec<u8> {
    let start = [b"LKG\x01", hpke::id(suite).as_slice(), vault, card].concat();
    match to {
        To::Master(generation, key) => [&start, [1].as_slice(), &generation.to_be_bytes(), &key].concat(),
        To::Member(key) => [&start, [2].as_slice(), &key].concat(),
    }
}

/// `head || Seal(key, "grant", head, secret)`.
pub(crate) fn grant(suite: Suite, head: &[u8], key: &[u8], secret: &[u8], rng: &mut Seeded) -> Vec<u8> {
    [head, &hpke::seal(suite, key, &label("grant"), head, secret, rng)].concat()
}

#[derive(Debug, Clone)]
pub(crate) struct Endorsement {
    pub(crate) vault: [u8; 32],
    pub(crate) card: [u8; 32],
    pub(crate) generation: u32,
    pub(crate) master_grant: Vec<u8>,
    pub(crate) seen: u64,
    /// `None` for the root.
    pub(crate) endorser: Option<[u8; 32]>,
}

impl Endorsement {
    pub(crate) fn signed(&self, seed: &[u8; 32]) -> Vec<u8> {
        let Self { vault, card, generation, master_grant, seen, endorser } = self;
        let digest = h("master grant digest", &[master_grant]);
        let endorser = endorser.map_or(vec![2], |key| [[1].as_slice(), &key].concat());
        let start = [b"LKE\x01", vault.as_slice(), card, &generation.to_be_bytes(), &digest].concat();
        signed("endorsement", seed, [&start, seen.to_be_bytes().as_slice(), &endorser].concat())
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Rotation {
    pub(crate) vault: [u8; 32],
    pub(crate) generation: u32,
    pub(crate) old: [u8; 32],
    pub(crate) new: [u8; 32],
    pub(crate) version: u64,
    pub(crate) digest: [u8; 32],
}

impl Rotation {
    pub(crate) fn signed(&self, [old, new]: [&[u8; 32]; 2]) -> Vec<u8> {
        let body = self.body();
        let signatures = [old, new].map(|seed| sign(seed, "rotation", &body));
        [&body, signatures.as_flattened()].concat()
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        let Self { vault, generation, old, new, version, digest } = self;
        [b"LKT\x01", vault.as_slice(), &generation.to_be_bytes(), old, new, &version.to_be_bytes(), digest].concat()
    }
}

/// A disclosure, before it is signed.
#[derive(Debug, Clone)]
pub(crate) struct Disclosure {
    pub(crate) suite: Suite,
    pub(crate) vault: [u8; 32],
    pub(crate) recipient: [u8; 32],
    pub(crate) signer: [u8; 32],
    pub(crate) seen: u64,
    pub(crate) sealed: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

/// What stands in a disclosure before the note.
pub(crate) fn inner(patient: &[u8], record: &[u8], field: &[u8], revision: u64, writer: Option<[u8; 32]>) -> Vec<u8> {
    let writer = writer.map_or(vec![0], |key| [[1].as_slice(), &key].concat());
    [b"LKI\x01", lp(patient).as_slice(), &lp(record), &lp(field), &revision.to_be_bytes(), &writer].concat()
}

impl Disclosure {
    pub(crate) fn context(&self) -> [u8; 32] {
        h("disclosure context", &[&hpke::id(self.suite), &self.vault, &self.recipient, &self.signer])
    }

    /// Encrypts a text and seals its key to the recipient.
    pub(crate) fn fill(&mut self, key: &[u8], text: &[u8], rng: &mut Seeded) {
        self.fill_padded(key, text, &pad(text, 1), rng);
    }

    pub(crate) fn fill_padded(&mut self, key: &[u8], text: &[u8], padded: &[u8], rng: &mut Seeded) {
        let context = self.context();
        let r: [u8; 32] = rng.array();
        let okm = kdf(&r, "disclosure draw", &[&context, &h("text digest", &[text])], 80);
        self.payload = Payload::seal(&array(&okm[..32]), &array(&okm[32..56]), &context, padded).bytes();
        self.seal(key, &okm[..32], rng);
    }

    /// Seals any payload key to the recipient.
    pub(crate) fn seal(&mut self, key: &[u8], secret: &[u8], rng: &mut Seeded) {
        let info = [label("disclosure wrap"), self.context().to_vec(), self.payload_digest().to_vec()].concat();
        self.sealed = hpke::seal(self.suite, key, &info, b"", secret, rng);
    }

    fn payload_digest(&self) -> [u8; 32] {
        h("payload digest", &[&self.payload])
    }

    pub(crate) fn message(&self) -> Vec<u8> {
        let sealed = h("sealed key digest", &[&self.sealed]);
        [self.context().as_slice(), &sealed, &self.payload_digest(), &self.seen.to_be_bytes()].concat()
    }

    pub(crate) fn bytes(&self, signature: &[u8; 64]) -> Vec<u8> {
        let Self { suite, vault, recipient, signer, seen, sealed, payload } = self;
        let start = [b"LKX\x01", hpke::id(*suite).as_slice(), vault, recipient, signer, &seen.to_be_bytes()].concat();
        [&start, sealed.as_slice(), signature, payload].concat()
    }

    pub(crate) fn signed(&self, seed: &[u8; 32]) -> Vec<u8> {
        self.bytes(&sign(seed, "disclosure", &self.message()))
    }
}
