//! Bringing a vault back from a backup, on the day on which nothing else works: with the shares of a quorum every record is
//! checked or read, and a new member is admitted. `docs/RESTORE.md` says what people do.
//!
//! What fails is named at the end, and the rest goes on: one damaged row keeps nobody away from the others. Files and
//! directories are for their owner alone, whatever the umask is.

mod admit;
mod decided;
mod failure;
mod files;
mod kept;
mod listing;
mod moved;
mod open;
mod read;
mod shares;
mod typed;
mod verify;
mod work;

pub use admit::{Admission, admit};
pub use failure::{Console, Failure, Named, shown};
pub(crate) use files::Part;
pub use files::write_secret;
pub use kept::{Kept, erase_again};
pub use moved::move_records;
pub use open::open;
pub use read::{ReadReport, read};
pub use shares::Shares;
pub use typed::{Database, fingerprint};
pub use verify::verify;
