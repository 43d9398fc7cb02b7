//! Records: a note sealed under a fresh record key, and the record key wrapped under the patient's or sealed to it.

mod context;
mod deposit;
mod locate;
mod open;
mod padding;
mod rewrap;
mod seal;
mod statement;
#[cfg(test)]
mod tests;

pub use context::RecordContext;
pub use deposit::{Deposit, Unattributed};
pub use open::{Opened, Origin, path_of};
pub(crate) use seal::seal_payload;
pub use seal::sealed_len;
pub(crate) use statement::{payload_digest, sealed_key_digest};

/// What the room `attachment` builds the same bytes with, as a stream.
#[cfg(feature = "std")]
pub(crate) mod parts {
    pub(crate) use super::context::payload_context;
    pub(crate) use super::deposit::sealed_key_info;
    pub(crate) use super::locate::require_own;
    pub(crate) use super::open::unwrap_reader_key;
    pub(crate) use super::padding::MARKER;
    pub(crate) use super::seal::begin;
    pub(crate) use super::statement::{Statement, Writer};
}
