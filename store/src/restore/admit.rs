//! Every key was lost, the registrar's too: the root admits someone, and a quorum grants what there is.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use lukko::{CardId, MasterKey, MemberEntry, MemberId, MemberKey, OsRng, PatientId, PatientKey, Roles, Status, Vault};
use zeroize::Zeroizing;

use super::failure::{Console, Failure, Named};
use super::files::write_secret;
use super::kept::Kept;
use super::listing::patients;
use crate::change::Change;
use crate::error::Error;
use crate::jobs::keys::{KeyOf, Opener};
use crate::rows::Patient;
use crate::store::Store;

/// A member who was admitted, and what could be granted.
#[derive(Debug)]
pub struct Admission {
    /// The member's key, which is in the file too.
    pub member: MemberKey,
    /// Patients that the member reads now.
    pub granted: usize,
    /// What could not be granted, and why.
    pub missed: Vec<Named>,
}

/// Admits a member by the root, with the roles read and enrol, and grants every patient whose key opens, with the keys of
/// older cards. `file` gets the member's key, 32 bytes. If the file is there already, of the same member, it goes on where an
/// earlier run has stopped.
///
/// # Errors
/// If the file is another member's key or no key, or the database does not answer. What cannot be granted is in the answer.
pub async fn admit(
    store: &impl Store,
    (vault, master): (&mut Vault, &MasterKey),
    kept: &Kept,
    (name, file): (&str, &Path),
    console: &impl Console,
) -> Result<Admission, Failure> {
    let member = key(vault, name, file)?;
    let roles = Roles::READ | Roles::ENROL;
    match vault.roster().member(member.fingerprint()) {
        Ok(known) if known.status() == Status::Active && known.roles().contains(Roles::READ) => {
            console.say(&format!("{name} is on roster {} already; going on", vault.roster().version()));
        }
        Ok(_) => {
            return Err(Failure::new("the roster does not let this key read any more: name a new file for a new key"));
        }
        Err(_) => sign(store, (vault, master), kept, (&member, roles)).await?,
    }
    let mut admission = Admission { member, granted: 0, missed: Vec::new() };
    for id in patients(store, vault.descriptor().vault()).await? {
        let missed = patient(store, (vault, master), &admission.member, PatientId::new(&id)?).await?;
        if missed.iter().all(|(card, _)| card.is_some()) {
            admission.granted = admission.granted.saturating_add(1);
        }
        let what = |(card, why): (Option<CardId>, String)| match card {
            Some(card) => format!("the older card {card} could not be granted: {why}"),
            None => format!("not granted: {why}"),
        };
        let named = |what| Named { patient: id.clone(), record: None, what };
        admission.missed.extend(missed.into_iter().map(what).map(named));
    }
    Ok(admission)
}

/// The key in the file, or a new one, which is in the file before anybody relies on it.
fn key(vault: &Vault, name: &str, file: &Path) -> Result<MemberKey, Failure> {
    let id = MemberId::new(name)?;
    let mut seed = Zeroizing::new([0; 32]);
    match fs::File::open(file).and_then(|mut file| file.read_exact(seed.as_mut_slice())) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let member = vault.descriptor().new_member(id, &mut OsRng)?;
            write_secret(file, member.seed().expose())?;
            return Ok(member);
        }
        Err(error) => return Err(Failure::at(file, &error)),
        Ok(()) => {}
    }
    for other in vault.roster().members().filter(|other| other.entry().id() != name.as_bytes()) {
        let theirs = vault.descriptor().member_from_seed(MemberId::new(other.entry().id())?, &seed)?;
        if theirs.fingerprint() == other.entry().fingerprint() {
            let whose = super::failure::shown(other.entry().id());
            return Err(Failure::new(format!("{}: it is the key of {whose}, not of {name}", file.display())));
        }
    }
    Ok(vault.descriptor().member_from_seed(id, &seed)?)
}

/// The next roster, with the member on it, signed by the root.
async fn sign(
    store: &impl Store,
    (vault, master): (&mut Vault, &MasterKey),
    kept: &Kept,
    (member, roles): (&MemberKey, Roles),
) -> Result<(), Failure> {
    let id = vault.descriptor().vault();
    let mut draft = vault.roster().next()?;
    draft.admit(&MemberEntry::verify(member.entry(), vault.descriptor())?, roles)?;
    let (generation, version) = (vault.descriptor().generation(), draft.version());
    let roster = draft.sign_as_root(master, vault.descriptor())?;
    let entry = Change::Member { key: member.fingerprint(), entry: member.entry() };
    store.apply(id, &[entry, Change::Roster { generation, version, roster: &roster }]).await?;
    vault.update_roster(&roster, store.members(id).await?)?;
    kept.remember(vault, &roster)
}

/// Grants one patient, with its older cards. Gives the cards that could not be granted and why; none names the current one.
async fn patient(
    store: &impl Store,
    (vault, master): (&Vault, &MasterKey),
    member: &MemberKey,
    patient: PatientId<'_>,
) -> Result<Vec<(Option<CardId>, String)>, Failure> {
    let (id, generation) = (vault.descriptor().vault(), vault.descriptor().generation());
    let stored = match store.patient(id, patient).await {
        Ok(stored) => stored,
        Err(error @ (Error::Corrupt { .. } | Error::Core(_))) => return Ok(vec![(None, error.to_string())]),
        Err(error) => return Err(error.into()),
    };
    let root = Opener { vault, by: KeyOf::Master(master), patient, stored: &stored };
    let current = match root.current() {
        Ok(key) => key,
        Err(closed) => return Ok(vec![(None, closed.to_string())]),
    };
    let mine = Opener { by: KeyOf::Member(member), ..root };
    let mut missed = Vec::new();
    if mine.current().is_err()
        && let Err(why) = grant(store, vault, (patient, &stored), (&current, member)).await?
    {
        missed.push((None, why));
    }
    let older = stored.master_grants.iter().filter(|row| row.generation == generation && row.card != current.card());
    for card in older.map(|row| row.card) {
        // What the member opens already was granted by an earlier run.
        if mine.older(card).is_ok() {
            continue;
        }
        let granted = match root.older(card) {
            Ok(key) => grant(store, vault, (patient, &stored), (&key, member)).await?,
            Err(closed) => Err(closed.to_string()),
        };
        if let Err(why) = granted {
            missed.push((Some(card), why));
        }
    }
    Ok(missed)
}

/// Stores a grant, in place of one that does not open. The inner error says why this card cannot be granted.
async fn grant(
    store: &impl Store,
    vault: &Vault,
    (patient, stored): (PatientId<'_>, &Patient),
    (key, member): (&PatientKey, &MemberKey),
) -> Result<Result<(), String>, Failure> {
    let grant = match vault.grant(key, member.fingerprint(), &mut OsRng) {
        Ok(grant) => grant,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let (card, to) = (grant.card, grant.recipient);
    let change = Change::Grant { patient, card, to, grant: &grant.bytes, replaces: stored.grant(card, to) };
    match store.apply(vault.descriptor().vault(), &[change]).await {
        Ok(()) => Ok(Ok(())),
        Err(error @ (Error::Unavailable(_) | Error::Schema { .. })) => Err(error.into()),
        Err(error) => Ok(Err(error.to_string())),
    }
}
