//! The master secret's life outside memory: policy, descriptor, pin, shares and recovery.

mod create;
mod descriptor;
mod pin;
mod policy;
mod recover;
mod retire;
mod share;
mod successor;
#[cfg(test)]
mod tests;

pub(crate) use create::deal_next;
pub use create::{NewVault, create};
pub use descriptor::{Descriptor, PinnedDescriptor};
pub use pin::Pin;
pub use policy::Policy;
pub use recover::{Progress, Recovery};
pub use retire::{Missing, Retired, Retirement};
pub use share::Share;
pub use successor::Successor;
pub(crate) use successor::{announce, require_root};
