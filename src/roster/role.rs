//! Roles as a caller gives them.

use crate::choice::Roles;
use crate::error::{Result, Usage};

impl Roles {
    /// Takes a set from one byte.
    ///
    /// # Errors
    /// [`Usage::Roles`] for the empty set and for bits that name no role.
    pub fn from_bits(bits: u8) -> Result<Self> {
        Self::from_byte(bits).ok_or_else(|| Usage::Roles.into())
    }
}
