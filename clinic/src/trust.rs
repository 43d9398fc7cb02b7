//! From what is stored to a verified vault: the calls of the core that judge a roster, in one place.

use lukko::error::Untrusted;
use lukko::{CardId, Descriptor, Fingerprint, KeyFingerprint, Member, MemberKey, Pin, Roles, Status, Successor, Vault};
use lukko_store::Generation;

use crate::error::{Error, Result, RolledBack};
use crate::key::Key;
use crate::memory::notes::Pinned;

/// A verified vault, and the roster that it was verified with.
#[derive(Debug, Clone)]
pub(crate) struct Trusted {
    pub(crate) vault: Vault,
    pub(crate) roster: Vec<u8>,
}

impl Trusted {
    /// What the memory knows, as it was when it was noted: the pin holds the digest of the noted roster.
    pub(crate) fn remembered(noted: &Pinned, entries: &[Vec<u8>]) -> Result<Self> {
        let vault = Vault::load(noted.pin.clone(), &noted.descriptor, &noted.roster, entries)?;
        Ok(Self { vault, roster: noted.roster.clone() })
    }

    /// A vault that is pinned for the first time, with whatever roster is stored.
    pub(crate) fn first(pin: Pin, stored: &Generation, entries: &[Vec<u8>]) -> Result<Self> {
        let vault = Vault::load(pin, &stored.descriptor, &stored.roster, entries)?;
        Ok(Self { vault, roster: stored.roster.clone() })
    }

    /// Follows to the stored roster. One that is older, or takes back what this one says, is refused.
    pub(crate) fn follow(&self, stored: &[u8], entries: &[Vec<u8>]) -> Result<Self> {
        let mut vault = self.vault.clone();
        vault.update_roster(stored, entries).map_err(|error| match error {
            lukko::Error::Stale { what: lukko::error::Versioned::Roster, known, met } => {
                RolledBack::Roster { remembered: known, stored: met }.into()
            }
            error => Error::Core(error),
        })?;
        Ok(Self { vault, roster: stored.to_vec() })
    }

    /// The generation after a vault's, signed by both.
    pub(crate) fn successor(vault: &Vault, generations: &[Generation]) -> Result<Successor> {
        let pair = |next: &'_ Generation| Some((next.descriptor.clone(), next.statement.clone()?));
        let pairs: Vec<(Vec<u8>, Vec<u8>)> = generations.iter().filter_map(pair).collect();
        // The statements of earlier generations are of other descriptors, and are passed over.
        let later = pairs.iter().filter(|(descriptor, _)| {
            Descriptor::parse(descriptor).is_ok_and(|met| met.generation() > vault.descriptor().generation())
        });
        Ok(vault.descriptor().successor(later.map(|(next, statement)| (next.as_slice(), statement.as_slice())))?)
    }

    /// Moves to the next generation, if it has the fingerprint that a person has compared.
    pub(crate) fn move_to(
        &self,
        compared: Fingerprint,
        generations: &[Generation],
        entries: &[Vec<u8>],
    ) -> Result<Self> {
        let successor = Self::successor(&self.vault, generations)?;
        if successor.fingerprint() != compared {
            let met = successor.fingerprint();
            return Err(lukko::Error::Untrusted(Untrusted::Fingerprint { pinned: compared, met }).into());
        }
        let stored = generation(generations, successor.generation())?;
        let vault = self.vault.follow(successor, &stored.roster, entries)?;
        Ok(Self { vault, roster: stored.roster.clone() })
    }

    /// What a memory notes of it.
    pub(crate) fn pinned(&self) -> Pinned {
        let descriptor = self.vault.descriptor().as_bytes().to_vec();
        Pinned { pin: self.vault.pin().clone(), descriptor, roster: self.roster.clone() }
    }
}

/// The descriptor that the memory knows, and this member's key for it.
pub(crate) fn member_key(noted: &Pinned, key: &Key) -> Result<MemberKey> {
    key.of(&noted.pin.check(Descriptor::parse(&noted.descriptor)?)?)
}

/// Refuses a key that is not on the roster, or not in use.
pub(crate) fn require_member(vault: &Vault, key: KeyFingerprint) -> Result<()> {
    match vault.roster().member(key) {
        Ok(member) if member.status() == Status::Active => Ok(()),
        _ => Err(Error::NotAMember),
    }
}

/// The one generation that is stored under this number.
pub(crate) fn generation(generations: &[Generation], number: u32) -> Result<&Generation> {
    if generations.is_empty() {
        return Err(Error::OtherDatabase);
    }
    let of_number = generations.iter().find(|generation| generation.generation == number);
    of_number.ok_or(Error::RolledBack(RolledBack::Generation { remembered: number }))
}

/// Every active key under a name that may read.
pub(crate) fn readers<'a>(vault: &'a Vault, name: &'a [u8]) -> impl Iterator<Item = &'a Member> {
    let reads = |member: &&Member| member.status() == Status::Active && member.roles().contains(Roles::READ);
    vault.roster().members().filter(reads).filter(move |member| member.entry().id() == name)
}

/// The name under which the roster has a key.
pub(crate) fn name_of(vault: &Vault, key: KeyFingerprint) -> Option<String> {
    let member = vault.roster().member(key).ok()?;
    Some(String::from_utf8_lossy(member.entry().id()).into_owned())
}

/// Whether the roster closes a card because its patient was erased.
pub(crate) fn is_erased(vault: &Vault, card: CardId) -> bool {
    vault.roster().closed(card) == Some(lukko::ClosedReason::Erased)
}
