//! Patients: their keys' public cards, what vouches for them, and the grants that carry the secret.

mod access;
mod card;
mod enrol;
mod grant;
mod history;
mod older;
#[cfg(test)]
mod tests;

pub use access::{AccessHint, Holder};
pub use card::{Card, StoredPatient};
pub use enrol::{Endorsed, Enroller, Enrolment};
pub use grant::{Grant, GrantKey};
