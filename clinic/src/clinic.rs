//! The clinic, as one member sees it: found, joined or opened, and followed from call to call.

mod found;
mod generation;
mod invitation;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use lukko::{MemberKey, Pin, RegistrarKey, Vault, VaultId};
use lukko_store::{Attachments, Change, Store};
use tokio::sync::{Mutex, Semaphore};

pub use found::{Founded, Plan};
pub use invitation::{Application, Invitation, Joined};

use crate::clock::{Clock, Limits, SystemClock};
use crate::error::{Error, Result};
use crate::key::KeySource;
use crate::memory::Memory;
use crate::officer::Officer;
use crate::purpose::Purpose;
use crate::session::Session;
use crate::trust::{self, Trusted};

/// How often a change is given when the database does not answer: one that was made already is not made twice.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(50);
/// Attachments that are sealed or opened at the same time. Each of them blocks a thread.
const STREAMS: usize = 8;

/// A clinic, as one of its members works with it. Cloning it gives another handle on the same one.
///
/// It begins with [`Clinic::found`], [`Clinic::join`] or [`Clinic::open`]. Everything that the database says is verified,
/// and compared with the member's [`Memory`].
pub struct Clinic<S> {
    at: Arc<At<S>>,
    files: Option<Attachments>,
    limits: Limits,
    clock: Arc<dyn Clock>,
}

/// What all handles share.
struct At<S> {
    store: S,
    memory: Memory,
    vault: VaultId,
    me: MemberKey,
    followed: RwLock<Followed>,
    following: Mutex<()>,
    streams: Arc<Semaphore>,
}

/// The vault as it was seen last, and when that was.
#[derive(Clone)]
struct Followed {
    vault: Arc<Vault>,
    roster: Arc<[u8]>,
    at: Option<Duration>,
}

impl<S: Store> Clinic<S> {
    /// Opens a clinic that this memory knows: what a service does each time it starts.
    ///
    /// The database's list of members is verified, and must not be older than the one that the memory has seen.
    ///
    /// # Errors
    /// [`Error::MemoryEmpty`]; [`Error::MemoryBeside`]; [`Error::OtherDatabase`]; [`Error::RolledBack`];
    /// [`Error::NotAMember`]; [`Error::Core`] for what does not verify; [`Error::Store`].
    ///
    /// ```
    /// # use lukko_clinic::*;
    /// # use lukko_store::SqliteStore;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # std::fs::create_dir(directory.path().join("database"))?;
    /// # let store = SqliteStore::open(directory.path().join("database/clinic.db")).await?;
    /// # let file = directory.path().join("memory.db");
    /// # let plan = Plan::custodians(3, 5).member("aalto", THERAPIST);
    /// # let founded = Clinic::found(store.clone(), Memory::file(&file).await?, plan).await?;
    /// # let key = founded.key("aalto").ok_or("no key")?.clone();
    /// let clinic = Clinic::open(store, Memory::file(&file).await?, &key).await?;
    /// # let _ = clinic; Ok(()) }
    /// ```
    pub async fn open(store: S, memory: Memory, key: &impl KeySource) -> Result<Self> {
        require_apart(&store, &memory)?;
        let noted = memory.pinned().await?.ok_or(Error::MemoryEmpty)?;
        let me = trust::member_key(&noted, &key.key().map_err(Error::KeySource)?)?;
        let vault = noted.pin.check(lukko::Descriptor::parse(&noted.descriptor)?)?.vault();
        let entries = store.members(vault).await?;
        let clinic = Self::over(store, memory, me, Trusted::remembered(&noted, &entries)?);
        trust::require_member(clinic.vault().await?.as_ref(), clinic.me().fingerprint())?;
        Ok(clinic)
    }

    fn over(store: S, memory: Memory, me: MemberKey, trusted: Trusted) -> Self {
        let vault = trusted.vault.descriptor().vault();
        let followed = Followed { vault: Arc::new(trusted.vault), roster: trusted.roster.into(), at: None };
        let (followed, following) = (RwLock::new(followed), Mutex::default());
        let streams = Arc::new(Semaphore::new(STREAMS));
        let at = Arc::new(At { store, memory, vault, me, followed, following, streams });
        Self { at, files: None, limits: Limits::default(), clock: Arc::new(SystemClock::default()) }
    }

    /// A session of this member, for one purpose.
    #[must_use]
    pub fn session(&self, purpose: Purpose) -> Session<S> {
        Session::new(self.clone(), purpose)
    }

    /// What an officer does: with the registrar's key, whose holder admits members and closes what was erased.
    ///
    /// # Security
    /// Keep the registrar's key where no therapist's program runs.
    #[must_use]
    pub fn officer(&self, registrar: RegistrarKey) -> Officer<S> {
        Officer::new(self.clone(), registrar)
    }

    /// The invitation to this clinic: which vault it is, and the fingerprint by which everybody knows it.
    #[must_use]
    pub fn invitation(&self) -> Invitation {
        Invitation::of(self.last_vault().descriptor())
    }

    /// The verified vault, followed to the newest list of members: the way to the core's own calls.
    ///
    /// # Errors
    /// [`Error::RolledBack`]; [`Error::Core`]; [`Error::Store`]; [`Error::Memory`].
    pub async fn vault(&self) -> Result<Arc<Vault>> {
        let followed = self.followed();
        let age = |at: Duration| self.clock.elapsed().checked_sub(at);
        let fresh = |at| age(at).is_some_and(|age| age < self.limits.members_for);
        if followed.at.is_some_and(fresh) {
            return Ok(followed.vault);
        }
        self.follow().await
    }

    /// Follows now, whatever the [limits](Limits::members_for) say.
    pub(crate) async fn follow(&self) -> Result<Arc<Vault>> {
        // One call follows, and the others wait for it.
        let _following = self.at.following.lock().await;
        loop {
            let now = self.clock.elapsed();
            // 1. What was known before the database is asked: another process of this member may be further.
            let noted = self.memory().pinned().await?.ok_or(Error::MemoryEmpty)?;
            let followed = self.followed();
            // 2. What is stored.
            let generations = self.store().generations(self.id()).await?;
            let stored = trust::generation(&generations, noted.pin.generation())?;
            if stored.roster == *followed.roster && noted.roster == *followed.roster {
                self.set(Followed { at: Some(now), ..followed.clone() });
                return Ok(followed.vault);
            }
            let entries = self.store().members(self.id()).await?;
            let known = Trusted::remembered(&noted, &entries)?;
            // 3. It is the known one, or follows from it. The memory has it before it is used.
            let next = if stored.roster == known.roster { known } else { known.follow(&stored.roster, &entries)? };
            let next_noted = next.pinned();
            if next_noted == noted || self.memory().pin(Some(&noted), &next_noted).await? {
                let vault = Arc::new(next.vault);
                self.set(Followed { vault: Arc::clone(&vault), roster: next.roster.into(), at: Some(now) });
                return Ok(vault);
            }
        }
    }

    /// Makes a change, and gives it again while the database does not answer.
    pub(crate) async fn apply(&self, changes: &[Change<'_>]) -> Result<(), lukko_store::Error> {
        let mut attempt = 1;
        loop {
            match self.store().apply(self.id(), changes).await {
                Err(error) if error.is_retryable() && attempt < ATTEMPTS => {
                    attempt = u32::saturating_add(attempt, 1);
                    tokio::time::sleep(PAUSE).await;
                }
                other => return other,
            }
        }
    }

    /// The store below, for what this crate does not do.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.at.store
    }
}

impl<S> Clinic<S> {
    /// The same clinic with a place for attachments.
    #[must_use]
    pub fn with_files(self, files: Attachments) -> Self {
        Self { files: Some(files), ..self }
    }

    /// The same clinic with other limits, for sessions that begin from now on.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The same clinic with another clock.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// This member's key, for the core's own calls.
    #[must_use]
    pub fn me(&self) -> &MemberKey {
        &self.at.me
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.at.memory
    }

    pub(crate) fn id(&self) -> VaultId {
        self.at.vault
    }

    pub(crate) fn files(&self) -> Result<&Attachments> {
        self.files.as_ref().ok_or(Error::NoFiles)
    }

    pub(crate) fn streams(&self) -> &Arc<Semaphore> {
        &self.at.streams
    }

    pub(crate) const fn limits(&self) -> Limits {
        self.limits
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Seconds since 1970.
    pub(crate) fn seconds(&self) -> u64 {
        self.clock.unix().as_secs()
    }

    pub(crate) fn last_vault(&self) -> Arc<Vault> {
        self.followed().vault
    }

    fn followed(&self) -> Followed {
        self.at.followed.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, followed: Followed) {
        *self.at.followed.write().unwrap_or_else(PoisonError::into_inner) = followed;
    }
}

/// Pins a vault in a memory that knows none.
async fn pin_first(memory: &Memory, trusted: &Trusted) -> Result<()> {
    if !memory.pin(None, &trusted.pinned()).await? {
        return Err(Error::MemoryInUse);
    }
    memory.confirm(trusted.vault.descriptor().fingerprint().as_bytes()).await?;
    // Who is listed now is known from now on; a key that comes later under the same name is shown first.
    for member in trusted.vault.roster().members() {
        let (name, key) = (member.entry().id(), member.entry().fingerprint());
        if trust::readers(&trusted.vault, name).count() == 1 && member.roles().contains(lukko::Roles::READ) {
            memory.know_colleague(name, key).await?;
        }
    }
    Ok(())
}

/// Refuses a memory that lies in the database's directory, or below it: who puts back one would put back the other.
fn require_apart<S: Store>(store: &S, memory: &Memory) -> Result<()> {
    let (Some(database), Some(memory)) = (store.directory(), memory.inner().directory()) else { return Ok(()) };
    let database = std::fs::canonicalize(&database).unwrap_or(database);
    if Path::starts_with(&memory, &database) { Err(Error::MemoryBeside) } else { Ok(()) }
}

/// A pin of a fingerprint that came by a trusted way.
fn new_pin(fingerprint: lukko::Fingerprint, descriptor: &[u8]) -> Result<Pin> {
    Ok(Pin::new(fingerprint, &lukko::Descriptor::parse(descriptor)?)?)
}

impl<S> Clone for Clinic<S> {
    fn clone(&self) -> Self {
        let Self { at, files, limits, clock } = self;
        Self { at: Arc::clone(at), files: files.clone(), limits: *limits, clock: Arc::clone(clock) }
    }
}

impl<S> fmt::Debug for Clinic<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clinic").field("vault", &self.at.vault).field("me", &self.at.me).finish_non_exhaustive()
    }
}
