//! Founds a vault for a demonstration, all at one place. In earnest each person draws their own key where it is used, and
//! shares are dealt in a room without this machine.

use std::path::Path;

use lukko::{
    Descriptor, KeyFingerprint, MemberEntry, MemberId, MemberKey, NewVault, OsRng, Pin, PinnedDescriptor, Policy,
    RegistrarKey, Roles, RosterDraft, Suite, Vault, create,
};
use lukko_store::{Change, NewGeneration};

use crate::Failure;
use crate::config::Location;
use crate::files::{StateDir, create_directory, write_new};
use crate::state::database::Database;
use crate::state::tokens::{Role, Tokens};

/// Any two of three custodians are a quorum.
const QUORUM: (u8, u8) = (2, 3);

/// Makes a vault, the directories of the three doors, and what people take home. Gives the lines to print.
///
/// # Errors
/// If the directory is there already, or the database does not take the vault.
pub async fn found(directory: &Path, database: &Location) -> Result<Vec<String>, Failure> {
    let rng = &mut OsRng;
    create_directory(directory)?;
    let registrar = RegistrarKey::generate(rng)?;
    let NewVault { descriptor, shares, master } =
        create(Policy::new(QUORUM.0, QUORUM.1)?, Suite::XWing, &registrar.public(), rng)?;
    drop(master);
    let pin = Pin::new(descriptor.fingerprint(), &descriptor)?;
    let pinned = pin.check(Descriptor::parse(descriptor.as_bytes())?)?;

    let salo = pinned.new_member(MemberId::new("dr-salo")?, rng)?;
    let niemi = pinned.new_member(MemberId::new("dr-niemi")?, rng)?;
    let intake = pinned.new_member(MemberId::new("intake")?, rng)?;
    let admitted = [(&salo, Roles::READ | Roles::ENROL), (&niemi, Roles::READ), (&intake, Roles::DEPOSIT)];
    let roster = sign_roster(&registrar, &pinned, &admitted)?;
    let entries = [salo.entry(), niemi.entry(), intake.entry()];
    let vault = Vault::load(pin, pinned.as_bytes(), &roster, entries)?;
    store(database, &vault, &roster, &admitted.map(|(member, _)| (member.fingerprint(), member.entry()))).await?;

    let handed = directory.join("handed-out");
    create_directory(&handed)?;
    write_new(&handed.join("registrar.seed"), registrar.seed().expose())?;
    for share in &shares {
        write_new(&handed.join(format!("custodian-{}.share", share.index())), share.to_text().expose().as_bytes())?;
    }
    let tokens = draw_tokens(&handed)?;
    let door = |name: &str| StateDir::create(&directory.join(name), vault.pin(), pinned.as_bytes(), &tokens);
    let (therapist, intake_door) = (door("therapist")?, door("intake")?);
    door("glass")?; // no seed
    therapist.store_seed("dr-salo", salo.seed().expose())?;
    therapist.store_seed("dr-niemi", niemi.seed().expose())?;
    intake_door.store_seed("intake", intake.seed().expose())?;
    Ok(vec![
        format!("vault {}", pinned.vault()),
        format!("fingerprint, to be compared by those who pin it: {}", pinned.fingerprint()),
        format!("each door has its directory in {}", directory.display()),
        format!(
            "{}: shares and tokens, each for one person, and the registrar's seed. Hand them out",
            handed.display()
        ),
        "and delete them here: this machine must not keep a quorum.".to_owned(),
    ])
}

fn sign_roster(
    registrar: &RegistrarKey,
    pinned: &PinnedDescriptor,
    admitted: &[(&MemberKey, Roles)],
) -> Result<Vec<u8>, Failure> {
    let mut draft = RosterDraft::first(pinned);
    for (member, roles) in admitted {
        draft.admit(&MemberEntry::verify(member.entry(), pinned)?, *roles)?;
    }
    Ok(draft.sign_as_registrar(registrar, pinned)?)
}

async fn store(
    location: &Location,
    vault: &Vault,
    roster: &[u8],
    members: &[(KeyFingerprint, &[u8])],
) -> Result<(), Failure> {
    let (descriptor, version) = (vault.descriptor(), vault.roster().version());
    let generation = descriptor.generation();
    let first = NewGeneration { generation, descriptor: descriptor.as_bytes(), statement: None, version, roster };
    let members = members.iter().map(|(key, entry)| Change::Member { key: *key, entry });
    let changes: Vec<_> = [Change::Generation(first)].into_iter().chain(members).collect();
    let database = Database::open(location).await?;
    database.apply(descriptor.vault(), &changes).await?;
    database.close().await;
    Ok(())
}

/// A token for each person, and the file with their hashes that every door has: with it the wrong door can say so.
fn draw_tokens(handed: &Path) -> Result<String, Failure> {
    let custodians = (1..=QUORUM.1).map(|number| (format!("custodian-{number}"), Role::Custodian));
    let people = [("dr-salo", Role::Therapist), ("dr-niemi", Role::Therapist), ("intake", Role::Intake)]
        .map(|(name, role)| (name.to_owned(), role));
    let mut lines = String::new();
    for (name, role) in people.into_iter().chain(custodians) {
        let (token, line) = Tokens::draw(&name, role, &mut OsRng)?;
        write_new(&handed.join(format!("{name}.token")), token.as_bytes())?;
        lines.push_str(&line);
    }
    Ok(lines)
}
