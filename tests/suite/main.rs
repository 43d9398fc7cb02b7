//! The core from outside: attacks, faults and round trips on the public API. Names begin with the case they cover.

#[cfg(feature = "std")]
mod attachments;
mod attackers;
mod bits;
mod clinic;
mod contexts;
mod deposits;
mod disclosures;
mod erasure;
mod founding;
mod members;
mod randomness;
mod receipts;
mod redaction;
mod rekey;
mod rosters;
mod rotation;
mod roundtrip;
mod shares;
mod sizes;
mod types;
