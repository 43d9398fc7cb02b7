//! Patients: their keys' public cards, what vouches for them, and the grants that carry the secret.

mod card;
mod enrol;
mod grant;

pub use card::{Card, StoredPatient};
pub(crate) use enrol::enrol;
pub use enrol::{Enroller, Enrolment};
pub use grant::Grant;
pub(crate) use grant::{grant_to_member, open_as_master, open_as_member};
