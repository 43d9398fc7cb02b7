//! The key of someone outside the vault, who receives disclosures.

use core::fmt;

use rand_core::TryCryptoRng;

use super::labels;
use crate::choice::Suite;
use crate::digest::KeyFingerprint;
use crate::error::{Error, Object, Result};
use crate::prim::hash::hash;
use crate::prim::hkdf::expand_labelled;
use crate::prim::hpke::{PrivateKey, PublicKey};
use crate::prim::rng;
use crate::secret::{Secret, SecretBytes};

/// The private HPKE key of a court, another clinic or a patient. Wiped when dropped.
pub struct RecipientKey {
    seed: Secret<32>,
    pub(crate) hpke: PrivateKey,
    public: RecipientPublicKey,
}

impl RecipientKey {
    /// Draws a new key, of the suite of the vault that discloses.
    ///
    /// # Errors
    /// [`Error::Randomness`] if the generator fails.
    pub fn generate(suite: Suite, rng: &mut impl TryCryptoRng) -> Result<Self> {
        Self::from_secret(suite, Secret::try_filled(|seed| rng::fill(rng, seed))?)
    }

    /// Restores a key from its 32-byte seed; the caller wipes the seed.
    ///
    /// # Errors
    /// None in practice: every seed gives a key.
    pub fn from_seed(suite: Suite, seed: &[u8; 32]) -> Result<Self> {
        Self::from_secret(suite, Secret::copied(seed))
    }

    /// The 32-byte seed, for storage where only the recipient reads it.
    #[must_use]
    pub fn seed(&self) -> SecretBytes {
        SecretBytes::new(self.seed.expose().to_vec())
    }

    /// The public half, for the clinic.
    #[must_use]
    pub const fn public(&self) -> &RecipientPublicKey {
        &self.public
    }

    /// `HKDF-Expand(seed, lp(label) || suite, 32)`.
    fn from_secret(suite: Suite, seed: Secret<32>) -> Result<Self> {
        let suite_id = suite.kem_id().to_be_bytes();
        let key = Secret::filled(|key| expand_labelled(seed.expose(), labels::RECIPIENT_HPKE, [&suite_id], key));
        let hpke = PrivateKey::from_secret(suite, key)?;
        let public = RecipientPublicKey(hpke.public_key()?);
        Ok(Self { seed, hpke, public })
    }
}

impl fmt::Debug for RecipientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecipientKey").field("fingerprint", &self.public.fingerprint()).finish_non_exhaustive()
    }
}

/// The public HPKE key of someone outside: 32 bytes with X25519, 1,216 with X-Wing.
///
/// Security: nothing in it says whose it is. Compare the fingerprint with the recipient before disclosing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientPublicKey(pub(crate) PublicKey);

impl RecipientPublicKey {
    /// Takes a key as the recipient sent it.
    ///
    /// # Errors
    /// [`Error::Malformed`] if it is not one valid, canonical key of the suite.
    pub fn from_bytes(suite: Suite, bytes: &[u8]) -> Result<Self> {
        PublicKey::import(suite, bytes).map(Self).ok_or(Error::malformed(Object::Disclosure, "recipient key", 0))
    }

    pub(crate) const fn suite(&self) -> Suite {
        self.0.suite()
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The fingerprint to compare.
    #[must_use]
    pub fn fingerprint(&self) -> KeyFingerprint {
        let suite = self.0.suite().kem_id().to_be_bytes();
        KeyFingerprint(hash(labels::RECIPIENT_FINGERPRINT, &[&suite, self.0.as_bytes()]))
    }
}
