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
pub(crate) use deposit::{deposit, open_deposit, open_unattributed};
pub(crate) use open::open;
pub use open::{Opened, Origin, path_of};
pub use padding::Padding;
pub(crate) use rewrap::{absorb, reseal, rewrap};
pub use seal::sealed_len;
pub(crate) use seal::{seal, seal_payload};
