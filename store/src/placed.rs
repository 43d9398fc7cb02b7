//! Objects together with the place for which they were made. Only such a value can be stored: a record of another revision,
//! a grant of another generation or a card of another patient is refused before the database sees it.

mod attachment;
mod keys;
mod record;
mod sealed;

pub use attachment::{AttachmentSealer, Uploaded};
pub use keys::{CardRow, EndorsementRow, GrantRow, MasterGrantRow};
pub use record::{RecordRow, Spot};
pub use sealed::{How, Sealed};

use lukko::VaultId;
use lukko::error::Object;

use crate::error::{Mismatch, Result};

/// A row that fits its place. Each kind has its own constructors, which compare what the bytes say of themselves.
#[derive(Debug, Clone, Copy)]
pub struct Placed<R> {
    row: R,
    /// The vault that the bytes name. None where they come from a store and were not looked at.
    vault: Option<VaultId>,
    object: Object,
}

/// A card. It comes with a [`NewEndorsement`] in the same change.
pub type NewCard<'a> = Placed<CardRow<'a>>;
/// What vouches for a card, and the grant with which a quorum opens it.
pub type NewEndorsement<'a> = Placed<EndorsementRow<'a>>;
/// A grant to a member.
pub type NewGrant<'a> = Placed<GrantRow<'a>>;
/// The master grant of an older card.
pub type NewMasterGrant<'a> = Placed<MasterGrantRow<'a>>;
/// A record as it is to be stored.
pub type NewRecord<'a> = Placed<RecordRow<'a>>;

impl<R> Placed<R> {
    pub(crate) const fn row(&self) -> &R {
        &self.row
    }

    /// As another store has it, damaged or not: a copy is one byte for byte.
    pub(crate) const fn stored(object: Object, row: R) -> Self {
        Self { row, vault: None, object }
    }

    /// # Errors
    /// [`Mismatch::Vault`].
    pub(crate) fn require_vault(&self, vault: VaultId) -> Result<()> {
        match self.vault {
            Some(met) if met != vault => Err(Mismatch::Vault(self.object).into()),
            _ => Ok(()),
        }
    }
}

/// For tests: a row as somebody writes it who has the database, whatever its bytes say.
#[cfg(feature = "hazmat")]
impl<R> From<R> for Placed<R> {
    fn from(row: R) -> Self {
        Self::stored(Object::Record, row)
    }
}
