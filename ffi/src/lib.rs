//! The C interface of `lukko`. `include/lukko.h`, generated from this crate, is its documentation; `README.md` says how
//! it is built and which function does what.
//!
//! Five files carry the rules, and everything in `api` follows them:
//!
//! * `buffer` reads and writes the caller's memory. It holds all of the unsafe code.
//! * `output` writes zero to what a call gives out, when the call fails.
//! * `handle` is the table of objects. A handle is a number and never a pointer.
//! * `fork` lets that table go through a fork whole.
//! * `error` maps every refusal to a code.
#![deny(unsafe_code)]
// The names are those of the header.
#![allow(non_camel_case_types)]

pub mod api;
pub mod buffer;
pub mod error;
mod fork;
mod handle;
pub mod object;
mod output;
pub mod values;
