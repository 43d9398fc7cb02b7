//! A custodian's share: its forms, and its check against the descriptor.

use alloc::vec::Vec;
use core::fmt;
use core::num::NonZeroU8;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::descriptor::PinnedDescriptor;
use crate::digest::VaultId;
use crate::error::{Error, Object, Result, ShareFault};
use crate::keys::labels;
use crate::prim::hash::hash;
use crate::secret::{SecretBytes, SecretText};
use crate::shamir::Point;
use crate::wire;
use crate::wire::share::SHARE_LEN;
use crate::wire::share_text;

/// One custodian's share of the master secret. Wiped when dropped; it cannot be cloned.
///
/// ```compile_fail,E0382
/// fn give_twice(recovery: &mut lukko::Recovery<'_>, share: lukko::Share) {
///     let _ = recovery.add(share);
///     let _ = recovery.add(share);
/// }
/// ```
///
/// As bytes it has 75, as text 132 characters that begin with `lukko1`.
pub struct Share {
    vault: VaultId,
    generation: u32,
    k: u8,
    n: u8,
    point: Point,
}

impl Share {
    pub(super) const fn new(vault: VaultId, generation: u32, k: u8, n: u8, point: Point) -> Self {
        Self { vault, generation, k, n, point }
    }

    /// Reads 75 bytes; the caller wipes them.
    ///
    /// # Errors
    /// [`Error::Malformed`] with the field. Whether the share is the one that was dealt, says
    /// [`PinnedDescriptor::check_share`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let share = wire::share::Share::parse(bytes)?;
        let refuse = Error::malformed(Object::Share, "x", 42);
        let x = NonZeroU8::new(share.x).ok_or(refuse)?;
        Ok(Self::new(share.vault, share.generation, share.k, share.n, Point::new(x, share.y)))
    }

    /// Reads the text form as people type and paste it: white space of Unicode, hyphens (U+002D, U+00AD, U+2010, U+2011) and
    /// marks that nobody sees (U+200B to U+200F, U+2060, U+FEFF) are passed over; all letters may be capitals, or the
    /// first one alone. The caller wipes the text.
    ///
    /// # Errors
    /// [`Error::ShareCharacter`] for a character that no share has. [`Error::Malformed`] of [`Object::ShareText`] with the
    /// position of the wrong character, counted from 0 without what is passed over; with `length` and the number of
    /// characters if there are not 132; or with `checksum` if more than one character is wrong. Every wrong character and
    /// every transposition of neighbours is detected. No error shows a character that a share can have.
    pub fn from_text(text: &str) -> Result<Self> {
        let mut bytes = Zeroizing::new([0; SHARE_LEN]);
        share_text::decode_into(text, &mut bytes)?;
        Self::from_bytes(bytes.as_slice())
    }

    /// The share in 75 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> SecretBytes {
        let mut bytes = Zeroizing::new([0; SHARE_LEN]);
        self.encode_into(&mut bytes);
        let mut owned = Vec::with_capacity(SHARE_LEN);
        owned.extend_from_slice(bytes.as_slice());
        SecretBytes::new(owned)
    }

    /// The share as 132 characters of Bech32m, for paper.
    #[must_use]
    pub fn to_text(&self) -> SecretText {
        let mut bytes = Zeroizing::new([0; SHARE_LEN]);
        self.encode_into(&mut bytes);
        SecretText::new(share_text::encode(&bytes))
    }

    /// The share's index x, 1 to n: the custodian's number.
    #[must_use]
    pub const fn index(&self) -> u8 {
        self.point.x().get()
    }

    /// The vault that it belongs to.
    #[must_use]
    pub const fn vault(&self) -> VaultId {
        self.vault
    }

    /// The generation of the master secret that it belongs to.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    pub(super) fn into_point(self) -> Point {
        self.point
    }

    fn encode_into(&self, out: &mut [u8; SHARE_LEN]) {
        let Self { vault, generation, k, n, ref point } = *self;
        wire::share::Share { vault, generation, k, n, x: point.x().get(), y: point.y() }.encode_into(out);
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Share")
            .field("index", &self.index())
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

/// `SHA-256(lp(label) || vault id || generation || x || y)`: says "this is what the dealer made", and nothing about y
/// to who cannot guess 256 random bits.
pub(super) fn digest(vault: &VaultId, generation: u32, point: &Point) -> [u8; 32] {
    let x = [point.x().get()];
    hash(labels::SHARE_DIGEST, &[vault.as_bytes(), &generation.to_be_bytes(), &x, point.y()])
}

impl PinnedDescriptor {
    /// Checks one share alone, years later too: is it the one that was dealt under its index?
    ///
    /// # Errors
    /// [`Error::Share`] with the index and the reason.
    pub fn check_share(&self, share: &Share) -> Result<()> {
        let index = share.index();
        let refuse = |reason| Err(Error::Share { index, reason });
        if share.vault != self.vault() {
            return refuse(ShareFault::Vault);
        }
        if share.generation != self.generation() {
            return refuse(ShareFault::Generation);
        }
        if share.k != self.k() {
            return refuse(ShareFault::Threshold);
        }
        if share.n != self.n() {
            return refuse(ShareFault::Count);
        }
        let Some(dealt) = self.share_digest(index) else {
            return refuse(ShareFault::Index);
        };
        let same = digest(&share.vault, share.generation, &share.point).as_slice().ct_eq(dealt);
        if bool::from(same) { Ok(()) } else { refuse(ShareFault::Value) }
    }
}
