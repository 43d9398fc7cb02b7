//! Records: a note sealed under a fresh record key, and the record key wrapped under the patient's.

mod context;
mod open;
mod padding;
mod seal;

pub use context::RecordContext;
pub(crate) use open::open;
pub use open::{Opened, Origin};
pub use padding::Padding;
pub(crate) use seal::seal;
pub use seal::sealed_len;
