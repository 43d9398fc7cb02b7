//! The making of a vault.

use alloc::vec::Vec;

use rand_core::TryCryptoRng;

use super::descriptor::{Descriptor, PinnedDescriptor};
use super::policy::Policy;
use super::share::{self, Share};
use crate::choice::Suite;
use crate::digest::VaultId;
use crate::error::{Result, Usage};
use crate::ident::Scope;
use crate::keys::master::{MasterKey, MasterKeyPairs, MasterSecret};
use crate::keys::registrar::RegistrarPublicKey;
use crate::prim::rng;
use crate::shamir::{self, Point};
use crate::wire;
use crate::wire::frame::Field;

/// A new vault: the public descriptor, the shares for the custodians, and the master key until it is dropped.
#[derive(Debug)]
pub struct NewVault {
    /// The public part. Hand its fingerprint to every client by a trusted way.
    pub descriptor: Descriptor,
    /// One share for each custodian, in order of their index from 1. Each goes to one person and nowhere else.
    pub shares: Vec<Share>,
    /// The master key, for what only the root does on the first day. Drop it as soon as that is done.
    pub master: MasterKey,
}

/// Makes a vault: draws its id and its master secret, splits the secret, and describes it publicly.
///
/// # Errors
/// [`Error::Randomness`](crate::Error::Randomness) if the generator fails; nothing was made then.
pub fn create(
    policy: Policy,
    suite: Suite,
    registrar: &RegistrarPublicKey,
    rng: &mut impl TryCryptoRng,
) -> Result<NewVault> {
    let mut vault = [0; 32];
    rng::fill(rng, &mut vault)?;
    deal(policy, Scope { suite, vault: VaultId(vault) }, 1, registrar, rng)
}

/// Makes the generation after a pinned one, with custodians and a registrar of its own.
///
/// # Errors
/// [`Usage::VersionExhausted`] after generation 2^32 - 1; [`Error::Randomness`](crate::Error::Randomness).
pub(crate) fn deal_next(
    old: &PinnedDescriptor,
    policy: Policy,
    registrar: &RegistrarPublicKey,
    rng: &mut impl TryCryptoRng,
) -> Result<NewVault> {
    let generation = old.generation().checked_add(1).ok_or(Usage::VersionExhausted)?;
    deal(policy, old.scope(), generation, registrar, rng)
}

/// Draws and splits the master secret of one generation.
fn deal(
    policy: Policy,
    scope: Scope,
    generation: u32,
    registrar: &RegistrarPublicKey,
    rng: &mut impl TryCryptoRng,
) -> Result<NewVault> {
    let secret = MasterSecret::draw(rng)?;
    let points = shamir::split(secret.expose(), policy.k(), policy.n(), rng)?;
    let pairs = secret.derive(scope, generation)?;
    let descriptor = describe(policy, scope, generation, &pairs, registrar, &points)?;
    let master = pairs.matching(&descriptor.master_key, &descriptor.root_key)?;
    let share = |point| Share::new(scope.vault, generation, policy.k(), policy.n(), point);
    Ok(NewVault { descriptor, shares: points.into_iter().map(share).collect(), master })
}

/// Encodes the descriptor and reads it back, so that what is published is what every client will accept.
fn describe(
    policy: Policy,
    scope: Scope,
    generation: u32,
    pairs: &MasterKeyPairs,
    registrar: &RegistrarPublicKey,
    points: &[Point],
) -> Result<Descriptor> {
    let digests: Vec<u8> = points.iter().flat_map(|point| share::digest(&scope.vault, generation, point)).collect();
    let bytes = wire::descriptor::Descriptor {
        scope,
        generation,
        k: policy.k(),
        n: policy.n(),
        master_key: Field::new(pairs.hpke_public.as_bytes()),
        root_key: Field::new(*pairs.root_public().as_bytes()),
        registrar_key: Field::new(*registrar.as_bytes()),
        share_digests: &digests,
    }
    .encode();
    Descriptor::parse(&bytes)
}
