//! Patients: their keys' public cards, what vouches for them, and the grants that carry the secret.

mod access;
mod card;
mod enrol;
mod grant;
mod history;
mod older;
#[cfg(test)]
mod tests;

pub(crate) use access::who_can_open;
pub use access::{AccessHint, Holder};
pub(crate) use card::endorsed_card;
pub use card::{Card, StoredPatient};
pub use enrol::{Endorsed, Enroller, Enrolment};
pub(crate) use enrol::{endorse, enrol, rekey};
pub use grant::{Grant, GrantKey};
pub(crate) use grant::{grant_to_master, grant_to_member, open_as_master, open_as_member};
pub(crate) use history::{card_ids, link, links};
pub(crate) use older::{cards_left_open, open_older, open_remembered};
