//! What an error says to the person who can act: what happened, and what to do next.

use core::fmt;

use super::{Conflict, Error, Object, ShareFault, Untrusted, Usage, Versioned};
use crate::choice::Path;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(usage) => usage.fmt(f),
            Self::Malformed { object: Object::Share, field, offset } => {
                write!(f, "malformed share: `{field}` at {offset}; compare it with the custodian's copy")
            }
            Self::Malformed { object: Object::ShareText, field, offset } => share_text(field, *offset, f),
            Self::ShareCharacter { met, position } => {
                let code = u32::from(*met);
                write!(f, "malformed share text: a character that no share has (U+{code:04X}) at {position}; ")?;
                f.write_str("take it away, or compare it with the custodian's copy")
            }
            Self::Malformed { object, field: "magic", .. } => {
                write!(f, "malformed {object}: the bytes do not begin as those of a {object}; ")?;
                f.write_str("look whether two objects were exchanged, or restore this one from a backup")
            }
            Self::Malformed { object, field, offset } => {
                write!(f, "malformed {object}: field `{field}` at offset {offset}; restore this object from a backup")
            }
            Self::Untrusted(untrusted) => untrusted.fmt(f),
            Self::Stale { what, known, met } if known > met => {
                write!(f, "stale {what}: {met} was met, {known} is known; an old copy was put back or a replica lags")
            }
            Self::Stale { what, known, met } => {
                write!(f, "unknown {what}: {met} was met, {known} is known; fetch the newer one and follow it first")
            }
            Self::Conflict(conflict) => conflict.fmt(f),
            Self::Share { index, reason } => write!(f, "share {index} refused: {reason}"),
            Self::NotEnoughShares { have, need } => {
                write!(f, "{have} of {need} needed shares; {} more", need.saturating_sub(*have))
            }
            Self::NotAuthentic => f.write_str("not authentic: wrong key, wrong place or altered bytes"),
            Self::Randomness => f.write_str("the random number generator failed; nothing was made, try again"),
        }
    }
}

/// What is wrong with a share's text. Characters are counted from 0, without what is passed over; none of them is shown.
fn share_text(field: &str, offset: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("malformed share text: ")?;
    match field {
        "length" => write!(f, "{offset} characters, and a share has 132"),
        "prefix" => write!(f, "a share begins with `lukko1`, and has another character at {offset}"),
        "letter case" => write!(f, "small letters and capitals are mixed, at {offset}"),
        "transposition" => {
            write!(f, "the characters at {offset} and {} are exchanged", offset.saturating_add(1))
        }
        "character" => write!(f, "the character at {offset} is wrong"),
        _ => f.write_str("more than one character is wrong"),
    }?;
    f.write_str("; compare it with the custodian's copy")
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IdentifierLength { length } => write!(f, "an identifier has 1 to 255 bytes, this one has {length}"),
            Self::PolicyRange => f.write_str("a policy needs 2 <= k <= n <= 255"),
            Self::PolicyMinority => {
                f.write_str("k <= n/2 lets a minority open the vault; use Policy::minority if that is meant")
            }
            Self::PolicyUnanimous => {
                f.write_str("k = n loses the vault with one share; use Policy::unanimous if that is meant")
            }
            Self::RevisionRange => f.write_str("a revision is 1 to 2^64 - 2"),
            Self::VersionExhausted => f.write_str("the version counter has reached its end"),
            Self::TooLong => f.write_str("the plaintext is too long for one record; use an attachment"),
            Self::Roles => f.write_str("a role set names at least one of read, deposit, enrol, and nothing else"),
            Self::WrongCard { key, object } => write!(f, "the key is of card {key}, the object of card {object}"),
            Self::WrongPath { met: Path::Reader } => f.write_str("a reader sealed this note: use Vault::open"),
            Self::WrongPath { met: Path::Deposit | Path::Absorbed } => {
                f.write_str("this note was deposited: use Vault::open_deposit")
            }
            Self::WrongPath { met: Path::DepositedAttachment } => {
                f.write_str("this is a deposited attachment: use Vault::open_deposited_attachment")
            }
            Self::NotTakenOver => f.write_str(
                "nobody took this deposit over; if that was done once, another deposit was put in its place since: take \
                 the note from a backup",
            ),
            Self::TakenOver => f.write_str(
                "this deposit was taken over already; keep what is stored, and read it with Vault::open_absorbed",
            ),
            Self::WrongSuite => f.write_str("the object is of another suite than the vault"),
            Self::WrongVault => {
                f.write_str("the object is of another vault; look which store or which key it was taken from")
            }
            Self::WrongRecipient { addressed_to } => {
                write!(f, "this is addressed to key {addressed_to}; a seed gives another key under another member's id")
            }
            Self::AlreadyOnRoster(key) => {
                write!(f, "key {key} is on the roster; its roles never change, admit a new key instead")
            }
            Self::NotOnRoster(key) => write!(f, "key {key} is not on the roster; admit it first"),
            Self::StatusBackwards(key) => {
                write!(f, "the status of key {key} only moves forward; admit a new key instead")
            }
            Self::AlreadyClosed(card) => write!(f, "card {card} is closed already"),
            Self::WrongSigner => {
                f.write_str("this key is neither the vault's registrar nor its root in this generation")
            }
            Self::DepositsPlace => f.write_str("give what is taken over a record id of its own"),
            Self::OlderKey => f.write_str("the keys are in the wrong order: records move to the newer one"),
            Self::CardMissing(card) => {
                write!(f, "card {card} of this patient was not given; find it in a backup, or close it by its id")
            }
            Self::NoSuccessor => {
                f.write_str("there is no next generation here; fetch descriptor and rotation statement")
            }
            Self::NotRetired { shares, patients, destructions } => write!(
                f,
                "keep the old generation: {shares} new shares unchecked, {patients} patients not done, {destructions} old shares not destroyed"
            ),
            Self::ErasurePending(card) => {
                write!(f, "card {card} is not closed; let the registrar sign the next roster")
            }
            Self::StillActive(key) => write!(f, "member key {key} is active; retire or revoke it first"),
            Self::WrongPatient => f.write_str("the stored card is of another patient than the one asked for"),
            Self::NoCard => f.write_str("no card was given"),
            Self::CardTwice(card) => write!(f, "card {card} is stored twice; remove the second row"),
        }
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fingerprint { pinned, met } => {
                write!(f, "the descriptor has fingerprint {met}, pinned is {pinned}; do not go on before you know why")
            }
            Self::Pin => f.write_str("the stored pin is damaged; pin the vault anew from a fingerprint you trust"),
            Self::RosterSignature => f.write_str("the roster is not signed by the registrar or the root"),
            Self::RosterChain => f.write_str("the roster does not follow the one that is known"),
            Self::RosterReversal => {
                f.write_str("the roster takes back what an earlier one said; ask the registrar why")
            }
            Self::RotationSignature { generation } => {
                write!(f, "the rotation is not signed by the root of generation {generation}")
            }
            Self::DisclosureSignature(key) => write!(f, "the disclosure is not signed by member key {key}"),
            Self::EntrySignature(key) => write!(f, "the entry of member key {key} is not signed by that key"),
            Self::UnknownMember(key) => {
                write!(f, "member key {key} is not on the roster, or its entry was not given; ")?;
                f.write_str("a seed gives another key under another member's id")
            }
            Self::Revoked(key) => write!(f, "member key {key} is revoked"),
            Self::Retired(key) => write!(f, "member key {key} is retired"),
            Self::Role(key) => write!(f, "member key {key} lacks the role for this"),
            Self::EndorsedCard { card, endorsed } => {
                write!(f, "the endorsement is for card {endorsed}, not for {card}")
            }
            Self::EndorsementSignature(Some(key)) => write!(f, "the endorsement is not signed by member key {key}"),
            Self::EndorsementSignature(None) => f.write_str("the endorsement is not signed by the root"),
            Self::MasterGrant(card) => write!(f, "the master grant of card {card} is missing or replaced; restore it"),
            Self::DepositSignature(key) => write!(f, "the deposit is not signed by member key {key}"),
            Self::Succession(card) => write!(f, "card {card} is not vouched for by the card before it"),
            Self::CardErased(card) => write!(f, "card {card} is closed: the patient was erased"),
            Self::CardCompromised(card) => write!(f, "card {card} is closed: its key was compromised"),
            Self::UnexpectedCard { expected, met } => {
                write!(f, "card {expected} was accepted before; {met} does not follow from it")
            }
            Self::MasterKey => f.write_str("the recovered master key is not the one of this vault"),
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Roster { version } => {
                write!(f, "two rosters of version {version}; ask the registrar which one stands")
            }
            Self::Successors { first, second } => {
                write!(f, "two next generations, {first} and {second}; ask the custodians, follow neither until then")
            }
            Self::Cards { version, first, second } => {
                write!(
                    f,
                    "two cards of version {version}, {first} and {second}; the true one is endorsed, remove or close the other"
                )
            }
        }
    }
}

impl fmt::Display for Versioned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Generation => "generation",
            Self::Roster => "roster version",
        })
    }
}

impl fmt::Display for ShareFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vault => "it is of another vault",
            Self::Generation => "it is of another generation of the master secret",
            Self::Threshold => "its threshold k is not the vault's",
            Self::Count => "its count n is not the vault's",
            Self::Index => "its index is not one of this vault's",
            Self::Value => "its value is not the one that was dealt; check it for typing errors",
            Self::Duplicate => "a share of this index was given already",
            Self::OffPolynomial => "it does not fit the other shares",
        })
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Descriptor => "descriptor",
            Self::Share => "share",
            Self::ShareText => "share text",
            Self::Pin => "pin",
            Self::MemberEntry => "member entry",
            Self::Roster => "roster",
            Self::Card => "card",
            Self::Endorsement => "endorsement",
            Self::Grant => "grant",
            Self::Record => "record",
            Self::Rotation => "rotation statement",
            Self::Disclosure => "disclosure",
        })
    }
}
