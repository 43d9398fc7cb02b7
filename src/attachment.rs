//! Attachments: records of any length, written and read as streams in constant memory.
//!
//! An attachment that a reader seals is, byte for byte, a record of the reader's path; one that fits into memory opens
//! as a record, and a record opens as an attachment. A deposited attachment has its writer's signature behind it,
//! because what it says of the payload is known only at the end.
//!
//! Every call answers with a [`std::io::Result`]. A refusal of this crate is an [`Error`](crate::Error) inside it:
//! [`Error::from_io`](crate::Error::from_io) takes it out. Whatever fails stays failed: a stream that gave an error
//! gives one of the same kind for ever.

mod buffer;
mod deposit;
mod deposited;
mod failure;
mod front;
mod reader;
mod reseal;
mod sealer;
mod source;
mod stream;
#[cfg(test)]
mod tests;
mod writer;

pub use deposit::DepositWriter;
pub use deposited::DepositedAttachment;
pub use reader::AttachmentReader;
pub use reseal::StoredAttachment;
pub use writer::AttachmentWriter;
