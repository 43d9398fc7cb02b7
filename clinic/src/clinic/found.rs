//! The first day of a clinic.

use std::fmt;

use lukko::{
    MemberEntry, MemberKey, NewVault, OsRng, PinnedDescriptor, Policy, RegistrarKey, RosterDraft, Share, Suite, create,
};
use lukko_store::{Change, Generation, NewGeneration, Store};

use super::{Clinic, new_pin, pin_first, require_apart};
use crate::error::{Error, Result};
use crate::key::Key;
use crate::memory::Memory;
use crate::role::Role;
use crate::trust::Trusted;

/// Who a clinic begins with: how many custodians, and its first members.
///
/// ```
/// use lukko_clinic::{DEPOSIT, Plan, THERAPIST};
/// let plan = Plan::custodians(3, 5).member("aalto", THERAPIST).member("intake", DEPOSIT);
/// ```
#[derive(Debug, Clone)]
pub struct Plan {
    needed: u8,
    custodians: u8,
    suite: Suite,
    members: Vec<(String, Role, Option<Key>)>,
}

impl Plan {
    /// Any `needed` of so many custodians open the clinic together when everybody else is gone.
    #[must_use]
    pub const fn custodians(needed: u8, custodians: u8) -> Self {
        Self { needed, custodians, suite: Suite::XWing, members: Vec::new() }
    }

    /// A member whose key is drawn on the founding machine. The first one is the member whose memory the founder gives.
    #[must_use]
    pub fn member(mut self, name: &str, role: Role) -> Self {
        self.members.push((name.to_owned(), role, None));
        self
    }

    /// A member with a key that exists already.
    #[must_use]
    pub fn member_with_key(mut self, key: Key, role: Role) -> Self {
        self.members.push((key.name().to_owned(), role, Some(key)));
        self
    }

    /// Without protection from quantum computers, and with smaller objects.
    #[must_use]
    pub fn classical(self) -> Self {
        Self { suite: Suite::X25519, ..self }
    }
}

/// A clinic on its first day, with everything that is handed out now and kept nowhere else.
///
/// Each share goes to one custodian, the registrar's key to the officer, each key to its member. Then drop this.
pub struct Founded<S> {
    /// The clinic, as its first member works with it.
    pub clinic: Clinic<S>,
    /// One share for each custodian.
    pub shares: Vec<Share>,
    /// The officer's key.
    pub registrar: RegistrarKey,
    keys: Vec<Key>,
}

impl<S> Founded<S> {
    /// The key of a member.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.name() == name)
    }
}

impl<S> fmt::Debug for Founded<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Founded").field("clinic", &self.clinic).finish_non_exhaustive()
    }
}

impl<S: Store> Clinic<S> {
    /// Founds a clinic in a database, with the memory of its first member.
    ///
    /// # Errors
    /// [`Error::Plan`]; [`Error::MemoryInUse`]; [`Error::MemoryBeside`]; [`Error::Core`] for numbers of custodians that are
    /// refused; [`Error::Store`].
    ///
    /// # Security
    /// For a moment this machine holds every share and every key that nobody brought. Found a clinic on a machine that is
    /// trusted for that, hand out what [`Founded`] holds, and keep no copy.
    ///
    /// ```
    /// # use lukko_clinic::*;
    /// # use lukko_store::SqliteStore;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let store = SqliteStore::open(directory.path().join("clinic.db")).await?;
    /// let plan = Plan::custodians(3, 5).member("aalto", THERAPIST).member("intake", DEPOSIT);
    /// let founded = Clinic::found(store, Memory::in_memory(), plan).await?;
    /// assert_eq!(founded.shares.len(), 5);
    /// println!("{}", founded.clinic.invitation());
    /// # Ok(()) }
    /// ```
    pub async fn found(store: S, memory: Memory, plan: Plan) -> Result<Founded<S>> {
        require_apart(&store, &memory)?;
        if memory.pinned().await?.is_some() {
            return Err(Error::MemoryInUse);
        }
        // 1. The registrar, and a vault. Its master key has done its work when the shares exist.
        let registrar = RegistrarKey::generate(&mut OsRng)?;
        let policy = Policy::new(plan.needed, plan.custodians)?;
        let NewVault { descriptor, shares, master } = create(policy, plan.suite, &registrar.public(), &mut OsRng)?;
        drop(master);
        let pin = new_pin(descriptor.fingerprint(), descriptor.as_bytes())?;
        let pinned = pin.check(descriptor)?;
        // 2. The members, and the first roster.
        let drawn = |(name, role, key): (String, Role, Option<Key>)| {
            let key = key.map_or_else(|| Key::draw(&name), Ok)?;
            Ok((key.of(&pinned)?, key, role))
        };
        let members = plan.members.into_iter().map(drawn).collect::<Result<Vec<_>>>()?;
        let roster = first_roster(&registrar, &pinned, &members)?;
        // 3. All of it in one change.
        let generation = pinned.generation();
        let descriptor = pinned.as_bytes();
        let first = NewGeneration { generation, descriptor, statement: None, version: 1, roster: &roster };
        let entries = members.iter().map(|(key, ..)| Change::Member { key: key.fingerprint(), entry: key.entry() });
        let changes: Vec<_> = [Change::Generation(first)].into_iter().chain(entries).collect();
        store.apply(pinned.vault(), &changes).await?;
        // 4. The first member's memory, and the clinic over it.
        let entries: Vec<Vec<u8>> = members.iter().map(|(key, ..)| key.entry().to_vec()).collect();
        let descriptor = descriptor.to_vec();
        let stored = Generation { generation, descriptor, statement: None, version: 1, roster, retired: false };
        let trusted = Trusted::first(pin, &stored, &entries)?;
        pin_first(&memory, &trusted).await?;
        let (mut keys, mut first) = (Vec::new(), None);
        for (member, key, _) in members {
            keys.push(key);
            first = first.or(Some(member));
        }
        let me = first.ok_or(Error::Plan("it has no member"))?;
        Ok(Founded { clinic: Self::over(store, memory, me, trusted), shares, registrar, keys })
    }
}

fn first_roster(
    registrar: &RegistrarKey,
    pinned: &PinnedDescriptor,
    members: &[(MemberKey, Key, Role)],
) -> Result<Vec<u8>> {
    if members.is_empty() {
        return Err(Error::Plan("it has no member"));
    }
    let mut draft = RosterDraft::first(pinned);
    for (member, _, role) in members {
        draft.admit(&MemberEntry::verify(member.entry(), pinned)?, role.roles()?)?;
    }
    Ok(draft.sign_as_registrar(registrar, pinned)?)
}
