//! The session over [`lukko`] and [`lukko_store`]: everyday calls for a service that keeps therapy notes, and a memory that
//! notices what was put back.
//!
//! Five nouns are enough: a **clinic** that is found, joined or opened; a **session** of one member for one purpose; a
//! **patient** who was enrolled or shared; a **note**; and a **request** of somebody else, such as a deposit.
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # for name in ["database", "files", "aalto"] { std::fs::create_dir(directory.path().join(name))? }
//! # std::fs::write(directory.path().join("scan.pdf"), b"a scan")?;
//! # let before = std::env::current_dir()?;
//! # std::env::set_current_dir(directory.path())?;
#![doc = include_str!("../first.rs")]
//! # std::env::set_current_dir(before)?;
//! # Ok(())
//! # }
//! ```
//!
//! # What it does with each call
//!
//! It follows the list of members, verifies the patient's card, finds the grant, chooses the core's call by the verb and the
//! field, stores each change whole, and compares what comes back with the member's [`Memory`]. What somebody put back is an
//! [`Error::RolledBack`] that names it. What somebody else changed meanwhile is an [`Error::Overtaken`] with what is stored.
//!
//! # Security
//!
//! Keys of patients are wiped when a handle is dropped and when the session ends; texts when they are dropped. The member's
//! key stays in memory as long as the [`Clinic`]. `docs/SESSION.md` says what a memory notices, and what not.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::string_slice
    )
)]

pub mod blocking;
mod clinic;
mod clock;
mod error;
mod front_desk;
mod key;
mod memory;
mod names;
mod note;
mod officer;
mod open;
mod patient;
mod place;
mod private;
mod purpose;
mod role;
mod session;
mod trust;

pub use clinic::{Application, Clinic, Founded, Invitation, Joined, Plan};
pub use clock::{Clock, Limits, SystemClock};
pub use error::{Error, Overtaken, Result, RolledBack};
pub use front_desk::FrontDesk;
pub use key::{Key, KeySource};
pub use memory::{Answer, Failure, Memory, Page, Remember};
pub use note::{Author, Hit, Items, Note, Text};
pub use officer::{Officer, Progress, Receipt};
pub use patient::{Attachment, Difference, OpenTask, Patient, Rekeyed};
pub use purpose::{Purpose, PurposeKind};
pub use session::Session;

pub use lukko::{KeyFingerprint, RegistrarKey, Share};
pub use lukko_store::{Attachments, SqliteStore};
pub use role::{DEPOSIT, READER, Role, THERAPIST};
