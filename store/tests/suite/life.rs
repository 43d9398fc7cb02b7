//! Whole lives of a clinic, drawn at random: core, store and jobs together, on both databases.
//!
//! After each step the six invariants of `life/README.md` are judged, by opening what is stored and by reading the
//! tables. A failure prints the steps, cut down to those that matter, and the seed. `LUKKO_LIVES` says how many lives are
//! lived (a tenth of them on PostgreSQL), `LUKKO_LIFE_SEED` repeats those of an earlier run.

mod check;
mod daily;
mod jobs;
mod office;
mod place;
mod steps;
mod thief;
mod world;

use std::marker::PhantomData;

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};

use place::{Kind, OnPostgres, OnSqlite, pass};
use steps::{Outline, PATIENTS, Step};
use world::World;

/// Lives that are lived unless `LUKKO_LIVES` asks for another number.
const LIVES: u32 = 32;
/// How long a life is.
const STEPS: std::ops::Range<usize> = 5..45;
/// Lives are lived side by side.
const THREADS: u32 = 2;

struct Life<K>(PhantomData<K>);

impl<K: Kind> StateMachineTest for Life<K> {
    type SystemUnderTest = World<K>;
    type Reference = Outline;

    fn init_test(outline: &Outline) -> World<K> {
        let mut world = World::found(outline.seed);
        for patient in 0..PATIENTS {
            world.enrol(patient, 0);
            world.write(patient, 0, 0);
        }
        world.copy();
        world
    }

    fn apply(mut world: World<K>, _: &Outline, step: Step) -> World<K> {
        take(&mut world, step);
        world.copy();
        world
    }

    fn check_invariants(world: &World<K>, _: &Outline) {
        world.check();
    }
}

fn take<K: Kind>(world: &mut World<K>, step: Step) {
    match step {
        Step::Enrol { patient, by } => world.enrol(patient, by),
        Step::Write { patient, by, record } => world.write(patient, by, record),
        Step::Deposit { patient, by } => world.deposit(patient, by),
        Step::Absorb { patient, by } => world.absorb(patient, by),
        Step::Attach { patient, by, named } => world.attach(patient, by, named),
        Step::Name => world.name(),
        Step::Grant { patient, by, to } => world.grant(patient, by, to),
        Step::Withdraw { patient, from } => world.withdraw(patient, from),
        Step::Rekey { patient, by } => world.rekey(patient, by),
        Step::Close { patient } => world.close(patient),
        Step::Rotate => world.rotate(),
        Step::RotationJob { ends } => world.rotation_job(ends),
        Step::RekeyJob { by, ends } => world.rekey_job(by, ends),
        Step::VerifyJob { by, ends } => world.verify_job(by, ends),
        Step::Retire => world.retire(),
        Step::Erase { patient, by, everywhere, keep, ends } => world.erase(patient, by, everywhere, keep, ends),
        Step::EraseAlone { patient, by } => world.erase_alone(patient, by),
        Step::Replace { member } => world.replace(member),
        Step::Sweep { uploads } => world.sweep(uploads),
        Step::Wait => pass(2_000),
        Step::Hide { patient, row } => world.hide(patient, row),
        Step::Show => world.show(),
        Step::Plant { patient, by, what } => world.plant(patient, by, what),
        Step::Save => world.save(),
        Step::PutBack => world.put_back(),
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|number| number.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

/// Lives on one thread, from a seed that is printed.
fn live<K: Kind>(seed: u64, lives: u32) {
    let config = Config { cases: lives, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config.clone(), rng);
    let lived = runner.run(&Outline::sequential_strategy(STEPS), |(outline, steps, seen)| {
        Life::<K>::test_sequential(config.clone(), outline, steps, seen);
        Ok(())
    });
    if let Err(error) = lived {
        panic!("LUKKO_LIFE_SEED={seed}: {error}");
    }
}

fn side_by_side<K: Kind>(lives: u32) {
    let seed = number("LUKKO_LIFE_SEED").unwrap_or_else(|| {
        lukko::random_id(&mut lukko::OsRng).map_or(1, |id| u64::from_str_radix(&id[..12], 16).unwrap())
    });
    println!("{lives} lives, LUKKO_LIFE_SEED={seed}");
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || live::<K>(seed + u64::from(thread), lives.div_ceil(THREADS)));
        }
    });
}

fn lives() -> u32 {
    number("LUKKO_LIVES").map_or(LIVES, |lives| u32::try_from(lives).expect("a number of lives"))
}

#[test]
fn a_clinic_lives_on_sqlite() {
    side_by_side::<OnSqlite>(lives());
}

#[test]
fn a_clinic_lives_on_postgres() {
    if crate::postgres::is_there() {
        side_by_side::<OnPostgres>(lives().div_ceil(10));
    }
}
