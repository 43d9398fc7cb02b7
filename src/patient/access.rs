//! What the store shows about who can open a patient's records.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use crate::choice::{Roles, Status};
use crate::digest::{CardId, KeyFingerprint};
use crate::vault::Vault;
use crate::wire::frame::Framed;
use crate::wire::grant::{Grant, Recipient};

/// To whom the stored grants of a card are addressed.
///
/// It is a hint and no proof. Grants are not signed: whoever writes the database can add one that opens nothing, and
/// delete one that was used. Whoever opened a grant once may have kept the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessHint {
    /// The card.
    pub card: CardId,
    /// The recipients, in the order of the grants.
    pub holders: Vec<Holder>,
    /// Grants that are malformed, or of another card or vault.
    pub foreign: usize,
}

/// The recipient that a grant names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Holder {
    /// A member on the roster. It opens the grant with the library only while active and with the role `read`.
    Member {
        /// The member's key.
        key: KeyFingerprint,
        /// The member's id, 1 to 255 bytes.
        id: Box<[u8]>,
        /// What the roster says of the key.
        status: Status,
        /// What the key may do.
        roles: Roles,
    },
    /// A key that is on no roster at hand.
    Unlisted {
        /// The key.
        key: KeyFingerprint,
    },
    /// The master key of a generation: any quorum of its custodians.
    Quorum {
        /// The generation.
        generation: u32,
        /// Whether it is the pinned one.
        current: bool,
    },
}

impl Vault {
    /// Lists to whom the stored grants of a card are addressed. A hint: see [`AccessHint`].
    #[must_use]
    pub fn who_can_open<G: AsRef<[u8]>>(&self, card: CardId, grants: impl IntoIterator<Item = G>) -> AccessHint {
        let mut hint = AccessHint { card, holders: Vec::new(), foreign: 0 };
        for bytes in grants {
            match Grant::parse(bytes.as_ref()) {
                Ok(Framed { value, .. }) if value.card == card && value.scope.vault == self.descriptor.vault() => {
                    hint.holders.push(self.holder(value.recipient));
                }
                _ => hint.foreign = hint.foreign.saturating_add(1),
            }
        }
        hint
    }

    fn holder(&self, recipient: Recipient) -> Holder {
        match recipient {
            Recipient::Master { generation, key } => {
                let pinned = (self.descriptor.generation(), self.descriptor.master_fingerprint());
                Holder::Quorum { generation, current: (generation, key) == pinned }
            }
            Recipient::Member(key) => match self.roster.member(key) {
                Ok(member) => Holder::Member {
                    key,
                    id: member.entry().id().into(),
                    status: member.status(),
                    roles: member.roles(),
                },
                Err(_) => Holder::Unlisted { key },
            },
        }
    }
}

impl fmt::Display for AccessHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "card {} can be opened, as far as the stored grants show (a hint, no proof):", self.card)?;
        for holder in &self.holders {
            writeln!(f, "  {holder}")?;
        }
        write!(f, "  {} grants are of no use for it", self.foreign)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Member { key, id, status, roles } => {
                write!(f, "member {} ({status:?}, {roles:?}), key {key}", id.escape_ascii())
            }
            Self::Unlisted { key } => write!(f, "a key on no roster at hand, {key}"),
            Self::Quorum { generation, current: true } => write!(f, "a quorum of generation {generation}"),
            Self::Quorum { generation, current: false } => write!(f, "a quorum of generation {generation}, not pinned"),
        }
    }
}
