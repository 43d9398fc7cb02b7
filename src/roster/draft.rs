//! The making of a roster.

use alloc::vec::Vec;

use super::member::MemberEntry;
use crate::choice::{ClosedReason, Roles, Status};
use crate::custody::{Descriptor, NewVault, PinnedDescriptor};
use crate::digest::{CardId, KeyFingerprint};
use crate::error::{Result, Usage};
use crate::keys::labels;
use crate::keys::master::MasterKey;
use crate::keys::registrar::RegistrarKey;
use crate::prim::sign::SigningKey;
use crate::wire::roster::{Closed, Line, Roster, RosterSigner};

/// A roster that is being made: the first one of a vault, or the one after a verified one. Signing consumes it.
///
/// ```compile_fail,E0382
/// fn two_rosters_of_one_version(
///     draft: lukko::RosterDraft,
///     registrar: &lukko::RegistrarKey,
///     descriptor: &lukko::PinnedDescriptor,
/// ) {
///     let _ = draft.sign_as_registrar(registrar, descriptor);
///     let _ = draft.sign_as_registrar(registrar, descriptor);
/// }
/// ```
#[derive(Debug)]
pub struct RosterDraft(Roster);

impl RosterDraft {
    /// Begins the first roster of a vault, version 1, without members.
    #[must_use]
    pub fn first(descriptor: &PinnedDescriptor) -> Self {
        Self(Roster {
            vault: descriptor.vault(),
            generation: descriptor.generation(),
            version: 1,
            previous: [0; 32],
            signer: RosterSigner::Registrar,
            lines: Vec::new(),
            closed: Vec::new(),
        })
    }

    pub(super) const fn following(roster: Roster) -> Self {
        Self(roster)
    }

    /// The version that it will have.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.0.version
    }

    /// Admits a key with its roles, as active.
    ///
    /// # Errors
    /// [`Usage::WrongVault`] for an entry of another vault; [`Usage::AlreadyOnRoster`]: the roles of a key never
    /// change, not even after it was retired.
    ///
    /// # Security
    /// Compare the entry's fingerprint with the person first; nothing in the entry proves who made it.
    pub fn admit(&mut self, entry: &MemberEntry, roles: Roles) -> Result<&mut Self> {
        let key = entry.fingerprint();
        if entry.vault != self.0.vault {
            return Err(Usage::WrongVault.into());
        }
        match self.position(key) {
            Ok(_) => Err(Usage::AlreadyOnRoster(key).into()),
            Err(position) => {
                self.0.lines.insert(position, Line { key, roles, status: Status::Active });
                Ok(self)
            }
        }
    }

    /// Moves a key's status forward: active, retired, revoked.
    ///
    /// # Errors
    /// [`Usage::NotOnRoster`]; [`Usage::StatusBackwards`] for the status it has and any before it.
    pub fn set_status(&mut self, key: KeyFingerprint, status: Status) -> Result<&mut Self> {
        let position = self.position(key).map_err(|_| Usage::NotOnRoster(key))?;
        let line = self.0.lines.get_mut(position).ok_or(Usage::NotOnRoster(key))?;
        if status <= line.status {
            return Err(Usage::StatusBackwards(key).into());
        }
        line.status = status;
        Ok(self)
    }

    /// Replaces a lost or stolen key: revokes it and admits the member's new key with the same roles.
    ///
    /// Afterwards grant the member's patients to the new key, and endorse anew what the old one endorsed.
    ///
    /// # Errors
    /// As [`RosterDraft::set_status`] and [`RosterDraft::admit`]; the draft is unchanged then.
    pub fn replace(&mut self, lost: KeyFingerprint, new: &MemberEntry) -> Result<&mut Self> {
        let roles = self.0.line(lost).map(|line| line.roles).ok_or(Usage::NotOnRoster(lost))?;
        let before = self.0.clone();
        self.admit(new, roles)?;
        if let Err(error) = self.set_status(lost, Status::Revoked) {
            self.0 = before;
            return Err(error);
        }
        Ok(self)
    }

    /// Closes a card for ever. A card that is closed as compromised can still be closed as erased.
    ///
    /// # Errors
    /// [`Usage::AlreadyClosed`].
    pub fn close(&mut self, card: CardId, reason: ClosedReason) -> Result<&mut Self> {
        match self.0.closed.binary_search_by_key(&card, |closed| closed.card) {
            Ok(position) => match self.0.closed.get_mut(position) {
                Some(closed) if closed.reason != reason && closed.reason.may_become(reason) => {
                    closed.reason = reason;
                    Ok(self)
                }
                _ => Err(Usage::AlreadyClosed(card).into()),
            },
            Err(position) => {
                self.0.closed.insert(position, Closed { card, reason });
                Ok(self)
            }
        }
    }

    /// Signs as the registrar and gives the roster's bytes: 153 and 34 for each key, 33 for each closed card.
    ///
    /// # Errors
    /// [`Usage::WrongSigner`] if the pinned descriptor names another registrar; [`Usage::WrongVault`] if the draft
    /// is of another vault or generation.
    pub fn sign_as_registrar(self, key: &RegistrarKey, descriptor: &PinnedDescriptor) -> Result<Vec<u8>> {
        let entitled = key.public().0 == descriptor.registrar_key;
        self.sign(RosterSigner::Registrar, &key.signing, entitled, descriptor)
    }

    /// Signs as the root and gives the roster's bytes: for the first day, and for when the registrar's key is lost.
    ///
    /// # Errors
    /// [`Usage::WrongSigner`] if the master key is not the pinned descriptor's; [`Usage::WrongVault`] if the draft
    /// is of another vault or generation.
    pub fn sign_as_root(self, key: &MasterKey, descriptor: &PinnedDescriptor) -> Result<Vec<u8>> {
        let entitled = key.root.verifying_key() == descriptor.root_key;
        self.sign(RosterSigner::Root, &key.root, entitled, descriptor)
    }

    /// Signs as the root of the generation that is being made.
    ///
    /// # Errors
    /// [`Usage::WrongVault`] if the draft is of another vault or not of that generation.
    pub(crate) fn sign_as_new_root(self, next: &NewVault) -> Result<Vec<u8>> {
        self.sign(RosterSigner::Root, &next.master.root, true, &next.descriptor)
    }

    fn sign(
        mut self,
        signer: RosterSigner,
        key: &SigningKey,
        entitled: bool,
        descriptor: &Descriptor,
    ) -> Result<Vec<u8>> {
        if (self.0.vault, self.0.generation) != (descriptor.vault(), descriptor.generation()) {
            return Err(Usage::WrongVault.into());
        }
        if !entitled {
            return Err(Usage::WrongSigner.into());
        }
        self.0.signer = signer;
        Ok(key.append_signature(labels::ROSTER, self.0.encode_body()))
    }

    fn position(&self, key: KeyFingerprint) -> Result<usize, usize> {
        self.0.lines.binary_search_by_key(&key, |line| line.key)
    }
}
