//! Two blocks of ciphertext and one tag that ChaCha20-Poly1305 accepts under two keys (Dodis, Grubbs, Ristenpart,
//! Woodage, "Fast message franking", 2018; Len, Grubbs, Ristenpart, "Partitioning oracle attacks", 2021).
//!
//! With (r, s) the Poly1305 keys of both, two blocks c0 and c1 solve, modulo p = 2^130 - 5 and for both keys,
//! `c0 r^3 + c1 r^2 + L r = (T - s) mod 2^128`, where L is the block of lengths. T is counted up until both solutions
//! are blocks, that is between 2^128 and 2^129.

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};

use super::prim::array;

/// A number below p, as 2^128 * high + low.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Number {
    high: u128,
    low: u128,
}

const BLOCK: Number = Number { high: 1, low: 0 };

impl Number {
    const fn new(high: u128, low: u128) -> Self {
        Self { high, low }.reduced()
    }

    /// 2^130 = 5; `high` is far below 2^125.
    const fn reduced(self) -> Self {
        let (low, carry) = self.low.overflowing_add((self.high >> 2) * 5);
        let (high, low) = (self.high % 4 + carry as u128, low);
        let over = high > 3 || (high == 3 && low >= u128::MAX - 4);
        if over {
            Self { high: (high + low.overflowing_add(5).1 as u128) % 4, low: low.wrapping_add(5) }
        } else {
            Self { high, low }
        }
    }

    const fn add(self, other: Self) -> Self {
        let (low, carry) = self.low.overflowing_add(other.low);
        Self::new(self.high + other.high + carry as u128, low)
    }

    fn sub(self, other: Self) -> Self {
        // p - other, below p
        let (low, borrow) = (u128::MAX - 4).overflowing_sub(other.low);
        self.add(Self { high: 3 - other.high - u128::from(borrow), low })
    }

    fn mul(self, other: Self) -> Self {
        let bit = |place: u32| if place < 128 { other.low >> place & 1 } else { other.high >> (place - 128) & 1 };
        let zero = Self::new(0, 0);
        (0..130).rev().fold(zero, |sum, place| {
            let twice = sum.add(sum);
            if bit(place) == 1 { twice.add(self) } else { twice }
        })
    }

    /// self^(p - 2), where p - 2 = 2^130 - 7 has all bits but the second and third.
    fn inverse(self) -> Self {
        let one = Self::new(0, 1);
        (0..130).rev().fold(one, |power, place| {
            let square = power.mul(power);
            if place == 1 || place == 2 { square } else { square.mul(self) }
        })
    }
}

/// r and s: the first 32 bytes of the key stream.
fn poly_key(key: &[u8; 32], nonce: &[u8; 12]) -> (Number, u128) {
    let mut stream = [0; 32];
    ChaCha20::new(key.into(), nonce.into()).apply_keystream(&mut stream);
    let r = u128::from_le_bytes(array(&stream[..16])) & 0x0FFF_FFFC_0FFF_FFFC_0FFF_FFFC_0FFF_FFFF;
    (Number::new(0, r), u128::from_le_bytes(array(&stream[16..])))
}

/// 32 bytes and a tag, authentic under both keys and nonces.
pub(crate) fn two_key_chunk(keys: [(&[u8; 32], &[u8; 12]); 2]) -> Vec<u8> {
    let [(r1, s1), (r2, s2)] = keys.map(|(key, nonce)| poly_key(key, nonce));
    let lengths = Number::new(1, 32 << 64);
    // c0 r + c1 = (t / r - L) / r for both
    let side = |r: Number, s: u128, tag: u128| {
        let t = Number::new(0, tag.wrapping_sub(s));
        t.mul(r.inverse()).sub(lengths).mul(r.inverse())
    };
    let denominator = r1.sub(r2).inverse();
    for tag in 1_u128.. {
        let (b1, b2) = (side(r1, s1, tag), side(r2, s2, tag));
        let c0 = b1.sub(b2).mul(denominator);
        let c1 = b1.sub(c0.mul(r1));
        if c0.high == BLOCK.high && c1.high == BLOCK.high {
            return [c0.low, c1.low, tag].map(u128::to_le_bytes).concat();
        }
    }
    unreachable!("a solution within a few attempts")
}
