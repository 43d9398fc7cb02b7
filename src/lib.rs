//! A record vault for therapy notes, which makes the copied database worthless.
//!
//! Every note is sealed under a fresh **record key**; record keys are wrapped under a **patient key**; the patient
//! secret is wrapped in **grants**, one to each member who may read, and one to the **master key**, which exists only
//! as Shamir **shares** of which any k of n custodians form a **quorum**. The database holds all of it, and whoever
//! copies the database has nothing.
//!
//! ```text
//!  custodians   o o o o o     k of n shares          never stored together
//!                \ | /
//!            master secret                           in memory, for minutes
//!                  | opens the master grant
//!   members  --> patient secret                      stored only wrapped, in grants
//!   (grants)       | wraps
//!              record key                            one for each note and revision
//!                  | encrypts
//!                 note                               stored only encrypted
//! ```
//!
//! # The story in code
//!
//! ```
#![doc = include_str!("../docs/quickstart.rs")]
//! ```
//!
//! # Finding the way
//!
//! [`create`] makes a vault; [`Recovery`] puts its master key together again. A client remembers a [`Pin`] and begins
//! with [`Vault::load`]; everything a service does is a method of [`Vault`]. The registrar admits members with a
//! [`RosterDraft`]. What is refused, and who can do something about it, says [`Error`].
//!
//! Randomness is an argument everywhere; [`OsRng`] is the operating system's. There is no clock and no global state.
//!
//! # Security
//!
//! `docs/THREATS.md` says who attacks and what is left to them, `docs/FORMAT.md` specifies every byte. The crate has no
//! unsafe code. It has not been audited by anyone outside the project yet.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))]
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

extern crate alloc;
#[cfg(test)]
extern crate std;

#[cfg(feature = "std")]
mod attachment;
mod chunked;
pub mod claimed;
mod custody;
mod disclosure;
pub mod error;
mod ident;
mod keys;
mod patient;
mod prim;
mod record;
mod roster;
mod secret;
mod shamir;
mod vault;
mod wire;

#[cfg(feature = "std")]
pub use attachment::{AttachmentReader, AttachmentWriter, DepositWriter, DepositedAttachment, StoredAttachment};
pub use custody::{
    Descriptor, Missing, NewVault, Pin, PinnedDescriptor, Policy, Progress, Recovery, Retired, Retirement, Share,
    Successor, create,
};
pub use disclosure::Disclosed;
pub use error::{Error, Result};
pub use ident::{
    CardId, FieldLabel, Fingerprint, KeyFingerprint, MemberId, Path, PatientId, RecordId, Revision, Suite, VaultId,
    random_id,
};
pub use keys::master::MasterKey;
pub use keys::member::MemberKey;
pub use keys::patient::PatientKey;
pub use keys::recipient::{RecipientKey, RecipientPublicKey};
pub use keys::registrar::{RegistrarKey, RegistrarPublicKey};
pub use patient::{AccessHint, Card, Endorsed, Enroller, Enrolment, Grant, GrantKey, Holder, StoredPatient};
pub use record::{Deposit, Opened, Origin, Padding, RecordContext, Unattributed, path_of, sealed_len};
pub use roster::{ClosedReason, Member, MemberEntry, Roles, RosterDraft, Status, VerifiedRoster};
pub use secret::{Plaintext, SecretBytes, SecretText};
pub use vault::{Erasure, ErasureReceipt, PatientRotation, Rotation, Sources, StoredNote, Vault};

/// The operating system's random number generator, for every `rng` argument.
#[cfg(feature = "getrandom")]
pub use getrandom::SysRng as OsRng;
pub use rand_core;

/// Rooms that are unsafe to use alone, for vectors, benchmarks and fuzzing. Not covered by semantic
/// versioning.
#[cfg(feature = "hazmat")]
pub mod hazmat {
    /// The room `chunked`: c2sp.org/chunked-encryption, generic over hash and AEAD.
    pub mod chunked {
        pub use crate::chunked::*;
    }
    /// The room `prim`: the primitives by themselves, for published vectors.
    pub mod prim {
        pub use crate::prim::hazmat::*;
    }
    /// The room `shamir`: sharing of 32 bytes over GF(2^8).
    pub mod shamir {
        pub use crate::shamir::*;
    }
    /// Of the room `wire`, that what parses has one encoding: for fuzzing.
    pub mod wire {
        pub use crate::wire::reencode::reencode;
    }
}
