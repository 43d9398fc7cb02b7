//! A roster whose signature, place in the chain and entries were verified.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::draft::RosterDraft;
use super::member::{Member, MemberEntry};
use crate::choice::{ClosedReason, Roles, Status};
use crate::custody::{Pin, PinnedDescriptor};
use crate::digest::{CardId, KeyFingerprint};
use crate::error::{Error, Result, Untrusted, Usage, Versioned};
use crate::keys::labels;
use crate::prim::hash::hash;
use crate::wire::roster::{Closed, Line, Roster, RosterSigner};

/// The members and closed cards of a vault, as the registrar or the root signed them.
#[derive(Debug, Clone)]
pub struct VerifiedRoster {
    roster: Roster,
    digest: [u8; 32],
    members: BTreeMap<KeyFingerprint, Member>,
}

impl VerifiedRoster {
    /// Verifies a roster and the entries of its members, and moves the pin forward to it.
    ///
    /// Entries that the roster does not list are passed over, whatever they are; a listed key whose entry is not given
    /// is unknown until it is.
    ///
    /// # Errors
    /// [`Error::Malformed`]; [`Untrusted::Fingerprint`] if pin and descriptor differ; [`Usage::WrongVault`];
    /// [`Error::Stale`] for a roster of another generation or older than the pinned one;
    /// [`Conflict::Roster`](crate::error::Conflict::Roster) for a second one of the pinned version;
    /// [`Untrusted::RosterSignature`]; [`Untrusted::RosterChain`]; what [`MemberEntry::verify`] returns for a listed
    /// entry. The pin is unchanged then.
    pub fn verify<E: AsRef<[u8]>>(
        bytes: &[u8],
        entries: impl IntoIterator<Item = E>,
        descriptor: &PinnedDescriptor,
        pin: &mut Pin,
    ) -> Result<Self> {
        let signed = Roster::parse(bytes)?;
        require_current(&signed.value, descriptor, pin)?;
        let key = match signed.value.signer {
            RosterSigner::Registrar => &descriptor.registrar_key,
            RosterSigner::Root => &descriptor.root_key,
        };
        if !signed.verify(key, labels::ROSTER) {
            return Err(Untrusted::RosterSignature.into());
        }
        let roster = signed.value;
        let members = verify_members(&roster, entries, descriptor)?;
        let digest = roster_digest(bytes);
        pin.advance(roster.version, digest, &roster.previous)?;
        Ok(Self { roster, digest, members })
    }

    /// Verifies the roster that replaces this one in memory, and that it takes nothing back: no key vanished, changed
    /// its roles or got an earlier status, and no closed card was opened.
    ///
    /// # Errors
    /// As [`VerifiedRoster::verify`]; [`Untrusted::RosterReversal`]. The pin is unchanged then.
    pub fn follow<E: AsRef<[u8]>>(
        &self,
        bytes: &[u8],
        entries: impl IntoIterator<Item = E>,
        descriptor: &PinnedDescriptor,
        pin: &mut Pin,
    ) -> Result<Self> {
        let mut moved = pin.clone();
        let next = Self::verify(bytes, entries, descriptor, &mut moved)?;
        self.require_kept_by(&next)?;
        *pin = moved;
        Ok(next)
    }

    /// Refuses a later roster that takes back what this one says.
    pub(crate) fn require_kept_by(&self, next: &Self) -> Result<()> {
        if takes_nothing_back(&self.roster, &next.roster) { Ok(()) } else { Err(Untrusted::RosterReversal.into()) }
    }

    /// The roster's version, from 1.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.roster.version
    }

    /// Every listed key whose entry was given.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// The member of a key, whatever its status.
    ///
    /// # Errors
    /// [`Untrusted::UnknownMember`] if the roster does not list the key or its entry was not given.
    pub fn member(&self, key: KeyFingerprint) -> Result<&Member> {
        self.members.get(&key).ok_or(Error::Untrusted(Untrusted::UnknownMember(key)))
    }

    /// Why a card is closed, if it is.
    #[must_use]
    pub fn closed(&self, card: CardId) -> Option<ClosedReason> {
        self.roster.closed_card(card).map(|closed| closed.reason)
    }

    /// Every card that the bytes of a roster close, and why, in order of their ids.
    ///
    /// # Security
    /// Neither the signature nor the place in the chain is verified. It is for a store, which has no pin: a store can say
    /// that a card is not closed, and only a [verified](VerifiedRoster::verify) roster proves that it is.
    ///
    /// # Errors
    /// [`Error::Malformed`] for bytes that are no roster.
    pub fn claimed_closed(bytes: &[u8]) -> Result<Vec<(CardId, ClosedReason)>> {
        let roster = Roster::parse(bytes)?.value;
        Ok(roster.closed.iter().map(|closed| (closed.card, closed.reason)).collect())
    }

    /// Begins the roster after this one, with everything that this one lists.
    ///
    /// # Errors
    /// [`Usage::VersionExhausted`] after version 2^64 - 1.
    pub fn next(&self) -> Result<RosterDraft> {
        let version = self.roster.version.checked_add(1).ok_or(Usage::VersionExhausted)?;
        Ok(RosterDraft::following(Roster { version, previous: self.digest, ..self.roster.clone() }))
    }

    /// Begins the first roster of the next generation, with everything that this one lists. It is signed in a rotation.
    ///
    /// Begin from an older roster than the latest to leave out what a thief of the registrar's key did since. Then close
    /// again the cards that were rightly closed since, and revoke again the keys: what is left out is open again.
    ///
    /// # Errors
    /// [`Usage::VersionExhausted`] after version 2^64 - 1 or generation 2^32 - 1.
    pub fn next_generation(&self) -> Result<RosterDraft> {
        let generation = self.roster.generation.checked_add(1).ok_or(Usage::VersionExhausted)?;
        let version = self.roster.version.checked_add(1).ok_or(Usage::VersionExhausted)?;
        Ok(RosterDraft::following(Roster { generation, version, previous: self.digest, ..self.roster.clone() }))
    }

    /// Refuses what was signed under a newer roster than this one, by which it cannot be judged.
    pub(crate) fn require_seen(&self, met: u64) -> Result<()> {
        let known = self.version();
        if met > known { Err(Error::Stale { what: Versioned::Roster, known, met }) } else { Ok(()) }
    }

    /// Every listed key that has a role, whatever its status, also those whose entries are not at hand.
    pub(crate) fn keys_with(&self, role: Roles) -> impl Iterator<Item = KeyFingerprint> {
        let has = move |line: &&Line| line.roles.contains(role);
        self.roster.lines.iter().filter(has).map(|line| line.key)
    }

    /// What the roster says of a key, also of one whose entry is not at hand.
    pub(crate) fn status(&self, key: KeyFingerprint) -> Option<Status> {
        self.roster.line(key).map(|line| line.status)
    }

    /// Refuses a closed card, by the reason.
    pub(crate) fn require_open(&self, card: CardId) -> Result<()> {
        match self.closed(card) {
            None => Ok(()),
            Some(ClosedReason::Erased) => Err(Untrusted::CardErased(card).into()),
            Some(ClosedReason::Compromised) => Err(Untrusted::CardCompromised(card).into()),
        }
    }

    /// Refuses a card that is closed because its patient was erased.
    pub(crate) fn require_not_erased(&self, card: CardId) -> Result<()> {
        if self.closed(card) == Some(ClosedReason::Erased) { self.require_open(card) } else { Ok(()) }
    }

    /// The member, if it may sign or receive something new in this role.
    pub(crate) fn require_active(&self, key: KeyFingerprint, role: Roles) -> Result<&Member> {
        let member = self.require_unrevoked(key, role)?;
        if member.status == Status::Active { Ok(member) } else { Err(Untrusted::Retired(key).into()) }
    }

    /// The member, if what it signed in this role counts: it is active or retired.
    pub(crate) fn require_unrevoked(&self, key: KeyFingerprint, role: Roles) -> Result<&Member> {
        let member = self.member(key)?;
        if member.status == Status::Revoked {
            return Err(Untrusted::Revoked(key).into());
        }
        if member.roles.contains(role) { Ok(member) } else { Err(Untrusted::Role(key).into()) }
    }
}

/// Same vault, pinned descriptor, pinned generation, and no older than the pinned roster.
fn require_current(roster: &Roster, descriptor: &PinnedDescriptor, pin: &Pin) -> Result<()> {
    let (pinned, met) = (pin.fingerprint(), descriptor.fingerprint());
    if pinned != met {
        return Err(Untrusted::Fingerprint { pinned, met }.into());
    }
    if roster.vault != descriptor.vault() {
        return Err(Usage::WrongVault.into());
    }
    if roster.generation != descriptor.generation() {
        let (known, met) = (descriptor.generation().into(), roster.generation.into());
        return Err(Error::Stale { what: Versioned::Generation, known, met });
    }
    Ok(())
}

fn takes_nothing_back(known: &Roster, next: &Roster) -> bool {
    let keeps =
        |line: &Line| next.line(line.key).is_some_and(|next| next.roles == line.roles && next.status >= line.status);
    let still_closed =
        |closed: &Closed| next.closed_card(closed.card).is_some_and(|next| closed.reason.may_become(next.reason));
    known.lines.iter().all(keeps) && known.closed.iter().all(still_closed)
}

fn verify_members<E: AsRef<[u8]>>(
    roster: &Roster,
    entries: impl IntoIterator<Item = E>,
    descriptor: &PinnedDescriptor,
) -> Result<BTreeMap<KeyFingerprint, Member>> {
    let mut members = BTreeMap::new();
    for bytes in entries {
        let key = MemberEntry::claimed_fingerprint(bytes.as_ref());
        if let Some(line) = roster.line(key) {
            let entry = MemberEntry::verify(bytes.as_ref(), descriptor)?;
            members.insert(key, Member { entry, roles: line.roles, status: line.status });
        }
    }
    Ok(members)
}

/// The digest over all of a roster, its signature too, by which the next one names it.
pub(crate) fn roster_digest(bytes: &[u8]) -> [u8; 32] {
    hash(labels::ROSTER_DIGEST, &[bytes])
}
