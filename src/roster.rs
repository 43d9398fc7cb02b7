//! Who may do what: members, the signed roster of them, and the cards that are closed.

mod draft;
mod member;
mod naming;
mod role;
mod verified;

pub use draft::RosterDraft;
pub use member::{Member, MemberEntry};
pub use role::{ClosedReason, Roles, Status};
pub use verified::VerifiedRoster;
pub(crate) use verified::roster_digest;
