//! An HTTP service over `lukko` and `lukko-store`, to read: three doors, three processes, three sets of keys.
//!
//! ```text
//!  therapist   reads and writes notes        holds the therapists' member keys
//!  intake      deposits, and nothing else    holds one member key that the roster lets deposit only
//!  glass       a quorum reads in need        holds no key, until k custodians gave their shares
//! ```
//!
//! Rooms, each of which uses only those above it:
//!
//! ```text
//!  clock, config, files, hex what comes from outside
//!  problem                   what a caller is told when something is refused
//!  state                     database, vault, tokens, keys, glass, log of openings
//!  routes                    one file for each thing that has an address
//!  server, found             a door that runs; a vault that is founded
//! ```
#![forbid(unsafe_code)]
#![warn(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice
)]

mod clock;
mod config;
mod files;
mod found;
mod hex;
mod problem;
mod routes;
mod server;
mod state;

pub use clock::{Clock, SystemClock};
pub use config::{Command, Config, Door, HELP, Location, parse};
pub use found::found;
pub use server::{Running, start};

/// Why a process does not start, or could not end as it should. Holds no secret.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
