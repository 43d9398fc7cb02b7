//! Patients: their keys' public cards, what vouches for them, and the grants that carry the secret.

mod card;
mod enrol;
mod grant;
#[cfg(test)]
mod tests;

pub use card::{Card, StoredPatient};
pub use enrol::{Enroller, Enrolment};
pub(crate) use enrol::{enrol, rekey};
pub use grant::Grant;
pub(crate) use grant::{grant_to_member, open_as_master, open_as_member};
