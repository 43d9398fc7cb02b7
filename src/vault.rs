//! A vault as one client sees it. What a service calls are its methods; each room above writes its own.
//!
//! A [`Vault`] holds what was verified, the pinned descriptor and the roster, and checks against it what each call
//! needs. It holds no key; keys are arguments, and so are randomness and everything that is stored.

use crate::custody::{Descriptor, Pin, PinnedDescriptor, Successor};
use crate::digest::CardId;
use crate::error::Result;
use crate::ident::Scope;
use crate::keys::patient::PatientKey;
use crate::roster::VerifiedRoster;

/// A vault as one client sees it: descriptor and roster, verified against its pin.
#[derive(Debug, Clone)]
pub struct Vault {
    pub(crate) descriptor: PinnedDescriptor,
    pub(crate) roster: VerifiedRoster,
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

    /// Follows to the next generation: an explicit act, never part of opening anything. Store the new vault's pin. The
    /// old vault stays usable until its generation is retired.
    ///
    /// The first roster of a generation may leave out what this vault's roster says, because both roots have signed it. A
    /// later one may not: give the first one then, and [`Vault::update_roster`] afterwards.
    ///
    /// Over several generations: [`Pin::follow`](crate::Pin::follow) each in turn, then [`Vault::load`].
    ///
    /// # Errors
    /// [`Untrusted::Fingerprint`](crate::error::Untrusted::Fingerprint) for the successor of another generation; as
    /// [`VerifiedRoster::verify`] for the roster;
    /// [`Untrusted::RosterReversal`](crate::error::Untrusted::RosterReversal) for a later roster than the first that
    /// takes back what this vault's roster says of a key or of a closed card.
    pub fn follow<E: AsRef<[u8]>>(
        &self,
        successor: Successor,
        roster: &[u8],
        entries: impl IntoIterator<Item = E>,
    ) -> Result<Self> {
        let mut pin = self.pin.clone();
        let descriptor = pin.follow(successor)?;
        let first = pin.roster_version();
        let roster = VerifiedRoster::verify(roster, entries, &descriptor, &mut pin)?;
        // The pin knows the digest of the first roster: no other one of its version was accepted.
        if roster.version() > first {
            self.roster.require_kept_by(&roster)?;
        }
        Ok(Self { descriptor, roster, pin })
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

    /// What every object of the vault belongs to.
    pub(crate) fn scope(&self) -> Scope {
        self.descriptor.scope()
    }

    /// Refuses a key of another vault, and of an erased patient.
    pub(crate) fn require_not_erased(&self, key: &PatientKey) -> Result<()> {
        self.scope().require(key.scope())?;
        self.roster.require_not_erased(key.card())
    }

    /// Refuses what belongs to another vault, and a closed card.
    pub(crate) fn require_open(&self, scope: Scope, card: CardId) -> Result<()> {
        self.scope().require(scope)?;
        self.roster.require_open(card)
    }
}
