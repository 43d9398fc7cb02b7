//! The reference state: a clinic in a few maps, without any cryptography.
//!
//! The store is modelled row by row, since a backup that is put back is nothing but older rows. What clients remember
//! stands beside it and never goes back.

use std::collections::{BTreeMap, BTreeSet};

use lukko::{ClosedReason, Roles, Status};

use crate::class::Class;

pub(crate) const PATIENTS: usize = 3;
pub(crate) const SLOTS: usize = 4;
/// The roles of the four members; a key that replaces another has the same.
pub(crate) fn roles(slot: usize) -> Roles {
    match slot {
        0 => Roles::READ | Roles::ENROL,
        1 => Roles::READ | Roles::ENROL | Roles::DEPOSIT,
        2 => Roles::READ,
        _ => Roles::DEPOSIT,
    }
}

/// A card, by the order in which it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CardIx(pub(crate) usize);

/// A member's key, by the order in which it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KeyIx(pub(crate) usize);

/// A place for notes of one patient. Deposits get numbers from [`NoteId::DEPOSITS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NoteId {
    pub(crate) record: u32,
    pub(crate) field: u8,
}

impl NoteId {
    pub(crate) const DEPOSITS: u32 = 100;
}

/// The primary key of a row in the store. Numbers of type `u32` are generations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Row {
    Card(usize, CardIx),
    Endorsement(usize, u32),
    MasterGrant(usize, u32),
    OlderGrant(CardIx, u32),
    Grant(CardIx, KeyIx),
    Note(usize, NoteId),
}

/// What the model knows of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Meta {
    /// A card, a grant.
    Plain,
    /// The master grant of a card.
    Master(CardIx),
    /// The endorsement of a card.
    Endorsed { card: CardIx, by: Signer },
    /// A sealed note.
    Note(Note),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Note {
    pub(crate) card: CardIx,
    pub(crate) revision: u64,
    pub(crate) text: u32,
    pub(crate) kind: Kind,
}

/// Who sealed a note, and for deposits the roster version that the writer saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Reader,
    Deposit { writer: KeyIx, seen: u64 },
    Absorbed { writer: KeyIx, seen: u64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signer {
    Member(KeyIx),
    Root,
}

/// Who opens a patient's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Actor {
    Member(KeyIx),
    Quorum,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    pub(crate) slot: usize,
    pub(crate) status: Status,
}

/// What a card says of itself; that never changes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CardInfo {
    pub(crate) patient: usize,
    pub(crate) version: u32,
    pub(crate) previous: Option<CardIx>,
}

/// A generation that clients follow, and its roster's version.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    pub(crate) generation: u32,
    pub(crate) version: u64,
}

/// A change of the roster.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change {
    Status(KeyIx, Status),
    /// The key of a slot that takes the place of another one, or of none.
    Key {
        slot: usize,
        lost: Option<KeyIx>,
    },
    Close(CardIx),
}

pub(crate) type Store = BTreeMap<Row, Meta>;

/// One call of the library, with everything that it takes. A view is an index into [`Model::views`].
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Publish(Change),
    Enrol { by: Signer, patient: usize, grant_to: Option<KeyIx> },
    Rekey { view: usize, patient: usize, opener: Actor, by: Signer, grant_to: Vec<KeyIx> },
    Grant { view: usize, patient: usize, opener: Actor, to: KeyIx },
    Seal { view: usize, patient: usize, opener: Actor, id: NoteId, revision: u64, text: u32 },
    Deposit { view: usize, patient: usize, writer: KeyIx, id: NoteId, text: u32 },
    Absorb { view: usize, patient: usize, opener: Actor, id: NoteId, card: CardIx },
    Move { view: usize, patient: usize, opener: Actor, id: NoteId, from: CardIx, reseal: bool },
    Triage { view: usize, patient: usize, opener: Actor, id: NoteId, from: CardIx, revision: u64 },
    Mend { view: usize, patient: usize, opener: Actor, by: Signer, card: CardIx },
    OlderGrant { view: usize, patient: usize, opener: Actor, card: CardIx },
    StartRotation,
    RotatePatient { patient: usize, by: Signer, fresh: bool },
    RotateOlder { patient: usize, by: Signer, card: CardIx },
    Retire { done: Vec<CardIx>, failed: Vec<CardIx> },
    Erase { patient: usize, cards: Vec<CardIx>, grants: Vec<Row>, keep_notes: bool },
    Remember { patient: usize, card: Option<CardIx> },
    Delete(Row),
    Backup,
    Restore(usize),
}

/// The clinic, and the calls of the last transition with what each must give.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) seed: u64,
    pub(crate) steps: usize,
    pub(crate) plan: Vec<(Act, Result<(), Class>)>,
    /// The patients that the last transition was about.
    pub(crate) touched: BTreeSet<usize>,
    pub(crate) store: Store,
    pub(crate) backups: Vec<Store>,
    pub(crate) keys: Vec<Key>,
    pub(crate) cards: Vec<CardInfo>,
    pub(crate) closed: BTreeMap<CardIx, ClosedReason>,
    /// One generation, or two while a rotation is under way.
    pub(crate) views: Vec<View>,
    /// The card of each patient that the clients accepted last.
    pub(crate) memory: [Option<CardIx>; PATIENTS],
    /// The highest revision that the clients wrote.
    pub(crate) revisions: BTreeMap<(usize, NoteId), u64>,
    pub(crate) texts: u32,
    pub(crate) deposits: u32,
    /// The intent, kept apart from the rows: who should read whom, and the text of every note.
    pub(crate) granted: BTreeSet<(usize, KeyIx)>,
    pub(crate) truth: BTreeMap<(usize, NoteId), u32>,
    /// Rows were deleted or went back: the intent promises nothing any more.
    pub(crate) damaged: bool,
}

impl Model {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            steps: 0,
            plan: Vec::new(),
            touched: BTreeSet::new(),
            store: Store::new(),
            backups: Vec::new(),
            keys: (0..SLOTS).map(|slot| Key { slot, status: Status::Active }).collect(),
            cards: Vec::new(),
            closed: BTreeMap::new(),
            views: vec![View { generation: 1, version: 1 }],
            memory: [None; PATIENTS],
            revisions: BTreeMap::new(),
            texts: 0,
            deposits: 0,
            granted: BTreeSet::new(),
            truth: BTreeMap::new(),
            damaged: false,
        }
    }

    /// The notes of a patient, as rows.
    pub(crate) fn notes(&self, patient: usize) -> Vec<(NoteId, Note)> {
        let note = |(row, meta): (&Row, &Meta)| match (row, meta) {
            (Row::Note(owner, id), Meta::Note(note)) if *owner == patient => Some((*id, *note)),
            _ => None,
        };
        self.store.iter().filter_map(note).collect()
    }

    /// The latest key of a member; the fifth stands for a quorum.
    pub(crate) fn actor(&self, who: usize) -> Actor {
        if who < SLOTS { Actor::Member(self.key_of(who)) } else { Actor::Quorum }
    }

    pub(crate) fn key_of(&self, slot: usize) -> KeyIx {
        KeyIx(self.keys.iter().rposition(|key| key.slot == slot).expect("every slot has a key"))
    }

    /// Every key that ever was, and a quorum.
    pub(crate) fn actors(&self) -> Vec<Actor> {
        (0..self.keys.len()).map(|key| Actor::Member(KeyIx(key))).chain([Actor::Quorum]).collect()
    }
}
