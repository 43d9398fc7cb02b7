//! Opening on the reader's path: symmetric only.

use super::context::reader_wrap_context;
use super::locate::Located;
use crate::choice::{Padding, Path, Status};
use crate::digest::{KeyFingerprint, PayloadContextId};
use crate::error::{Result, Usage};
use crate::ident::{Place, Revision};
use crate::keys::patient::PatientKey;
use crate::keys::record::RecordKey;
use crate::secret::Plaintext;
use crate::vault::Vault;
use crate::wire::record::{Front, Wrap};

/// An opened record.
#[derive(Debug)]
pub struct Opened {
    /// The note.
    pub plaintext: Plaintext,
    /// Its revision: a client that remembers the last one it saw notices an old text put back.
    pub revision: Revision,
    /// How it was padded.
    pub padding: Padding,
    /// How the record key reached the record, and so what is known of the author.
    pub origin: Origin,
}

/// What is known of a record's author.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// Some holder of the patient's key: any of its readers.
    Reader,
    /// A member with the role `deposit`, who signed it and who is not revoked.
    Deposit {
        /// The key that signed.
        writer: KeyFingerprint,
    },
    /// The key of a revoked member signed it: whoever stole that key may be the author.
    Unattributed {
        /// The key that signed.
        claimed_writer: KeyFingerprint,
    },
    /// A member with the role `deposit` signed it, and a reader took it over.
    Absorbed {
        /// The key that signed.
        writer: KeyFingerprint,
        /// What the roster says of that key today. If it is revoked, whoever stole it may be the author, with the
        /// reader who took it over.
        status: Status,
    },
}

/// The path that a sealed note names, so that a store knows which call opens it. Nothing has been verified.
///
/// # Errors
/// [`Error::Malformed`](crate::Error::Malformed) for what does not begin like a sealed note.
pub fn path_of(bytes: &[u8]) -> Result<Path> {
    Front::start(bytes).map(|(path, _)| path)
}

impl Vault {
    /// Opens a record in its place: the record and field that the caller asked the database for.
    ///
    /// # Errors
    /// [`Untrusted`](crate::error::Untrusted) if the card is closed; [`Error::Malformed`](crate::Error::Malformed);
    /// [`Usage`](crate::error::Usage) for a key of another vault, suite or card; and
    /// [`Error::NotAuthentic`](crate::Error::NotAuthentic), one value for everything once the key is used.
    pub fn open(&self, key: &PatientKey, place: Place<'_>, bytes: &[u8]) -> Result<Opened> {
        self.require_open(key.scope(), key.card())?;
        open(key, place, bytes)
    }
}

/// [`Vault::open`], whatever the roster says of the card.
pub(super) fn open(key: &PatientKey, place: Place<'_>, bytes: &[u8]) -> Result<Opened> {
    // 1. Well-formed, of this card, in its place; payload context id, from what the caller expects and what the
    //    record says of itself.
    let located = Located::read(key, place, bytes, &[Path::Reader])?;
    let plaintext = located.reserve()?;
    // 2. record key = XChaCha20-Poly1305-Decrypt(patient KEK, wrap nonce, aad = wrap context, wrapped)
    let mut slot = RecordKey::empty();
    let record_key = unwrap_reader_key(&mut slot, key, &located.front, located.context)?;
    // 3. the payload
    let plaintext = located.open_payload(record_key, plaintext)?;
    Ok(Opened { plaintext, revision: located.revision, padding: located.padding, origin: Origin::Reader })
}

/// The record key of a front on the reader's path, bound to this payload context id.
///
/// # Errors
/// [`Usage::WrongPath`]; [`Error::NotAuthentic`](crate::Error::NotAuthentic).
pub(crate) fn unwrap_reader_key<'slot>(
    slot: &'slot mut RecordKey,
    key: &PatientKey,
    front: &Front<'_>,
    context: PayloadContextId,
) -> Result<&'slot [u8; 32]> {
    let Wrap::Reader(wrapped) = &front.wrap else {
        return Err(Usage::WrongPath { met: front.path() }.into());
    };
    let wrap_context = reader_wrap_context(key.card(), context);
    slot.unwrap_in_place(key.kek(), wrapped, &wrap_context)
}
