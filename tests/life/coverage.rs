//! That the lives are worth living: a model that only ever refuses would agree with anything.

use std::collections::BTreeMap;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use proptest_state_machine::ReferenceStateMachine;

use crate::model::{Model, PATIENTS};

const LIVES: usize = 400;
/// What must have happened this often in so many lives.
const AT_LEAST: usize = 20;

/// Every kind of call that must succeed, and every reading that must be met.
const WANTED: [&str; 37] = [
    "Publish",
    "Enrol",
    "Rekey",
    "Grant",
    "Seal",
    "Deposit",
    "Absorb",
    "Move",
    "Triage",
    "Mend",
    "OlderGrant",
    "StartRotation",
    "RotatePatient",
    "RotateOlder",
    "Retire",
    "Erase",
    "Remember",
    "Delete",
    "Backup",
    "Restore",
    "reads Reader",
    "reads Deposit",
    "reads Absorbed",
    "reads an older card",
    "refused CardErased",
    "refused CardCompromised",
    "refused EndorsedCard",
    "refused MasterGrant",
    "refused Succession",
    "refused UnexpectedCard",
    "refused StaleGeneration",
    "refused StaleRoster",
    "refused Revoked",
    "refused Retired",
    "refused Role",
    "refused WrongRecipient",
    "whole and settled",
];

#[test]
fn lives_meet_every_call_and_every_refusal() {
    let mut met = BTreeMap::new();
    let mut runner = TestRunner::deterministic();
    let lives = Model::sequential_strategy(1..40);
    for _ in 0..LIVES {
        let (mut model, steps, _) = lives.new_tree(&mut runner).unwrap().current();
        for step in &steps {
            model.step(step);
            count_calls(&model, &mut met);
            count_readings(&model, &mut met);
        }
        model.settle();
        count_calls(&model, &mut met);
        if !model.damaged && !model.truth.is_empty() {
            note(&mut met, "whole and settled".to_owned());
        }
    }
    println!("{met:#?}");
    let rare: Vec<_> = WANTED.iter().filter(|what| met.get(**what).is_none_or(|times| *times < AT_LEAST)).collect();
    assert!(rare.is_empty(), "met less than {AT_LEAST} times: {rare:?}");
}

fn note(met: &mut BTreeMap<String, usize>, what: String) {
    *met.entry(what).or_default() += 1;
}

fn count_calls(model: &Model, met: &mut BTreeMap<String, usize>) {
    for (act, gives) in &model.plan {
        let name = format!("{act:?}").chars().take_while(char::is_ascii_alphanumeric).collect::<String>();
        let fault = gives.err().map(|class| format!(" fails {class:?}")).unwrap_or_default();
        note(met, name + &fault);
    }
}

fn count_readings(model: &Model, met: &mut BTreeMap<String, usize>) {
    let places = (0..model.views.len()).flat_map(|view| (0..PATIENTS).map(move |patient| (view, patient)));
    for (view, patient) in places {
        for (id, stored) in model.notes(patient) {
            for actor in model.actors() {
                match model.read(view, patient, id, actor) {
                    Ok(read) => {
                        let kind = format!("{:?}", read.kind);
                        note(met, format!("reads {}", kind.split(' ').next().unwrap_or_default()));
                        if model.card(view, patient, None) != Ok(stored.card) {
                            note(met, "reads an older card".to_owned());
                        }
                    }
                    Err(class) => note(met, format!("refused {class:?}")),
                }
            }
        }
    }
}
