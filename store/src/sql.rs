//! Databases that speak SQL: one text for all of them, and a driver for each.

pub(crate) mod driver;
#[cfg(feature = "sqlite")]
mod file;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
mod reported;
pub(crate) mod schema;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
#[cfg(all(test, feature = "sqlite", feature = "postgres"))]
mod tests;
