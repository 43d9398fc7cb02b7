//! The master secret's life outside memory: policy, descriptor, pin, shares and recovery.

mod create;
mod descriptor;
mod pin;
mod policy;
mod recover;
mod share;

pub use create::{NewVault, create};
pub use descriptor::{Descriptor, PinnedDescriptor};
pub use pin::Pin;
pub use policy::Policy;
pub use recover::{Progress, Recovery};
pub use share::Share;
