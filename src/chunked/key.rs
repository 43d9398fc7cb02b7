//! The keys of one message: derivation, commitment, and the nonce of each chunk.

use alloc::boxed::Box;
use core::fmt;
use core::marker::PhantomData;
use core::ops::DerefMut;

use subtle::ConstantTimeEq;

use super::{CHUNK_LEN, COMMITMENT_LEN, ChunkIndex, Header, Instantiation, NONCE_LEN, OKM_LEN, SALT_LEN, TAG_LEN};
use crate::error::{Error, Result, Usage};
use crate::secret::Scratch;

const PROTOCOL: &[u8] = b"c2sp.org/chunked-encryption@v1+";

/// Seals the chunks of one message, in order, each nonce once.
///
/// There is no way to choose a chunk's number or to seal after the last chunk. `I` is the [`Instantiation`]; keys have
/// `KEY_LEN` bytes, and lie in a [`KeySlot`], on the heap unless another place is given. Wiped when dropped, not `Clone`.
pub struct SealingKey<I, const KEY_LEN: usize, S = Box<KeySlot<KEY_LEN>>> {
    key: MessageKey<I, S>,
    next: ChunkIndex,
}

impl<I: Instantiation<KEY_LEN>, const KEY_LEN: usize> SealingKey<I, KEY_LEN> {
    /// Derives the keys of a new message.
    ///
    /// Security: `input_key` is uniformly random, and `salt` (24 bytes) is never used with it again.
    #[must_use]
    pub fn derive(input_key: &[u8; KEY_LEN], salt: &[u8; SALT_LEN], context: &[u8]) -> Self {
        Self::derive_in(Box::new(KeySlot::empty()), input_key, salt, context)
    }
}

impl<I, const KEY_LEN: usize, S> SealingKey<I, KEY_LEN, S>
where
    I: Instantiation<KEY_LEN>,
    S: DerefMut<Target = KeySlot<KEY_LEN>>,
{
    /// [`SealingKey::derive`] into a place that the caller gives.
    pub fn derive_in(slot: S, input_key: &[u8; KEY_LEN], salt: &[u8; SALT_LEN], context: &[u8]) -> Self {
        Self { key: MessageKey::expand(slot, input_key, salt, context), next: ChunkIndex::FIRST }
    }

    /// The 32 bytes that follow the salt in the header.
    #[must_use]
    pub fn commitment(&self) -> &[u8; COMMITMENT_LEN] {
        &self.key.slot.commitment
    }

    /// Encrypts the next full chunk in place and returns its 16-byte tag.
    ///
    /// # Errors
    /// [`Usage::TooLong`] if no number would be left for the last chunk; `chunk` is then untouched.
    pub fn seal_full(&mut self, chunk: &mut [u8; CHUNK_LEN]) -> Result<[u8; TAG_LEN]> {
        let index = self.take_numbers(1)?;
        self.key.seal(index, chunk)
    }

    /// Takes the next numbers and gives the first of them. The counter moves before a nonce is used, so that no failure
    /// can lead to its second use.
    pub(super) fn take_numbers(&mut self, count: usize) -> Result<ChunkIndex> {
        let first = self.next;
        self.next = first.after(count).ok_or(Usage::TooLong)?;
        Ok(first)
    }

    /// Encrypts a chunk whose number was taken.
    pub(super) fn seal_numbered(&self, index: ChunkIndex, chunk: &mut [u8]) -> Result<[u8; TAG_LEN]> {
        self.key.seal(index, chunk)
    }

    /// Encrypts the last chunk in place, 0 to 16,383 bytes, and returns its 16-byte tag.
    ///
    /// # Errors
    /// [`Usage::TooLong`] for a longer chunk, which is then untouched.
    pub fn seal_last(self, chunk: &mut [u8]) -> Result<[u8; TAG_LEN]> {
        if chunk.len() >= CHUNK_LEN {
            return Err(Usage::TooLong.into());
        }
        self.key.seal(self.next, chunk)
    }
}

#[cfg(test)]
impl<I, const KEY_LEN: usize, S> SealingKey<I, KEY_LEN, S> {
    /// Takes a new key to chunk `index`, for the tests at the limit.
    pub(super) fn starting_at(mut self, index: ChunkIndex) -> Self {
        self.next = index;
        self
    }
}

/// Opens the chunks of one message, in any order. It exists only where the commitment has been checked.
///
/// `I` is the [`Instantiation`]; keys have `KEY_LEN` bytes, and lie as those of a [`SealingKey`]. Wiped when dropped, not
/// `Clone`.
pub struct OpeningKey<I, const KEY_LEN: usize, S = Box<KeySlot<KEY_LEN>>>(MessageKey<I, S>);

impl<I: Instantiation<KEY_LEN>, const KEY_LEN: usize> OpeningKey<I, KEY_LEN> {
    /// Derives the keys of the message with this header, if its commitment is theirs (compared in constant time).
    ///
    /// # Errors
    /// [`Error::NotAuthentic`] if it is not: another input key, salt or context, or an altered header.
    pub fn derive_checked(input_key: &[u8; KEY_LEN], header: &Header<'_>, context: &[u8]) -> Result<Self> {
        Self::derive_checked_in(Box::new(KeySlot::empty()), input_key, header, context)
    }
}

impl<I, const KEY_LEN: usize, S> OpeningKey<I, KEY_LEN, S>
where
    I: Instantiation<KEY_LEN>,
    S: DerefMut<Target = KeySlot<KEY_LEN>>,
{
    /// [`OpeningKey::derive_checked`] into a place that the caller gives.
    ///
    /// # Errors
    /// As there.
    pub fn derive_checked_in(slot: S, input_key: &[u8; KEY_LEN], header: &Header<'_>, context: &[u8]) -> Result<Self> {
        let key = MessageKey::expand(slot, input_key, header.salt(), context);
        if bool::from(key.slot.commitment.ct_eq(header.commitment())) {
            Ok(Self(key))
        } else {
            Err(Error::NotAuthentic)
        }
    }

    /// Decrypts chunk `index` in place; `chunk` comes without its tag.
    ///
    /// # Errors
    /// [`Error::NotAuthentic`]; `chunk` then holds nothing to be used.
    ///
    /// Security: only a [`super::Layout`] of the whole message says which chunk is the last.
    pub fn open(&self, index: ChunkIndex, chunk: &mut [u8], tag: &[u8; TAG_LEN]) -> Result<()> {
        I::open_in_place(self.0.slot.key.expose(), &self.0.nonce(index), chunk, tag)
    }
}

/// Where the keys of one message lie, so that a whole message needs no allocation for them. Wiped when dropped.
///
/// Security: do not move it while a key borrows it, which the compiler sees to, nor afterwards.
pub struct KeySlot<const KEY_LEN: usize> {
    key: Scratch<KEY_LEN>,
    base_nonce: [u8; NONCE_LEN],
    commitment: [u8; COMMITMENT_LEN],
}

impl<const KEY_LEN: usize> KeySlot<KEY_LEN> {
    /// Without keys.
    #[must_use]
    pub const fn empty() -> Self {
        Self { key: Scratch::zeroed(), base_nonce: [0; NONCE_LEN], commitment: [0; COMMITMENT_LEN] }
    }

    /// Takes key, base nonce and commitment from the beginning of the output.
    fn fill(&mut self, okm: &[u8; OKM_LEN]) {
        const { assert!(KEY_LEN + NONCE_LEN + COMMITMENT_LEN <= OKM_LEN, "longer keys do not fit into the output") };
        let (key, okm) = okm.split_at(KEY_LEN);
        let (base_nonce, okm) = okm.split_at(NONCE_LEN);
        self.key.as_mut().copy_from_slice(key);
        self.base_nonce.copy_from_slice(base_nonce);
        self.commitment.copy_from_slice(okm.split_at(COMMITMENT_LEN).0);
    }
}

/// Key and base nonce of one message, in their slot.
struct MessageKey<I, S> {
    slot: S,
    instantiation: PhantomData<fn() -> I>,
}

impl<I, S, const KEY_LEN: usize> MessageKey<I, S>
where
    I: Instantiation<KEY_LEN>,
    S: DerefMut<Target = KeySlot<KEY_LEN>>,
{
    // "Key derivation":
    //   key || base nonce || commitment =
    //       HKDF-Expand(input key, "c2sp.org/chunked-encryption@v1+" || aead || 0x00 || salt || context)
    // A shorter output of HKDF-Expand is the beginning of a longer one, so 76 bytes serve shorter keys as well.
    fn expand(mut slot: S, input_key: &[u8; KEY_LEN], salt: &[u8; SALT_LEN], context: &[u8]) -> Self {
        let mut okm = Scratch::zeroed();
        I::expand(input_key, &[PROTOCOL, I::AEAD_NAME.as_bytes(), &[0], salt, context], okm.as_mut());
        slot.fill(okm.expose());
        Self { slot, instantiation: PhantomData }
    }

    fn seal(&self, index: ChunkIndex, chunk: &mut [u8]) -> Result<[u8; TAG_LEN]> {
        I::seal_in_place(self.slot.key.expose(), &self.nonce(index), chunk)
    }

    // "AEAD usage": the chunk's nonce is the base nonce XOR the chunk's number, big-endian and as wide as the nonce.
    fn nonce(&self, index: ChunkIndex) -> [u8; NONCE_LEN] {
        let mut nonce = self.slot.base_nonce;
        for (byte, counter) in nonce.iter_mut().rev().zip(index.get().to_le_bytes()) {
            *byte ^= counter;
        }
        nonce
    }
}

impl<I, const KEY_LEN: usize, S> fmt::Debug for SealingKey<I, KEY_LEN, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealingKey").finish_non_exhaustive()
    }
}

impl<I, const KEY_LEN: usize, S> fmt::Debug for OpeningKey<I, KEY_LEN, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpeningKey").finish_non_exhaustive()
    }
}

impl<const KEY_LEN: usize> fmt::Debug for KeySlot<KEY_LEN> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySlot").finish_non_exhaustive()
    }
}
