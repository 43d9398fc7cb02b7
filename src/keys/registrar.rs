//! The registrar's key, which signs rosters.

use core::fmt;

use rand_core::TryCryptoRng;

use super::{labels, schedule};
use crate::error::Result;
use crate::prim::rng;
use crate::prim::sign::{SigningKey, VerifyingKey};
use crate::secret::{Secret, SecretBytes};

/// The registrar's Ed25519 signing key (RFC 8032). Wiped when dropped.
///
/// Security: it opens nothing that is stored. Whoever has it says who future grants go to.
pub struct RegistrarKey {
    seed: Secret<32>,
    pub(crate) signing: SigningKey,
}

impl RegistrarKey {
    /// Draws a new key from the given generator.
    ///
    /// # Errors
    /// [`Error::Randomness`](crate::Error::Randomness) if the generator fails.
    pub fn generate(rng: &mut impl TryCryptoRng) -> Result<Self> {
        Ok(Self::from_secret(Secret::try_filled(|seed| rng::fill(rng, seed))?))
    }

    /// Restores a key from its 32-byte seed; the caller wipes the seed. Every seed is a key.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self::from_secret(Secret::copied(seed))
    }

    /// The 32-byte seed, for storage where only the registrar reads it.
    #[must_use]
    pub fn seed(&self) -> SecretBytes {
        SecretBytes::new(self.seed.expose().to_vec())
    }

    /// The public half, which goes into the descriptor.
    #[must_use]
    pub fn public(&self) -> RegistrarPublicKey {
        RegistrarPublicKey(self.signing.verifying_key())
    }

    fn from_secret(seed: Secret<32>) -> Self {
        let signing = SigningKey::from_seed(schedule::registrar(&seed, labels::REGISTRAR_SIGNING).expose());
        Self { seed, signing }
    }
}

impl fmt::Debug for RegistrarKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistrarKey").finish_non_exhaustive()
    }
}

/// The public half of a registrar's key, 32 bytes: canonical and not of low order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegistrarPublicKey(pub(crate) VerifyingKey);

impl RegistrarPublicKey {
    /// Takes a key that the registrar sent by a trusted way; `None` if the 32 bytes are not a valid Ed25519 key.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        VerifyingKey::import(bytes).map(Self)
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}
