//! What handles stand for.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use lukko::{
    AccessHint, AttachmentReader, AttachmentWriter, Card, Deposit, DepositWriter, DepositedAttachment, Descriptor,
    Disclosed, Endorsed, Erasure, ErasureReceipt, MasterKey, MemberEntry, MemberKey, Opened, PatientKey, Pin,
    PinnedDescriptor, RecipientKey, Recovery, RegistrarKey, Retired, Retirement, RosterDraft, Share, Successor, Vault,
};
use self_cell::self_cell;
use zeroize::Zeroizing;

use crate::buffer::Source;
use crate::error::{LUKKO_E_HANDLE_TYPE, LUKKO_E_VALUE, Refusal, Result};
use crate::handle::{self, Locked, Object};

/// Any handle. 0 is never one.
pub type lukko_handle = u64;
/// Bytes that the library made, wiped when freed: see `lukko_buffer_len` and `lukko_buffer_read`.
pub type lukko_buffer = u64;
/// A registrar's signing key.
pub type lukko_registrar = u64;
/// The key of someone outside who receives disclosures.
pub type lukko_recipient = u64;
/// A vault that was just made: descriptor, shares and master key.
pub type lukko_new_vault = u64;
/// The public part of a vault, not trusted yet.
pub type lukko_descriptor = u64;
/// The public part of a vault, compared with a pin.
pub type lukko_pinned = u64;
/// What a client remembers of a vault. It does not change: a call that moves it forward gives a new one.
pub type lukko_pin = u64;
/// A custodian's share.
pub type lukko_share = u64;
/// Shares that are being collected. Changes; one call at a time.
pub type lukko_recovery = u64;
/// The master key. Free it as soon as its work is done.
pub type lukko_master = u64;
/// A member's private keys.
pub type lukko_member = u64;
/// A member's public entry, verified.
pub type lukko_entry = u64;
/// A roster that is being made. Changes; one call at a time.
pub type lukko_draft = u64;
/// A vault as one client sees it: descriptor and roster, verified against a pin. It does not change.
pub type lukko_vault = u64;
/// A patient who was just enrolled, or whose key was renewed.
pub type lukko_enrolment = u64;
/// An endorsement and a master grant that were just made.
pub type lukko_endorsed = u64;
/// A patient's current card, verified.
pub type lukko_card = u64;
/// A patient's key.
pub type lukko_patient_key = u64;
/// An opened note.
pub type lukko_opened = u64;
/// A deposit that was just made.
pub type lukko_deposit = u64;
/// A note, or an attachment, whose author nobody vouches for.
pub type lukko_unattributed = u64;
/// An attachment that is being sealed. Changes; one call at a time.
pub type lukko_writer = u64;
/// An attachment that is being read. Changes; one call at a time.
pub type lukko_reader = u64;
/// A deposited attachment whose author is not proven yet. Changes; one call at a time.
pub type lukko_deposited = u64;
/// The next generation of a vault, verified and not followed yet. Following it uses it up.
pub type lukko_successor = u64;
/// The next generation of a vault, just made.
pub type lukko_rotation = u64;
/// The list of what an old generation is still needed for. Changes; one call at a time.
pub type lukko_retirement = u64;
/// A generation that was retired.
pub type lukko_retired = u64;
/// An erasure that is under way. Changes; one call at a time.
pub type lukko_erasure = u64;
/// The receipt of an erasure. Changes; one call at a time.
pub type lukko_receipt = u64;
/// A disclosure, opened.
pub type lukko_disclosed = u64;
/// To whom a card's grants are addressed.
pub type lukko_access = u64;

/// A vault or a generation that was just made. Shares and master key are given out as handles of their own; their
/// secrets are wiped when the last handle that holds them is freed.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) descriptor: Arc<Descriptor>,
    pub(crate) shares: Vec<Arc<Share>>,
    pub(crate) master: Arc<MasterKey>,
}

/// [`Made`], as a new vault.
#[derive(Debug)]
pub(crate) struct NewVault(pub(crate) Made);

/// [`Made`], as a rotation.
#[derive(Debug)]
pub(crate) struct Rotated {
    pub(crate) made: Made,
    pub(crate) statement: Vec<u8>,
    pub(crate) roster: Vec<u8>,
}

/// A patient who was enrolled.
#[derive(Debug)]
pub(crate) struct Enrolled {
    pub(crate) card: Vec<u8>,
    pub(crate) endorsement: Vec<u8>,
    pub(crate) master_grant: Vec<u8>,
    pub(crate) key: Arc<PatientKey>,
}

/// Bytes of the library's, wiped when dropped.
#[derive(Debug)]
pub(crate) struct Buffer(pub(crate) Zeroizing<Vec<u8>>);

/// What nobody vouches for.
#[derive(Debug)]
pub(crate) struct UnattributedItem {
    pub(crate) claimed_writer: [u8; 32],
    pub(crate) item: Item,
}

/// A note or an attachment.
#[derive(Debug)]
pub(crate) enum Item {
    Note(Arc<Opened>),
    Attachment(Arc<Locked<Option<DepositedAttachment<Source>>>>),
}

/// Sealed bytes that the caller has not taken yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Queue(Arc<Mutex<Vec<u8>>>);

impl Queue {
    /// Runs on the waiting bytes. Nothing panics while this lock is held, and only the owner of the stream takes it.
    pub(crate) fn with<R>(&self, run: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        run(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Queue {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.with(|waiting| waiting.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

type Borrowed<'a> = Option<DepositWriter<'a, Queue>>;
type Generations = (Arc<PinnedDescriptor>, Arc<PinnedDescriptor>);

self_cell!(
    /// A deposit's stream beside the key that signs it.
    pub(crate) struct Depositing {
        owner: Arc<MemberKey>,
        #[not_covariant]
        dependent: Borrowed,
    }
);

self_cell!(
    /// A recovery beside its descriptor.
    pub(crate) struct Recovering {
        owner: Arc<PinnedDescriptor>,
        #[covariant]
        dependent: Recovery,
    }
);

self_cell!(
    /// A retirement beside its two descriptors.
    pub(crate) struct Retiring {
        owner: Generations,
        #[covariant]
        dependent: Retirement,
    }
);

/// A stream that is being sealed.
pub(crate) enum Sealing {
    Own(Box<AttachmentWriter<Queue>>),
    Deposit(Depositing),
    Finished,
}

/// A stream that is being sealed, and what has come out of it.
pub(crate) struct Writing {
    pub(crate) queue: Queue,
    pub(crate) stream: Sealing,
    /// The id of a deposit; empty for an attachment of a reader's.
    pub(crate) record: String,
}

macro_rules! objects {
    ($($tag:literal $object:ty),+ $(,)?) => {
        $(impl Object for $object { const TAG: u8 = $tag; })+
        #[cfg(test)]
        const TAGS: &[u8] = &[$($tag),+];
    };
}

// The types stand here in full; the macro only pairs each with its number.
objects! {
    1 Buffer,
    2 RegistrarKey,
    3 RecipientKey,
    4 NewVault,
    5 Descriptor,
    6 PinnedDescriptor,
    7 Pin,
    8 Share,
    9 Locked<Recovering>,
    10 MasterKey,
    11 MemberKey,
    12 MemberEntry,
    13 Locked<Option<RosterDraft>>,
    14 Vault,
    15 Enrolled,
    16 Endorsed,
    17 Card,
    18 PatientKey,
    19 Opened,
    20 Deposit,
    21 UnattributedItem,
    22 Locked<Writing>,
    23 Locked<AttachmentReader<Source>>,
    24 Locked<Option<DepositedAttachment<Source>>>,
    25 Locked<Option<Successor>>,
    26 Rotated,
    27 Locked<Retiring>,
    28 Retired,
    29 Locked<Erasure>,
    30 Locked<ErasureReceipt>,
    31 Disclosed,
    32 AccessHint,
}

/// Who enrols or opens: a member or the master key, whichever the handle is of.
#[derive(Debug)]
pub(crate) enum MemberOrMaster {
    Member(Arc<MemberKey>),
    Master(Arc<MasterKey>),
}

impl MemberOrMaster {
    pub(crate) fn of(handle: lukko_handle) -> Result<Self> {
        match handle::get(handle) {
            Ok(member) => Ok(Self::Member(member)),
            Err(Refusal(LUKKO_E_HANDLE_TYPE)) => handle::get(handle).map(Self::Master),
            Err(refusal) => Err(refusal),
        }
    }

    pub(crate) fn as_enroller(&self) -> lukko::Enroller<'_> {
        match self {
            Self::Member(key) => lukko::Enroller::Member(key),
            Self::Master(key) => lukko::Enroller::Root(key),
        }
    }

    pub(crate) fn with_grant<'a>(&'a self, grant: &'a [u8]) -> lukko::GrantKey<'a> {
        match self {
            Self::Member(key) => lukko::GrantKey::Member { key, grant },
            Self::Master(key) => lukko::GrantKey::Master { key, grant },
        }
    }
}

impl Made {
    /// A share by its place from 0.
    pub(crate) fn share(&self, at: usize) -> Result<Arc<Share>> {
        self.shares.get(at).cloned().ok_or(Refusal(LUKKO_E_VALUE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T114: no two types share a number, and none is 0, so that no small number is a handle.
    #[test]
    fn t114_every_type_has_a_number_of_its_own() {
        let mut tags = TAGS.to_vec();
        tags.dedup();
        assert_eq!(tags, (1..=TAGS.len() as u8).collect::<Vec<_>>());
    }
}
