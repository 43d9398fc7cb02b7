//! The doors over real HTTP, on SQLite, and on PostgreSQL where there is a server.

#![allow(clippy::unwrap_used, missing_docs)]

mod attachments;
mod command;
mod glass;
mod intake;
mod keys;
mod logs;
mod notes;
mod openapi;
mod pages;
mod places;
mod readme;
mod shutdown;
mod sources;
mod world;
