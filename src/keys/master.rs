//! The master secret and the keys derived from it.

use core::fmt;

use rand_core::TryCryptoRng;
use subtle::ConstantTimeEq;

use super::{labels, schedule};
use crate::digest::{KeyFingerprint, VaultId};
use crate::error::{Result, Untrusted};
use crate::ident::Scope;
use crate::prim::hash::hash;
use crate::prim::hpke::{PrivateKey, PublicKey};
use crate::prim::rng;
use crate::prim::sign::{SigningKey, VerifyingKey};
use crate::secret::Secret;

/// The 32 bytes that are split among the custodians and never stored.
pub(crate) struct MasterSecret(Secret<32>);

impl MasterSecret {
    /// Draws a new master secret.
    pub(crate) fn draw(rng: &mut impl TryCryptoRng) -> Result<Self> {
        Secret::try_filled(|secret| rng::fill(rng, secret)).map(Self)
    }

    pub(crate) const fn from_secret(secret: Secret<32>) -> Self {
        Self(secret)
    }

    pub(crate) fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// Derives the key pairs; they become a [`MasterKey`] only by comparison with the descriptor's.
    pub(crate) fn derive(&self, scope: Scope, generation: u32) -> Result<MasterKeyPairs> {
        let key = |label| schedule::master(&self.0, label, scope, generation);
        let hpke = PrivateKey::from_secret(scope.suite, key(labels::MASTER_HPKE))?;
        let hpke_public = hpke.public_key()?;
        let root = SigningKey::from_seed(key(labels::MASTER_ROOT).expose());
        Ok(MasterKeyPairs { vault: scope.vault, generation, hpke, hpke_public, root })
    }
}

/// Key pairs of some master secret, not yet compared with a descriptor.
pub(crate) struct MasterKeyPairs {
    vault: VaultId,
    generation: u32,
    hpke: PrivateKey,
    pub(crate) hpke_public: PublicKey,
    root: SigningKey,
}

impl MasterKeyPairs {
    pub(crate) fn root_public(&self) -> VerifyingKey {
        self.root.verifying_key()
    }

    /// The master key, if these are the key pairs whose public halves the descriptor lists.
    pub(crate) fn matching(self, hpke_public: &PublicKey, root_public: &VerifyingKey) -> Result<MasterKey> {
        let hpke_same = self.hpke_public.as_bytes().ct_eq(hpke_public.as_bytes());
        let root_same = self.root_public().as_bytes().ct_eq(root_public.as_bytes());
        if !bool::from(hpke_same & root_same) {
            return Err(Untrusted::MasterKey.into());
        }
        let fingerprint = master_fingerprint(&self.hpke_public);
        Ok(MasterKey { vault: self.vault, generation: self.generation, hpke: self.hpke, root: self.root, fingerprint })
    }
}

/// The fingerprint of a master HPKE key, by which grants name it.
pub(crate) fn master_fingerprint(key: &PublicKey) -> KeyFingerprint {
    KeyFingerprint(hash(labels::MASTER_FINGERPRINT, &[&key.suite().kem_id().to_be_bytes(), key.as_bytes()]))
}

/// The master key of one generation, in memory for as long as a quorum's work takes. Wiped when dropped.
///
/// It exists only right after creation, or after k shares were recovered and the result compared with the pinned
/// descriptor. It opens master grants and signs as the root.
pub struct MasterKey {
    vault: VaultId,
    generation: u32,
    pub(crate) hpke: PrivateKey,
    pub(crate) root: SigningKey,
    fingerprint: KeyFingerprint,
}

impl MasterKey {
    /// The vault that it opens.
    #[must_use]
    pub const fn vault(&self) -> VaultId {
        self.vault
    }

    /// The generation of its master secret, from 1.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// The fingerprint by which grants name it.
    #[must_use]
    pub const fn fingerprint(&self) -> KeyFingerprint {
        self.fingerprint
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey")
            .field("vault", &self.vault)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}
