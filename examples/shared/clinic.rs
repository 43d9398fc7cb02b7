//! A small clinic, where every example begins: any 2 of 3 custodians open the vault, Dr Salo reads and enrols, the
//! intake front end deposits, and one patient is granted to Dr Salo.
//!
//! Database and people are in one place here. In earnest everything that is not public stays with its owner.

// Each example uses another part of it.
#![allow(dead_code)]

use std::error::Error;
use std::fmt::Display;

use lukko::*;

pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// The one patient. In earnest an id is drawn by `random_id`, because it is stored in clear.
pub(crate) const PATIENT: &str = "p-1";

pub(crate) struct Clinic {
    // What people hold.
    pub(crate) registrar: RegistrarKey,
    pub(crate) salo: MemberKey,
    pub(crate) intake: MemberKey,
    /// The shares on paper, one for each custodian.
    pub(crate) paper: Vec<SecretText>,

    // What the database holds, which a thief may have.
    pub(crate) descriptor: Vec<u8>,
    pub(crate) roster: Vec<u8>,
    pub(crate) entries: Vec<Vec<u8>>,

    /// What a client makes of it: descriptor and roster, verified against its pin.
    pub(crate) vault: Vault,
}

impl Clinic {
    /// The clinic, and what the database holds of the patient: what enrolment returned, and the grant to Dr Salo.
    pub(crate) fn open() -> Outcome<(Self, Enrolment, Vec<u8>)> {
        let rng = &mut OsRng;
        let registrar = RegistrarKey::generate(rng)?;
        let NewVault { descriptor, shares, master } =
            create(Policy::new(2, 3)?, Suite::XWing, &registrar.public(), rng)?;
        drop(master);
        let pin = Pin::new(descriptor.fingerprint(), &descriptor)?;
        let pinned = pin.check(descriptor)?;

        let salo = pinned.new_member(MemberId::new("dr-salo")?, rng)?;
        let intake = pinned.new_member(MemberId::new("intake")?, rng)?;
        let mut draft = RosterDraft::first(&pinned);
        draft.admit(&MemberEntry::verify(salo.entry(), &pinned)?, Roles::READ | Roles::ENROL)?;
        draft.admit(&MemberEntry::verify(intake.entry(), &pinned)?, Roles::DEPOSIT)?;
        let roster = draft.sign_as_registrar(&registrar, &pinned)?;
        let entries = vec![salo.entry().to_vec(), intake.entry().to_vec()];

        let vault = Vault::load(pin, pinned.as_bytes(), &roster, &entries)?;
        let patient = vault.enrol(Enroller::Member(&salo), PatientId::new(PATIENT)?, rng)?;
        let grant = vault.grant(&patient.key, salo.fingerprint(), rng)?.bytes;
        let paper = to_paper(&shares);
        let descriptor = pinned.as_bytes().to_vec();
        Ok((Self { registrar, salo, intake, paper, descriptor, roster, entries, vault }, patient, grant))
    }

    /// The registrar signs the next roster, the database stores it, and the client follows it.
    pub(crate) fn publish(&mut self, draft: RosterDraft) -> Outcome {
        self.roster = draft.sign_as_registrar(&self.registrar, self.vault.descriptor())?;
        self.vault.update_roster(&self.roster, &self.entries)?;
        Ok(())
    }
}

/// What the custodians take home.
pub(crate) fn to_paper(shares: &[Share]) -> Vec<SecretText> {
    shares.iter().map(Share::to_text).collect()
}

/// Custodians meet and type in their shares.
pub(crate) fn recover(vault: &Vault, paper: &[SecretText]) -> Outcome<MasterKey> {
    let mut recovery = Recovery::new(vault.descriptor());
    for text in paper {
        recovery.add(Share::from_text(text.expose())?)?;
    }
    Ok(recovery.finish()?)
}

/// Prints what was refused and why. If it was not refused, or for another reason, the example fails.
pub(crate) fn refused<T>(what: &str, attempt: Result<T>, reason: impl Into<lukko::Error>) -> Outcome {
    match attempt {
        Err(error) if error == reason.into() => {
            println!("- {what}: refused");
            println!("    {}", brief(&error));
            Ok(())
        }
        Err(error) => Err(format!("{what}: refused for the wrong reason, {error}").into()),
        Ok(_) => Err(format!("{what}: accepted, and must not be").into()),
    }
}

/// Shortens every fingerprint and card id, 64 digits, to its first eight.
pub(crate) fn brief(text: &impl Display) -> String {
    let text = text.to_string();
    let shorten = |word: &str| match word.find(|letter: char| !letter.is_ascii_hexdigit()).unwrap_or(word.len()) {
        64 => format!("{}..{}", &word[..8], &word[64..]),
        _ => word.to_owned(),
    };
    text.split(' ').map(shorten).collect::<Vec<_>>().join(" ")
}
