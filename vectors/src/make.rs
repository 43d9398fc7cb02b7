//! A builder of objects, written from docs/FORMAT.md and not from the library: it also makes what no honest library
//! makes. Notation as in that page, section 1.

pub(crate) mod collide;
pub(crate) mod hpke;
pub(crate) mod keys;
pub(crate) mod objects;
pub(crate) mod payload;
pub(crate) mod points;
pub(crate) mod prim;
pub(crate) mod record;
pub(crate) mod shamir;
