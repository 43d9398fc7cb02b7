//! The keys of one message: derivation, commitment, and the nonce of each chunk.

use core::fmt;
use core::marker::PhantomData;

use subtle::ConstantTimeEq;

use super::{CHUNK_LEN, COMMITMENT_LEN, ChunkIndex, Header, Instantiation, NONCE_LEN, SALT_LEN, TAG_LEN};
use crate::error::{Error, Result, Usage};
use crate::secret::{Scratch, Secret};

const PROTOCOL: &[u8] = b"c2sp.org/chunked-encryption@v1+";
const MAX_KEY_LEN: usize = 32;
const MAX_OKM_LEN: usize = MAX_KEY_LEN + NONCE_LEN + COMMITMENT_LEN;

/// Seals the chunks of one message, in order, each nonce once.
///
/// There is no way to choose a chunk's number or to seal after the last chunk. `I` is the [`Instantiation`]; keys have
/// `KEY_LEN` bytes. Wiped when dropped, not `Clone`.
pub struct SealingKey<I, const KEY_LEN: usize> {
    key: MessageKey<I, KEY_LEN>,
    commitment: [u8; COMMITMENT_LEN],
    next: ChunkIndex,
}

impl<I: Instantiation<KEY_LEN>, const KEY_LEN: usize> SealingKey<I, KEY_LEN> {
    /// Derives the keys of a new message.
    ///
    /// # Errors
    /// [`Error::NotAuthentic`] if the instantiation cannot expand 76 bytes, which ours can.
    ///
    /// Security: `input_key` is uniformly random, and `salt` (24 bytes) is never used with it again.
    pub fn derive(input_key: &[u8; KEY_LEN], salt: &[u8; SALT_LEN], context: &[u8]) -> Result<Self> {
        let mut okm = Scratch::zeroed();
        let derived = expand::<I, KEY_LEN>(input_key, salt, context, &mut okm)?;
        Ok(Self { key: MessageKey::new(&derived), commitment: *derived.commitment, next: ChunkIndex::FIRST })
    }

    /// The 32 bytes that follow the salt in the header.
    #[must_use]
    pub const fn commitment(&self) -> &[u8; COMMITMENT_LEN] {
        &self.commitment
    }

    /// Encrypts the next full chunk in place and returns its 16-byte tag.
    ///
    /// # Errors
    /// [`Usage::TooLong`] if no number would be left for the last chunk; `chunk` is then untouched.
    pub fn seal_full(&mut self, chunk: &mut [u8; CHUNK_LEN]) -> Result<[u8; TAG_LEN]> {
        // The counter moves before the nonce is used, so that no failure can lead to its second use.
        let index = self.next;
        self.next = index.next().ok_or(Usage::TooLong)?;
        I::seal_in_place(self.key.key.expose(), &self.key.nonce(index), chunk)
    }

    /// Encrypts the last chunk in place, 0 to 16,383 bytes, and returns its 16-byte tag.
    ///
    /// # Errors
    /// [`Usage::TooLong`] for a longer chunk, which is then untouched.
    pub fn seal_last(self, chunk: &mut [u8]) -> Result<[u8; TAG_LEN]> {
        if chunk.len() >= CHUNK_LEN {
            return Err(Usage::TooLong.into());
        }
        I::seal_in_place(self.key.key.expose(), &self.key.nonce(self.next), chunk)
    }
}

#[cfg(test)]
impl<I, const KEY_LEN: usize> SealingKey<I, KEY_LEN> {
    /// Takes a new key to chunk `index`, for the tests at the limit.
    pub(super) fn starting_at(mut self, index: ChunkIndex) -> Self {
        self.next = index;
        self
    }
}

/// Opens the chunks of one message, in any order. It exists only where the commitment has been checked.
///
/// `I` is the [`Instantiation`]; keys have `KEY_LEN` bytes. Wiped when dropped, not `Clone`.
pub struct OpeningKey<I, const KEY_LEN: usize>(MessageKey<I, KEY_LEN>);

impl<I: Instantiation<KEY_LEN>, const KEY_LEN: usize> OpeningKey<I, KEY_LEN> {
    /// Derives the keys of the message with this header, if its commitment is theirs (compared in constant time).
    ///
    /// # Errors
    /// [`Error::NotAuthentic`] if it is not: another input key, salt or context, or an altered header.
    pub fn derive_checked(input_key: &[u8; KEY_LEN], header: &Header<'_>, context: &[u8]) -> Result<Self> {
        let mut okm = Scratch::zeroed();
        let derived = expand::<I, KEY_LEN>(input_key, header.salt(), context, &mut okm)?;
        if !bool::from(derived.commitment.ct_eq(header.commitment())) {
            return Err(Error::NotAuthentic);
        }
        Ok(Self(MessageKey::new(&derived)))
    }

    /// Decrypts chunk `index` in place; `chunk` comes without its tag.
    ///
    /// # Errors
    /// [`Error::NotAuthentic`]; `chunk` then holds nothing to be used.
    ///
    /// Security: only a [`super::Layout`] of the whole message says which chunk is the last.
    pub fn open(&self, index: ChunkIndex, chunk: &mut [u8], tag: &[u8; TAG_LEN]) -> Result<()> {
        I::open_in_place(self.0.key.expose(), &self.0.nonce(index), chunk, tag)
    }
}

/// Key and base nonce of one message.
struct MessageKey<I, const KEY_LEN: usize> {
    key: Secret<KEY_LEN>,
    base_nonce: [u8; NONCE_LEN],
    instantiation: PhantomData<fn() -> I>,
}

impl<I, const KEY_LEN: usize> MessageKey<I, KEY_LEN> {
    fn new(derived: &Derived<'_, KEY_LEN>) -> Self {
        let key = Secret::copied(derived.key);
        Self { key, base_nonce: *derived.base_nonce, instantiation: PhantomData }
    }

    // "AEAD usage": the chunk's nonce is the base nonce XOR the chunk's number, big-endian and as wide as the nonce.
    fn nonce(&self, index: ChunkIndex) -> [u8; NONCE_LEN] {
        let mut nonce = self.base_nonce;
        for (byte, counter) in nonce.iter_mut().rev().zip(index.get().to_le_bytes()) {
            *byte ^= counter;
        }
        nonce
    }
}

/// The three parts of the output keying material, where they lie in it.
struct Derived<'okm, const KEY_LEN: usize> {
    key: &'okm [u8; KEY_LEN],
    base_nonce: &'okm [u8; NONCE_LEN],
    commitment: &'okm [u8; COMMITMENT_LEN],
}

// "Key derivation":
//   key || base nonce || commitment =
//       HKDF-Expand(input key, "c2sp.org/chunked-encryption@v1+" || aead || 0x00 || salt || context)
// A shorter output of HKDF-Expand is the beginning of a longer one, so 76 bytes serve shorter keys as well.
fn expand<'okm, I: Instantiation<KEY_LEN>, const KEY_LEN: usize>(
    input_key: &[u8; KEY_LEN],
    salt: &[u8; SALT_LEN],
    context: &[u8],
    okm: &'okm mut Scratch<MAX_OKM_LEN>,
) -> Result<Derived<'okm, KEY_LEN>> {
    const { assert!(KEY_LEN <= MAX_KEY_LEN, "longer keys do not fit into the output") };
    I::expand(input_key, &[PROTOCOL, I::AEAD_NAME.as_bytes(), &[0], salt, context], okm.as_mut())?;
    Derived::split(okm.expose()).ok_or(Error::NotAuthentic)
}

impl<'okm, const KEY_LEN: usize> Derived<'okm, KEY_LEN> {
    fn split(okm: &'okm [u8; MAX_OKM_LEN]) -> Option<Self> {
        let (key, okm) = okm.split_first_chunk()?;
        let (base_nonce, okm) = okm.split_first_chunk()?;
        let (commitment, _) = okm.split_first_chunk()?;
        Some(Self { key, base_nonce, commitment })
    }
}

impl<I, const KEY_LEN: usize> fmt::Debug for SealingKey<I, KEY_LEN> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealingKey").finish_non_exhaustive()
    }
}

impl<I, const KEY_LEN: usize> fmt::Debug for OpeningKey<I, KEY_LEN> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpeningKey").finish_non_exhaustive()
    }
}
