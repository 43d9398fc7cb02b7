//! Disclosure: a copy of one note for someone outside.

use alloc::vec::Vec;

use rand_core::TryCryptoRng;

use super::Vault;
use crate::choice::{Path, Roles};
use crate::digest::KeyFingerprint;
use crate::disclosure::{self, Disclosed, Place};
use crate::error::{Result, Usage};
use crate::ident::{FieldLabel, RecordId};
use crate::keys::member::MemberKey;
use crate::keys::patient::PatientKey;
use crate::keys::recipient::{RecipientKey, RecipientPublicKey};
use crate::record::path_of;

/// A sealed note and the place that it has in the store.
#[derive(Debug, Clone, Copy)]
pub struct StoredNote<'a> {
    /// The record's id.
    pub record: RecordId<'a>,
    /// The field.
    pub field: FieldLabel<'a>,
    /// The path that it is expected to have, so that a deposit put in a record's place is not taken for it.
    pub path: Path,
    /// The sealed note, of the reader's path, deposited or absorbed.
    pub bytes: &'a [u8],
}

impl Vault {
    /// Hands out a copy of one note: opens it and seals its text under a fresh key to someone outside, signed by a
    /// member who may read. The recipient opens that and nothing else, and cannot change what the vault keeps.
    ///
    /// # Errors
    /// As [`Vault::open`] or [`Vault::open_deposit`]; [`Untrusted`](crate::error::Untrusted) if the signer is not an
    /// active member with the role `read`; [`Usage::WrongSuite`] for a recipient's key of another suite;
    /// [`Usage::WrongPath`] for a note of another path than expected; [`Error::Randomness`](crate::Error::Randomness).
    ///
    /// # Security
    /// What is disclosed is outside for ever. Compare the fingerprint of the recipient's key with the recipient first.
    pub fn disclose(
        &self,
        key: &PatientKey,
        note: &StoredNote<'_>,
        to: &RecipientPublicKey,
        signer: &MemberKey,
        rng: &mut impl TryCryptoRng,
    ) -> Result<Vec<u8>> {
        self.descriptor.scope().require(signer.scope())?;
        self.roster.require_active(signer.fingerprint(), Roles::READ)?;
        if to.suite() != self.descriptor.suite() {
            return Err(Usage::WrongSuite.into());
        }
        let StoredNote { record, field, path, bytes } = *note;
        let met = path_of(bytes)?;
        if met != path {
            return Err(Usage::WrongPath { met }.into());
        }
        let opened = match path {
            Path::Reader => self.open(key, record, field, bytes),
            Path::Deposit | Path::Absorbed | Path::DepositedAttachment => self.open_deposit(key, record, field, bytes),
        }?;
        let place = Place { patient: key.patient_id(), record, field };
        disclosure::disclose(&opened, &place, to, signer, self.roster.version(), rng)
    }

    /// Opens a disclosure as its recipient, who needs of the vault only what is public: descriptor, roster, entries,
    /// and the descriptor's fingerprint by a trusted way.
    ///
    /// # Errors
    /// As [`Vault::disclosure_signer`]; [`Usage::WrongRecipient`](crate::error::Usage::WrongRecipient);
    /// [`Error::NotAuthentic`](crate::Error::NotAuthentic) for everything after that.
    pub fn open_disclosure(&self, key: &RecipientKey, bytes: &[u8]) -> Result<Disclosed> {
        disclosure::open(key, bytes, self.descriptor.scope(), &self.roster)
    }

    /// Verifies who handed out a disclosure, without opening it: whoever presents another text as disclosed fails here.
    ///
    /// # Errors
    /// [`Error::Malformed`](crate::Error::Malformed); [`Usage`](crate::error::Usage) for one of another vault;
    /// [`Untrusted`](crate::error::Untrusted) if the signer is unknown, revoked, may not read or did not sign;
    /// [`Error::Stale`](crate::Error::Stale) if the signer saw a newer roster.
    pub fn disclosure_signer(&self, bytes: &[u8]) -> Result<KeyFingerprint> {
        disclosure::signer(bytes, self.descriptor.scope(), &self.roster)
    }
}
