//! The codes. A code that was given once is never given to another meaning.

use std::io;

use lukko::Error;
use lukko::error::{Untrusted, Usage};

/// It is done.
pub const LUKKO_OK: i32 = 0;
/// What a callback returns when it has done all of its work. Every other value is a failure. It is no small number, so
/// that nobody returns it by accident: a callback in Python that raises an exception returns 0.
pub const LUKKO_CALLBACK_OK: i32 = 0x4C55_4B4F;
/// A pointer is NULL where it must not be. NULL with length 0 is an empty input and no fault.
pub const LUKKO_E_NULL: i32 = 101;
/// A length or capacity is above PTRDIFF_MAX, or not the one that the value has.
pub const LUKKO_E_LENGTH: i32 = 102;
/// The output buffer is too small. `*out_written` holds the needed size; nothing else was written and nothing happened.
pub const LUKKO_E_TOO_SMALL: i32 = 103;
/// The handle is 0, was freed, or never came from this library.
pub const LUKKO_E_HANDLE: i32 = 104;
/// The handle is of an object of another type.
pub const LUKKO_E_HANDLE_TYPE: i32 = 105;
/// Another call is using this object now. Objects that change take one call at a time.
pub const LUKKO_E_BUSY: i32 = 106;
/// The object was used up: a draft that was signed, a stream that was finished, a successor that was followed.
pub const LUKKO_E_SPENT: i32 = 107;
/// A number names nothing: a suite, padding, role, status, reason, rule or path that does not exist, an index past the
/// end, or a time after the year 9999. Times are in seconds, not in milliseconds.
pub const LUKKO_E_VALUE: i32 = 108;
/// A fault of the library was caught. Free the objects of the call; others are unharmed. Please report it.
pub const LUKKO_E_PANIC: i32 = 109;
/// An input of length 0 stands where bytes are needed. Perhaps the database gave NULL for a column.
pub const LUKKO_E_EMPTY: i32 = 110;
/// 2^24 handles are alive, and there is no number for another one. Free those that are not needed any more.
pub const LUKKO_E_FULL: i32 = 111;
/// What was asked for cannot be done; the arguments must change.
pub const LUKKO_E_USAGE: i32 = 201;
/// The arguments do not belong together: of two vaults, suites, patients, cards or paths, or a key that this is not for.
pub const LUKKO_E_MISMATCH: i32 = 202;
/// Something must happen first: see `lukko_retirement_missing`, `lukko_erasure_missing`; a key that is still active.
pub const LUKKO_E_NOT_YET: i32 = 203;
/// Public bytes do not follow the format.
pub const LUKKO_E_MALFORMED: i32 = 301;
/// A signature, a pin or an entitlement does not hold.
pub const LUKKO_E_UNTRUSTED: i32 = 401;
/// The key is revoked or retired.
pub const LUKKO_E_REVOKED: i32 = 402;
/// The card is closed: its patient was erased, or its key compromised.
pub const LUKKO_E_CLOSED: i32 = 403;
/// What was met is older or newer than what is known: an old copy was put back, or a replica lags.
pub const LUKKO_E_STALE: i32 = 501;
/// Two objects exclude each other; a person must decide.
pub const LUKKO_E_CONFLICT: i32 = 502;
/// A share is refused. `lukko_share_fault` says why.
pub const LUKKO_E_SHARE: i32 = 601;
/// The quorum is not complete.
pub const LUKKO_E_NOT_ENOUGH_SHARES: i32 = 602;
/// Decryption failed: wrong key, wrong place or altered bytes, all one and the same code.
pub const LUKKO_E_NOT_AUTHENTIC: i32 = 701;
/// The operating system's random number generator failed; nothing was made.
pub const LUKKO_E_RANDOMNESS: i32 = 801;
/// A callback of the caller failed, or the source became shorter.
pub const LUKKO_E_IO: i32 = 802;

/// Every code with its text, in order.
pub const CODES: [(i32, &core::ffi::CStr); 26] = [
    (LUKKO_OK, c"done"),
    (LUKKO_E_NULL, c"a pointer is NULL"),
    (LUKKO_E_LENGTH, c"a length is impossible, or not the one that the value has"),
    (LUKKO_E_TOO_SMALL, c"the output buffer is too small; the needed size was written"),
    (LUKKO_E_HANDLE, c"not a live handle: 0, freed, or not from this library"),
    (LUKKO_E_HANDLE_TYPE, c"the handle is of an object of another type"),
    (LUKKO_E_BUSY, c"another call is using this object"),
    (LUKKO_E_SPENT, c"the object was used up"),
    (LUKKO_E_VALUE, c"a number names nothing, an index is past the end, or a time is not in seconds"),
    (LUKKO_E_PANIC, c"a fault of the library was caught; please report it"),
    (LUKKO_E_EMPTY, c"an input is empty where bytes are needed"),
    (LUKKO_E_FULL, c"there are no more handles; free those that are not needed"),
    (LUKKO_E_USAGE, c"this cannot be done; the arguments must change"),
    (LUKKO_E_MISMATCH, c"the arguments do not belong together"),
    (LUKKO_E_NOT_YET, c"something must happen first"),
    (LUKKO_E_MALFORMED, c"the bytes do not follow the format"),
    (LUKKO_E_UNTRUSTED, c"a signature, a pin or an entitlement does not hold"),
    (LUKKO_E_REVOKED, c"the key is revoked or retired"),
    (LUKKO_E_CLOSED, c"the card is closed"),
    (LUKKO_E_STALE, c"older or newer than what is known"),
    (LUKKO_E_CONFLICT, c"two objects exclude each other"),
    (LUKKO_E_SHARE, c"the share is refused"),
    (LUKKO_E_NOT_ENOUGH_SHARES, c"the quorum is not complete"),
    (LUKKO_E_NOT_AUTHENTIC, c"not authentic: wrong key, wrong place or altered bytes"),
    (LUKKO_E_RANDOMNESS, c"the random number generator failed"),
    (LUKKO_E_IO, c"a callback failed or the source became shorter"),
];

/// A code other than [`LUKKO_OK`], on its way to the boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal(pub(crate) i32);

/// The result of everything inside.
pub(crate) type Result<T> = core::result::Result<T, Refusal>;

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(code_of(&error))
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        match (Error::from_io(&error), error.kind()) {
            (Some(error), _) => Self(code_of(error)),
            // Seeking before the start.
            (None, io::ErrorKind::InvalidInput) => Self(LUKKO_E_VALUE),
            (None, _) => Self(LUKKO_E_IO),
        }
    }
}

/// The core's errors may grow. The last arm of each match is for the compiler only: `tests/header.rs` reads the core's
/// source and fails if a variant is not named here.
const fn code_of(error: &Error) -> i32 {
    match error {
        Error::Usage(usage) => usage_code(usage),
        Error::Malformed { .. } | Error::ShareCharacter { .. } => LUKKO_E_MALFORMED,
        Error::Untrusted(untrusted) => untrusted_code(untrusted),
        Error::Stale { .. } => LUKKO_E_STALE,
        Error::Conflict(_) => LUKKO_E_CONFLICT,
        Error::Share { .. } => LUKKO_E_SHARE,
        Error::NotEnoughShares { .. } => LUKKO_E_NOT_ENOUGH_SHARES,
        Error::NotAuthentic => LUKKO_E_NOT_AUTHENTIC,
        Error::Randomness => LUKKO_E_RANDOMNESS,
        _ => LUKKO_E_USAGE,
    }
}

const fn usage_code(usage: &Usage) -> i32 {
    match usage {
        Usage::WrongCard { .. }
        | Usage::WrongPath { .. }
        | Usage::NotTakenOver
        | Usage::TakenOver
        | Usage::WrongSuite
        | Usage::WrongVault
        | Usage::WrongRecipient { .. }
        | Usage::WrongSigner
        | Usage::WrongPatient => LUKKO_E_MISMATCH,
        Usage::CardMissing(_) | Usage::NotRetired { .. } | Usage::ErasurePending(_) | Usage::StillActive(_) => {
            LUKKO_E_NOT_YET
        }
        Usage::IdentifierLength { length: 0 } => LUKKO_E_EMPTY,
        Usage::IdentifierLength { .. }
        | Usage::PolicyRange
        | Usage::PolicyMinority
        | Usage::PolicyUnanimous
        | Usage::RevisionRange
        | Usage::VersionExhausted
        | Usage::TooLong
        | Usage::Roles
        | Usage::AlreadyOnRoster(_)
        | Usage::NotOnRoster(_)
        | Usage::StatusBackwards(_)
        | Usage::AlreadyClosed(_)
        | Usage::DepositsPlace
        | Usage::OlderKey
        | Usage::NoSuccessor
        | Usage::NoCard
        | Usage::CardTwice(_) => LUKKO_E_USAGE,
        _ => LUKKO_E_USAGE,
    }
}

const fn untrusted_code(untrusted: &Untrusted) -> i32 {
    match untrusted {
        Untrusted::Revoked(_) | Untrusted::Retired(_) => LUKKO_E_REVOKED,
        Untrusted::CardErased(_) | Untrusted::CardCompromised(_) => LUKKO_E_CLOSED,
        Untrusted::Fingerprint { .. }
        | Untrusted::Pin
        | Untrusted::RosterSignature
        | Untrusted::RosterChain
        | Untrusted::RosterReversal
        | Untrusted::RotationSignature { .. }
        | Untrusted::DisclosureSignature(_)
        | Untrusted::EntrySignature(_)
        | Untrusted::UnknownMember(_)
        | Untrusted::Role(_)
        | Untrusted::EndorsedCard { .. }
        | Untrusted::EndorsementSignature(_)
        | Untrusted::MasterGrant(_)
        | Untrusted::DepositSignature(_)
        | Untrusted::Succession(_)
        | Untrusted::UnexpectedCard { .. }
        | Untrusted::MasterKey => LUKKO_E_UNTRUSTED,
        _ => LUKKO_E_UNTRUSTED,
    }
}
