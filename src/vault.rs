//! The door: what a service calls.
//!
//! A [`Vault`] holds what was verified, the pinned descriptor and the roster, and checks against it what each call
//! needs. It holds no key; keys are arguments, and so are randomness and everything that is stored.

#[cfg(feature = "std")]
mod attachments;
mod deposits;
mod disclosures;
mod erasure;
mod patients;
mod receipt;
mod records;
mod rotation;
#[cfg(test)]
mod tests;
mod utc;

pub use disclosures::StoredNote;
pub use erasure::Erasure;
pub use receipt::{ErasureReceipt, Sources};
pub use rotation::{PatientRotation, Rotation};

use crate::custody::{Descriptor, Pin, PinnedDescriptor};
use crate::error::Result;
use crate::ident::{CardId, Suite, VaultId, require_vault};
use crate::keys::patient::PatientKey;
use crate::roster::VerifiedRoster;

/// A vault as one client sees it: descriptor and roster, verified against its pin.
#[derive(Debug, Clone)]
pub struct Vault {
    descriptor: PinnedDescriptor,
    roster: VerifiedRoster,
    pin: Pin,
}

impl Vault {
    /// Verifies what is stored of a vault against what the client remembers.
    ///
    /// `entries` are the members' entries, in any order. Store [`Vault::pin`] afterwards: it has moved forward.
    ///
    /// # Security
    /// The pin knows which roster came last, not what it said. A client that keeps that roster beside its pin, loads it
    /// and then calls [`Vault::update_roster`] also notices a registrar's thief who takes a revocation back.
    ///
    /// # Errors
    /// As [`Descriptor::parse`], [`Pin::check`] and [`VerifiedRoster::verify`].
    pub fn load<E: AsRef<[u8]>>(
        mut pin: Pin,
        descriptor: &[u8],
        roster: &[u8],
        entries: impl IntoIterator<Item = E>,
    ) -> Result<Self> {
        let descriptor = pin.check(Descriptor::parse(descriptor)?)?;
        let roster = VerifiedRoster::verify(roster, entries, &descriptor, &mut pin)?;
        Ok(Self { descriptor, roster, pin })
    }

    /// Follows to a newer roster. Keys that are open stay open: drop and open them again.
    ///
    /// # Errors
    /// As [`VerifiedRoster::follow`]; the vault is unchanged then.
    pub fn update_roster<E: AsRef<[u8]>>(&mut self, roster: &[u8], entries: impl IntoIterator<Item = E>) -> Result<()> {
        self.roster = self.roster.follow(roster, entries, &self.descriptor, &mut self.pin)?;
        Ok(())
    }

    /// What to remember: store it where whoever writes the database cannot.
    #[must_use]
    pub const fn pin(&self) -> &Pin {
        &self.pin
    }

    /// The pinned descriptor.
    #[must_use]
    pub const fn descriptor(&self) -> &PinnedDescriptor {
        &self.descriptor
    }

    /// The verified roster.
    #[must_use]
    pub const fn roster(&self) -> &VerifiedRoster {
        &self.roster
    }

    /// Refuses a key of another vault, and of an erased patient.
    fn require_not_erased(&self, key: &PatientKey) -> Result<()> {
        require_vault(self.descriptor.belongs_to(), key.belongs_to())?;
        self.roster.require_not_erased(key.card())
    }

    /// Refuses what belongs to another vault, and a closed card.
    fn require_open(&self, belongs_to: (Suite, VaultId), card: CardId) -> Result<()> {
        require_vault(self.descriptor.belongs_to(), belongs_to)?;
        self.roster.require_open(card)
    }
}
