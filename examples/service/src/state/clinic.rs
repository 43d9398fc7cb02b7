//! The vault as this process sees it, followed from request to request.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use lukko::{Descriptor, Vault, VaultId};
use lukko_store::Generation;
use tokio::sync::Mutex;

use super::database::Database;
use super::tokens::Tokens;
use crate::Failure;
use crate::clock::Clock;
use crate::files::StateDir;
use crate::problem::Problem;

/// For how long an answer about readiness holds.
const READY_FOR: Duration = Duration::from_secs(1);

/// What every door has. There is no key in it.
#[derive(Debug)]
pub(crate) struct Clinic {
    pub(crate) database: Arc<Database>,
    pub(crate) tokens: Tokens,
    state: StateDir,
    followed: RwLock<Followed>,
    following: Mutex<()>,
    clock: Arc<dyn Clock>,
    /// When somebody asked last whether this door can work, and what the answer was.
    looked: Mutex<Option<Looked>>,
}

/// When somebody asked, and the answer: the length of SQLite's log in bytes, if there is one.
type Looked = (Duration, Result<Option<u64>, Problem>);

/// A verified vault, and the roster that it was verified with.
#[derive(Debug, Clone)]
struct Followed {
    vault: Arc<Vault>,
    roster: Vec<u8>,
}

impl Clinic {
    /// Loads the vault that the pin in the state directory names, and stores the pin if it moved.
    pub(crate) async fn load(state: StateDir, database: Arc<Database>, clock: Arc<dyn Clock>) -> Result<Self, Failure> {
        let (pin, descriptor) = (state.pin()?, state.descriptor()?);
        let id = pin.check(Descriptor::parse(&descriptor)?)?.vault();
        let pinned = pin.generation();
        let generations = database.generations(id).await?;
        let stored = of_generation(&generations, pinned).ok_or("the database does not hold the pinned vault")?;
        let vault = Vault::load(pin.clone(), &stored.descriptor, &stored.roster, database.members(id).await?)?;
        if *vault.pin() != pin {
            state.store_pin(vault.pin())?;
        }
        let followed = RwLock::new(Followed { vault: Arc::new(vault), roster: stored.roster.clone() });
        let tokens = Tokens::parse(&state.tokens()?)?;
        let (following, looked) = (Mutex::default(), Mutex::default());
        Ok(Self { database, tokens, state, followed, following, clock, looked })
    }

    /// Whether this door can work, and the length of SQLite's log, if that is the database. Anybody may ask, so that the database is asked once a second at most: until then all who
    /// ask get the same answer, and those who come meanwhile wait for it.
    pub(crate) async fn ready(&self) -> Result<Option<u64>, Problem> {
        let mut looked = self.looked.lock().await;
        if let Some((at, answer)) = &*looked
            && self.clock.elapsed().saturating_sub(*at) < READY_FOR
        {
            return answer.clone();
        }
        let answer = self.vault().await.map(|_| self.database.log_length());
        *looked = Some((self.clock.elapsed(), answer.clone()));
        answer
    }

    /// The vault as it was last seen.
    pub(crate) fn last_vault(&self) -> Arc<Vault> {
        self.followed().vault
    }

    pub(crate) fn id(&self) -> VaultId {
        self.last_vault().descriptor().vault()
    }

    /// The vault as it is now: who was revoked a moment ago is out with the next request.
    ///
    /// It costs one small query for each request. The pin is on disk before the newer roster is used. A database that
    /// goes back to an older roster is refused.
    pub(crate) async fn vault(&self) -> Result<Arc<Vault>, Problem> {
        let followed = self.followed();
        if self.stored_roster(&followed).await? == followed.roster {
            return Ok(followed.vault);
        }
        // One request follows, and the others wait for it. What was read before the wait may be older than what the
        // one in front has followed to, and is read again.
        let _following = self.following.lock().await;
        let followed = self.followed();
        let roster = self.stored_roster(&followed).await?;
        if roster == followed.roster {
            return Ok(followed.vault);
        }
        let mut vault = Vault::clone(&followed.vault);
        vault.update_roster(&roster, self.database.members(self.id()).await?)?;
        self.state.store_pin(vault.pin()).map_err(|error| {
            tracing::error!(%error, "the pin could not be stored");
            Problem::unavailable("the pin could not be stored")
        })?;
        tracing::info!(version = vault.roster().version(), "a newer roster");
        let vault = Arc::new(vault);
        let next = Followed { vault: Arc::clone(&vault), roster };
        *self.followed.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(vault)
    }

    async fn stored_roster(&self, followed: &Followed) -> Result<Vec<u8>, Problem> {
        let descriptor = followed.vault.descriptor();
        let generations = self.database.generations(descriptor.vault()).await?;
        let stored = of_generation(&generations, descriptor.generation());
        Ok(stored.ok_or_else(|| Problem::does_not_open("the generation is gone"))?.roster.clone())
    }

    fn followed(&self) -> Followed {
        self.followed.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn of_generation(generations: &[Generation], number: u32) -> Option<&Generation> {
    generations.iter().find(|generation| generation.generation == number)
}
