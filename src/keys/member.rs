//! A member's keys, both from one seed, and the entry that the member signs itself.

use alloc::boxed::Box;
use core::fmt;

use rand_core::TryCryptoRng;

use super::{labels, schedule};
use crate::digest::KeyFingerprint;
use crate::error::Result;
use crate::ident::{MemberId, Scope};
use crate::prim::hash::hash;
use crate::prim::hpke::PrivateKey;
use crate::prim::rng;
use crate::prim::sign::SigningKey;
use crate::secret::{Secret, SecretBytes};
use crate::wire;
use crate::wire::frame::Field;

/// A member's private keys: HPKE to receive grants, Ed25519 to endorse and to sign deposits. Wiped when dropped.
///
/// Both are derived from a seed of 32 bytes for one vault, suite and member id: one seed gives unrelated keys elsewhere.
pub struct MemberKey {
    scope: Scope,
    seed: Secret<32>,
    pub(crate) hpke: PrivateKey,
    pub(crate) signing: SigningKey,
    entry: Box<[u8]>,
    fingerprint: KeyFingerprint,
}

impl MemberKey {
    pub(crate) fn draw(scope: Scope, id: MemberId<'_>, rng: &mut impl TryCryptoRng) -> Result<Self> {
        Self::from_secret(scope, id, Secret::try_filled(|seed| rng::fill(rng, seed))?)
    }

    pub(crate) fn from_secret(scope: Scope, id: MemberId<'_>, seed: Secret<32>) -> Result<Self> {
        let key = |label| schedule::member(&seed, label, scope, id);
        let hpke = PrivateKey::from_secret(scope.suite, key(labels::MEMBER_HPKE))?;
        let signing = SigningKey::from_seed(key(labels::MEMBER_SIGNING).expose());
        let body = wire::member::MemberEntry {
            scope,
            member: id,
            hpke_key: Field::new(hpke.public_key()?.as_bytes()),
            signing_key: Field::new(*signing.verifying_key().as_bytes()),
        }
        .encode_body();
        let fingerprint = member_fingerprint(&body);
        let entry = signing.append_signature(labels::MEMBER_ENTRY, body);
        Ok(Self { scope, seed, hpke, signing, entry: entry.into(), fingerprint })
    }

    /// The self-signed entry, for the registrar to admit and for the store to keep: with X25519 167 bytes and
    /// the member id, with X-Wing 1,351 and the member id.
    #[must_use]
    pub const fn entry(&self) -> &[u8] {
        &self.entry
    }

    /// The fingerprint of id and keys: what the registrar compares with the member before admitting it.
    #[must_use]
    pub const fn fingerprint(&self) -> KeyFingerprint {
        self.fingerprint
    }

    /// The 32-byte seed, for storage where only the member reads it.
    #[must_use]
    pub fn seed(&self) -> SecretBytes {
        SecretBytes::new(self.seed.expose().to_vec())
    }

    pub(crate) const fn scope(&self) -> Scope {
        self.scope
    }
}

/// The fingerprint of an entry's body: member id and both keys, of one vault and suite.
pub(crate) fn member_fingerprint(body: &[u8]) -> KeyFingerprint {
    KeyFingerprint(hash(labels::MEMBER_FINGERPRINT, &[body]))
}

impl fmt::Debug for MemberKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemberKey").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}
