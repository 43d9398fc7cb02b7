//! Work that blocks, beside a runtime that must not be.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::problem::Problem;

/// A bounded number of tasks that block at the same time; further ones wait.
///
/// Each of them waits for the store of objects, which works on the same threads. If such tasks had all of the runtime's
/// (512 by default), each would wait for one that none gives back.
#[derive(Debug)]
pub(crate) struct Threads(Arc<Semaphore>);

impl Threads {
    pub(crate) fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most)))
    }

    pub(crate) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let broken = || Problem::broken("the file could not be sealed or opened");
        let permit = Arc::clone(&self.0).acquire_owned().await.map_err(|_| broken())?;
        let work = move || {
            let _permit = permit;
            work()
        };
        spawn_blocking(work).await.map_err(|_| broken())
    }
}
