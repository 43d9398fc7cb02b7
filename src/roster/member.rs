//! Members: an entry is self-signed; a member is an entry that the roster lists.

use alloc::boxed::Box;

use crate::choice::{Roles, Status};
use crate::custody::PinnedDescriptor;
use crate::digest::{KeyFingerprint, VaultId};
use crate::error::{Object, Result, Untrusted};
use crate::keys::labels;
use crate::keys::member::member_fingerprint;
use crate::prim::hpke::PublicKey;
use crate::prim::sign::VerifyingKey;
use crate::wire;
use crate::wire::frame::SIGNATURE_LEN;

/// A member's public keys, signed by themselves, of the pinned vault. Not yet on any roster.
///
/// Security: anyone can make one. Before admitting it, compare [`MemberEntry::fingerprint`] with the person.
#[derive(Debug, Clone)]
pub struct MemberEntry {
    pub(super) vault: VaultId,
    id: Box<[u8]>,
    fingerprint: KeyFingerprint,
    pub(crate) hpke_key: PublicKey,
    pub(crate) signing_key: VerifyingKey,
}

impl MemberEntry {
    /// Reads an entry, imports its keys and verifies its signature.
    ///
    /// # Errors
    /// [`Error::Malformed`](crate::Error::Malformed) with the field; [`Usage::WrongVault`](crate::error::Usage::WrongVault) or
    /// [`Usage::WrongSuite`](crate::error::Usage::WrongSuite) for an entry of another vault; [`Untrusted::EntrySignature`].
    pub fn verify(bytes: &[u8], descriptor: &PinnedDescriptor) -> Result<Self> {
        let signed = wire::member::MemberEntry::parse(bytes)?;
        let entry = &signed.value;
        descriptor.scope().require(entry.scope)?;
        let hpke_key = PublicKey::import(entry.scope.suite, entry.hpke_key.value)
            .ok_or_else(|| entry.hpke_key.refuse(Object::MemberEntry, "hpke key"))?;
        let signing_key = VerifyingKey::import(&entry.signing_key.value)
            .ok_or_else(|| entry.signing_key.refuse(Object::MemberEntry, "signing key"))?;
        let fingerprint = member_fingerprint(signed.body);
        if !signed.verify(&signing_key, labels::MEMBER_ENTRY) {
            return Err(Untrusted::EntrySignature(fingerprint).into());
        }
        let (vault, id) = (entry.scope.vault, entry.member.as_bytes().into());
        Ok(Self { vault, id, fingerprint, hpke_key, signing_key })
    }

    /// The fingerprint that these bytes would have as an entry; nothing about them has been verified.
    pub(super) fn claimed_fingerprint(bytes: &[u8]) -> KeyFingerprint {
        let body_len = bytes.len().saturating_sub(SIGNATURE_LEN);
        member_fingerprint(bytes.get(..body_len).unwrap_or_default())
    }

    /// The member's id, 1 to 255 bytes, as the member gave it. Who it is, says the fingerprint.
    #[must_use]
    pub const fn id(&self) -> &[u8] {
        &self.id
    }

    /// The fingerprint of id and both keys, which is how rosters, grants and signatures name the member.
    #[must_use]
    pub const fn fingerprint(&self) -> KeyFingerprint {
        self.fingerprint
    }
}

/// An entry that a verified roster lists, with the roles and the status that it lists.
#[derive(Debug, Clone)]
pub struct Member {
    pub(super) entry: MemberEntry,
    pub(super) roles: Roles,
    pub(super) status: Status,
}

impl Member {
    /// The member's self-signed part.
    #[must_use]
    pub const fn entry(&self) -> &MemberEntry {
        &self.entry
    }

    /// What the key may do.
    #[must_use]
    pub const fn roles(&self) -> Roles {
        self.roles
    }

    /// What counts of the key.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.status
    }
}
