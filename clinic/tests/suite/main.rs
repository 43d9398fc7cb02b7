//! The tests of the session, in one program.

#![allow(clippy::missing_errors_doc, clippy::missing_panics_doc, clippy::unwrap_used, missing_docs)]

mod world;

mod broken;
mod errors;
mod everyday;
mod generation;
mod keys;
mod killed;
mod limits;
mod memory;
mod officers;
mod put_back;
mod restart;
