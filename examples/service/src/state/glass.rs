//! The glass: shares come one by one, the key is there for minutes, and then it is wiped.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lukko::error::ShareFault;
use lukko::{Error, MasterKey, PinnedDescriptor, Recovery, Share};

use super::openings::Event;
use crate::clock::{Clock, Deadline};

/// The only place where a master key is, and only behind this lock: it is lent, never given.
#[derive(Debug)]
pub(crate) struct Glass {
    clock: Arc<dyn Clock>,
    shares_for: Duration,
    open_for: Duration,
    state: Mutex<State>,
}

/// Shares and key are wiped when the state is replaced: their types do it on drop.
#[derive(Debug)]
enum State {
    Closed,
    Collecting { given: Vec<Given>, until: Deadline },
    Open { master: MasterKey, until: Deadline },
}

/// A share that waits, and the custodian who gave it.
#[derive(Debug)]
struct Given {
    who: String,
    share: Share,
}

/// How the glass stands. Says how many shares were given, and never which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) open: bool,
    pub(crate) shares: usize,
    pub(crate) left: Duration,
}

/// Why a share was not taken.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It is open already: no further share is wanted.
    Open,
    /// The share is at fault, or the quorum's shares together.
    Share(Error),
}

impl Glass {
    pub(crate) fn new(clock: Arc<dyn Clock>, shares_for: Duration, open_for: Duration) -> Self {
        Self { clock, shares_for, open_for, state: Mutex::new(State::Closed) }
    }

    /// Takes one share. With the k-th the glass is open. A refused share leaves those before it where they are, also if it
    /// is the k-th and they do not fit together: the one that is at fault is known and left out when one more is given.
    pub(crate) fn give(&self, descriptor: &PinnedDescriptor, who: &str, share: Share) -> Result<Standing, Refusal> {
        let mut state = self.lock();
        let (mut given, until) = match &mut *state {
            State::Open { .. } => return Err(Refusal::Open),
            State::Closed => (Vec::new(), Deadline::after(&*self.clock, self.shares_for)),
            State::Collecting { given, until } => (mem::take(given), *until),
        };
        let taken = take(descriptor, &mut given, Given { who: who.to_owned(), share });
        let (next, result) = match taken {
            Ok(Some(master)) => (State::Open { master, until: Deadline::after(&*self.clock, self.open_for) }, Ok(())),
            Ok(None) => (State::Collecting { given, until }, Ok(())),
            Err(error) if given.is_empty() => (State::Closed, Err(error)),
            Err(error) => (State::Collecting { given, until }, Err(error)),
        };
        *state = next;
        result.map_err(Refusal::Share)?;
        Ok(self.standing_of(&state))
    }

    /// Lends the master key, if the glass is open. What is done with it happens behind the lock, and no longer.
    pub(crate) fn lend<T>(&self, work: impl FnOnce(&MasterKey) -> T) -> Option<T> {
        match &*self.lock() {
            State::Open { master, until } if !until.is_over(&*self.clock) => Some(work(master)),
            _ => None,
        }
    }

    pub(crate) fn standing(&self) -> Standing {
        self.standing_of(&self.lock())
    }

    /// Wipes what is over, and says what it was.
    pub(crate) fn expire(&self) -> Option<Event<'static>> {
        let mut state = self.lock();
        let event = match &*state {
            State::Collecting { until, .. } if until.is_over(&*self.clock) => Event::SharesExpired,
            State::Open { until, .. } if until.is_over(&*self.clock) => Event::Expired,
            _ => return None,
        };
        *state = State::Closed;
        Some(event)
    }

    /// Closes the open glass; before it is open, wipes what this custodian gave, and nobody else's. Says whether there was
    /// anything.
    pub(crate) fn withdraw(&self, who: &str) -> bool {
        let mut state = self.lock();
        let State::Collecting { given, .. } = &mut *state else {
            drop(state);
            return self.close();
        };
        let before = given.len();
        given.retain(|given| given.who != who);
        let left = given.len();
        if left == 0 {
            *state = State::Closed;
        }
        left != before
    }

    /// Wipes everything. Says whether there was anything.
    pub(crate) fn close(&self) -> bool {
        !matches!(mem::replace(&mut *self.lock(), State::Closed), State::Closed)
    }

    fn standing_of(&self, state: &State) -> Standing {
        match state {
            State::Closed => Standing { open: false, shares: 0, left: Duration::ZERO },
            State::Collecting { given, until } => {
                Standing { open: false, shares: given.len(), left: until.left(&*self.clock) }
            }
            State::Open { until, .. } => Standing { open: true, shares: 0, left: until.left(&*self.clock) },
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts a share to those that wait, and gives the master key if they are enough.
fn take(descriptor: &PinnedDescriptor, given: &mut Vec<Given>, new: Given) -> Result<Option<MasterKey>, Error> {
    let index = new.share.index();
    descriptor.check_share(&new.share)?;
    if given.iter().any(|given| given.share.index() == index) {
        return Err(Error::Share { index, reason: ShareFault::Duplicate });
    }
    given.push(new);
    if given.len() < usize::from(descriptor.k()) {
        return Ok(None);
    }
    let mut recovery = Recovery::new(descriptor);
    for Given { share, .. } in given.iter() {
        recovery.add(Share::from_bytes(share.to_bytes().expose())?)?;
    }
    loop {
        match recovery.finish() {
            Err(Error::Share { index, reason: ShareFault::OffPolynomial }) => {
                // Dealt wrongly: the others open the glass without it.
                recovery.remove(index);
                given.retain(|given| given.share.index() != index);
            }
            finished => return finished.map(Some),
        }
    }
}
