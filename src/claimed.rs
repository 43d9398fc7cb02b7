//! What stored objects say of themselves in clear: of which card, which revision, to whom.
//!
//! Nothing of it is verified, and whoever writes to the database chooses it. A store compares it with the place in which
//! an object is to be stored, so that a mix-up is refused while it can still be corrected.

use crate::choice::{Path, Suite};
use crate::digest::{CardId, KeyFingerprint, VaultId};
use crate::error::Result;
use crate::keys::patient::{card_id, master_grant_digest};
use crate::wire;
use crate::wire::grant::Recipient;

/// What a sealed record says of itself. Its patient, record and field do not stand in clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The suite of its vault.
    pub suite: Suite,
    /// How its record key reached it.
    pub path: Path,
    /// The card of the key that it is sealed under.
    pub card: CardId,
    /// Its revision; 0 for a deposit and for one that was taken over.
    pub revision: u64,
}

impl Record {
    /// The most bytes at the beginning of a record that [`Record::read`] needs.
    pub const BEGIN: usize = 2048;

    /// Reads a record, or at least the first [`Record::BEGIN`] bytes of a longer one.
    ///
    /// # Errors
    /// [`Error::Malformed`](crate::Error::Malformed).
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let front = wire::record::Record::parse(bytes)?.front;
        let wire::record::Head { suite, card, revision, .. } = front.head;
        Ok(Self { suite, path: front.path(), card, revision: revision.get() })
    }
}

/// What a card says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Card<'a> {
    /// The vault.
    pub vault: VaultId,
    /// The patient's id, 1 to 255 bytes.
    pub patient: &'a [u8],
    /// The card's own id, which is a hash of its bytes.
    pub card: CardId,
    /// The version of the patient's key, from 1.
    pub version: u32,
    /// The card before; none for the first one.
    pub previous: Option<CardId>,
}

impl<'a> Card<'a> {
    /// Reads a card.
    ///
    /// # Errors
    /// [`Error::Malformed`](crate::Error::Malformed).
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let read = wire::card::Card::parse(bytes)?;
        let wire::card::Card { scope, patient, version, previous, .. } = read.value;
        let card = card_id(read.body);
        let previous = (version > 1).then_some(previous);
        Ok(Self { vault: scope.vault, patient: patient.as_bytes(), card, version, previous })
    }
}

/// What a grant says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Grant {
    /// The vault.
    pub vault: VaultId,
    /// The card whose secret is in it.
    pub card: CardId,
    /// The key that opens it: a member's, or the master key of a generation.
    pub to: KeyFingerprint,
    /// The generation of the master key; none for a member.
    pub generation: Option<u32>,
}

impl Grant {
    /// Reads a grant, to a member or to a master key.
    ///
    /// # Errors
    /// [`Error::Malformed`](crate::Error::Malformed).
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let wire::grant::Grant { scope, card, recipient } = wire::grant::Grant::parse(bytes)?.value;
        let (to, generation) = match recipient {
            Recipient::Member(key) => (key, None),
            Recipient::Master { generation, key } => (key, Some(generation)),
        };
        Ok(Self { vault: scope.vault, card, to, generation })
    }
}

/// What an endorsement says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endorsement {
    /// The vault.
    pub vault: VaultId,
    /// The card that it vouches for.
    pub card: CardId,
    /// The generation for which it does.
    pub generation: u32,
    master_grant: [u8; wire::LEN_32],
}

impl Endorsement {
    /// Reads an endorsement.
    ///
    /// # Errors
    /// [`Error::Malformed`](crate::Error::Malformed).
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let read = wire::endorsement::Endorsement::parse(bytes)?.value;
        let wire::endorsement::Endorsement { vault, card, generation, master_grant, .. } = read;
        Ok(Self { vault, card, generation, master_grant })
    }

    /// Whether it names this master grant, by the digest of its bytes.
    #[must_use]
    pub fn names(&self, master_grant: &[u8]) -> bool {
        master_grant_digest(master_grant) == self.master_grant
    }
}
