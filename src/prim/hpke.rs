//! HPKE base mode, RFC 9180, single shot: one public-key operation serves grants, deposits and disclosures.
//!
//! KEM X-Wing (0x647A) or DHKEM(X25519, HKDF-SHA256) (0x0020), KDF HKDF-SHA256 (0x0001), AEAD
//! ChaCha20-Poly1305 (0x0003). Base mode says nothing about who sealed: signatures do that, elsewhere.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::{X25519HkdfSha256, XWing};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable, single_shot_open, single_shot_seal_with_rng};
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use super::hkdf::expand_labelled;
use super::label::Label;
use super::point;
use super::rng::{self, OneShot};
use super::stack;
use crate::choice::Suite;
use crate::error::{Error, Result, Usage};
use crate::secret::Secret;

/// A public HPKE key: of the right length, canonical, and no point of low order.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum PublicKey {
    XWing(Box<<XWing as Kem>::PublicKey>, Box<[u8]>),
    X25519(<X25519HkdfSha256 as Kem>::PublicKey, Box<[u8]>),
}

impl PublicKey {
    /// Imports the bytes of a stored key; `None` if they are not one valid, canonical key of the suite.
    ///
    /// The ML-KEM part is checked for coefficients below q (FIPS 203, section 7.2), the X25519 part as
    /// [`point::is_canonical_and_full_order`] says.
    pub(crate) fn import(suite: Suite, bytes: &[u8]) -> Option<Self> {
        let x25519_part = bytes.last_chunk::<32>()?;
        if bytes.len() != suite.public_key_len() || !point::is_canonical_and_full_order(x25519_part) {
            return None;
        }
        match suite {
            Suite::XWing => {
                let key = <XWing as Kem>::PublicKey::from_bytes(bytes).ok()?;
                // Only the canonical encoding comes back the same.
                (key.to_bytes().as_slice() == bytes).then(|| Self::XWing(Box::new(key), bytes.into()))
            }
            Suite::X25519 => {
                let key = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(bytes).ok()?;
                Some(Self::X25519(key, bytes.into()))
            }
        }
    }

    pub(crate) const fn suite(&self) -> Suite {
        match self {
            Self::XWing(..) => Suite::XWing,
            Self::X25519(..) => Suite::X25519,
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::XWing(_, bytes) | Self::X25519(_, bytes) => bytes,
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey").field("suite", &self.suite()).finish_non_exhaustive()
    }
}

/// A private HPKE key, on the heap and wiped on drop.
///
/// That of X-Wing is kept as its KEM holds it, with the public half, which takes a third of an opening to compute. What
/// is secret in it are the same 32 bytes, and the KEM wipes them.
pub(crate) enum PrivateKey {
    XWing(Box<<XWing as Kem>::PrivateKey>),
    X25519(Secret<32>),
}

impl PrivateKey {
    /// The key of 32 uniform bytes.
    ///
    /// # Errors
    /// [`Error::NotAuthentic`] if the KEM refuses the key, which no uniform 32 bytes make it do.
    pub(crate) fn from_secret(suite: Suite, bytes: Secret<32>) -> Result<Self> {
        match suite {
            Suite::XWing => {
                let key = boxed::<XWing>(&bytes);
                wipe_stack(suite);
                key.map(Self::XWing)
            }
            Suite::X25519 => Ok(Self::X25519(bytes)),
        }
    }

    /// The public half.
    ///
    /// # Errors
    /// [`Error::NotAuthentic`] if the KEM refuses the key, which no uniform 32 bytes make it do.
    pub(crate) fn public_key(&self) -> Result<PublicKey> {
        let bytes = match self {
            Self::XWing(key) => public_bytes::<XWing>(key),
            Self::X25519(bytes) => public_bytes::<X25519HkdfSha256>(&*boxed::<X25519HkdfSha256>(bytes)?),
        };
        wipe_stack(self.suite());
        PublicKey::import(self.suite(), &bytes).ok_or(Error::NotAuthentic)
    }

    const fn suite(&self) -> Suite {
        match self {
            Self::XWing(_) => Suite::XWing,
            Self::X25519(_) => Suite::X25519,
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").field("suite", &self.suite()).finish_non_exhaustive()
    }
}

/// The randomness of one encapsulation, on the heap and wiped on drop: 32 bytes with X25519, 64 with X-Wing.
///
/// Security: one encapsulation to one key for each draw. Whoever knows the coins of an encapsulation opens what it seals.
pub(crate) struct Coins {
    bytes: Secret<64>,
    suite: Suite,
}

impl Coins {
    /// Draws as many bytes as the suite's encapsulation reads.
    ///
    /// # Errors
    /// [`Error::Randomness`] if the generator fails.
    pub(crate) fn draw(suite: Suite, rng: &mut impl TryCryptoRng) -> Result<Self> {
        let bytes = Secret::try_filled(|bytes| match suite {
            Suite::XWing => rng::fill(rng, bytes),
            Suite::X25519 => rng::fill(rng, bytes.split_at_mut(32).0),
        })?;
        Ok(Self { bytes, suite })
    }

    /// `HKDF-Expand(secret, lp(label) || context, 32 or 64)`: the same secret and context seal to the same bytes.
    ///
    /// Security: the label and the context say all that the coins are for: the key that is sealed to, too.
    #[cfg_attr(not(test), expect(dead_code, reason = "for grants that every holder of the secret can make again"))]
    pub(crate) fn derive<const PARTS: usize>(
        suite: Suite,
        secret: &[u8; 32],
        label: Label,
        context: [&[u8]; PARTS],
    ) -> Self {
        // A shorter output of HKDF-Expand is the beginning of a longer one.
        Self { bytes: Secret::filled(|bytes| expand_labelled(secret, label, context, bytes)), suite }
    }

    fn expose(&self) -> &[u8] {
        match self.suite {
            Suite::XWing => self.bytes.expose(),
            Suite::X25519 => self.bytes.expose().split_at(32).0,
        }
    }
}

/// `SealBase(public key, info, aad, secret)` -> encapsulation || ciphertext || tag (RFC 9180, section 6.1): with X25519
/// 48 bytes more than the secret, with X-Wing 1,136. The secrets of the vault have 32 bytes.
///
/// # Errors
/// [`Error::Randomness`] for the coins of another suite; [`Usage::TooLong`] for what no AEAD seals.
pub(crate) fn seal_secret(to: &PublicKey, info: &[u8], aad: &[u8], secret: &[u8], coins: &Coins) -> Result<Vec<u8>> {
    let sealed = match to {
        PublicKey::XWing(key, _) => seal::<XWing>(key, info, aad, secret, coins),
        PublicKey::X25519(key, _) => seal::<X25519HkdfSha256>(key, info, aad, secret, coins),
    };
    wipe_stack(to.suite());
    sealed
}

/// `OpenBase(private key, info, aad, sealed)` -> 32 bytes (RFC 9180, section 6.1).
///
/// # Errors
/// [`Error::NotAuthentic`], for every reason.
pub(crate) fn open_secret(key: &PrivateKey, info: &[u8], aad: &[u8], sealed: &[u8]) -> Result<Secret<32>> {
    let opened = open_bytes(key, info, aad, sealed)?;
    opened.first_chunk::<32>().filter(|_| opened.len() == 32).map(Secret::copied).ok_or(Error::NotAuthentic)
}

/// [`open_secret`] for any length.
pub(super) fn open_bytes(key: &PrivateKey, info: &[u8], aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let split = sealed.split_at_checked(key.suite().encapsulation_len());
    let (encapsulation, ciphertext) = split.ok_or(Error::NotAuthentic)?;
    let opened = match key {
        PrivateKey::XWing(key) => open::<XWing>(key, info, aad, encapsulation, ciphertext),
        PrivateKey::X25519(bytes) => {
            open::<X25519HkdfSha256>(&*boxed::<X25519HkdfSha256>(bytes)?, info, aad, encapsulation, ciphertext)
        }
    };
    wipe_stack(key.suite());
    opened
}

fn wipe_stack(suite: Suite) {
    match suite {
        Suite::XWing => stack::wipe::<{ stack::LATTICE }>(),
        Suite::X25519 => stack::wipe::<{ stack::CURVE }>(),
    }
}

#[inline(never)]
fn public_bytes<K: Kem>(key: &K::PrivateKey) -> Vec<u8> {
    K::sk_to_pk(key).to_bytes().to_vec()
}

#[inline(never)]
fn seal<K: Kem>(to: &K::PublicKey, info: &[u8], aad: &[u8], secret: &[u8], coins: &Coins) -> Result<Vec<u8>> {
    let (mode, mut once) = (OpModeS::Base, OneShot::new(coins.expose()));
    let sealed = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, K>(&mode, to, info, secret, aad, &mut once);
    // The key was imported, so that the KEM takes it, and only the length is left to refuse.
    let (encapsulation, ciphertext) = sealed.map_err(|_| Usage::TooLong)?;
    // A KEM that reads more or less than it did when this was written must not go unseen.
    if !once.spent_exactly() {
        return Err(Error::Randomness);
    }
    Ok([encapsulation.to_bytes().as_slice(), &ciphertext].concat())
}

#[inline(never)]
fn open<K: Kem>(
    key: &K::PrivateKey,
    info: &[u8],
    aad: &[u8],
    encapsulation: &[u8],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>> {
    let encapsulation = K::EncappedKey::from_bytes(encapsulation).map_err(|_| Error::NotAuthentic)?;
    let mode = OpModeR::Base;
    single_shot_open::<ChaCha20Poly1305, HkdfSha256, K>(&mode, key, &encapsulation, info, ciphertext, aad)
        .map(Zeroizing::new)
        .map_err(|_| Error::NotAuthentic)
}

#[inline(never)]
fn boxed<K: Kem>(bytes: &Secret<32>) -> Result<Box<K::PrivateKey>> {
    K::PrivateKey::from_bytes(bytes.expose()).map(Box::new).map_err(|_| Error::NotAuthentic)
}
