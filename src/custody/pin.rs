//! What a client remembers of a vault.

use alloc::vec::Vec;

use subtle::ConstantTimeEq;

use super::descriptor::{Descriptor, PinnedDescriptor};
use crate::digest::Fingerprint;
use crate::error::{Conflict, Error, Result, Untrusted, Versioned};
use crate::keys::labels;
use crate::prim::hash::hash;
use crate::wire;
use crate::wire::frame::Framed;

/// What a client remembers: the descriptor's fingerprint, the generation, and the last roster it saw.
///
/// It only moves forward, and everything that verifies needs it. Store [`Pin::to_bytes`] (112 bytes) where whoever
/// can write the database cannot, and store it again after each roster.
///
/// Beyond the roster's version it holds the roster's digest, so that two rosters of one version, both signed, are
/// noticed as a conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin(wire::pin::Pin);

impl Pin {
    /// Pins a vault for the first time, by a fingerprint that came by a trusted way: from paper, by voice, from a
    /// configuration that only administrators write.
    ///
    /// # Errors
    /// [`Untrusted::Fingerprint`] if the descriptor has another fingerprint.
    pub fn new(trusted: Fingerprint, descriptor: &Descriptor) -> Result<Self> {
        require_same(trusted, descriptor.fingerprint())?;
        Ok(Self(wire::pin::Pin {
            fingerprint: trusted,
            generation: descriptor.generation(),
            roster_version: 0,
            roster_digest: [0; wire::LEN_32],
        }))
    }

    /// Reads a stored pin.
    ///
    /// # Errors
    /// [`Error::Malformed`] with the field; [`Untrusted::Pin`] if its checksum does not match. The checksum detects
    /// damage, not malice: the pin's storage must be out of an attacker's reach.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let Framed { value: pin, body, end: checksum } = wire::pin::Pin::parse(bytes)?;
        let same = hash(labels::PIN_CHECKSUM, &[body]).ct_eq(&checksum);
        if bool::from(same) { Ok(Self(pin)) } else { Err(Untrusted::Pin.into()) }
    }

    /// The pin in 112 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.0.encode_body();
        let checksum = hash(labels::PIN_CHECKSUM, &[&bytes]);
        bytes.extend_from_slice(&checksum);
        bytes
    }

    /// The fingerprint of the pinned descriptor.
    #[must_use]
    pub const fn fingerprint(&self) -> Fingerprint {
        self.0.fingerprint
    }

    /// The generation of the pinned descriptor, from 1.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.0.generation
    }

    /// The version of the last roster seen; 0 if none was.
    #[must_use]
    pub const fn roster_version(&self) -> u64 {
        self.0.roster_version
    }

    /// Makes a parsed descriptor a pinned one, if it is the one that is remembered.
    ///
    /// # Errors
    /// [`Untrusted::Fingerprint`] if it is another one: of another vault, another generation, or forged.
    pub fn check(&self, descriptor: Descriptor) -> Result<PinnedDescriptor> {
        require_same(self.0.fingerprint, descriptor.fingerprint())?;
        Ok(PinnedDescriptor::new(descriptor))
    }

    /// Moves forward to the next generation and to its first roster.
    pub(super) fn move_to(&mut self, next: &Descriptor, (roster_version, roster_digest): (u64, [u8; 32])) {
        let (fingerprint, generation) = (next.fingerprint(), next.generation());
        self.0 = wire::pin::Pin { fingerprint, generation, roster_version, roster_digest };
    }

    /// Moves forward to a verified roster, or refuses an older or a second one.
    pub(crate) fn advance(&mut self, version: u64, digest: [u8; 32], previous: &[u8; 32]) -> Result<()> {
        let known = self.0.roster_version;
        if version < known {
            return Err(Error::Stale { what: Versioned::Roster, known, met: version });
        }
        if version == known && digest != self.0.roster_digest {
            return Err(Error::Conflict(Conflict::Roster { version }));
        }
        // With a gap between them the chain cannot be checked here; the signature alone speaks then.
        if known != 0 && Some(version) == known.checked_add(1) && *previous != self.0.roster_digest {
            return Err(Untrusted::RosterChain.into());
        }
        self.0.roster_version = version;
        self.0.roster_digest = digest;
        Ok(())
    }
}

fn require_same(pinned: Fingerprint, met: Fingerprint) -> Result<()> {
    if pinned == met { Ok(()) } else { Err(Untrusted::Fingerprint { pinned, met }.into()) }
}
