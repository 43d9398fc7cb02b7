//! What stands behind the payload of a deposited attachment (FORMAT.md, "Deposited attachments").

use super::LEN_32;
use super::frame::{SIGNATURE_LEN, Signature};

/// Length of payload digest and signature, in bytes.
pub(crate) const TRAILER_LEN: usize = LEN_32 + SIGNATURE_LEN;

/// The digest that the writer names, and the signature over it and the rest of the deposit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trailer {
    pub(crate) payload_digest: [u8; LEN_32],
    pub(crate) signature: Signature,
}

impl Trailer {
    /// Every 96 bytes are a trailer; whether the signature holds is another question.
    pub(crate) fn parse(bytes: &[u8; TRAILER_LEN]) -> Option<Self> {
        let (payload_digest, signature) = bytes.split_first_chunk()?;
        Some(Self { payload_digest: *payload_digest, signature: *signature.first_chunk()? })
    }

    /// The bytes that [`Trailer::parse`] reads.
    pub(crate) fn encode(&self) -> [u8; TRAILER_LEN] {
        let mut out = [0; TRAILER_LEN];
        for (slot, byte) in out.iter_mut().zip(self.payload_digest.iter().chain(&self.signature)) {
            *slot = *byte;
        }
        out
    }
}
