//! Where a service keeps a vault of [`lukko`].
//!
//! A [`Store`] sees ids and bytes, never a key and never a plaintext. What it returns is verified by [`lukko::Vault`] and
//! not trusted; what it promises is order. [`Store::apply`] makes a logical change whole or not at all, tells a writer
//! who was overtaken so, and can be given the same change again after a lost reply.
#![forbid(unsafe_code)]

mod attachments;
mod backend;
mod change;
mod copy;
mod engine;
pub mod error;
mod faulty;
mod jobs;
mod memory;
pub mod placed;
#[cfg(unix)]
pub mod restore;
mod rows;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod sql;
mod store;
#[cfg_attr(not(any(feature = "sqlite", feature = "postgres")), allow(dead_code))]
mod table;

pub use attachments::{Attachments, ObjectSink, ObjectSource};
pub use change::{
    Body, Change, Erase, Expect, JobKind, NewGeneration, Outcome, Over, Part, Records, Replaced, enrolment, next_card,
};
pub use copy::{Copied, copy};
pub use engine::Engine;
pub use error::{Error, Result};
pub use faulty::{Fault, Faults, Faulty, FaultyStore};
pub use jobs::{ErasureJob, Finding, KeyOf, Piece, Progress, RekeyJob, RotationJob, Task, VerifyJob, Worker};
#[cfg(feature = "import")]
pub use jobs::{ImportColumn, ImportFault, ImportFile, ImportJob, ImportMistake, ImportRow, look_alikes};
pub use memory::{Memory, MemoryStore};
pub use placed::{
    AttachmentSealer, How, NewCard, NewEndorsement, NewGrant, NewMasterGrant, NewRecord, Placed, Sealed, Spot, Uploaded,
};
pub use rows::{
    After, Claim, Endorsed, Erasure, Failure, Generation, Grant, JobState, MasterGrant, Patient, Record, Scrub,
    StoredBody,
};
#[cfg(feature = "postgres")]
pub use sql::postgres::{Postgres, PostgresStore};
#[cfg(feature = "sqlite")]
pub use sql::sqlite::{Sqlite, SqliteStore};
pub use store::Store;

/// The objects of attachments: S3, GCS and Azure are features of it.
pub use object_store;
