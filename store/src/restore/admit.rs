//! Every key was lost, the registrar's too: the root admits someone, and a quorum grants what there is.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use lukko::{
    Enroller, MasterKey, MemberEntry, MemberId, MemberKey, OsRng, PatientId, PatientKey, Roles, Status, Vault,
};
use zeroize::Zeroizing;

use super::decided::{self, Advice, Barred, Decision};
use super::failure::{Console, Failure, Named};
use super::files::write_secret;
use super::kept::Kept;
use super::listing::patients;
use crate::change::{Change, Replaced, next_card};
use crate::error::Error;
use crate::jobs::keys::{KeyOf, Opener};
use crate::placed::{NewEndorsement, NewGrant};
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
    /// What the registrar had decided, and what was done about it.
    pub decided: Vec<Named>,
}

/// Admits a member by the root, with the roles read and enrol, and grants every patient whose key opens, with the keys of
/// older cards. A card whose enroller was revoked is endorsed anew by the master key; a card that is closed as compromised gets
/// the next one, to which [`move_records`](super::move_records) brings the records. `file` gets the member's key, 32 bytes. If the file is there already, of the same member, it goes on where an
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
    let mut admission = Admission { member, granted: 0, missed: Vec::new(), decided: Vec::new() };
    for id in patients(store, vault.descriptor().vault()).await? {
        let outcome = patient(store, (vault, master), &admission.member, PatientId::new(&id)?).await?;
        if outcome.granted {
            admission.granted = admission.granted.saturating_add(1);
        }
        let named = |what| Named { patient: id.clone(), record: None, what };
        admission.missed.extend(outcome.missed.into_iter().map(named));
        admission.decided.extend(outcome.decided.map(|decision| named(Advice(vault, decision).to_string())));
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

/// What became of one patient.
#[derive(Default)]
struct Outcome {
    /// Whether the member has the current card's key.
    granted: bool,
    missed: Vec<String>,
    decided: Option<Decision>,
}

/// Grants one patient, with its older cards.
async fn patient(
    store: &impl Store,
    by: (&Vault, &MasterKey),
    member: &MemberKey,
    patient: PatientId<'_>,
) -> Result<Outcome, Failure> {
    let id = by.0.descriptor().vault();
    let missed = |why: String| Outcome { missed: vec![format!("not granted: {why}")], ..Outcome::default() };
    let stored = match store.patient(id, patient).await {
        Ok(stored) => stored,
        Err(error @ (Error::Corrupt { .. } | Error::Core(_))) => return Ok(missed(error.to_string())),
        Err(error) => return Err(error.into()),
    };
    let current = match decided::open(by, patient, &stored) {
        Ok(current) => current,
        Err(Barred::Decision(decision)) => return Ok(Outcome { decided: Some(decision), ..Outcome::default() }),
        Err(Barred::Damage(closed)) => return Ok(missed(closed.to_string())),
    };
    let Some(decision) = current.decision else {
        return grants(store, by, member, (patient, &stored), &current.key).await;
    };
    let outcome = match carry_out(store, by, (patient, &stored), &current.key, decision).await? {
        Err(why) => missed(why),
        Ok(next) => {
            let stored = store.patient(id, patient).await?;
            grants(store, by, member, (patient, &stored), next.as_ref().unwrap_or(&current.key)).await?
        }
    };
    Ok(Outcome { decided: Some(decision), ..outcome })
}

/// Does what the decision still needs: another endorsement, or the next card, whose key it gives. The inner error says why
/// that is not possible.
async fn carry_out(
    store: &impl Store,
    (vault, master): (&Vault, &MasterKey),
    (patient, stored): (PatientId<'_>, &Patient),
    key: &PatientKey,
    decision: Decision,
) -> Result<Result<Option<PatientKey>, String>, Failure> {
    let (id, generation, by) = (vault.descriptor().vault(), vault.descriptor().generation(), Enroller::Root(master));
    let there = stored.endorsed(generation);
    match decision {
        Decision::Enroller(_) => {
            let endorsed = match vault.endorse(by, key, &mut OsRng) {
                Ok(endorsed) => endorsed,
                Err(error) => return Ok(Err(error.to_string())),
            };
            let place = (key.card(), generation);
            let new = NewEndorsement::new(patient, place, &endorsed.endorsement, &endorsed.master_grant)?;
            let replaces = there.map(|there| there.endorsement.as_slice());
            Ok(applied(store.apply(id, &[Change::Endorse(new.replacing(replaces))]).await)?.map(|()| None))
        }
        Decision::Compromised(_) => {
            let next = match vault.rekey(by, key, &mut OsRng) {
                Ok(next) => next,
                Err(error) => return Ok(Err(error.to_string())),
            };
            let replaced = there.map(|there| Replaced {
                card: there.card,
                endorsement: &there.endorsement,
                master_grant: &there.master_grant,
            });
            let changes = next_card(patient, generation, replaced, &next, &[]);
            let changes = match changes {
                Ok(changes) => changes,
                Err(error) => return Ok(Err(error.to_string())),
            };
            Ok(applied(store.apply(id, &changes).await)?.map(|()| Some(next.key)))
        }
        Decision::Erased(_) | Decision::Generation(_) => Ok(Ok(None)),
    }
}

/// Grants the key of the current card and those of older ones.
async fn grants(
    store: &impl Store,
    (vault, master): (&Vault, &MasterKey),
    member: &MemberKey,
    (patient, stored): (PatientId<'_>, &Patient),
    current: &PatientKey,
) -> Result<Outcome, Failure> {
    let root = Opener { vault, by: KeyOf::Master(master), patient, stored };
    let mine = Opener { by: KeyOf::Member(member), ..root };
    let mut outcome = Outcome { granted: true, ..Outcome::default() };
    if mine.current().is_err()
        && let Err(why) = grant(store, vault, (patient, stored), (current, member)).await?
    {
        outcome.granted = false;
        outcome.missed.push(format!("not granted: {why}"));
    }
    let generation = vault.descriptor().generation();
    let older = stored.master_grants.iter().filter(|row| row.generation == generation && row.card != current.card());
    for card in older.map(|row| row.card) {
        // What the member opens already was granted by an earlier run.
        if mine.older(card).is_ok() {
            continue;
        }
        let granted = match root.older(card) {
            // A card that is closed is granted to nobody: its records move to the current one.
            Ok(_) if vault.roster().closed(card).is_some() => continue,
            Ok(key) => grant(store, vault, (patient, stored), (&key, member)).await?,
            Err(closed) => Err(closed.to_string()),
        };
        if let Err(why) = granted {
            outcome.missed.push(format!("the older card {card} could not be granted: {why}"));
        }
    }
    Ok(outcome)
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
    let change = Change::Grant(NewGrant::new(patient, &grant)?.replacing(stored.grant(card, to)));
    applied(store.apply(vault.descriptor().vault(), &[change]).await)
}

/// What the store refuses concerns this patient; that it does not answer ends everything.
fn applied(result: crate::error::Result<()>) -> Result<Result<(), String>, Failure> {
    match result {
        Ok(()) => Ok(Ok(())),
        Err(error @ (Error::Unavailable(_) | Error::Schema { .. })) => Err(error.into()),
        Err(error) => Ok(Err(error.to_string())),
    }
}
