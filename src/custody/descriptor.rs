//! The public part of a vault: parsed is one type, pinned another.

use alloc::boxed::Box;
use core::ops::Deref;

use rand_core::TryCryptoRng;

use crate::choice::Suite;
use crate::digest::{Fingerprint, KeyFingerprint, VaultId};
use crate::error::{Object, Result};
use crate::ident::{MemberId, Scope};
use crate::keys::labels;
use crate::keys::master::master_fingerprint;
use crate::keys::member::MemberKey;
use crate::prim::hash::hash;
use crate::prim::hpke::PublicKey;
use crate::prim::sign::VerifyingKey;
use crate::secret::Secret;
use crate::wire;

/// Everything public about one generation of a vault, well-formed and with valid keys, but not trusted.
///
/// Nothing accepts it until [`Pin::check`](crate::Pin::check) has made it a [`PinnedDescriptor`]. With X25519 it has
/// 140 + 32 n bytes, with X-Wing 1,324 + 32 n.
#[derive(Debug, Clone)]
pub struct Descriptor {
    bytes: Box<[u8]>,
    fingerprint: Fingerprint,
    scope: Scope,
    generation: u32,
    k: u8,
    n: u8,
    pub(crate) master_key: PublicKey,
    master_fingerprint: KeyFingerprint,
    pub(crate) root_key: VerifyingKey,
    pub(crate) registrar_key: VerifyingKey,
    share_digests: Box<[u8]>,
}

impl Descriptor {
    /// Reads a descriptor and imports its keys.
    ///
    /// # Errors
    /// [`Error::Malformed`](crate::Error::Malformed) with the field.
    ///
    /// # Security
    /// Whoever can write the database can write a descriptor. Compare [`Descriptor::fingerprint`] with one that came
    /// by a trusted way.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let parsed = wire::descriptor::Descriptor::parse(bytes)?;
        let master_key = PublicKey::import(parsed.scope.suite, parsed.master_key.value)
            .ok_or_else(|| parsed.master_key.refuse(Object::Descriptor, "master key"))?;
        let root_key = VerifyingKey::import(&parsed.root_key.value)
            .ok_or_else(|| parsed.root_key.refuse(Object::Descriptor, "root key"))?;
        let registrar_key = VerifyingKey::import(&parsed.registrar_key.value)
            .ok_or_else(|| parsed.registrar_key.refuse(Object::Descriptor, "registrar key"))?;
        Ok(Self {
            bytes: bytes.into(),
            fingerprint: Fingerprint(hash(labels::DESCRIPTOR_FINGERPRINT, &[bytes])),
            scope: parsed.scope,
            generation: parsed.generation,
            k: parsed.k,
            n: parsed.n,
            master_fingerprint: master_fingerprint(&master_key),
            master_key,
            root_key,
            registrar_key,
            share_digests: parsed.share_digests.into(),
        })
    }

    /// The bytes as they were read, to be stored and handed to clients.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The fingerprint over all of it: what people compare and clients pin.
    #[must_use]
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The suite of all objects of the vault.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.scope.suite
    }

    /// The vault's id.
    #[must_use]
    pub const fn vault(&self) -> VaultId {
        self.scope.vault
    }

    /// The generation of the master secret, from 1.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// How many shares recover the master secret.
    #[must_use]
    pub const fn k(&self) -> u8 {
        self.k
    }

    /// How many shares there are.
    #[must_use]
    pub const fn n(&self) -> u8 {
        self.n
    }

    /// The fingerprint by which grants name the master key.
    #[must_use]
    pub const fn master_fingerprint(&self) -> KeyFingerprint {
        self.master_fingerprint
    }

    pub(crate) const fn scope(&self) -> Scope {
        self.scope
    }

    /// The digest of share x, for 1 <= x <= n.
    pub(crate) fn share_digest(&self, x: u8) -> Option<&[u8]> {
        self.share_digests.chunks_exact(wire::LEN_32).nth(usize::from(x.checked_sub(1)?))
    }
}

/// A descriptor that is the one the client has pinned. Only [`Pin`](crate::Pin) makes one.
///
/// What needs a pinned descriptor does not take a parsed one:
///
/// ```compile_fail,E0308
/// fn skip_the_pin(descriptor: &lukko::Descriptor) {
///     lukko::Recovery::new(descriptor);
/// }
/// ```
#[derive(Debug, Clone)]
pub struct PinnedDescriptor(Descriptor);

impl PinnedDescriptor {
    pub(super) const fn new(descriptor: Descriptor) -> Self {
        Self(descriptor)
    }

    /// Draws the keys of a new member of this vault. The registrar admits [`MemberKey::entry`].
    ///
    /// # Errors
    /// [`Error::Randomness`](crate::Error::Randomness) if the generator fails.
    pub fn new_member(&self, id: MemberId<'_>, rng: &mut impl TryCryptoRng) -> Result<MemberKey> {
        MemberKey::draw(self.scope(), id, rng)
    }

    /// Restores a member's keys from the seed that [`MemberKey::seed`] gave; the caller wipes the seed.
    ///
    /// # Errors
    /// None in practice: every seed gives keys.
    pub fn member_from_seed(&self, id: MemberId<'_>, seed: &[u8; 32]) -> Result<MemberKey> {
        MemberKey::from_secret(self.scope(), id, Secret::copied(seed))
    }
}

impl Deref for PinnedDescriptor {
    type Target = Descriptor;

    fn deref(&self) -> &Descriptor {
        &self.0
    }
}
