//! What an insider can make: objects that were altered and signed again, by someone who may sign.
//!
//! Written from the specification, so that the library's own code does not sign what it verifies. The tests below show
//! that signing what was not altered gives the same bytes.

use lukko::hazmat::prim::{ed25519_public_key, ed25519_sign, expand};
use lukko::{MemberKey, RegistrarKey};
use sha2::{Digest, Sha256};

use crate::world::World;

const SIGNATURE: usize = 64;
/// Magic, suite, path, card, revision, padding.
const HEAD: usize = 48;

fn labelled(label: &str) -> Vec<u8> {
    let text = format!("lukko/v1 {label}");
    [&[text.len() as u8], text.as_bytes()].concat()
}

/// `SHA-256(lp(label) || parts)`.
#[must_use]
pub fn hash(label: &str, parts: &[&[u8]]) -> [u8; 32] {
    Sha256::digest([labelled(label).as_slice(), &parts.concat()].concat()).into()
}

fn lp(bytes: &[u8]) -> Vec<u8> {
    [&[bytes.len() as u8], bytes].concat()
}

fn derive(seed: &[u8], label: &str, context: &[&[u8]]) -> [u8; 32] {
    let (seed, mut key) = (seed.try_into().expect("32 bytes"), [0; 32]);
    expand(seed, &[&labelled(label), &context.concat()], &mut key).expect("one block");
    key
}

fn sign(seed: &[u8; 32], label: &str, message: &[u8]) -> [u8; SIGNATURE] {
    ed25519_sign(seed, &[labelled(label).as_slice(), message].concat())
}

fn member_seed(world: &World, member: &MemberKey, id: &str) -> [u8; 32] {
    let suite = world.suite.kem_id().to_be_bytes();
    let vault = world.pinned.vault();
    derive(member.seed().expose(), "member signing", &[&suite, vault.as_bytes(), &lp(id.as_bytes())])
}

fn registrar_seed(registrar: &RegistrarKey) -> [u8; 32] {
    derive(registrar.seed().expose(), "registrar signing", &[])
}

/// Puts a signature over everything before it at the end.
fn sign_end(bytes: &mut [u8], seed: &[u8; 32], label: &str) {
    if let Some((body, slot)) = bytes.split_last_chunk_mut::<SIGNATURE>() {
        *slot = sign(seed, label, body);
    }
}

/// A roster, by the registrar.
pub fn roster(world: &World, bytes: &mut [u8]) {
    sign_end(bytes, &registrar_seed(&world.registrar), "roster");
}

/// A member entry, by a key of the forger's own.
pub fn entry(bytes: &mut [u8]) {
    let seed = [7; 32];
    if let Some((_, end)) = bytes.split_last_chunk_mut::<{ 32 + SIGNATURE }>() {
        end[..32].copy_from_slice(&ed25519_public_key(&seed));
    }
    sign_end(bytes, &seed, "member entry");
}

/// The checksum of a pin, which anyone can make.
pub fn pin(bytes: &mut [u8]) {
    if let Some((body, slot)) = bytes.split_last_chunk_mut::<32>() {
        *slot = hash("pin checksum", &[body]);
    }
}

/// An endorsement of this card and master grant, by the therapist.
pub fn endorsement(world: &World, bytes: &mut [u8], card: Option<&[u8]>, master_grant: &[u8]) {
    // Magic, vault, card id, generation, digest of the master grant.
    if let Some(digest) = bytes.get_mut(72..104) {
        digest.copy_from_slice(&hash("master grant digest", &[master_grant]));
    }
    if let (Some(id), Some(body)) = (bytes.get_mut(36..68), card) {
        id.copy_from_slice(&hash("card id", &[body]));
    }
    sign_end(bytes, &member_seed(world, &world.therapist, "dr-salo"), "endorsement");
}

/// A disclosure, by the therapist.
pub fn disclosure(world: &World, bytes: &mut [u8]) -> Option<()> {
    // Magic, suite, vault, recipient, signer, roster version, sealed key, signature, payload.
    let (front, payload) = bytes.split_at_mut_checked(110 + world.suite.sealed_secret_len() + SIGNATURE)?;
    let (body, signature) = front.split_last_chunk_mut::<SIGNATURE>()?;
    let context = hash("disclosure context", &[&body[4..102]]);
    let sealed = hash("sealed key digest", &[&body[110..]]);
    let payload = hash("payload digest", &[payload]);
    let message = [&context, &sealed, &payload, &body[102..110]].concat();
    *signature = sign(&member_seed(world, &world.therapist, "dr-salo"), "disclosure", &message);
    Some(())
}

/// A deposit, by the front end.
pub fn deposit(world: &World, record: &str, bytes: &mut [u8]) -> Option<()> {
    let (front, payload) = bytes.split_at_mut_checked(HEAD + 40 + world.suite.sealed_secret_len() + SIGNATURE)?;
    let (body, signature) = front.split_last_chunk_mut::<SIGNATURE>()?;
    let sealed = hash("sealed key digest", &[&body[88..]]);
    let digest = hash("payload digest", &[payload]);
    *signature = statement(world, record, body, 2, &body[7..39], &body[48..88], &sealed, &digest);
    Some(())
}

/// An absorbed deposit: the origin in it, by the front end.
pub fn absorbed(world: &World, record: &str, bytes: &mut [u8]) -> Option<()> {
    let (front, payload) = bytes.split_at_mut_checked(HEAD + 168 + 72)?;
    let digest = hash("payload digest", &[payload]);
    let signature = statement(world, record, front, 2, &front[48..80], &front[80..120], &front[120..152], &digest);
    front[152..216].copy_from_slice(&signature);
    Some(())
}

/// A deposited attachment: digest and signature behind it, by the front end.
pub fn deposited_attachment(world: &World, record: &str, bytes: &mut [u8]) -> Option<()> {
    let (front, rest) = bytes.split_at_mut_checked(HEAD + 40 + world.suite.sealed_secret_len())?;
    let (payload, trailer) = rest.split_last_chunk_mut::<{ 32 + SIGNATURE }>()?;
    let sealed = hash("sealed key digest", &[&front[88..]]);
    let digest = hash("payload digest", &[payload]);
    let signature = statement(world, record, front, 4, &front[7..39], &front[48..88], &sealed, &digest);
    trailer[..32].copy_from_slice(&digest);
    trailer[32..].copy_from_slice(&signature);
    Some(())
}

/// `wrap context || writer || sealed key digest || payload digest || roster version`.
#[allow(clippy::too_many_arguments)]
fn statement(
    world: &World,
    record: &str,
    head: &[u8],
    path: u8,
    card: &[u8],
    writer_and_seen: &[u8],
    sealed: &[u8],
    payload: &[u8],
) -> [u8; SIGNATURE] {
    let (vault, padding) = (world.pinned.vault(), head[47]);
    let [patient, record, field] = [crate::world::PATIENT, record, crate::world::FIELD].map(|id| lp(id.as_bytes()));
    let context = hash("payload context", &[vault.as_bytes(), &patient, &record, &field, &[0; 8], &[padding]]);
    let (writer, seen) = writer_and_seen.split_at(32);
    let wrap = [labelled("deposit wrap").as_slice(), &[path], card, &context].concat();
    let message = [&wrap, writer, sealed, payload, seen].concat();
    sign(&member_seed(world, &world.front_end, "intake"), "deposit", &message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Signs it again after the signature was destroyed.
    fn is_remade(made: &[u8], signature: std::ops::Range<usize>, forge: impl FnOnce(&mut [u8])) {
        let mut bytes = made.to_vec();
        bytes[signature].fill(0);
        forge(&mut bytes);
        assert!(bytes == made);
    }

    #[test]
    fn what_was_not_altered_comes_back_the_same() {
        for world in [World::of(false), World::of(true)] {
            let end = |bytes: &[u8]| bytes.len() - SIGNATURE..bytes.len();
            for made in &world.rosters {
                is_remade(made, end(made), |bytes| roster(world, bytes));
            }
            let pin_bytes = world.vault.pin().to_bytes();
            is_remade(&pin_bytes, 80..112, pin);
            let first = &world.patients[0].states[0];
            is_remade(&first.endorsement, end(&first.endorsement), |bytes| {
                endorsement(world, bytes, Some(world.patients[0].body(0)), &first.master_grant);
            });
            let sealed = world.suite.sealed_secret_len();
            is_remade(&world.disclosure, 110 + sealed..174 + sealed, |bytes| disclosure(world, bytes).unwrap());
            let note = &world.deposit;
            is_remade(&note.bytes, 88 + sealed..152 + sealed, |bytes| deposit(world, &note.record, bytes).unwrap());
            is_remade(&world.absorbed, 152..216, |bytes| absorbed(world, &note.record, bytes).unwrap());
            let (record, made) = &world.deposited_attachment;
            is_remade(made, end(made), |bytes| deposited_attachment(world, record, bytes).unwrap());
        }
    }
}
