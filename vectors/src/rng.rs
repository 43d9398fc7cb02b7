//! The generator that makes the files the same on every run. Never for keys that matter.

use std::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};
use sha2::{Digest, Sha256};

/// A stream of bytes: SHA-256(seed || u64 0) || SHA-256(seed || u64 1) || ..., taken from the front.
#[derive(Debug)]
pub(crate) struct Seeded {
    seed: Vec<u8>,
    block: u64,
    left: Vec<u8>,
}

impl Seeded {
    pub(crate) fn new(seed: &[u8]) -> Self {
        Self { seed: seed.to_vec(), block: 0, left: Vec::new() }
    }

    /// These bytes, and nothing behind them that a case may use: see [`Seeded::is_spent`].
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self { seed: Vec::new(), block: 0, left: bytes.to_vec() }
    }

    /// Whether all bytes of [`Seeded::of`] were taken, and no more.
    pub(crate) const fn is_spent(&self) -> bool {
        self.left.is_empty() && self.block == 0
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.fill(&mut bytes);
        bytes
    }

    /// A number below `bound`, nearly uniform.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        u64::from_be_bytes(self.array()) % bound
    }

    fn fill(&mut self, out: &mut [u8]) {
        while self.left.len() < out.len() {
            let hash = Sha256::new().chain_update(&self.seed).chain_update(self.block.to_be_bytes());
            self.left.extend_from_slice(&hash.finalize());
            self.block += 1;
        }
        let rest = self.left.split_off(out.len());
        out.copy_from_slice(&self.left);
        self.left = rest;
    }
}

impl TryRng for Seeded {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.array()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.array()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Seeded {}
