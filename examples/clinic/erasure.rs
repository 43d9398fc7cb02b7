//! Erasure of one patient, and what a thief who comes back still has of it.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use lukko::error::{Untrusted, Usage};
use lukko::{CardId, ErasureReceipt, Error, GrantKey, KeyFingerprint, PatientId, Retired, Vault};
use lukko_store::{Change, Erase, Part, Records, Scrub, SqliteStore, Store};

use crate::database::{self, Sql};
use crate::notes::Notes;
use crate::people::{self, Clinic};
use crate::quorum;
use crate::report::{Checks, Outcome, Timing, brief, fact};
use crate::rotation::readdressed;

/// Length of the ends of grants that are searched for in the files, in bytes.
const PIECE: usize = 32;

/// Closes the patient's card in the roster and deletes card and grants in one change, cleans the files of the database,
/// and gives the receipt.
pub(crate) async fn erase(
    checks: &mut Checks,
    (path, stolen, store): (&Path, &Path, &SqliteStore),
    clinic: &mut Clinic,
    patient: &str,
) -> Outcome<ErasureReceipt> {
    let mut vault = people::load(store, clinic).await?;
    let stored = people::stored(store, &vault, patient).await?;
    let card = people::card(&vault, patient, &stored)?;
    let salos = stored.grant(card.id(), clinic.salo.fingerprint()).ok_or("a grant is missing")?;
    let grants = stored.all_grants();

    let id = PatientId::new(patient)?;
    let erasure = vault.begin_erasure(id, &stored.card_bytes(), &grants)?;
    let reason = |error: &Error| matches!(error, Error::Usage(Usage::ErasurePending(_)));
    checks.refused("a receipt before it is done", erasure.receipt(&vault, now()?).map_err(Into::into), reason);
    let keys: Vec<KeyFingerprint> = stored.grants.iter().map(|grant| grant.to).collect();
    let before = found(&database::read(path)?, &grants);
    let mut draft = vault.roster().next()?;
    erasure.close_in(&mut draft)?;
    people::publish(store, &mut vault, clinic, draft, &[]).await?;
    clinic.pin = vault.pin().clone();
    let (cards, at, records): (&[CardId], u64, Records) = (erasure.cards(), now()?, Records::Keep);
    let erase = Change::Erase(Erase { patient: id, vault: &vault, cards, keys: &keys, at, records, claim: None });
    store.apply(clinic.vault, &[erase]).await?;
    store.scrub(clinic.vault).await?;
    let after = found(&database::read(path)?, &grants);
    let all = grants.len();
    let text = format!("of {all} grants of the patient {before} were in the database's files, and {after} are left");
    checks.holds(text, before == all && after == 0);
    let receipt = erasure.receipt(&vault, now()?)?;
    print(&receipt);

    // Somebody means well, and takes from an older copy what is missing.
    let mut sql = Sql::open(path).await?;
    sql.put_back(patient, stolen).await?;
    sql.close().await?;
    let reason = |error: &Error| matches!(error, Error::Untrusted(Untrusted::CardErased(_)));
    let attempt = people::card(&vault, patient, &people::stored(store, &vault, patient).await?);
    checks.refused("somebody puts card and grants back from a backup", attempt, reason);
    let attempt = vault.open_grant(&card, &clinic.salo, salos);
    checks.refused("Dr Salo's client still has the card in memory", attempt.map_err(Into::into), reason);
    let back = found(&database::read(path)?, &grants);
    store.apply(clinic.vault, &[erase]).await?;
    store.scrub(clinic.vault).await?;
    let after = found(&database::read(path)?, &grants);
    checks.holds(
        format!("the {back} grants that are back are erased again, and {after} are left"),
        back == all && after == 0,
    );
    Ok(receipt)
}

/// Notes on the receipt, and in the database beside it, that the old generation is retired.
pub(crate) async fn note(
    checks: &mut Checks,
    store: &impl Store,
    clinic: &Clinic,
    receipt: &mut ErasureReceipt,
    retired: &Retired,
) -> Outcome<()> {
    let at = now()?;
    receipt.note_retired(retired, at)?;
    print(receipt);
    let erasure = *receipt.cards().first().ok_or("the receipt names no card")?;
    let part = Part::Generation(retired.generation());
    store.apply(clinic.vault, &[Change::Reached { erasure, part, at }]).await?;
    let noted = store.erasures(clinic.vault).await?;
    let [noted] = &noted[..] else { return Err("the database has not one erasure".into()) };
    let generations = receipt.generations().iter().map(|(generation, at)| (Part::Generation(*generation), *at));
    let keys = receipt.keys().iter().map(|(key, at)| (Part::Key(*key), *at));
    let same = generations.chain(keys).all(|part| noted.parts.contains(&part));
    checks.holds(
        "the database has the same parts of the receipt, and that its files are clean",
        same && noted.scrubbed == Some(Scrub::Files),
    );
    Ok(())
}

/// The library has no clock: the service says what time it is, in seconds since 1970.
pub(crate) fn now() -> Outcome<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}

fn print(receipt: &ErasureReceipt) {
    for line in receipt.to_string().lines() {
        fact(brief(line));
    }
}

/// How many of the grants have their end in one of the files.
fn found(files: &[Vec<u8>], grants: &[&[u8]]) -> usize {
    let ends = grants.iter().filter_map(|grant| grant.last_chunk::<PIECE>());
    let holds = |file: &Vec<u8>, end: &[u8; PIECE]| file.windows(PIECE).any(|window| window == end);
    ends.filter(|end| files.iter().any(|file| holds(file, end))).count()
}

/// The thief, years later: a quorum of the new custodians is on his side, and he has kept the old copy.
pub(crate) struct Return<'a> {
    pub(crate) store: &'a SqliteStore,
    pub(crate) copy: &'a SqliteStore,
    /// His own client, which he never lets follow to a roster that closes anything.
    pub(crate) old: &'a Vault,
    pub(crate) clinic: &'a Clinic,
}

impl Return<'_> {
    pub(crate) async fn tries_everything(
        &self,
        checks: &mut Checks,
        (erased, other): (&str, Option<&str>),
        notes: &Notes,
    ) -> Outcome<()> {
        let vault = people::load(self.store, self.clinic).await?;
        let master = quorum::open(&vault, &self.clinic.shares)?;
        // That much such a thief can, and no library can help it.
        if let Some(other) = other {
            let card = people::card(&vault, other, &people::stored(self.store, &vault, other).await?)?;
            let key = vault.break_glass(&card, &master)?;
            let read = people::compare(self.store, &vault, &key, (other, notes), &mut Timing::default()).await?;
            let all = notes.of(other).count();
            checks.holds(format!("his shares work: he reads {read} of {all} notes of another patient"), read == all);
        }

        let nothing = people::stored(self.store, &vault, erased).await? == lukko_store::Patient::default();
        let records = people::history(self.store, &vault, erased).await?.len();
        checks.holds(format!("of the erased patient the database has sealed notes ({records}), and no grant"), nothing);
        let stored = people::stored(self.copy, self.old, erased).await?;
        let card = people::card(self.old, erased, &stored)?;
        let reason = |error: &Error| matches!(error, Error::Usage(Usage::WrongRecipient { .. }));
        let attempt = self.old.break_glass(&card, &master);
        checks.refused("the old copy has the patient's master grant", attempt.map_err(Into::into), reason);
        let grant = stored.master_grant(card.id(), self.old.descriptor().generation()).ok_or("no master grant")?;
        let grant = readdressed(grant, &master);
        let with = GrantKey::Master { key: &master, grant: &grant };
        let attempt = self.old.open_remembered(PatientId::new(erased)?, &stored.card_bytes(), card.id(), &with);
        let reason = |error: &Error| *error == Error::NotAuthentic;
        checks.refused("  and he addresses it to the new master key", attempt.map_err(Into::into), reason);
        Ok(())
    }
}
