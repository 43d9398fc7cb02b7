//! Disclosure: a copy of one note for someone outside, under a key of its own, signed. No key of the vault leaves it.

use alloc::vec::Vec;

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use crate::choice::{Padding, Path, Roles, Status};
use crate::chunked::{self, ChaCha20Poly1305, SealedMessage};
use crate::digest::{KeyFingerprint, PayloadContextId, PayloadDigest};
use crate::error::{Error, Object, Result, Untrusted, Usage};
use crate::ident::{PatientId, Place, Revision, Scope};
use crate::keys::labels;
use crate::keys::member::MemberKey;
use crate::keys::patient::PatientKey;
use crate::keys::recipient::{RecipientKey, RecipientPublicKey};
use crate::keys::record::RecordSecrets;
use crate::prim::hash::hash;
use crate::prim::hpke::{Coins, open_secret, seal_secret};
use crate::record::{Opened, Origin, path_of, payload_digest, seal_payload, sealed_key_digest};
use crate::secret::Plaintext;
use crate::vault::Vault;
use crate::wire::disclosure::{Disclosure, Inner};
use crate::wire::frame::Field;

/// A note that was disclosed, opened by its recipient.
#[derive(Debug)]
pub struct Disclosed {
    /// The note.
    pub plaintext: Plaintext,
    /// The patient's id in the vault, 1 to 255 bytes.
    pub patient: Vec<u8>,
    /// The record's id in the vault, 1 to 255 bytes.
    pub record: Vec<u8>,
    /// The field, 1 to 255 bytes.
    pub field: Vec<u8>,
    /// The revision that was handed out.
    pub revision: Revision,
    /// Who deposited the note, as the signer says; `None` for a note that a reader wrote, and for one whose writer is
    /// revoked.
    pub writer: Option<KeyFingerprint>,
    /// The member who handed it out and signed for it.
    pub signer: KeyFingerprint,
}

/// A sealed note and the place that it has in the store.
#[derive(Debug, Clone, Copy)]
pub struct StoredNote<'a> {
    /// Its place.
    pub place: Place<'a>,
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
        self.scope().require(signer.scope())?;
        self.roster.require_active(signer.fingerprint(), Roles::READ)?;
        if to.suite() != self.descriptor.suite() {
            return Err(Usage::WrongSuite.into());
        }
        let StoredNote { place, path, bytes } = *note;
        let met = path_of(bytes)?;
        if met != path {
            return Err(Usage::WrongPath { met }.into());
        }
        let opened = match path {
            Path::Reader => self.open(key, place, bytes),
            Path::Deposit | Path::Absorbed | Path::DepositedAttachment => self.open_deposit(key, place, bytes),
        }?;
        seal_copy(&opened, key.patient_id(), place, to, signer, self.roster.version(), rng)
    }

    /// Opens a disclosure as its recipient, who needs of the vault only what is public: descriptor, roster, entries,
    /// and the descriptor's fingerprint by a trusted way.
    ///
    /// # Errors
    /// As [`Vault::disclosure_signer`]; [`Usage::WrongRecipient`](crate::error::Usage::WrongRecipient);
    /// [`Error::NotAuthentic`](crate::Error::NotAuthentic) for everything after that.
    pub fn open_disclosure(&self, key: &RecipientKey, bytes: &[u8]) -> Result<Disclosed> {
        // 1. The signer.
        let Verified { disclosure, payload, context, payload_digest } = self.verify_disclosure(bytes)?;
        if disclosure.recipient != key.public().fingerprint() {
            return Err(Usage::WrongRecipient { addressed_to: disclosure.recipient }.into());
        }
        // Memory that runs out is reported before the key is used.
        let mut text = Zeroizing::new(Vec::new());
        let length = usize::try_from(payload.layout().plaintext_len()).map_err(|_| Usage::TooLong)?;
        text.try_reserve_exact(length).map_err(|_| Usage::TooLong)?;
        // 2. key = OpenBase(recipient's key, info = wrap context || payload digest, sealed key)
        let secret = open_secret(&key.hpke, &sealing_info(context, payload_digest), &[], disclosure.sealed)?;
        // 3. the payload: commitment, chunks, exact padding
        chunked::open_append::<ChaCha20Poly1305, 32>(secret.expose(), &payload, context.as_bytes(), &mut text)?;
        let text = text.get(..Padding::Padme.note_len(&text)?).ok_or(Error::NotAuthentic)?;
        // 4. where the note stood
        let (inner, note) = Inner::parse(text).map_err(|_| Error::NotAuthentic)?;
        Ok(Disclosed {
            plaintext: Plaintext::new(note.to_vec()),
            patient: inner.patient.as_bytes().to_vec(),
            record: inner.record.as_bytes().to_vec(),
            field: inner.field.as_bytes().to_vec(),
            revision: inner.revision,
            writer: inner.writer,
            signer: disclosure.signer,
        })
    }

    /// Verifies who handed out a disclosure, without opening it: whoever presents another text as disclosed fails here.
    ///
    /// # Errors
    /// [`Error::Malformed`](crate::Error::Malformed); [`Usage`](crate::error::Usage) for one of another vault;
    /// [`Untrusted`](crate::error::Untrusted) if the signer is unknown, revoked, may not read or did not sign;
    /// [`Error::Stale`](crate::Error::Stale) if the signer saw a newer roster.
    pub fn disclosure_signer(&self, bytes: &[u8]) -> Result<KeyFingerprint> {
        self.verify_disclosure(bytes).map(|verified| verified.disclosure.signer)
    }

    fn verify_disclosure<'a>(&self, bytes: &'a [u8]) -> Result<Verified<'a>> {
        let disclosure = Disclosure::parse(bytes)?;
        let Disclosure { scope: met, recipient, signer, roster_seen, sealed, signature, payload } = disclosure;
        let message_payload =
            SealedMessage::parse(payload.value).map_err(|_| payload.refuse(Object::Disclosure, "payload"))?;
        self.scope().require(met)?;
        let member = self.roster.require_unrevoked(signer, Roles::READ)?;
        self.roster.require_seen(roster_seen)?;
        let context = context(met, recipient, signer);
        let payload_digest = payload_digest(payload.value);
        let message = message(context, sealed, payload_digest, roster_seen);
        if !member.entry().signing_key.verify(labels::DISCLOSURE, &message, &signature) {
            return Err(Untrusted::DisclosureSignature(signer).into());
        }
        Ok(Verified { disclosure, payload: message_payload, context, payload_digest })
    }
}

/// Seals a copy of an opened note to someone outside.
fn seal_copy(
    opened: &Opened,
    patient: PatientId<'_>,
    place: Place<'_>,
    to: &RecipientPublicKey,
    signer: &MemberKey,
    roster_seen: u64,
    rng: &mut impl TryCryptoRng,
) -> Result<Vec<u8>> {
    let scope = signer.scope();
    // 1. text = where the note stood || note
    let text = text(opened, patient, place)?;
    // 2. disclosure context = SHA-256(label, suite, vault, recipient, signer)
    let context = context(scope, to.fingerprint(), signer.fingerprint());
    // 3. key || salt = HKDF-Expand(r, label || disclosure context || SHA-256(text), 80)
    let mut secrets = RecordSecrets::empty();
    secrets.draw(labels::DISCLOSURE_DRAW, [context.as_bytes(), &hash(labels::TEXT_DIGEST, &[&text])], rng)?;
    // 4. payload = chunked encryption of the padded text
    let mut payload = Vec::new();
    seal_payload(&secrets, context, &text, Padding::Padme, &mut payload)?;
    let payload_digest = payload_digest(&payload);
    // 5. sealed key = SealBase(recipient's key, info = wrap context || payload digest, key)
    let coins = Coins::draw(scope.suite, rng)?;
    let sealed = seal_secret(&to.0, &sealing_info(context, payload_digest), &[], secrets.key(), &coins)?;
    // 6. signature over wrap context, digests of sealed key and payload, roster version
    let message = message(context, &sealed, payload_digest, roster_seen);
    Ok(Disclosure {
        scope,
        recipient: to.fingerprint(),
        signer: signer.fingerprint(),
        roster_seen,
        sealed: &sealed,
        signature: signer.signing.sign(labels::DISCLOSURE, &message),
        payload: Field::new(&payload),
    }
    .encode())
}

/// A disclosure whose signature holds.
struct Verified<'a> {
    disclosure: Disclosure<'a>,
    payload: SealedMessage<'a>,
    context: PayloadContextId,
    payload_digest: PayloadDigest,
}

/// `where the note stood || note`.
fn text(opened: &Opened, patient: PatientId<'_>, place: Place<'_>) -> Result<Zeroizing<Vec<u8>>> {
    let writer = match opened.origin {
        Origin::Deposit { writer } => Some(writer),
        Origin::Absorbed { writer, status } if status != Status::Revoked => Some(writer),
        Origin::Absorbed { .. } | Origin::Reader | Origin::Unattributed { .. } => None,
    };
    let inner = Inner { patient, record: place.record, field: place.field, revision: opened.revision, writer }.encode();
    let mut text = Zeroizing::new(Vec::new());
    let length = inner.len().checked_add(opened.plaintext.len()).ok_or(Usage::TooLong)?;
    text.try_reserve_exact(length).map_err(|_| Usage::TooLong)?;
    text.extend_from_slice(&inner);
    text.extend_from_slice(&opened.plaintext);
    Ok(text)
}

/// `SHA-256(lp(label) || suite || vault id || recipient || signer)`.
fn context(scope: Scope, recipient: KeyFingerprint, signer: KeyFingerprint) -> PayloadContextId {
    let parts: [&[u8]; 3] = [&scope.to_bytes(), recipient.as_bytes(), signer.as_bytes()];
    PayloadContextId(hash(labels::DISCLOSURE_CONTEXT, &parts))
}

/// `lp(label) || disclosure context || payload digest`.
fn sealing_info(context: PayloadContextId, payload_digest: PayloadDigest) -> Vec<u8> {
    labels::DISCLOSURE_WRAP.frame(&[context.as_bytes(), payload_digest.as_bytes()])
}

/// `disclosure context || sealed key digest || payload digest || roster version`.
fn message(context: PayloadContextId, sealed: &[u8], payload_digest: PayloadDigest, roster_seen: u64) -> Vec<u8> {
    let sealed_digest = sealed_key_digest(sealed);
    [context.as_bytes().as_slice(), &sealed_digest, payload_digest.as_bytes(), &roster_seen.to_be_bytes()].concat()
}
