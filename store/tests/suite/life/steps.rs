//! What can happen in a life, and which of it comes next.

use proptest::prelude::*;
use proptest::sample::select;
use proptest_state_machine::ReferenceStateMachine;

/// Patients of one vault.
pub(super) const PATIENTS: usize = 2;
/// Generations that one life may reach.
const MOST_GENERATIONS: usize = 3;

/// One thing that happens. A step that cannot be done in the present state changes nothing.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// A client of generation `by` enrols a patient.
    Enrol {
        patient: usize,
        by: usize,
    },
    /// Writes a note, or its next revision.
    Write {
        patient: usize,
        by: usize,
        record: usize,
    },
    Deposit {
        patient: usize,
        by: usize,
    },
    /// Takes a deposit over.
    Absorb {
        patient: usize,
        by: usize,
    },
    /// Uploads an attachment; `named` says whether its record is stored at once.
    Attach {
        patient: usize,
        by: usize,
        named: bool,
    },
    /// Stores the record of the upload that waits.
    Name,
    Grant {
        patient: usize,
        by: usize,
        to: usize,
    },
    Withdraw {
        patient: usize,
        from: usize,
    },
    Rekey {
        patient: usize,
        by: usize,
    },
    /// The registrar closes the older cards of a patient whose records have all moved.
    Close {
        patient: usize,
    },
    Rotate,
    RotationJob {
        ends: Ending,
    },
    RekeyJob {
        by: usize,
        ends: Ending,
    },
    VerifyJob {
        by: usize,
        ends: Ending,
    },
    Retire,
    /// The registrar closes the patient's cards, in every generation or in that of `by` only; then a job erases.
    Erase {
        patient: usize,
        by: usize,
        everywhere: bool,
        keep: bool,
        ends: Ending,
    },
    /// As before, and the change is made without a job.
    EraseAlone {
        patient: usize,
        by: usize,
    },
    /// A member's key is destroyed, and the member gets another one.
    Replace {
        member: usize,
    },
    Sweep {
        uploads: bool,
    },
    /// Every lease ends.
    Wait,
    Hide {
        patient: usize,
        row: Row,
    },
    /// What was hidden comes back.
    Show,
    Plant {
        patient: usize,
        by: usize,
        what: Planted,
    },
    /// A copy of the whole database is taken, to be put back.
    Save,
    PutBack,
}

/// How a worker ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    AtTheEnd,
    /// It stops behind this many pieces.
    After(usize),
    /// Another worker has claimed a piece and died.
    BesideTheDead,
}

/// A row that a thief, or a half restored backup, takes away.
#[derive(Debug, Clone, Copy)]
pub(super) enum Row {
    Patient,
    /// Of this version.
    Card(u32),
    /// Of this generation.
    Endorsement(u32),
    /// Of this generation; 0 are those to members.
    Grant(u32),
    Record(usize),
}

/// What somebody with access to the database puts into it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Planted {
    /// A master grant of another generation, in the row of the newest one.
    OlderGrant,
    /// What was stored once as the endorsement, in its place again.
    OlderEndorsement,
    /// An older card as the current one.
    OlderCurrent,
    /// A card of the patient that was erased under this id.
    OlderCard,
    /// A deposit in the place of a note.
    DepositInPlace,
    /// The announcement of an object that a record names.
    Unnamed,
}

/// What is known of a life before it is lived: enough to draw steps that mostly can be done.
#[derive(Debug, Clone)]
pub(super) struct Outline {
    pub(super) seed: u64,
    generations: usize,
    saved: bool,
}

impl ReferenceStateMachine for Outline {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        any::<u64>().prop_map(|seed| Self { seed, generations: 1, saved: false }).no_shrink().boxed()
    }

    fn transitions(outline: &Self) -> BoxedStrategy<Step> {
        let by = 0..outline.generations;
        let newest = outline.generations - 1;
        prop_oneof![
            11 => daily(by.clone()),
            13 => renewal(by.clone(), newest),
            6 => endings(by),
            5 => thefts(outline.generations as u32),
        ]
        .boxed()
    }

    fn preconditions(outline: &Self, step: &Step) -> bool {
        match step {
            Step::Rotate => outline.generations < MOST_GENERATIONS,
            Step::PutBack => outline.saved,
            Step::RotationJob { .. } | Step::Retire => outline.generations > 1,
            _ => true,
        }
    }

    fn apply(mut outline: Self, step: &Step) -> Self {
        match step {
            Step::Rotate => outline.generations += 1,
            Step::Save => outline.saved = true,
            _ => {}
        }
        outline
    }
}

type Generations = std::ops::Range<usize>;

fn ends() -> impl Strategy<Value = Ending> {
    prop_oneof![6 => Just(Ending::AtTheEnd), 1 => (1..PATIENTS).prop_map(Ending::After), 1 => Just(Ending::BesideTheDead)]
}

fn daily(by: Generations) -> impl Strategy<Value = Step> {
    let patient = 0..PATIENTS;
    let pair = (patient.clone(), by);
    prop_oneof![
        2 => pair.clone().prop_map(|(patient, by)| Step::Enrol { patient, by }),
        6 => (pair.clone(), 0..3_usize).prop_map(|((patient, by), record)| Step::Write { patient, by, record }),
        3 => pair.clone().prop_map(|(patient, by)| Step::Deposit { patient, by }),
        2 => pair.clone().prop_map(|(patient, by)| Step::Absorb { patient, by }),
        3 => (pair.clone(), any::<bool>()).prop_map(|((patient, by), named)| Step::Attach { patient, by, named }),
        1 => Just(Step::Name),
        3 => (pair, 0..2_usize).prop_map(|((patient, by), to)| Step::Grant { patient, by, to }),
        2 => (patient, 0..2_usize).prop_map(|(patient, from)| Step::Withdraw { patient, from }),
        2 => any::<bool>().prop_map(|uploads| Step::Sweep { uploads }),
        1 => Just(Step::Wait),
    ]
}

fn renewal(by: Generations, newest: usize) -> impl Strategy<Value = Step> {
    let pair = (0..PATIENTS, by.clone());
    prop_oneof![
        5 => pair.prop_map(|(patient, by)| Step::Rekey { patient, by }),
        1 => (0..PATIENTS).prop_map(|patient| Step::Close { patient }),
        2 => Just(Step::Rotate),
        6 => ends().prop_map(|ends| Step::RotationJob { ends }),
        3 => (by, ends()).prop_map(|(by, ends)| Step::RekeyJob { by, ends }),
        2 => ends().prop_map(move |ends| Step::VerifyJob { by: newest, ends }),
        3 => Just(Step::Retire),
        2 => (0..2_usize).prop_map(|member| Step::Replace { member }),
    ]
}

fn endings(by: Generations) -> impl Strategy<Value = Step> {
    let (pair, everywhere) = ((0..PATIENTS, by), prop_oneof![4 => Just(true), 1 => Just(false)]);
    let keep = prop_oneof![3 => Just(false), 1 => Just(true)];
    let job = (pair.clone(), everywhere, keep, ends())
        .prop_map(|((patient, by), everywhere, keep, ends)| Step::Erase { patient, by, everywhere, keep, ends });
    prop_oneof![3 => job, 1 => pair.prop_map(|(patient, by)| Step::EraseAlone { patient, by })]
}

fn thefts(generations: u32) -> impl Strategy<Value = Step> {
    let by = 0..generations as usize;
    let row = prop_oneof![
        2 => Just(Row::Patient),
        1 => (1..3_u32).prop_map(Row::Card),
        1 => (1..=generations).prop_map(Row::Endorsement),
        2 => (0..=generations).prop_map(Row::Grant),
        1 => (0..3_usize).prop_map(Row::Record),
    ];
    let planted = select(vec![
        Planted::OlderGrant,
        Planted::OlderEndorsement,
        Planted::OlderCurrent,
        Planted::OlderCard,
        Planted::DepositInPlace,
        Planted::Unnamed,
        Planted::Unnamed,
    ]);
    prop_oneof![
        4 => (0..PATIENTS, row).prop_map(|(patient, row)| Step::Hide { patient, row }),
        2 => Just(Step::Show),
        4 => (0..PATIENTS, by, planted).prop_map(|(patient, by, what)| Step::Plant { patient, by, what }),
        1 => Just(Step::Save),
        2 => Just(Step::PutBack),
    ]
}
