//! Erasure of one patient, and what a thief who comes back still has of it.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use lukko::error::{Untrusted, Usage};
use lukko::{ErasureReceipt, Error, GrantKey, PatientId, Vault};

use crate::notes::Notes;
use crate::people::{self, Clinic};
use crate::quorum;
use crate::report::{Checks, Outcome, Timing, brief, fact};
use crate::rotation::readdressed;
use crate::store::Store;

/// Length of the ends of grants that are searched for in the file, in bytes.
const PIECE: usize = 32;

/// Closes the patient's card in the roster, deletes card and grants, and gives the receipt.
pub(crate) fn erase(
    checks: &mut Checks,
    (path, store): (&Path, &Store),
    clinic: &mut Clinic,
    patient: &str,
) -> Outcome<ErasureReceipt> {
    let mut vault = people::load(store, clinic.pin.clone())?;
    let row = people::row(store, &vault, patient)?;
    let salos = store.grant(patient, clinic.salo.fingerprint())?.ok_or("a grant is missing")?;
    let card = people::card(&vault, patient, &row)?;
    let master_grant = row.endorsed.master_grant.clone();
    let grants: Vec<Vec<u8>> = store.grants(patient)?.into_iter().chain([master_grant]).collect();

    let erasure = vault.begin_erasure(PatientId::new(patient)?, &[&row.card], &grants)?;
    let reason = |error: &Error| matches!(error, Error::Usage(Usage::ErasurePending(_)));
    checks.refused("a receipt before it is done", erasure.receipt(&vault, now()?).map_err(Into::into), reason);
    let mut draft = vault.roster().next()?;
    erasure.close_in(&mut draft)?;
    people::publish(store, &mut vault, clinic, draft)?;
    clinic.pin = vault.pin().clone();
    let before = found(&std::fs::read(path)?, &grants);
    store.erase(patient)?;
    let after = found(&std::fs::read(path)?, &grants);
    let all = grants.len();
    let text = format!("of {all} grants of the patient {before} were in the database file, and {after} are left");
    checks.holds(text, before == all && after == 0);
    let receipt = erasure.receipt(&vault, now()?)?;
    print(&receipt);

    // The thief had write access.
    store.put_patient(patient, vault.descriptor().generation(), &row)?;
    let reason = |error: &Error| matches!(error, Error::Untrusted(Untrusted::CardErased(_)));
    let attempt = people::card(&vault, patient, &people::row(store, &vault, patient)?);
    checks.refused("somebody puts card and grants back from a backup", attempt, reason);
    let attempt = vault.open_grant(&card, &clinic.salo, &salos);
    checks.refused("Dr Salo's client still has the card in memory", attempt.map_err(Into::into), reason);
    store.erase(patient)?;
    Ok(receipt)
}

/// The library has no clock: the service says what time it is, in seconds since 1970.
pub(crate) fn now() -> Outcome<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}

pub(crate) fn print(receipt: &ErasureReceipt) {
    for line in receipt.to_string().lines() {
        fact(brief(line));
    }
}

/// How many of the grants have their end in the file.
fn found(file: &[u8], grants: &[Vec<u8>]) -> usize {
    let ends: Vec<&[u8]> = grants.iter().filter_map(|grant| grant.last_chunk::<PIECE>()).map(|end| &end[..]).collect();
    ends.iter().filter(|end| file.windows(PIECE).any(|window| window == **end)).count()
}

/// The thief, years later: a quorum of the new custodians is on his side, and he has kept the old copy.
pub(crate) struct Return<'a> {
    pub(crate) store: &'a Store,
    pub(crate) copy: Store,
    /// His own client, which he never lets follow to a roster that closes anything.
    pub(crate) old: &'a Vault,
    pub(crate) clinic: &'a Clinic,
}

impl Return<'_> {
    pub(crate) fn tries_everything(
        &self,
        checks: &mut Checks,
        (erased, other): (&str, Option<&str>),
        notes: &Notes,
    ) -> Outcome<()> {
        let vault = people::load(self.store, self.clinic.pin.clone())?;
        let master = quorum::open(&vault, &self.clinic.shares)?;
        // That much such a thief can, and no library can help it.
        if let Some(other) = other {
            let card = people::card(&vault, other, &people::row(self.store, &vault, other)?)?;
            let key = vault.break_glass(&card, &master)?;
            let read = people::compare(self.store, &vault, &key, (other, notes), &mut Timing::default())?;
            let all = notes.of(other).count();
            checks.holds(format!("his shares work: he reads {read} of {all} notes of another patient"), read == all);
        }

        let (now, then) = (vault.descriptor().generation(), self.old.descriptor().generation());
        let nothing = self.store.patient(erased, now)?.is_none() && self.store.grants(erased)?.is_empty();
        let records = self.store.history(erased, people::FIELD)?.len();
        checks.holds(format!("of the erased patient the database has sealed notes ({records}), and no grant"), nothing);
        let row = self.copy.patient(erased, then)?.ok_or("the patient is not in the copy")?;
        let card = people::card(self.old, erased, &row)?;
        let reason = |error: &Error| matches!(error, Error::Usage(Usage::WrongRecipient { .. }));
        let attempt = self.old.break_glass(&card, &master);
        checks.refused("the old copy has the patient's master grant", attempt.map_err(Into::into), reason);
        let grant = readdressed(&row.endorsed.master_grant, &master);
        let with = GrantKey::Master { key: &master, grant: &grant };
        let attempt = self.old.open_remembered(PatientId::new(erased)?, &[&row.card], card.id(), &with);
        let reason = |error: &Error| *error == Error::NotAuthentic;
        checks.refused("  and he addresses it to the new master key", attempt.map_err(Into::into), reason);
        Ok(())
    }
}
