//! The peers, a file each.

pub mod age;
pub mod aws;
pub mod boxes;
pub mod hpke;
pub mod lukko;
pub mod orion;
pub mod raw;
pub mod sodium;
