//! Numbers and small structures of the interface, and what they are in Rust.

use lukko::error::{Object, ShareFault};
use lukko::{
    CardId, ClosedReason, Error, FieldLabel, KeyFingerprint, Origin, Padding, Path, Place, Policy, RecordContext,
    RecordId, Revision, Roles, Sources, Status, StoredPatient, Suite,
};

use crate::buffer::{In, Ref, lukko_bytes};
use crate::error::{LUKKO_E_LENGTH, LUKKO_E_VALUE, Refusal, Result};

/// Suite: X-Wing, ML-KEM-768 with X25519. The one to choose.
pub const LUKKO_SUITE_X_WING: u32 = 0x647A;
/// Suite: X25519 alone.
pub const LUKKO_SUITE_X25519: u32 = 0x0020;

/// Padding: to the length that Padmé gives, at least 256 bytes. The one to choose. 0 is refused, so that a structure
/// that was left at zero does not turn padding off.
pub const LUKKO_PADDING_PADME: u32 = 1;
/// Padding: none. The exact length of the note shows in the database.
pub const LUKKO_PADDING_NONE: u32 = 2;

/// Rule of a policy: a majority that can afford to lose shares, n/2 < k < n.
pub const LUKKO_POLICY_MAJORITY: u32 = 1;
/// Rule of a policy: k <= n/2. Two disjoint groups of custodians can each open the vault.
pub const LUKKO_POLICY_MINORITY: u32 = 2;
/// Rule of a policy: k = n. One lost share loses the vault.
pub const LUKKO_POLICY_UNANIMOUS: u32 = 3;

/// Role, a bit: may be granted patients, and then reads and writes their records.
pub const LUKKO_ROLE_READ: u32 = 1;
/// Role, a bit: may deposit records for any patient, and reads none.
pub const LUKKO_ROLE_DEPOSIT: u32 = 2;
/// Role, a bit: may enrol patients and endorse cards.
pub const LUKKO_ROLE_ENROL: u32 = 4;

/// Status of a key: in use.
pub const LUKKO_STATUS_ACTIVE: u32 = 1;
/// Status of a key: believed destroyed; what it signed stands.
pub const LUKKO_STATUS_RETIRED: u32 = 2;
/// Status of a key: lost or stolen; nothing that it signed counts.
pub const LUKKO_STATUS_REVOKED: u32 = 3;

/// A card that is not closed.
pub const LUKKO_CLOSED_NOT: u32 = 0;
/// A card is closed: its patient was erased.
pub const LUKKO_CLOSED_ERASED: u32 = 1;
/// A card is closed: its key got into wrong hands.
pub const LUKKO_CLOSED_COMPROMISED: u32 = 2;

/// Path of a sealed note: a reader sealed it.
pub const LUKKO_PATH_READER: u32 = 1;
/// Path of a sealed note: a member who cannot read deposited it.
pub const LUKKO_PATH_DEPOSIT: u32 = 2;
/// Path of a sealed note: a reader took a deposit over.
pub const LUKKO_PATH_ABSORBED: u32 = 3;
/// Path of a sealed note: deposited as a stream.
pub const LUKKO_PATH_DEPOSITED_ATTACHMENT: u32 = 4;

/// Origin of an opened note: any of the patient's readers wrote it.
pub const LUKKO_ORIGIN_READER: u32 = 1;
/// Origin of an opened note: a member who is not revoked deposited it.
pub const LUKKO_ORIGIN_DEPOSIT: u32 = 2;
/// Origin of an opened note: nobody vouches for the author; the key that signed is revoked.
pub const LUKKO_ORIGIN_UNATTRIBUTED: u32 = 3;
/// Origin of an opened note: a member deposited it, and a reader took it over.
pub const LUKKO_ORIGIN_ABSORBED: u32 = 4;

/// Holder of a grant: a member on the roster.
pub const LUKKO_HOLDER_MEMBER: u32 = 1;
/// Holder of a grant: a key on no roster at hand.
pub const LUKKO_HOLDER_UNLISTED: u32 = 2;
/// Holder of a grant: any quorum of a generation's custodians.
pub const LUKKO_HOLDER_QUORUM: u32 = 3;

/// Seeking: from the start.
pub const LUKKO_SEEK_START: u32 = 0;
/// Seeking: from the position.
pub const LUKKO_SEEK_CURRENT: u32 = 1;
/// Seeking: from the end.
pub const LUKKO_SEEK_END: u32 = 2;

/// Fault of a share: the text or the bytes are malformed, at `position`.
pub const LUKKO_SHARE_MALFORMED: u32 = 1;
/// Fault of a share: of another vault.
pub const LUKKO_SHARE_OTHER_VAULT: u32 = 2;
/// Fault of a share: of another generation.
pub const LUKKO_SHARE_OTHER_GENERATION: u32 = 3;
/// Fault of a share: its threshold k is not the descriptor's.
pub const LUKKO_SHARE_OTHER_THRESHOLD: u32 = 4;
/// Fault of a share: its count n is not the descriptor's.
pub const LUKKO_SHARE_OTHER_COUNT: u32 = 5;
/// Fault of a share: its index is 0 or above n.
pub const LUKKO_SHARE_INDEX: u32 = 6;
/// Fault of a share: not the value that was dealt: mistyped, damaged or forged.
pub const LUKKO_SHARE_VALUE: u32 = 7;
/// Fault of a share: one of this index was given already.
pub const LUKKO_SHARE_DUPLICATE: u32 = 8;
/// Fault of a share: it does not fit the others.
pub const LUKKO_SHARE_OFF_POLYNOMIAL: u32 = 9;
/// Fault of a share: more than one character of its text is wrong, so that none can be named.
pub const LUKKO_SHARE_CHECKSUM: u32 = 10;

/// Length in bytes of the fingerprint of a descriptor, a key or an entry.
pub const LUKKO_FINGERPRINT_LEN: usize = 32;
/// Length in bytes of the id of a vault.
pub const LUKKO_VAULT_ID_LEN: usize = 32;
/// Length in bytes of the id of a card.
pub const LUKKO_CARD_ID_LEN: usize = 32;
/// Length in bytes of the seed of a key.
pub const LUKKO_SEED_LEN: usize = 32;
/// Length in bytes of a registrar's public key.
pub const LUKKO_REGISTRAR_KEY_LEN: usize = 32;
/// Length in bytes of a pin.
pub const LUKKO_PIN_LEN: usize = 112;
/// Length in bytes of a share.
pub const LUKKO_SHARE_LEN: usize = 75;
/// Length in characters of a share as text. There is no NUL behind it.
pub const LUKKO_SHARE_TEXT_LEN: usize = 132;
/// Length in characters of an id that the library draws. There is no NUL behind it.
pub const LUKKO_RANDOM_ID_LEN: usize = 32;
/// The greatest length in bytes of the id of a patient, a record or a member, and of a field.
pub const LUKKO_ID_MAX: usize = 255;
/// The most bytes that one read of an attachment gives.
pub const LUKKO_READ_MAX: usize = 16384;
/// The last time that is accepted, 9999-12-31T23:59:59 UTC, in seconds since 1970-01-01 UTC.
pub const LUKKO_TIME_MAX: u64 = 253402300799;

/// Which record a sealed note is: what the caller asked the database for.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lukko_place<'call> {
    /// The record's id, 1 to 255 bytes.
    pub record: lukko_bytes<'call>,
    /// The field, 1 to 255 bytes, such as `note`.
    pub field: lukko_bytes<'call>,
}

/// Where a note is sealed for.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lukko_context<'call> {
    /// The record's id, 1 to 255 bytes.
    pub record: lukko_bytes<'call>,
    /// The field, 1 to 255 bytes, such as `note`.
    pub field: lukko_bytes<'call>,
    /// Counts the texts of this field: the first is 1, each other text gets a number of its own. At most 2^64 - 2.
    pub revision: u64,
    /// `LUKKO_PADDING_...`
    pub padding: u32,
}

/// What the store holds of one patient's key, as it was read.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lukko_stored_patient<'call> {
    /// Every card of the patient, in any order.
    pub cards: Ref<'call, lukko_bytes<'call>>,
    /// How many.
    pub card_count: usize,
    /// The endorsement of the newest card for the pinned generation.
    pub endorsement: lukko_bytes<'call>,
    /// The newest card's grant to the master key of the pinned generation.
    pub master_grant: lukko_bytes<'call>,
}

/// To whom a grant is addressed.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lukko_holder {
    /// `LUKKO_HOLDER_...`
    pub kind: u32,
    /// `LUKKO_STATUS_...` of a member, else 0.
    pub status: u32,
    /// `LUKKO_ROLE_...` of a member, else 0.
    pub roles: u32,
    /// The generation of a quorum, else 0.
    pub generation: u32,
    /// 1 if a quorum's generation is the pinned one, else 0.
    pub is_current: u32,
    /// The fingerprint of a member's or an unlisted key, else zeros.
    pub key: [u8; 32],
}

/// Why a share is refused: the one output that is written on an error. It says nothing about the secret.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lukko_share_fault {
    /// `LUKKO_SHARE_...`
    pub reason: u32,
    /// The share's index, 0 if it is not known.
    pub index: u32,
    /// Of malformed text the character, counted from 0 without white space; of malformed bytes the byte.
    pub position: u64,
}

/// What a receipt rests on: the things that somebody has seen, counted.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lukko_sources {
    /// Grants that were given and that count.
    pub grants: usize,
    /// Rows that were given as grants and do not count: malformed, of another vault or of another patient's card.
    pub passed_over: usize,
    /// Keys and generations that the caller named from memory.
    pub remembered: usize,
    /// Closed cards.
    pub cards: usize,
    /// Closed cards of which no grant was given. Who was granted them is known from memory only.
    pub cards_without_grants: usize,
    /// Closed cards that a re-key had replaced, and that were still open when the erasure began.
    pub cards_left_open: usize,
    /// Keys with the role read on the roster, whatever their status.
    pub readers: usize,
    /// Those of them that are not on the receipt: the sources show no grant to them.
    pub readers_not_listed: usize,
}

impl From<Sources> for lukko_sources {
    fn from(sources: Sources) -> Self {
        Self {
            grants: sources.grants,
            passed_over: sources.passed_over,
            remembered: sources.remembered,
            cards: sources.cards,
            cards_without_grants: sources.cards_without_grants,
            cards_left_open: sources.cards_left_open,
            readers: sources.readers,
            readers_not_listed: sources.readers_not_listed,
        }
    }
}

pub(crate) fn suite(number: u32) -> Result<Suite> {
    [Suite::XWing, Suite::X25519]
        .into_iter()
        .find(|suite| u32::from(suite.kem_id()) == number)
        .ok_or(Refusal(LUKKO_E_VALUE))
}

pub(crate) const fn padding(number: u32) -> Result<Padding> {
    match number {
        LUKKO_PADDING_PADME => Ok(Padding::Padme),
        LUKKO_PADDING_NONE => Ok(Padding::None),
        _ => Err(Refusal(LUKKO_E_VALUE)),
    }
}

pub(crate) const fn padding_number(padding: Padding) -> u32 {
    match padding {
        Padding::Padme => LUKKO_PADDING_PADME,
        Padding::None => LUKKO_PADDING_NONE,
    }
}

/// The index of a share.
pub(crate) fn index(number: u32) -> Result<u8> {
    u8::try_from(number).map_err(|_| Refusal(LUKKO_E_VALUE))
}

/// The numbers are 32 bits wide at the boundary, so that none is cut off silently.
pub(crate) fn policy(k: u32, n: u32, rule: u32) -> Result<Policy> {
    let [k, n] = [k, n].map(|number| u8::try_from(number).map_err(|_| Refusal(LUKKO_E_VALUE)));
    let (k, n) = (k?, n?);
    match rule {
        LUKKO_POLICY_MAJORITY => Ok(Policy::new(k, n)?),
        LUKKO_POLICY_MINORITY => Ok(Policy::minority(k, n)?),
        LUKKO_POLICY_UNANIMOUS if k == n => Ok(Policy::unanimous(n)?),
        _ => Err(Refusal(LUKKO_E_VALUE)),
    }
}

pub(crate) fn roles(bits: u32) -> Result<Roles> {
    let bits = u8::try_from(bits).map_err(|_| Refusal(LUKKO_E_VALUE))?;
    Roles::from_bits(bits).map_err(|_| Refusal(LUKKO_E_VALUE))
}

pub(crate) const fn status(number: u32) -> Result<Status> {
    match number {
        LUKKO_STATUS_ACTIVE => Ok(Status::Active),
        LUKKO_STATUS_RETIRED => Ok(Status::Retired),
        LUKKO_STATUS_REVOKED => Ok(Status::Revoked),
        _ => Err(Refusal(LUKKO_E_VALUE)),
    }
}

pub(crate) const fn reason(number: u32) -> Result<ClosedReason> {
    match number {
        LUKKO_CLOSED_ERASED => Ok(ClosedReason::Erased),
        LUKKO_CLOSED_COMPROMISED => Ok(ClosedReason::Compromised),
        _ => Err(Refusal(LUKKO_E_VALUE)),
    }
}

pub(crate) const fn path(number: u32) -> Result<Path> {
    match number {
        LUKKO_PATH_READER => Ok(Path::Reader),
        LUKKO_PATH_DEPOSIT => Ok(Path::Deposit),
        LUKKO_PATH_ABSORBED => Ok(Path::Absorbed),
        LUKKO_PATH_DEPOSITED_ATTACHMENT => Ok(Path::DepositedAttachment),
        _ => Err(Refusal(LUKKO_E_VALUE)),
    }
}

/// What an origin is as a number, who signed, and with which status today (0 if the origin does not say).
pub(crate) const fn origin(origin: Origin) -> (u32, Option<KeyFingerprint>, u32) {
    match origin {
        Origin::Reader => (LUKKO_ORIGIN_READER, None, 0),
        Origin::Deposit { writer } => (LUKKO_ORIGIN_DEPOSIT, Some(writer), 0),
        Origin::Absorbed { writer, status } => (LUKKO_ORIGIN_ABSORBED, Some(writer), status as u32),
        Origin::Unattributed { claimed_writer } => {
            (LUKKO_ORIGIN_UNATTRIBUTED, Some(claimed_writer), LUKKO_STATUS_REVOKED)
        }
        // An origin that this interface does not know is nobody's.
        _ => (LUKKO_ORIGIN_UNATTRIBUTED, None, 0),
    }
}

/// A time in seconds since 1970-01-01 UTC. A greater number than the last second of the year 9999 is not in seconds.
pub(crate) const fn time(seconds: u64) -> Result<u64> {
    if seconds <= LUKKO_TIME_MAX { Ok(seconds) } else { Err(Refusal(LUKKO_E_VALUE)) }
}

/// The card of 32 bytes; none for an empty input.
pub(crate) fn optional_card(card: In<'_>, len: usize) -> Result<Option<CardId>> {
    if len == 0 { Ok(None) } else { card_id(card, len).map(Some) }
}

pub(crate) fn card_id(card: In<'_>, len: usize) -> Result<CardId> {
    card.array(len).map(|card| CardId::from_bytes(*card))
}

pub(crate) fn key_fingerprint(key: In<'_>, len: usize) -> Result<KeyFingerprint> {
    key.array(len).map(|key| KeyFingerprint::from_bytes(*key))
}

/// Ids of cards, 32 bytes each, one behind the other.
pub(crate) fn card_ids(cards: In<'_>, len: usize) -> Result<Vec<CardId>> {
    let (cards, rest) = cards.bytes(len)?.as_chunks::<32>();
    if rest.is_empty() {
        Ok(cards.iter().map(|card| CardId::from_bytes(*card)).collect())
    } else {
        Err(Refusal(LUKKO_E_LENGTH))
    }
}

impl<'call> lukko_bytes<'call> {
    /// At least one byte.
    pub(crate) fn some(self) -> Result<&'call [u8]> {
        self.data.some(self.len)
    }
}

impl<'call> lukko_place<'call> {
    /// The place that two pointers and two lengths name.
    pub(crate) const fn of(id: In<'call>, id_len: usize, field: In<'call>, field_len: usize) -> Self {
        Self { record: lukko_bytes { data: id, len: id_len }, field: lukko_bytes { data: field, len: field_len } }
    }

    pub(crate) fn parts(self) -> Result<(RecordId<'call>, FieldLabel<'call>)> {
        Ok((record_id(self.record.some()?)?, field_label(self.field.some()?)?))
    }
}

impl<'call> lukko_context<'call> {
    pub(crate) fn context(self) -> Result<RecordContext<'call>> {
        let (record, field) = (record_id(self.record.some()?)?, field_label(self.field.some()?)?);
        Ok(RecordContext::new(Place::new(record, field), Revision::new(self.revision)?)
            .with_padding(padding(self.padding)?))
    }
}

fn record_id(bytes: &[u8]) -> Result<RecordId<'_>> {
    Ok(RecordId::new(bytes)?)
}

pub(crate) fn field_label(bytes: &[u8]) -> Result<FieldLabel<'_>> {
    Ok(FieldLabel::new(bytes)?)
}

/// A stored patient with its list of cards read.
#[derive(Debug)]
pub(crate) struct Stored<'call> {
    cards: Vec<&'call [u8]>,
    endorsement: &'call [u8],
    master_grant: &'call [u8],
}

impl<'call> Stored<'call> {
    pub(crate) fn read(stored: lukko_stored_patient<'call>) -> Result<Self> {
        Ok(Self {
            cards: stored.cards.list(stored.card_count)?,
            endorsement: stored.endorsement.some()?,
            master_grant: stored.master_grant.some()?,
        })
    }

    pub(crate) fn as_stored(&self) -> StoredPatient<'_> {
        StoredPatient { cards: &self.cards, endorsement: self.endorsement, master_grant: self.master_grant }
    }
}

/// What of an error about a share a custodian can act on; `None` for an error about something else.
pub(crate) fn share_fault(error: &Error) -> Option<lukko_share_fault> {
    match error {
        Error::Share { index, reason } => {
            let reason = match reason {
                ShareFault::Vault => LUKKO_SHARE_OTHER_VAULT,
                ShareFault::Generation => LUKKO_SHARE_OTHER_GENERATION,
                ShareFault::Threshold => LUKKO_SHARE_OTHER_THRESHOLD,
                ShareFault::Count => LUKKO_SHARE_OTHER_COUNT,
                ShareFault::Index => LUKKO_SHARE_INDEX,
                ShareFault::Value => LUKKO_SHARE_VALUE,
                ShareFault::Duplicate => LUKKO_SHARE_DUPLICATE,
                ShareFault::OffPolynomial => LUKKO_SHARE_OFF_POLYNOMIAL,
                _ => 0,
            };
            Some(lukko_share_fault { reason, index: u32::from(*index), position: 0 })
        }
        Error::Malformed { object: Object::Share | Object::ShareText, offset, field } => {
            let reason = if *field == "checksum" { LUKKO_SHARE_CHECKSUM } else { LUKKO_SHARE_MALFORMED };
            Some(lukko_share_fault { reason, index: 0, position: *offset as u64 })
        }
        Error::ShareCharacter { position, .. } => {
            Some(lukko_share_fault { reason: LUKKO_SHARE_MALFORMED, index: 0, position: *position as u64 })
        }
        _ => None,
    }
}
