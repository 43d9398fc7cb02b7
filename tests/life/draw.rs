//! Which step comes next: mostly one that succeeds, sometimes any.

use proptest::prelude::*;
use proptest::sample::select;

use crate::model::{Actor, Kind, Model, PATIENTS, SLOTS};
use crate::steps::{Closing, Step};

/// A patient and who acts on it.
type Pair = (usize, usize);

pub(crate) fn step(model: &Model) -> BoxedStrategy<Step> {
    prop_oneof![20 => daily(model), 12 => renewal(model), 4 => roster(), 6 => storage()].boxed()
}

fn daily(model: &Model) -> BoxedStrategy<Step> {
    let (readers, depositors, deposits) = (readers(model), depositors(model), with_deposits(model));
    let enrol = (0..PATIENTS, 0..=SLOTS).prop_map(|(patient, who)| Step::Enrol { patient, who });
    let grant = (readers.clone(), 0..SLOTS).prop_map(|((patient, who), to)| Step::Grant { patient, who, to });
    let seal = (readers, 0..2_u32, 0..2_u8).prop_map(|((patient, who), record, field)| Step::Seal {
        patient,
        who,
        record,
        field,
    });
    let deposit = (depositors, 0..2_u8).prop_map(|((patient, who), field)| Step::Deposit { patient, who, field });
    let absorb = (deposits, 0..4_usize).prop_map(|((patient, who), nth)| Step::Absorb { patient, who, nth });
    prop_oneof![3 => enrol, 4 => grant, 6 => seal, 5 => deposit, 2 => absorb].boxed()
}

fn renewal(model: &Model) -> BoxedStrategy<Step> {
    // Interrupted after so many patients or notes; mostly not.
    let limit = || prop_oneof![1 => Just(usize::MAX), 1 => 0..PATIENTS];
    let (readers, pending) = (readers(model), among(pending(model)));
    let closing = || select(vec![Closing::Never, Closing::Empty, Closing::AtOnce]);
    let rotate = (limit(), any::<bool>()).prop_map(|(limit, root)| Step::Rotate { limit, root });
    let rekey = (readers, any::<bool>(), limit(), closing())
        .prop_map(|((patient, who), reseal, limit, close)| Step::Rekey { patient, who, reseal, limit, close });
    let moves = (pending, any::<bool>(), limit(), closing())
        .prop_map(|((patient, _), reseal, limit, close)| Step::Move { patient, reseal, limit, close });
    let mend = among(unsound(model)).prop_map(|(patient, _)| Step::Mend { patient });
    prop_oneof![3 => rotate, 4 => rekey, 2 => moves, 3 => mend].boxed()
}

fn roster() -> BoxedStrategy<Step> {
    let erase = (0..PATIENTS, any::<bool>()).prop_map(|(patient, keep_notes)| Step::Erase { patient, keep_notes });
    prop_oneof![
        3 => (0..SLOTS).prop_map(|slot| Step::Revoke { slot }),
        2 => (0..SLOTS).prop_map(|slot| Step::RetireMember { slot }),
        5 => (0..SLOTS).prop_map(|slot| Step::Replace { slot }),
        3 => erase,
    ]
    .boxed()
}

fn storage() -> BoxedStrategy<Step> {
    prop_oneof![
        4 => Just(Step::Backup),
        4 => (0..3_usize).prop_map(|which| Step::Restore { which }),
        2 => (0..PATIENTS).prop_map(|patient| Step::Forget { patient }),
        2 => any::<usize>().prop_map(|nth| Step::Delete { nth }),
    ]
    .boxed()
}

/// Mostly one of these pairs, if there is one.
fn among(pairs: Vec<Pair>) -> BoxedStrategy<Pair> {
    let any = (0..PATIENTS, 0..=SLOTS);
    if pairs.is_empty() { any.boxed() } else { prop_oneof![4 => select(pairs), 1 => any].boxed() }
}

fn pairs(of: impl Fn(usize, usize) -> bool) -> Vec<Pair> {
    let all = (0..PATIENTS).flat_map(|patient| (0..=SLOTS).map(move |who| (patient, who)));
    all.filter(|(patient, who)| of(*patient, *who)).collect()
}

fn reads(model: &Model, patient: usize, who: usize) -> bool {
    model.key(model.view_for(patient), patient, None, model.actor(who)).is_ok()
}

fn readers(model: &Model) -> BoxedStrategy<Pair> {
    among(pairs(|patient, who| reads(model, patient, who)))
}

fn depositors(model: &Model) -> BoxedStrategy<Pair> {
    let able = |patient: usize, who: usize| {
        let card = model.card(model.view_for(patient), patient, model.memory[patient]);
        let active = matches!(model.actor(who), Actor::Member(key) if model.active(key, lukko::Roles::DEPOSIT).is_ok());
        card.is_ok() && active
    };
    let any = (0..PATIENTS, 0..SLOTS);
    let able = pairs(able);
    if able.is_empty() { any.boxed() } else { prop_oneof![4 => select(able), 1 => any].boxed() }
}

fn with_deposits(model: &Model) -> BoxedStrategy<Pair> {
    let deposit = |patient| model.notes(patient).iter().any(|(_, note)| matches!(note.kind, Kind::Deposit { .. }));
    among(pairs(|patient, who| deposit(patient) && reads(model, patient, who)))
}

/// Patients with notes under an older card.
fn pending(model: &Model) -> Vec<Pair> {
    pairs(|patient, _| {
        let current = model.history(patient).last().copied();
        model.notes(patient).iter().any(|(_, note)| Some(note.card) != current)
    })
}

/// Patients whose card does not count in every generation in use.
fn unsound(model: &Model) -> Vec<Pair> {
    pairs(|patient, _| {
        let stored = !model.stored_cards(patient).is_empty();
        stored && (0..model.views.len()).any(|view| model.card(view, patient, model.memory[patient]).is_err())
    })
}
