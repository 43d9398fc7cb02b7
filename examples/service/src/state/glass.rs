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
    Collecting { shares: Vec<Share>, until: Deadline },
    Open { master: MasterKey, until: Deadline },
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

    /// Takes one share. With the k-th the glass is open. A refused share leaves those before it where they are.
    pub(crate) fn give(&self, descriptor: &PinnedDescriptor, share: Share) -> Result<Standing, Refusal> {
        let mut state = self.lock();
        let (mut shares, until) = match &mut *state {
            State::Open { .. } => return Err(Refusal::Open),
            State::Closed => (Vec::new(), Deadline::after(&*self.clock, self.shares_for)),
            State::Collecting { shares, until } => (mem::take(shares), *until),
        };
        let index = share.index();
        let checked = descriptor.check_share(&share).and_then(|()| {
            let duplicate = shares.iter().any(|given| given.index() == index);
            if duplicate { Err(Error::Share { index, reason: ShareFault::Duplicate }) } else { Ok(()) }
        });
        if checked.is_ok() {
            shares.push(share);
        }
        *state = match &checked {
            Ok(()) if shares.len() >= usize::from(descriptor.k()) => {
                // If they do not fit together although each is the dealt one, all are gone: the custodians begin anew.
                *state = State::Closed;
                let master = recover(descriptor, shares).map_err(Refusal::Share)?;
                State::Open { master, until: Deadline::after(&*self.clock, self.open_for) }
            }
            _ if shares.is_empty() => State::Closed,
            _ => State::Collecting { shares, until },
        };
        checked.map_err(Refusal::Share)?;
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

    /// Wipes everything. Says whether there was anything.
    pub(crate) fn close(&self) -> bool {
        !matches!(mem::replace(&mut *self.lock(), State::Closed), State::Closed)
    }

    fn standing_of(&self, state: &State) -> Standing {
        match state {
            State::Closed => Standing { open: false, shares: 0, left: Duration::ZERO },
            State::Collecting { shares, until } => {
                Standing { open: false, shares: shares.len(), left: until.left(&*self.clock) }
            }
            State::Open { until, .. } => Standing { open: true, shares: 0, left: until.left(&*self.clock) },
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn recover(descriptor: &PinnedDescriptor, shares: Vec<Share>) -> Result<MasterKey, Error> {
    let mut recovery = Recovery::new(descriptor);
    for share in shares {
        recovery.add(share)?;
    }
    recovery.finish()
}
