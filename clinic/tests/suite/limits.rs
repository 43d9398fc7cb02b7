//! How long a session lasts.

use std::sync::Arc;
use std::time::Duration;

use lukko_clinic::{Clock, Error, Limits, Purpose};

use crate::world::{TestClock, sqlite};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t126_a_session_ends_when_it_is_idle_and_when_its_longest_time_is_over() {
    let (world, clock) = (sqlite().await, TestClock::new());
    let clinic = world.clinic.clone().with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
    let limits = Limits { idle: MINUTE, longest: 3 * MINUTE, members_for: Duration::ZERO };
    let session = clinic.with_limits(limits).session(Purpose::care("appointment"));
    let patient = session.enrol().await.unwrap();
    // Used every half minute, it lasts three minutes.
    for _ in 0..5 {
        clock.pass(MINUTE / 2, MINUTE / 2);
        patient.write("note", "slept better").await.unwrap();
        assert!(!session.settle());
    }
    clock.pass(MINUTE / 2, MINUTE / 2);
    assert!(matches!(patient.write("note", "slept better").await, Err(Error::Expired)));
    assert!(session.settle());
    assert!(matches!(session.patient(&patient.id()).await, Err(Error::Expired)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t084_whichever_clock_is_first_ends_it_and_none_prolongs_it() {
    let (world, clock) = (sqlite().await, TestClock::new());
    let clinic = world.clinic.clone().with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
    let limits = Limits { idle: MINUTE, ..Limits::default() };
    for (elapsed, unix) in [(MINUTE, Duration::ZERO), (Duration::ZERO, MINUTE)] {
        let session = clinic.clone().with_limits(limits).session(Purpose::care("appointment"));
        let patient = session.enrol().await.unwrap();
        clock.pass(elapsed, unix);
        assert!(session.settle());
        assert!(matches!(patient.write("note", "text").await, Err(Error::Expired)));
        // Over is over: a session that has ended does not begin again.
        assert!(matches!(patient.write("note", "text").await, Err(Error::Expired)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_session_opens_nothing_and_another_one_does() {
    let world = sqlite().await;
    let (first, second) = (world.session(), world.session());
    let patient = first.enrol().await.unwrap();
    let other = second.patient(&patient.id()).await.unwrap();
    let note = patient.write("note", "slept better").await.unwrap();
    first.clone().close();
    assert!(matches!(patient.read(&note).await, Err(Error::Expired)));
    assert!(matches!(first.enrol().await, Err(Error::Expired)));
    assert_eq!(other.read(&note).await.unwrap().text(), "slept better");
}
