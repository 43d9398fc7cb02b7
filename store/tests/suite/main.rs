//! The tests of the stores, in one program: the stores' generic code is compiled once for all of them.

#![allow(
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    dead_code,
    missing_debug_implementations,
    missing_docs,
    unreachable_pub
)]

// What the tests share.
mod clinic;
mod cluster;
mod mix;
mod model;
mod postgres;
mod sql;
mod work;

// Cases that more than one kind of store must pass.
mod erasures;
mod given_up;
mod jobs;
mod keys;
mod life;
mod lifecycle;
mod mismatch;
mod records;

mod attachments;
mod behind;
mod bookkeeping;
mod bring_back;
mod citus;
mod claims;
mod conformance;
mod copy;
mod crash;
mod decisions;
mod faults;
mod files;
mod full;
mod import;
mod import_border;
mod import_causes;
mod order;
mod places;
mod planted;
mod pooler;
mod postgres_fdw;
mod postgresql;
mod postgresql_erasure;
mod processes;
mod restore;
mod session;
mod soak;
mod sqlite;
mod sqlite_file;
mod tampering;
mod words;
