//! What a clinic keeps outside of its database: the pin or, on paper, the fingerprint; the newest roster; and which fields
//! hold deposits.

use std::fs;
use std::io;
use std::path::PathBuf;

use lukko::{CardId, ClosedReason, Descriptor, PatientId, Pin, Vault, VaultId};

use super::failure::{Console, Failure, Named};
use super::files::replace;
use super::listing::patients;
use super::typed::fingerprint;
use crate::change::{Change, Erase, Records};
use crate::error::Error;
use crate::rows::{Generation, Patient};
use crate::store::Store;

/// The directory with what was kept: `pin` or `fingerprint`, `roster`, and `deposits` if there are fields of deposits.
#[derive(Debug, Clone)]
pub struct Kept(PathBuf);

impl Kept {
    /// A directory, which is not looked into yet.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self(directory.into())
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        let path = self.0.join(name);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::at(&path, &error)),
        }
    }

    /// The fields that hold deposits: the lines of the file `deposits`. None without that file.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn deposits(&self) -> Result<Vec<Vec<u8>>, Failure> {
        let text = self.read("deposits")?.unwrap_or_default();
        let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        Ok(lines.filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect())
    }

    /// Verifies what the database has against what was kept.
    ///
    /// # Errors
    /// If the database has another vault or an older state than what was kept, or nothing was kept to compare it with.
    pub async fn load(&self, store: &impl Store, id: VaultId, console: &impl Console) -> Result<Vault, Failure> {
        let generations = store.generations(id).await?;
        let (pin, stored) = self.pin(&generations)?;
        let entries = store.members(id).await?;
        let Some(roster) = self.read("roster")? else {
            console.say("no roster was kept: whether the one in the backup is the newest, nobody can tell");
            return Ok(Vault::load(pin, &stored.descriptor, &stored.roster, entries)?);
        };
        let mut vault = Vault::load(pin, &stored.descriptor, &roster, &entries)?;
        if stored.version > vault.roster().version() {
            vault.update_roster(&stored.roster, entries)?;
        }
        Ok(vault)
    }

    fn pin<'a>(&self, generations: &'a [Generation]) -> Result<(Pin, &'a Generation), Failure> {
        if let Some(pin) = self.read("pin")? {
            let pin = Pin::from_bytes(&pin)?;
            let stored = generations.iter().find(|stored| stored.generation == pin.generation());
            let missing = "the backup is older than the last change of custodians: its own pin and shares open it";
            return Ok((pin, stored.ok_or_else(|| Failure::new(missing))?));
        }
        let missing = || Failure::new("neither `pin` nor `fingerprint` is in the directory");
        let trusted = fingerprint(&self.read("fingerprint")?.ok_or_else(missing)?, &self.0.join("fingerprint"))?;
        for stored in generations {
            let descriptor = Descriptor::parse(&stored.descriptor)?;
            if descriptor.fingerprint() == trusted {
                return Ok((Pin::new(trusted, &descriptor)?, stored));
            }
        }
        Err(Failure::new("no vault in the database has this fingerprint: compare it with the custodians' papers"))
    }

    /// Brings the database to what was decided after the backup: the newest roster, and the erasures in it. `now` is in
    /// seconds since 1970. Gives the patients of whom it is not clear whether they are erased, and those whose erasure must
    /// wait, as for the roster of another generation; nothing of them is deleted.
    ///
    /// # Errors
    /// If the database or the directory cannot be written.
    pub async fn catch_up(
        &self,
        store: &impl Store,
        vault: &Vault,
        now: u64,
        console: &impl Console,
    ) -> Result<Vec<Named>, Failure> {
        let id = vault.descriptor().vault();
        let (generation, version) = (vault.descriptor().generation(), vault.roster().version());
        let stored = store.generations(id).await?.into_iter().find(|stored| stored.generation == generation);
        let stored = stored.ok_or_else(|| Failure::new("the generation is gone from the database"))?;
        let mut roster = stored.roster;
        if stored.version < version {
            roster = self.read("roster")?.ok_or_else(|| Failure::new("the kept roster is gone"))?;
            store.apply(id, &[Change::Roster { generation, version, roster: &roster }]).await?;
            console.say(&format!("roster {} of the backup gives way to {version}, which was kept", stored.version));
        }
        let (mut again, mut unclear) = (0_u64, Vec::new());
        for patient in patients(store, id).await? {
            // What cannot be read is no reason to erase, and is named when it is opened.
            let Ok(stored) = store.patient(id, PatientId::new(&patient)?).await else { continue };
            match state(vault, PatientId::new(&patient)?, &stored) {
                State::Live => {}
                State::Erased => match erase_again(store, vault, PatientId::new(&patient)?, &stored, now).await {
                    Ok(()) => again = again.saturating_add(1),
                    // As things are it must wait, and the others do not.
                    Err(error @ (Error::Core(_) | Error::Usage(_))) => {
                        unclear.push(Named { patient, record: None, what: error.to_string() });
                    }
                    Err(error) => return Err(error.into()),
                },
                State::Unclear => {
                    let what =
                        "a card of this patient is closed as erased, another one is not, and none of them opens: \
                                nothing was deleted; ask the registrar which it is"
                            .to_owned();
                    unclear.push(Named { patient, record: None, what });
                }
            }
        }
        if again > 0 {
            store.scrub(id).await?;
            console.say(&format!("{again} patients who were erased after the backup are erased again"));
        }
        self.remember(vault, &roster).map(|()| unclear)
    }

    /// Writes the pin and the roster, and the fingerprint for whoever prints it.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn remember(&self, vault: &Vault, roster: &[u8]) -> Result<(), Failure> {
        let fingerprint = format!("{}\n", vault.pin().fingerprint()).into_bytes();
        let files = [("pin", vault.pin().to_bytes()), ("roster", roster.to_vec()), ("fingerprint", fingerprint)];
        for (name, bytes) in files {
            replace(&self.0.join(name), &bytes)?;
        }
        Ok(())
    }
}

/// What the roster says of a patient, over all that is stored.
enum State {
    Live,
    Erased,
    Unclear,
}

/// An old card that was closed may stand beside the card of a patient who was enrolled anew: a backup has both, and a thief
/// of the database can put it there. So a patient whose card is open lives, whatever else is stored; and one is erased only
/// if every card that any row names is closed as erased.
fn state(vault: &Vault, patient: PatientId<'_>, stored: &Patient) -> State {
    let erased = |card: &CardId| vault.roster().closed(*card) == Some(ClosedReason::Erased);
    let Ok(mut cards) = vault.card_ids(patient, &stored.card_bytes()) else { return State::Live };
    if !cards.iter().any(erased) {
        return State::Live;
    }
    cards.extend(stored.current);
    cards.extend(stored.endorsed.iter().map(|row| row.card));
    cards.extend(stored.grants.iter().map(|row| row.card));
    cards.extend(stored.master_grants.iter().map(|row| row.card));
    if cards.iter().all(erased) {
        return State::Erased;
    }
    let bytes = stored.card_bytes();
    let current = stored.stored(vault.descriptor().generation(), &bytes);
    match current.map(|stored| vault.card(patient, &stored, None)) {
        Some(Ok(_)) => State::Live,
        _ => State::Unclear,
    }
}

/// Deletes what the database has of a patient whose cards the roster closes. `now` is in seconds since 1970.
///
/// # Errors
/// As [`Store::apply`].
pub async fn erase_again(
    store: &impl Store,
    vault: &Vault,
    patient: PatientId<'_>,
    stored: &Patient,
    now: u64,
) -> crate::error::Result<()> {
    let cards = vault.card_ids(patient, &stored.card_bytes())?;
    let keys: Vec<_> = stored.grants.iter().map(|grant| grant.to).collect();
    let (records, at) = (Records::Delete, now);
    let erase = Erase { patient, vault, cards: &cards, keys: &keys, at, records, claim: None };
    store.apply(vault.descriptor().vault(), &[Change::Erase(erase)]).await
}
