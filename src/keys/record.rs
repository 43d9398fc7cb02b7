//! The record key: fresh for every sealed object, known to nobody but the wrap.

use rand_core::TryCryptoRng;

use super::labels;
use super::patient::PatientKek;
use crate::error::{Error, Result};
use crate::prim::aead::{self, TAG_LEN};
use crate::prim::hkdf::expand_labelled;
use crate::prim::label::Label;
use crate::prim::rng;
use crate::secret::Scratch;
use crate::wire::record::WrappedKey;

/// Record key (32 bytes), salt (24) and wrap nonce (24) of one sealed object, in this order.
pub(crate) struct RecordDraw(Scratch<80>);

impl RecordDraw {
    pub(crate) const fn empty() -> Self {
        Self(Scratch::zeroed())
    }

    /// `HKDF-Expand(r, lp(label) || context, 80)` of one draw r of 32 bytes, in place.
    ///
    /// The context makes a generator that repeats itself harmless between records and revisions
    /// (hedging, cf. RFC 8937): the same r with another context gives unrelated values.
    pub(crate) fn draw<const PARTS: usize>(
        &mut self,
        label: Label,
        context: [&[u8]; PARTS],
        rng: &mut impl TryCryptoRng,
    ) -> Result<()> {
        let mut drawn = Scratch::<32>::zeroed();
        rng::fill(rng, drawn.as_mut())?;
        expand_labelled(drawn.expose(), label, context, self.0.as_mut())
    }

    /// Record key, salt and wrap nonce.
    pub(crate) fn parts(&self) -> Result<(&[u8; 32], &[u8; 24], &[u8; 24])> {
        let bytes = self.0.expose();
        let parts = bytes.split_first_chunk::<32>().and_then(|(key, rest)| {
            let (salt, rest) = rest.split_first_chunk::<24>()?;
            rest.split_first_chunk::<24>().map(|(nonce, _)| (key, salt, nonce))
        });
        parts.ok_or(Error::NotAuthentic)
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
    expand_labelled(drawn.expose(), labels::WRAP_NONCE, [wrap_context], &mut nonce)?;
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
    /// [`Error::NotAuthentic`].
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
