//! Deposits: sealed by a member who cannot read, opened by a reader who learns who wrote.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use rand_core::TryCryptoRng;

use super::context::{RecordContext, absorbed_wrap_context, deposit_wrap_context, payload_context};
use super::locate::Located;
use super::open::{Opened, Origin};
use super::seal::{payload_len, seal_payload};
use super::statement::payload_digest;
use super::statement::{Statement, Writer};
use crate::choice::{Padding, Path, Roles};
use crate::digest::{CardId, KeyFingerprint, PayloadContextId, PayloadDigest};
use crate::error::{Error, Result, Usage};
use crate::ident::{FieldLabel, Place, RecordId, Revision, Scope, random_id};
use crate::keys::labels;
use crate::keys::member::MemberKey;
use crate::keys::patient::PatientKey;
use crate::keys::record::{RecordKey, RecordSecrets};
use crate::patient::Card;
use crate::prim::hash::hash;
use crate::prim::hpke::{Coins, open_secret, seal_secret};
use crate::roster::VerifiedRoster;
use crate::secret::Secret;
use crate::vault::Vault;
use crate::wire::record::{Front, Head, SealedKey, Wrap};

/// A deposit that was just made: store it under its id, which the library drew.
#[derive(Debug, Clone)]
pub struct Deposit {
    /// The record's id, 32 hexadecimal characters.
    pub record: String,
    /// The sealed note: with X25519 304 bytes more than the padded text, with X-Wing 1,392, and 16 more for each full
    /// 16 KiB.
    pub bytes: Vec<u8>,
}

/// A note whose author nobody vouches for, because the writer's key is revoked. For triage by a person.
pub struct Unattributed<T> {
    claimed_writer: KeyFingerprint,
    inner: T,
}

impl<T> Unattributed<T> {
    pub(crate) const fn new(claimed_writer: KeyFingerprint, inner: T) -> Self {
        Self { claimed_writer, inner }
    }

    /// The key that signed. Whoever stole it may have written the note.
    #[must_use]
    pub const fn claimed_writer(&self) -> KeyFingerprint {
        self.claimed_writer
    }

    /// The note. From here on nothing says any more that its author is unknown.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.inner
    }
}

impl<T> fmt::Debug for Unattributed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unattributed").field("claimed_writer", &self.claimed_writer).finish_non_exhaustive()
    }
}

impl Vault {
    /// Seals a note to a patient's card, as a member who cannot read it back. The library draws the record's id, and
    /// the revision is [`Revision::DEPOSIT`](crate::Revision::DEPOSIT): a deposit never takes a record's place.
    ///
    /// # Errors
    /// [`Untrusted`](crate::error::Untrusted) if the card is closed or the writer is not an active member with the
    /// role `deposit`; [`Usage`](crate::error::Usage) for a card or writer of another vault, or a note that is too
    /// long; [`Error::Randomness`](crate::Error::Randomness).
    ///
    /// # Security
    /// Verify the card with `expect`, the id that this front end remembers: see [`Vault::card`].
    pub fn deposit(
        &self,
        card: &Card,
        writer: &MemberKey,
        field: FieldLabel<'_>,
        padding: Padding,
        note: &[u8],
        rng: &mut impl TryCryptoRng,
    ) -> Result<Deposit> {
        self.require_depositor(card, writer)?;
        // 1. A record id that nobody chose, and revision 0: a deposit never displaces a record.
        let record = random_id(rng)?;
        let Scope { suite, vault } = card.scope();
        let place = RecordContext::of_deposit(Place::new(RecordId::new(&record)?, field), padding);
        let context = payload_context(vault, card.patient_id(), &place);
        // 2. record key || salt = HKDF-Expand(r, label || payload context id || SHA-256(text), 80)
        let mut secrets = RecordSecrets::empty();
        secrets.draw(labels::DEPOSIT_DRAW, [context.as_bytes(), &hash(labels::TEXT_DIGEST, &[note])], rng)?;
        // 3. The payload, behind the room for the front.
        let front_len = Front::len(suite, Path::Deposit);
        let length = payload_len(note.len(), padding)?.checked_add(front_len).ok_or(Usage::TooLong)?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(length).map_err(|_| Usage::TooLong)?;
        bytes.extend(vec![0; front_len]);
        seal_payload(&secrets, context, note, padding, &mut bytes)?;
        let (front_slot, payload) = bytes.split_at_mut_checked(front_len).ok_or(Usage::TooLong)?;
        let payload_digest = payload_digest(payload);
        // 4. sealed key = SealBase(card's key, info = wrap context || writer || payload digest, record key)
        let info = sealed_key_info(Path::Deposit, card.id(), context, writer.fingerprint(), Some(payload_digest));
        let sealed = seal_secret(card.hpke_key(), &info, &[], secrets.key(), &Coins::draw(suite, rng)?)?;
        let key = SealedKey { writer: writer.fingerprint(), roster_seen: self.roster.version(), sealed: &sealed };
        // 5. signature over wrap context, writer, digests of sealed key and payload, roster version
        let statement = Statement::of_deposit(Path::Deposit, card.id(), context, &key, payload_digest);
        let signature = statement.sign(&writer.signing);
        let head = Head { suite, card: card.id(), revision: Revision::DEPOSIT, padding };
        let mut front = Vec::with_capacity(front_len);
        Front { head, wrap: Wrap::Deposit { key, signature } }.put(&mut front);
        front_slot.copy_from_slice(&front);
        Ok(Deposit { record, bytes })
    }

    /// Opens a deposit, or one that a reader took over, and says who wrote it: [`Opened::origin`].
    ///
    /// # Errors
    /// [`Untrusted`](crate::error::Untrusted) if the card is closed, or if the writer is unknown, lacks the role
    /// `deposit`, did not sign this deposit, or is revoked (which does not close what was taken over);
    /// [`Error::Stale`](crate::Error::Stale) if the writer saw a newer roster;
    /// [`Error::Malformed`](crate::Error::Malformed); [`Usage`](crate::error::Usage) for a record that was not
    /// deposited or a key of another vault, suite or card. No secret has been used until here. Then
    /// [`Error::NotAuthentic`](crate::Error::NotAuthentic).
    pub fn open_deposit(&self, key: &PatientKey, place: Place<'_>, bytes: &[u8]) -> Result<Opened> {
        self.require_open(key.scope(), key.card())?;
        open_one_of(&[Path::Deposit, Path::Absorbed], key, place, bytes, &self.roster)
    }

    /// Opens what a reader took over, and nothing that was only deposited: in a place where a store keeps what was
    /// absorbed, a later deposit of the same writer is refused.
    ///
    /// # Errors
    /// As [`Vault::open_deposit`]; [`Usage::NotTakenOver`](crate::error::Usage::NotTakenOver) for a deposit.
    pub fn open_absorbed(&self, key: &PatientKey, place: Place<'_>, bytes: &[u8]) -> Result<Opened> {
        self.require_open(key.scope(), key.card())?;
        open_one_of(&[Path::Absorbed], key, place, bytes, &self.roster).map_err(|error| match error {
            Error::Usage(Usage::WrongPath { met: Path::Deposit }) => Usage::NotTakenOver.into(),
            error => error,
        })
    }

    /// Opens a deposit whose writer may have been revoked, for a person to look at. The type says that nobody vouches
    /// for the author.
    ///
    /// # Errors
    /// As [`Vault::open_deposit`], without the refusal of a revoked writer, and of a card closed as compromised: such a
    /// deposit can leave the card in no other way.
    pub fn open_unattributed(&self, key: &PatientKey, place: Place<'_>, bytes: &[u8]) -> Result<Unattributed<Opened>> {
        self.require_not_erased(key)?;
        let located = Located::read(key, place, bytes, &[Path::Deposit])?;
        let writer = verify_writer(&located, &self.roster)?;
        let claimed_writer = writer.key;
        let inner = open_verified(key, &located, &writer, Origin::Unattributed { claimed_writer })?;
        Ok(Unattributed::new(claimed_writer, inner))
    }

    /// An open card of this vault, and an active member of it who may deposit.
    pub(crate) fn require_depositor(&self, card: &Card, writer: &MemberKey) -> Result<()> {
        self.require_open(card.scope(), card.id())?;
        self.scope().require(writer.scope())?;
        self.roster.require_active(writer.fingerprint(), Roles::DEPOSIT)?;
        Ok(())
    }
}

fn open_one_of(
    paths: &[Path],
    key: &PatientKey,
    place: Place<'_>,
    bytes: &[u8],
    roster: &VerifiedRoster,
) -> Result<Opened> {
    let located = Located::read(key, place, bytes, paths)?;
    let writer = verify_writer(&located, roster)?;
    let origin = match located.front.wrap {
        Wrap::Deposit { .. } => {
            writer.require_unrevoked()?;
            Origin::Deposit { writer: writer.key }
        }
        Wrap::Absorbed { .. } => Origin::Absorbed { writer: writer.key, status: writer.status },
        Wrap::Reader(_) | Wrap::DepositedAttachment(_) => return Err(Error::NotAuthentic),
    };
    open_verified(key, &located, &writer, origin)
}

/// The writer of a deposit or of an absorbed one, if its signature holds.
pub(super) fn verify_writer(located: &Located<'_>, roster: &VerifiedRoster) -> Result<Writer> {
    let digest = located.payload_digest();
    let card = located.front.head.card;
    match &located.front.wrap {
        Wrap::Deposit { key, signature } => {
            Statement::of_deposit(Path::Deposit, card, located.context, key, digest).verify(signature, roster)
        }
        Wrap::Absorbed { origin, .. } => {
            Statement::of_origin(origin, located.context, digest).verify(&origin.signature, roster)
        }
        Wrap::Reader(_) | Wrap::DepositedAttachment(_) => Err(Usage::WrongPath { met: located.front.path() }.into()),
    }
}

fn open_verified(key: &PatientKey, located: &Located<'_>, writer: &Writer, origin: Origin) -> Result<Opened> {
    let plaintext = located.reserve()?;
    let record_key = take_record_key(key, located, writer)?;
    let plaintext = located.open_payload(record_key.expose(), plaintext)?;
    Ok(Opened { plaintext, revision: located.revision, padding: located.padding, origin })
}

/// The record key of a deposit, sealed to the card, or of an absorbed one, wrapped under the patient KEK.
pub(super) fn take_record_key(key: &PatientKey, located: &Located<'_>, writer: &Writer) -> Result<Secret<32>> {
    let digest = writer.payload_digest;
    match &located.front.wrap {
        Wrap::Deposit { key: sealed, .. } => {
            let info = sealed_key_info(Path::Deposit, key.card(), located.context, writer.key, Some(digest));
            open_secret(&key.hpke()?, &info, &[], sealed.sealed)
        }
        Wrap::Absorbed { origin, key: wrapped } => {
            let wrap_context = absorbed_wrap_context(key.card(), located.context, origin, digest);
            let mut slot = RecordKey::empty();
            slot.unwrap_in_place(key.kek(), wrapped, &wrap_context).map(Secret::copied)
        }
        Wrap::Reader(_) | Wrap::DepositedAttachment(_) => Err(Error::NotAuthentic),
    }
}

/// `wrap context || writer [|| payload digest]`: the HPKE info of a record key that is sealed to a card.
pub(crate) fn sealed_key_info(
    path: Path,
    card: CardId,
    context: PayloadContextId,
    writer: KeyFingerprint,
    payload_digest: Option<PayloadDigest>,
) -> Vec<u8> {
    let mut info = deposit_wrap_context(path, card, context);
    info.extend_from_slice(writer.as_bytes());
    info.extend_from_slice(payload_digest.as_ref().map_or(&[], |digest| digest.as_bytes().as_slice()));
    info
}
