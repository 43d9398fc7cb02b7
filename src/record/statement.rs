//! What the writer of a deposit signs, and the check of it before any secret is touched.

use alloc::vec::Vec;

use super::context::deposit_wrap_context;
use crate::choice::{Path, Roles, Status};
use crate::digest::{CardId, KeyFingerprint, PayloadContextId, PayloadDigest};
use crate::error::{Result, Untrusted};
use crate::keys::labels;
use crate::prim::hash::hash;
use crate::prim::sign::{SIGNATURE_LEN, SigningKey};
use crate::roster::VerifiedRoster;
use crate::wire::record::{Origin, SealedKey};

/// Everything that a deposit consists of, its text by digests.
pub(crate) struct Statement {
    wrap_context: Vec<u8>,
    writer: KeyFingerprint,
    roster_seen: u64,
    sealed_key_digest: [u8; 32],
    payload_digest: PayloadDigest,
}

/// A writer whose signature under a statement was verified: what the opening of the sealed key asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer {
    pub(crate) key: KeyFingerprint,
    pub(crate) status: Status,
    /// The payload that it signed.
    pub(crate) payload_digest: PayloadDigest,
}

/// The digest by which a signature names the payload.
pub(crate) fn payload_digest(payload: &[u8]) -> PayloadDigest {
    PayloadDigest(hash(labels::PAYLOAD_DIGEST, &[payload]))
}

/// The digest by which a statement names the sealed record key.
pub(crate) fn sealed_key_digest(sealed: &[u8]) -> [u8; 32] {
    hash(labels::SEALED_KEY_DIGEST, &[sealed])
}

impl Statement {
    /// The statement about a deposit that is at hand.
    pub(crate) fn of_deposit(
        path: Path,
        card: CardId,
        context: PayloadContextId,
        key: &SealedKey<'_>,
        payload_digest: PayloadDigest,
    ) -> Self {
        Self {
            wrap_context: deposit_wrap_context(path, card, context),
            writer: key.writer,
            roster_seen: key.roster_seen,
            sealed_key_digest: sealed_key_digest(key.sealed),
            payload_digest,
        }
    }

    /// The statement about a deposit that was absorbed.
    pub(super) fn of_origin(origin: &Origin, context: PayloadContextId, payload_digest: PayloadDigest) -> Self {
        Self {
            wrap_context: deposit_wrap_context(Path::Deposit, origin.card, context),
            writer: origin.writer,
            roster_seen: origin.roster_seen,
            sealed_key_digest: origin.sealed_key_digest,
            payload_digest,
        }
    }

    pub(crate) fn sign(&self, key: &SigningKey) -> [u8; SIGNATURE_LEN] {
        key.sign(labels::DEPOSIT, &self.message())
    }

    /// Verifies the signature of the writer, who is on the roster with the role `deposit`, whatever its status.
    ///
    /// # Errors
    /// [`Untrusted::UnknownMember`], [`Untrusted::Role`]; [`Error::Stale`](crate::Error::Stale) if the writer saw a newer roster;
    /// [`Untrusted::DepositSignature`].
    pub(crate) fn verify(&self, signature: &[u8; SIGNATURE_LEN], roster: &VerifiedRoster) -> Result<Writer> {
        let member = roster.member(self.writer)?;
        if !member.roles().contains(Roles::DEPOSIT) {
            return Err(Untrusted::Role(self.writer).into());
        }
        roster.require_seen(self.roster_seen)?;
        if !member.entry().signing_key.verify(labels::DEPOSIT, &self.message(), signature) {
            return Err(Untrusted::DepositSignature(self.writer).into());
        }
        Ok(Writer { key: self.writer, status: member.status(), payload_digest: self.payload_digest })
    }

    /// `wrap context || writer || sealed key digest || payload digest || roster version`.
    fn message(&self) -> Vec<u8> {
        let roster_seen = self.roster_seen.to_be_bytes();
        let Self { wrap_context, writer, sealed_key_digest, payload_digest, .. } = self;
        [wrap_context, writer.as_bytes().as_slice(), sealed_key_digest, payload_digest.as_bytes(), &roster_seen]
            .concat()
    }
}

impl Writer {
    /// Refuses a writer that the roster lists as revoked.
    pub(crate) fn require_unrevoked(&self) -> Result<()> {
        if self.status == Status::Revoked { Err(Untrusted::Revoked(self.key).into()) } else { Ok(()) }
    }
}
