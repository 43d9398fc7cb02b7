//! The patient secret and the keys derived from it.

use core::fmt;

use rand_core::TryCryptoRng;
use subtle::ConstantTimeEq;

pub(crate) use super::schedule::PatientContext;
use super::{labels, schedule};
use crate::digest::CardId;
use crate::error::{Error, Result};
use crate::ident::{OwnedPatientId, PatientId, Scope};
use crate::prim::hash::hash;
use crate::prim::hpke::{PrivateKey, PublicKey};
use crate::prim::rng;
use crate::prim::sign::{SigningKey, VerifyingKey};
use crate::secret::Secret;

/// The id of a card: `SHA-256(lp(label) || body)`.
pub(crate) fn card_id(body: &[u8]) -> CardId {
    CardId(hash(labels::CARD_ID, &[body]))
}

/// `SHA-256(lp(label) || master grant)`, which the endorsement signs.
pub(crate) fn master_grant_digest(grant: &[u8]) -> [u8; 32] {
    hash(labels::MASTER_GRANT_DIGEST, &[grant])
}

/// The 32 bytes that grants carry.
pub(crate) struct PatientSecret(Secret<32>);

impl PatientSecret {
    pub(crate) fn draw(rng: &mut impl TryCryptoRng) -> Result<Self> {
        Secret::try_filled(|secret| rng::fill(rng, secret)).map(Self)
    }

    pub(crate) const fn from_secret(secret: Secret<32>) -> Self {
        Self(secret)
    }

    pub(crate) fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// Derives the keys; they become a [`PatientKey`] only by comparison with a card's.
    pub(crate) fn derive(self, context: &PatientContext<'_>) -> Result<PatientKeyPairs> {
        let hpke =
            PrivateKey::from_secret(context.scope.suite, schedule::patient(&self.0, labels::PATIENT_HPKE, context))?;
        let hpke_public = hpke.public_key()?;
        let succession =
            SigningKey::from_seed(schedule::patient(&self.0, labels::PATIENT_SUCCESSION, context).expose());
        Ok(PatientKeyPairs { secret: self, hpke_public, succession })
    }
}

/// Key pairs of some patient secret, not yet compared with a card.
pub(crate) struct PatientKeyPairs {
    secret: PatientSecret,
    pub(crate) hpke_public: PublicKey,
    succession: SigningKey,
}

impl PatientKeyPairs {
    pub(crate) fn succession_public(&self) -> VerifyingKey {
        self.succession.verifying_key()
    }

    /// The patient key, if these are the key pairs whose public halves the card lists.
    ///
    /// # Errors
    /// [`Error::NotAuthentic`] if they are not.
    pub(crate) fn matching(
        self,
        context: &PatientContext<'_>,
        card: CardId,
        hpke_public: &[u8],
        succession_public: &[u8; 32],
    ) -> Result<PatientKey> {
        let hpke_same = self.hpke_public.as_bytes().ct_eq(hpke_public);
        let succession_same = self.succession_public().as_bytes().ct_eq(succession_public);
        if !bool::from(hpke_same & succession_same) {
            return Err(Error::NotAuthentic);
        }
        let kek = PatientKek(schedule::patient(&self.secret.0, labels::PATIENT_KEK, context));
        let PatientContext { scope, patient, version } = *context;
        Ok(PatientKey { scope, patient: patient.into(), version, card, secret: self.secret, kek })
    }
}

/// The symmetric key that wraps the record keys of a patient.
pub(crate) struct PatientKek(Secret<32>);

impl PatientKek {
    pub(crate) fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }
}

/// The key of one patient and version: seals and opens the patient's records. Wiped when dropped.
///
/// It exists only right after enrolment, or after a grant was opened and the keys derived from it compared with a
/// verified card. A card that is closed later does not reach into memory: drop the key and open the grant again after
/// each new roster.
pub struct PatientKey {
    scope: Scope,
    patient: OwnedPatientId,
    version: u32,
    card: CardId,
    secret: PatientSecret,
    kek: PatientKek,
}

impl PatientKey {
    /// The card that this is the key of.
    #[must_use]
    pub const fn card(&self) -> CardId {
        self.card
    }

    /// The id of the patient that this is the key of, 1 to 255 bytes.
    #[must_use]
    pub const fn patient(&self) -> &[u8] {
        self.patient.as_id().as_bytes()
    }

    /// The version of the patient's key, from 1.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    pub(crate) const fn patient_id(&self) -> PatientId<'_> {
        self.patient.as_id()
    }

    pub(crate) const fn context(&self) -> PatientContext<'_> {
        PatientContext { scope: self.scope, patient: self.patient.as_id(), version: self.version }
    }

    /// `Ed25519-Sign(succession key, lp(label) || id of the next card)`, 64 bytes.
    pub(crate) fn vouch_for(&self, next: CardId) -> [u8; 64] {
        let seed = schedule::patient(&self.secret.0, labels::PATIENT_SUCCESSION, &self.context());
        SigningKey::from_seed(seed.expose()).sign(labels::SUCCESSION, next.as_bytes())
    }

    /// The private half of the card's HPKE key, which opens deposits.
    pub(crate) fn hpke(&self) -> Result<PrivateKey> {
        let key = schedule::patient(&self.secret.0, labels::PATIENT_HPKE, &self.context());
        PrivateKey::from_secret(self.scope.suite, key)
    }

    pub(crate) const fn scope(&self) -> Scope {
        self.scope
    }

    pub(crate) const fn secret(&self) -> &PatientSecret {
        &self.secret
    }

    pub(crate) const fn kek(&self) -> &PatientKek {
        &self.kek
    }
}

impl fmt::Debug for PatientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PatientKey").field("card", &self.card).finish_non_exhaustive()
    }
}
