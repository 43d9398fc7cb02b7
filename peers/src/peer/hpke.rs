//! `hpke`, single shot in lukko's two suites: alone, and with an Ed25519 signature over what was sealed.

use std::marker::PhantomData;

use ed25519_dalek::{Signature, Signer, SigningKey};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::{X25519HkdfSha256, XWing};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable, single_shot_open, single_shot_seal_with_rng};
use lukko::OsRng;
use lukko::rand_core::{TryRng, UnwrapErr};

use crate::note::NotePeer;
use crate::work::Outcome;

/// What a suite is called here.
pub trait Suite: Kem {
    /// The name of the bare peer.
    const NAME: &'static str;
    /// The name of the one that signs.
    const SIGNED: &'static str;
    /// The length of the encapsulated key, in bytes.
    const ENCAPSULATED: usize;
}

impl Suite for XWing {
    const NAME: &'static str = "hpke, X-Wing";
    const SIGNED: &'static str = "hpke + sign, X-Wing";
    const ENCAPSULATED: usize = 1120;
}

impl Suite for X25519HkdfSha256 {
    const NAME: &'static str = "hpke, X25519";
    const SIGNED: &'static str = "hpke + sign, X25519";
    const ENCAPSULATED: usize = 32;
}

/// A key pair of the suite.
pub struct Hpke<K: Suite> {
    secret: K::PrivateKey,
    public: K::PublicKey,
    suite: PhantomData<K>,
}

const INFO: &[u8] = b"a note";

impl<K: Suite> Hpke<K> {
    /// A fresh key pair.
    pub fn new() -> Self {
        let (secret, public) = K::gen_keypair_with_rng(&mut UnwrapErr(OsRng));
        Self { secret, public, suite: PhantomData }
    }
}

impl<K: Suite> NotePeer for Hpke<K> {
    type Opened = Vec<u8>;

    fn name(&self) -> &'static str {
        K::NAME
    }

    fn seal(&self, note: &[u8]) -> Outcome<Vec<u8>> {
        let (encapsulated, ciphertext) = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, K>(
            &OpModeS::Base,
            &self.public,
            INFO,
            note,
            &[],
            &mut UnwrapErr(OsRng),
        )
        .map_err(|_| "refused")?;
        Ok([encapsulated.to_bytes().as_slice(), &ciphertext].concat())
    }

    fn open(&self, sealed: &[u8]) -> Outcome<Vec<u8>> {
        let (encapsulated, ciphertext) = sealed.split_at_checked(K::ENCAPSULATED).ok_or("too short")?;
        let encapsulated = K::EncappedKey::from_bytes(encapsulated).map_err(|_| "refused")?;
        let mode = &OpModeR::Base;
        single_shot_open::<ChaCha20Poly1305, HkdfSha256, K>(mode, &self.secret, &encapsulated, INFO, ciphertext, &[])
            .map_err(|_| "refused".into())
    }
}

/// The same, signed by its writer: the signature is over all that was sealed, and stands behind it.
pub struct Signed<K: Suite> {
    hpke: Hpke<K>,
    writer: SigningKey,
}

impl<K: Suite> Signed<K> {
    /// Fresh keys.
    pub fn new() -> Self {
        let mut seed = [0; 32];
        OsRng.try_fill_bytes(&mut seed).expect("the system's generator works");
        Self { hpke: Hpke::new(), writer: SigningKey::from_bytes(&seed) }
    }
}

impl<K: Suite> NotePeer for Signed<K> {
    type Opened = Vec<u8>;

    fn name(&self) -> &'static str {
        K::SIGNED
    }

    fn seal(&self, note: &[u8]) -> Outcome<Vec<u8>> {
        let mut sealed = self.hpke.seal(note)?;
        let signature = self.writer.sign(&sealed);
        sealed.extend_from_slice(&signature.to_bytes());
        Ok(sealed)
    }

    fn open(&self, sealed: &[u8]) -> Outcome<Vec<u8>> {
        let (sealed, signature) = sealed.split_last_chunk().ok_or("too short")?;
        self.writer.verifying_key().verify_strict(sealed, &Signature::from_bytes(signature))?;
        self.hpke.open(sealed)
    }
}
