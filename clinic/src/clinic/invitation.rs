//! How a new member comes to a clinic, and how one who lost the memory comes back.

use std::fmt;
use std::str::FromStr;

use lukko::{Descriptor, Fingerprint, KeyFingerprint, VaultId};
use lukko_store::Store;

use super::{Clinic, new_pin, pin_first, require_apart};
use crate::error::{Error, Result};
use crate::key::KeySource;
use crate::memory::Memory;
use crate::trust::{self, Trusted};

/// Patients that are counted at once.
const PAGE: u32 = 1_000;

/// Which clinic is meant, and the fingerprint by which everybody knows it: 129 characters of text, which are not secret.
///
/// # Security
/// Take it from a person or a configuration, never from the database: whoever gives it chooses the clinic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invitation {
    vault: VaultId,
    fingerprint: Fingerprint,
}

impl Invitation {
    pub(super) fn of(descriptor: &Descriptor) -> Self {
        Self { vault: descriptor.vault(), fingerprint: descriptor.fingerprint() }
    }
}

impl fmt::Display for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.vault.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("-")?;
        self.fingerprint.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Invitation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (vault, fingerprint) = text.trim().split_once('-').ok_or(Error::Invitation)?;
        let (vault, fingerprint) = (unhex(vault)?, unhex(fingerprint)?);
        Ok(Self { vault: VaultId::from_bytes(vault), fingerprint: Fingerprint::from_bytes(fingerprint) })
    }
}

fn unhex(text: &str) -> Result<[u8; 32]> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return Err(Error::Invitation) };
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |[high, low]: &[u8; 2]| Some(digit(*high)?.checked_shl(4)? | digit(*low)?);
    let bytes = pairs.iter().map(byte).collect::<Option<Vec<u8>>>().ok_or(Error::Invitation)?;
    bytes.try_into().map_err(|_| Error::Invitation)
}

/// What somebody shows who wants to be a member.
#[derive(Debug, Clone)]
pub struct Application {
    /// The public part of the key, signed by itself, for an officer.
    pub entry: Vec<u8>,
    /// Its fingerprint, which the officer compares with the person.
    pub fingerprint: KeyFingerprint,
}

/// A clinic that was joined, and what was taken from the database without comparison.
#[derive(Debug)]
pub struct Joined<S> {
    /// The clinic.
    pub clinic: Clinic<S>,
    /// The version of the list of members that was taken.
    pub roster: u64,
    /// How many patients the database has, of whom nothing was known.
    pub patients: u64,
}

impl<S> fmt::Display for Joined<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "joined by the fingerprint; taken from the database as it is: version {} of the list of members with all keys on \
             it, and the cards and revisions of {} patients, as each is met. If this member has worked here before, that is \
             what was lost: whoever put an older database there is not noticed",
            self.roster, self.patients
        )
    }
}

impl<S: Store> Clinic<S> {
    /// Shows a key to a clinic that has not admitted it yet.
    ///
    /// # Errors
    /// [`Error::OtherDatabase`]; [`Error::Core`] if the database shows another clinic than the invitation;
    /// [`Error::Store`].
    pub async fn apply_for(store: &S, key: &impl KeySource, invitation: &Invitation) -> Result<Application> {
        let stored = invited(store, invitation).await?;
        let pinned = new_pin(invitation.fingerprint, &stored)?.check(Descriptor::parse(&stored)?)?;
        let key = key.key().map_err(Error::KeySource)?.of(&pinned)?;
        Ok(Application { entry: key.entry().to_vec(), fingerprint: key.fingerprint() })
    }

    /// Joins a clinic with an empty memory: the first time, or after the memory was lost. Says what was taken from the
    /// database without comparison.
    ///
    /// # Errors
    /// [`Error::MemoryInUse`]; [`Error::MemoryBeside`]; [`Error::OtherDatabase`]; [`Error::NotAMember`]; [`Error::Core`]
    /// if the database shows another clinic than the invitation; [`Error::Store`].
    ///
    /// # Security
    /// Nothing that was put back before this moment is noticed: the memory begins now.
    ///
    /// ```
    /// # use lukko_clinic::*;
    /// # use lukko_store::SqliteStore;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let store = SqliteStore::open(directory.path().join("clinic.db")).await?;
    /// # let plan = Plan::custodians(3, 5).member("aalto", THERAPIST).member("niemi", READER);
    /// # let founded = Clinic::found(store.clone(), Memory::in_memory(), plan).await?;
    /// # let (text, key) = (founded.clinic.invitation().to_string(), founded.key("niemi").ok_or("no key")?);
    /// let joined = Clinic::join(store, Memory::in_memory(), key, &text.parse()?).await?;
    /// println!("{joined}");
    /// let clinic = joined.clinic;
    /// # let _ = clinic; Ok(()) }
    /// ```
    pub async fn join(store: S, memory: Memory, key: &impl KeySource, invitation: &Invitation) -> Result<Joined<S>> {
        require_apart(&store, &memory)?;
        if memory.pinned().await?.is_some() {
            return Err(Error::MemoryInUse);
        }
        let descriptor = invited(&store, invitation).await?;
        let pin = new_pin(invitation.fingerprint, &descriptor)?;
        let generations = store.generations(invitation.vault).await?;
        let stored = trust::generation(&generations, pin.generation())?;
        let entries = store.members(invitation.vault).await?;
        let trusted = Trusted::first(pin, stored, &entries)?;
        let me = key.key().map_err(Error::KeySource)?.of(trusted.vault.descriptor())?;
        trust::require_member(&trusted.vault, me.fingerprint())?;
        let patients = count(&store, invitation.vault).await?;
        pin_first(&memory, &trusted).await?;
        let roster = trusted.vault.roster().version();
        Ok(Joined { clinic: Self::over(store, memory, me, trusted), roster, patients })
    }
}

/// The stored descriptor of the fingerprint that the invitation names.
async fn invited(store: &impl Store, invitation: &Invitation) -> Result<Vec<u8>> {
    let generations = store.generations(invitation.vault).await?;
    let is_meant = |bytes: &[u8]| Descriptor::parse(bytes).is_ok_and(|met| met.fingerprint() == invitation.fingerprint);
    let stored = generations.into_iter().find(|generation| is_meant(&generation.descriptor));
    stored.map(|generation| generation.descriptor).ok_or(Error::OtherDatabase)
}

async fn count(store: &impl Store, vault: VaultId) -> Result<u64> {
    let (mut count, mut last) = (0_u64, None::<Vec<u8>>);
    loop {
        let page = store.patients(vault, last.as_deref(), PAGE).await?;
        count = count.saturating_add(page.len() as u64);
        last = page.into_iter().next_back();
        if last.is_none() {
            return Ok(count);
        }
    }
}
