//! Whole lives of a clinic, drawn at random and lived twice: by a model without cryptography, and by the library over a
//! store of bytes. After each step both must agree on who reads what, and why the others do not.
//!
//! A failure prints the seed of the keys and the steps, cut down to those that matter. `PROPTEST_CASES` says how many
//! lives are lived.

mod check;
mod class;
#[path = "../suite/clinic.rs"]
#[expect(dead_code, reason = "only its generator is used here")]
mod clinic;
mod coverage;
mod draw;
mod model;
mod office;
mod perform;
mod renew;
mod rules;
mod steps;
mod world;

use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

use clinic::TestRng;
use model::{Model, PATIENTS};
use steps::Step;
use world::World;

/// Lives that are lived unless `PROPTEST_CASES` asks for another number.
const CASES: u32 = 128;
/// Every so many steps all patients are looked at, and not only those that the step was about.
const FULL_CHECK: usize = 8;
/// Bounds on what one life may pile up.
const MOST_KEYS: usize = 8;
const MOST_BACKUPS: usize = 3;

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        any::<u64>().prop_map(Self::opened).no_shrink().boxed()
    }

    fn transitions(state: &Self) -> BoxedStrategy<Step> {
        draw::step(state)
    }

    fn preconditions(state: &Self, step: &Step) -> bool {
        match step {
            Step::Replace { .. } => state.keys.len() < MOST_KEYS,
            Step::Backup => state.backups.len() < MOST_BACKUPS,
            Step::Restore { .. } => !state.backups.is_empty(),
            Step::Forget { .. } => state.damaged,
            _ => true,
        }
    }

    fn apply(mut state: Self, step: &Step) -> Self {
        state.step(step);
        state
    }
}

/// The library, and its generator.
struct Life {
    world: World,
    rng: TestRng,
}

impl Life {
    /// Makes the planned calls, each of which must give what the model says.
    fn follow(&mut self, model: &Model) {
        for (act, expected) in &model.plan {
            let met = self.world.perform(act, &mut self.rng);
            assert_eq!(check::class(&met), *expected, "{act:?} gave {met:?}");
        }
        check::same_rows(&self.world, model);
    }
}

impl StateMachineTest for Life {
    type SystemUnderTest = Self;
    type Reference = Model;

    fn init_test(model: &Model) -> Self {
        let mut rng = TestRng::new(model.seed);
        let world = World::found(&mut rng);
        let mut life = Self { world, rng };
        life.follow(model);
        life
    }

    fn apply(mut life: Self, model: &Model, _: Step) -> Self {
        life.follow(model);
        life
    }

    fn check_invariants(life: &Self, model: &Model) {
        for patient in 0..PATIENTS {
            if model.touched.contains(&patient) || model.steps.is_multiple_of(FULL_CHECK) {
                check::patient(&life.world, model, patient);
            }
        }
        check::old_shares_are_worthless(&life.world);
    }

    fn teardown(mut life: Self, mut model: Model) {
        (0..PATIENTS).for_each(|patient| check::patient(&life.world, &model, patient));
        model.settle();
        life.follow(&model);
        (0..PATIENTS).for_each(|patient| check::patient(&life.world, &model, patient));
        check::sleeper_catches_up(&life.world);
        if !model.damaged {
            check::intent(&life.world, &model);
        }
    }
}

fn config() -> ProptestConfig {
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { ProptestConfig::default().cases } else { CASES };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

prop_state_machine! {
    #![proptest_config(config())]

    #[test]
    fn whoever_should_read_reads_and_no_one_else(sequential 1..40 => Life);
}
