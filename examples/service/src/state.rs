//! What a door holds while it runs.
//!
//! Three types, one for each door, and each holds only what its door needs. The state of the intake door has no place
//! where a key that opens something could be.

pub(crate) mod clinic;
pub(crate) mod database;
pub(crate) mod glass;
pub(crate) mod openings;
pub(crate) mod patients;
pub(crate) mod taken_over;
pub(crate) mod threads;
pub(crate) mod tokens;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use lukko::{CardId, MemberId, MemberKey};
use lukko_store::Attachments;

use self::clinic::Clinic;
use self::glass::Glass;
use self::openings::Openings;
use self::taken_over::TakenOver;
use self::threads::Threads;
use crate::Failure;
use crate::clock::Clock;
use crate::config::Config;
use crate::files::{Seed, StateDir};

/// What every door has: the public part of the vault, the database, and who may come in. No key.
pub(crate) trait HasClinic: Send + Sync + 'static {
    fn clinic(&self) -> &Clinic;
}

/// The therapists' door: the member keys of those who work through it.
#[derive(Debug)]
pub(crate) struct TherapistDoor {
    clinic: Clinic,
    members: Vec<(String, MemberKey)>,
    /// The bytes of attachments, sealed.
    pub(crate) objects: Attachments,
    pub(crate) taken_over: TakenOver,
    /// Where files are sealed. One comes as slowly as its caller sends it.
    pub(crate) sealing: Threads,
    /// Where pieces of files are opened. Beside the others, so that slow senders keep no reader waiting.
    pub(crate) opening: Arc<Threads>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl TherapistDoor {
    pub(crate) fn open(
        clinic: Clinic,
        state: &StateDir,
        config: &Config,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Failure> {
        let members = member_keys(&clinic, state)?;
        let objects = config.objects.as_ref().map_or_else(|| state.objects(), |path| Ok(path.clone()))?;
        let objects = Attachments::local(objects)?;
        let taken_over = TakenOver::new(state.taken_over()?)?;
        let (sealing, opening) = (Threads::new(config.files), Arc::new(Threads::new(config.files)));
        Ok(Self { clinic, members, objects, taken_over, sealing, opening, clock })
    }

    /// The key of whoever signed in, if it is kept here.
    pub(crate) fn member(&self, name: &str) -> Option<&MemberKey> {
        self.members.iter().find(|(member, _)| member == name).map(|(_, key)| key)
    }
}

/// The intake door: one key, which the roster lets deposit and nothing else.
#[derive(Debug)]
pub(crate) struct IntakeDoor {
    clinic: Clinic,
    writer: MemberKey,
    /// The cards met so far: nobody who writes the database can talk this process into another one.
    cards: Mutex<HashMap<Vec<u8>, CardId>>,
}

impl IntakeDoor {
    pub(crate) fn open(clinic: Clinic, state: &StateDir) -> Result<Self, Failure> {
        let mut keys = member_keys(&clinic, state)?.into_iter();
        let (Some((_, writer)), None) = (keys.next(), keys.next()) else {
            return Err("the intake door has the seed of exactly one member".into());
        };
        Ok(Self { clinic, writer, cards: Mutex::default() })
    }

    pub(crate) const fn writer(&self) -> &MemberKey {
        &self.writer
    }

    pub(crate) fn card(&self, patient: &[u8]) -> Option<CardId> {
        self.cards.lock().unwrap_or_else(PoisonError::into_inner).get(patient).copied()
    }

    /// Remembers a card that follows from `met`, unless another request has gone further in the meantime.
    pub(crate) fn remember(&self, patient: &[u8], met: Option<CardId>, card: CardId) {
        let mut cards = self.cards.lock().unwrap_or_else(PoisonError::into_inner);
        if cards.get(patient).copied() == met {
            cards.insert(patient.to_owned(), card);
        }
    }
}

/// The glass: no key, until a quorum came.
#[derive(Debug)]
pub(crate) struct GlassDoor {
    clinic: Clinic,
    pub(crate) glass: Glass,
    pub(crate) openings: Openings,
}

impl GlassDoor {
    pub(crate) fn open(
        clinic: Clinic,
        state: &StateDir,
        config: &Config,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Failure> {
        let openings = Openings::new(state.openings()?, Arc::clone(&clock));
        Ok(Self { clinic, glass: Glass::new(clock, config.shares_for, config.open_for), openings })
    }

    /// Wipes what is over. Called before every look at the glass, and every second besides.
    pub(crate) fn settle(&self) {
        if let Some(what) = self.glass.expire() {
            self.openings.note_or_complain(what);
        }
    }

    /// What a custodian may end: the open glass, or the wait of the custodian's own shares.
    pub(crate) fn withdraw(&self, who: &str) {
        if self.glass.withdraw(who) {
            self.openings.note_or_complain(openings::Event::Closed { who });
        }
    }

    /// Wipes everything, whether it is over or not.
    pub(crate) fn close(&self, who: &str) {
        if self.glass.close() {
            self.openings.note_or_complain(openings::Event::Closed { who });
        }
    }
}

impl HasClinic for TherapistDoor {
    fn clinic(&self) -> &Clinic {
        &self.clinic
    }
}

impl HasClinic for IntakeDoor {
    fn clinic(&self) -> &Clinic {
        &self.clinic
    }
}

impl HasClinic for GlassDoor {
    fn clinic(&self) -> &Clinic {
        &self.clinic
    }
}

fn member_keys(clinic: &Clinic, state: &StateDir) -> Result<Vec<(String, MemberKey)>, Failure> {
    let vault = clinic.last_vault();
    let key = |(name, seed): Seed| {
        let key = vault.descriptor().member_from_seed(MemberId::new(&name)?, &seed)?;
        Ok((name, key))
    };
    state.seeds()?.into_iter().map(key).collect()
}
