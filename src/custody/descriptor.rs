//! The public part of a vault: parsed is one type, pinned another.

use alloc::boxed::Box;
use core::ops::Deref;

use rand_core::TryCryptoRng;

use crate::error::{Error, Object, Result};
use crate::ident::{Fingerprint, KeyFingerprint, MemberId, Suite, VaultId};
use crate::keys::labels;
use crate::keys::master::master_fingerprint;
use crate::keys::member::MemberKey;
use crate::prim::hash::hash;
use crate::prim::hpke::PublicKey;
use crate::prim::sign::VerifyingKey;
use crate::secret::Secret;
use crate::wire;

/// Offset of the master key: behind magic, suite, vault id, generation, k and n.
const MASTER_KEY_OFFSET: usize = 44;

/// Everything public about one generation of a vault, well-formed and with valid keys, but not trusted.
///
/// Nothing accepts it until [`Pin::check`](crate::Pin::check) has made it a [`PinnedDescriptor`]. With X25519 it has
/// 140 + 32 n bytes, with X-Wing 1,324 + 32 n.
#[derive(Debug, Clone)]
pub struct Descriptor {
    bytes: Box<[u8]>,
    fingerprint: Fingerprint,
    suite: Suite,
    vault: VaultId,
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
    /// [`Error::Malformed`] with the field.
    ///
    /// # Security
    /// Whoever can write the database can write a descriptor. Compare [`Descriptor::fingerprint`] with one that came
    /// by a trusted way.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let parsed = wire::descriptor::Descriptor::parse(bytes)?;
        let root_offset = MASTER_KEY_OFFSET.saturating_add(parsed.suite.public_key_len());
        let registrar_offset = root_offset.saturating_add(wire::LEN_32);
        let refuse = |field, offset| Error::malformed(Object::Descriptor, field, offset);
        let master_key =
            PublicKey::import(parsed.suite, parsed.master_key).ok_or(refuse("master key", MASTER_KEY_OFFSET))?;
        let root_key = VerifyingKey::import(&parsed.root_key).ok_or(refuse("root key", root_offset))?;
        let registrar_key =
            VerifyingKey::import(&parsed.registrar_key).ok_or(refuse("registrar key", registrar_offset))?;
        Ok(Self {
            bytes: bytes.into(),
            fingerprint: Fingerprint(hash(labels::DESCRIPTOR_FINGERPRINT, &[bytes])),
            suite: parsed.suite,
            vault: parsed.vault,
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
        self.suite
    }

    /// The vault's id.
    #[must_use]
    pub const fn vault(&self) -> VaultId {
        self.vault
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

    pub(crate) const fn belongs_to(&self) -> (Suite, VaultId) {
        (self.suite, self.vault)
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
        MemberKey::draw(self.suite(), self.vault(), id, rng)
    }

    /// Restores a member's keys from the seed that [`MemberKey::seed`] gave; the caller wipes the seed.
    ///
    /// # Errors
    /// None in practice: every seed gives keys.
    pub fn member_from_seed(&self, id: MemberId<'_>, seed: &[u8; 32]) -> Result<MemberKey> {
        MemberKey::from_secret(self.suite(), self.vault(), id, Secret::copied(seed))
    }
}

impl Deref for PinnedDescriptor {
    type Target = Descriptor;

    fn deref(&self) -> &Descriptor {
        &self.0
    }
}
