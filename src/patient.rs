//! Patients: their keys' public cards, what vouches for them, and the grants that carry the secret.

mod access;
mod card;
mod chain;
mod endorsement;
mod enrol;
mod grant;
mod older;
#[cfg(test)]
mod tests;

pub use access::{AccessHint, Holder};
pub use card::Card;
pub use endorsement::{Endorsed, Enroller, StoredPatient};
pub use enrol::Enrolment;
pub use grant::{Grant, GrantKey};
