//! The record key: fresh for every sealed object, known to nobody but the wrap.

use rand_core::TryCryptoRng;

use super::labels;
use super::patient::PatientKek;
use crate::error::Result;
use crate::prim::aead::{self, TAG_LEN};
use crate::prim::hkdf::expand_labelled;
use crate::prim::label::Label;
use crate::prim::rng;
use crate::secret::Scratch;
use crate::wire::record::WrappedKey;

/// What one sealed object is made with: record key, salt and wrap nonce. On the stack of one sealing: do not move it.
pub(crate) struct RecordSecrets {
    key: Scratch<32>,
    pub(crate) salt: [u8; 24],
    pub(crate) wrap_nonce: [u8; 24],
}

impl RecordSecrets {
    pub(crate) const fn empty() -> Self {
        Self { key: Scratch::zeroed(), salt: [0; 24], wrap_nonce: [0; 24] }
    }

    /// `key || salt || wrap nonce = HKDF-Expand(r, lp(label) || context, 80)` of one draw r of 32 bytes, in place.
    ///
    /// The context makes a generator that repeats itself harmless between records and revisions
    /// (hedging, cf. RFC 8937): the same r with another context gives unrelated values.
    pub(crate) fn draw<const PARTS: usize>(
        &mut self,
        label: Label,
        context: [&[u8]; PARTS],
        rng: &mut impl TryCryptoRng,
    ) -> Result<()> {
        let (mut drawn, mut okm) = (Scratch::<32>::zeroed(), Scratch::<80>::zeroed());
        rng::fill(rng, drawn.as_mut())?;
        expand_labelled(drawn.expose(), label, context, okm.as_mut());
        let (key, rest) = okm.expose().split_at(32);
        let (salt, wrap_nonce) = rest.split_at(24);
        self.key.as_mut().copy_from_slice(key);
        self.salt.copy_from_slice(salt);
        self.wrap_nonce.copy_from_slice(wrap_nonce);
        Ok(())
    }

    #[cfg(test)]
    pub(crate) fn of(key: &[u8; 32], salt: [u8; 24]) -> Self {
        let mut secrets = Self { salt, ..Self::empty() };
        secrets.key.as_mut().copy_from_slice(key);
        secrets
    }

    /// The record key.
    pub(crate) fn key(&self) -> &[u8; 32] {
        self.key.expose()
    }
}

/// A record key wrapped under a patient KEK: ciphertext and tag.
pub(crate) struct Wrapped {
    ciphertext: [u8; 32],
    tag: [u8; TAG_LEN],
}

impl Wrapped {
    /// As it stands in a record, with the nonce that it was wrapped with.
    pub(crate) const fn with_nonce<'a>(&'a self, nonce: &'a [u8; 24]) -> WrappedKey<'a> {
        WrappedKey { nonce, ciphertext: &self.ciphertext, tag: &self.tag }
    }
}

/// `XChaCha20-Poly1305-Encrypt[kek, nonce](aad = wrap context, record key)`: 32 bytes and a tag.
pub(crate) fn wrap(kek: &PatientKek, nonce: &[u8; 24], wrap_context: &[u8], key: &[u8; 32]) -> Result<Wrapped> {
    let mut ciphertext = Scratch::<32>::zeroed();
    ciphertext.as_mut().copy_from_slice(key);
    let tag = aead::wrap_in_place(kek.expose(), nonce, wrap_context, ciphertext.as_mut())?;
    Ok(Wrapped { ciphertext: *ciphertext.expose(), tag })
}

/// `HKDF-Expand(r, lp(label) || wrap context, 24)` of one draw r: the nonce for a record key that is wrapped again.
pub(crate) fn draw_wrap_nonce(wrap_context: &[u8], rng: &mut impl TryCryptoRng) -> Result<[u8; 24]> {
    let mut drawn = Scratch::<32>::zeroed();
    rng::fill(rng, drawn.as_mut())?;
    let mut nonce = [0; 24];
    expand_labelled(drawn.expose(), labels::WRAP_NONCE, [wrap_context], &mut nonce);
    Ok(nonce)
}

/// An unwrapped record key, on the stack of one opening.
pub(crate) struct RecordKey(Scratch<32>);

impl RecordKey {
    pub(crate) const fn empty() -> Self {
        Self(Scratch::zeroed())
    }

    /// Unwraps in place, and gives the key only if the wrap is authentic.
    ///
    /// # Errors
    /// [`Error::NotAuthentic`](crate::Error::NotAuthentic).
    pub(crate) fn unwrap_in_place(
        &mut self,
        kek: &PatientKek,
        wrapped: &WrappedKey<'_>,
        wrap_context: &[u8],
    ) -> Result<&[u8; 32]> {
        self.0.as_mut().copy_from_slice(wrapped.ciphertext);
        aead::unwrap_in_place(kek.expose(), wrapped.nonce, wrap_context, self.0.as_mut(), wrapped.tag)?;
        Ok(self.0.expose())
    }
}
