//! The public-key suite.

/// The public-key suite of a vault, the same for all of its objects and for ever.
///
/// HPKE base mode with HKDF-SHA256 and ChaCha20-Poly1305 (RFC 9180); the suites differ in the KEM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Suite {
    /// X-Wing: ML-KEM-768 and X25519 together, KEM 0x647A (draft-connolly-cfrg-xwing-kem). Keeps stored notes
    /// secret from a quantum computer. Public keys have 1,216 bytes, encapsulations 1,120.
    #[default]
    XWing,
    /// X25519, KEM 0x0020 (RFC 9180, section 7.1). Public keys and encapsulations have 32 bytes.
    X25519,
}

impl Suite {
    /// The KEM's identifier in the HPKE registry (RFC 9180, section 7.1).
    #[must_use]
    pub const fn kem_id(self) -> u16 {
        match self {
            Self::XWing => 0x647A,
            Self::X25519 => 0x0020,
        }
    }

    pub(crate) const fn from_kem_id(id: u16) -> Option<Self> {
        match id {
            0x647A => Some(Self::XWing),
            0x0020 => Some(Self::X25519),
            _ => None,
        }
    }

    /// Length of a public HPKE key, in bytes.
    #[must_use]
    pub const fn public_key_len(self) -> usize {
        match self {
            Self::XWing => 1216,
            Self::X25519 => 32,
        }
    }

    /// Length of an HPKE encapsulation, in bytes.
    #[must_use]
    pub const fn encapsulation_len(self) -> usize {
        match self {
            Self::XWing => 1120,
            Self::X25519 => 32,
        }
    }

    /// Length of a sealed 32-byte secret, in bytes: the encapsulation, 32 bytes and the 16-byte tag.
    #[must_use]
    pub const fn sealed_secret_len(self) -> usize {
        self.encapsulation_len().saturating_add(48)
    }
}
