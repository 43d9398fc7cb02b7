//! What a clinic keeps outside of its database: the pin or, on paper, the fingerprint; and the newest roster.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use lukko::{ClosedReason, Descriptor, Fingerprint, PatientId, Pin, Vault, VaultId};
use lukko_store::{Change, Erase, Generation, Patient, Records, Store};

use crate::{Outcome, now, patients, say};

/// The directory.
pub(crate) struct Kept(PathBuf);

impl Kept {
    pub(crate) fn new(directory: impl Into<PathBuf>) -> Self {
        Self(directory.into())
    }

    fn read(&self, name: &str) -> Outcome<Option<Vec<u8>>> {
        let path = self.0.join(name);
        if path.exists() { Ok(Some(fs::read(path)?)) } else { Ok(None) }
    }

    /// Verifies what the database has against what was kept.
    pub(crate) async fn load(&self, store: &impl Store, id: VaultId) -> Outcome<Vault> {
        let generations = store.generations(id).await?;
        if generations.is_empty() {
            return Err("the database does not have the vault that this share is of".into());
        }
        let (pin, stored) = self.pin(&generations)?;
        let entries = store.members(id).await?;
        let Some(roster) = self.read("roster")? else {
            say("no roster was kept: whether the one in the backup is the newest, nobody can tell");
            return Ok(Vault::load(pin, &stored.descriptor, &stored.roster, entries)?);
        };
        let mut vault = Vault::load(pin, &stored.descriptor, &roster, &entries)?;
        if stored.version > vault.roster().version() {
            vault.update_roster(&stored.roster, entries)?;
        }
        Ok(vault)
    }

    fn pin<'a>(&self, generations: &'a [Generation]) -> Outcome<(Pin, &'a Generation)> {
        if let Some(pin) = self.read("pin")? {
            let pin = Pin::from_bytes(&pin)?;
            let stored = generations.iter().find(|stored| stored.generation == pin.generation());
            let missing = "the backup is older than the last change of custodians: its own pin and shares open it";
            return Ok((pin, stored.ok_or(missing)?));
        }
        let text = self.read("fingerprint")?.ok_or("neither `pin` nor `fingerprint` is in the directory")?;
        let trusted = Fingerprint::from_bytes(from_hex(std::str::from_utf8(&text)?.trim())?);
        for stored in generations {
            let descriptor = Descriptor::parse(&stored.descriptor)?;
            if descriptor.fingerprint() == trusted {
                return Ok((Pin::new(trusted, &descriptor)?, stored));
            }
        }
        Err("no vault in the database has this fingerprint: compare it with the custodians' papers".into())
    }

    /// Brings the database to what was decided after the backup: the newest roster, and the erasures in it.
    pub(crate) async fn catch_up(&self, store: &impl Store, vault: &mut Vault) -> Outcome<()> {
        let id = vault.descriptor().vault();
        let (generation, version) = (vault.descriptor().generation(), vault.roster().version());
        let stored = store.generations(id).await?.into_iter().find(|stored| stored.generation == generation);
        let stored = stored.ok_or("the generation is gone")?;
        let mut roster = stored.roster;
        if stored.version < version {
            roster = self.read("roster")?.ok_or("the roster is gone")?;
            store.apply(id, &[Change::Roster { generation, version, roster: &roster }]).await?;
            say(format_args!("roster {} of the backup gives way to {version}, which was kept", stored.version));
        }
        let mut again = 0;
        for patient in patients(store, vault).await? {
            let patient = PatientId::new(&patient)?;
            let stored = store.patient(id, patient).await?;
            let Ok(cards) = vault.card_ids(patient, &stored.card_bytes()) else { continue };
            if cards.iter().any(|card| vault.roster().closed(*card) == Some(ClosedReason::Erased)) {
                erase(store, vault, patient, &stored).await?;
                again += 1;
            }
        }
        if again > 0 {
            store.scrub(id).await?;
            say(format_args!("{again} patients who were erased after the backup are erased again"));
        }
        self.remember(vault, &roster)
    }

    /// Writes the pin and the roster, and the fingerprint for whoever prints it.
    pub(crate) fn remember(&self, vault: &Vault, roster: &[u8]) -> Outcome<()> {
        let fingerprint = format!("{}\n", vault.pin().fingerprint()).into_bytes();
        let files = [("pin", vault.pin().to_bytes()), ("roster", roster.to_vec()), ("fingerprint", fingerprint)];
        for (name, bytes) in files {
            let new = self.0.join(format!("{name}.new"));
            fs::write(&new, bytes)?;
            fs::rename(new, self.0.join(name))?;
        }
        Ok(())
    }
}

/// Deletes what the database has of a patient whose cards the roster closes.
pub(crate) async fn erase(store: &impl Store, vault: &Vault, patient: PatientId<'_>, stored: &Patient) -> Outcome<()> {
    let cards = vault.card_ids(patient, &stored.card_bytes())?;
    let keys: Vec<_> = stored.grants.iter().map(|grant| grant.to).collect();
    let (records, at) = (Records::Delete, now()?);
    let erase = Erase { patient, vault, cards: &cards, keys: &keys, at, records, claim: None };
    Ok(store.apply(vault.descriptor().vault(), &[Change::Erase(erase)]).await?)
}

fn from_hex(text: &str) -> Outcome<[u8; 32]> {
    let digits: Option<Vec<u8>> = text.chars().map(|digit| digit.to_digit(16)?.try_into().ok()).collect();
    let bytes = digits.unwrap_or_default();
    let bytes: Vec<u8> = bytes.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    match bytes.try_into() {
        Ok(bytes) if text.len() == 64 => Ok(bytes),
        _ => Err("a fingerprint has 64 hexadecimal digits".into()),
    }
}

/// Writes a secret where only its owner reads it, and never over another.
pub(crate) fn write_secret(path: &Path, secret: &[u8]) -> Outcome<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(file.write_all(secret).and_then(|()| file.sync_all())?)
}
