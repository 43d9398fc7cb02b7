//! People come and go: one leaves, a laptop is stolen, a key is lost, and the enroller who lost it is replaced.
//!
//! ```sh
//! cargo run --example members
//! ```

#[path = "shared/clinic.rs"]
mod clinic;

use std::error::Error;

use clinic::{Clinic, PATIENT, brief, refused};
use lukko::error::Untrusted;
use lukko::*;

fn main() -> Result<(), Box<dyn Error>> {
    let rng = &mut OsRng;
    let (mut clinic, patient, grant) = Clinic::open()?;
    let (id, known) = (PatientId::new(PATIENT)?, patient.card_id);
    let stored = StoredPatient {
        cards: &[&patient.card],
        endorsement: &patient.endorsement,
        master_grant: &patient.master_grant,
    };

    println!("Dr Niemi, Dr Aalto and Dr Lehto join; the registrar compares the fingerprints, and Dr Salo grants");
    let mut draft = clinic.vault.roster().next()?;
    let mut join = |name: &str, roles| -> Result<MemberKey, Box<dyn Error>> {
        let member = clinic.vault.descriptor().new_member(MemberId::new(name)?, &mut OsRng)?;
        draft.admit(&MemberEntry::verify(member.entry(), clinic.vault.descriptor())?, roles)?;
        clinic.entries.push(member.entry().to_vec());
        Ok(member)
    };
    let niemi = join("dr-niemi", Roles::READ)?;
    let aalto = join("dr-aalto", Roles::READ)?;
    let lehto = join("dr-lehto", Roles::READ | Roles::ENROL)?;
    clinic.publish(draft)?;
    let card = clinic.vault.card(id, &stored, None)?;
    let key = clinic.vault.open_grant(&card, &clinic.salo, &grant)?;
    let mut grants = vec![patient.master_grant.clone(), grant];
    for member in [&niemi, &aalto, &lehto] {
        grants.push(clinic.vault.grant(&key, member.fingerprint(), rng)?.bytes);
    }

    println!("Dr Niemi leaves and destroys her key; Dr Aalto's laptop is stolen");
    let mut draft = clinic.vault.roster().next()?;
    draft.set_status(niemi.fingerprint(), Status::Retired)?; // what she signed stands
    draft.set_status(aalto.fingerprint(), Status::Revoked)?; // nothing that the key signed counts
    clinic.publish(draft)?;
    let attempt = clinic.vault.grant(&key, niemi.fingerprint(), rng);
    refused("Dr Niemi is granted a patient", attempt, Untrusted::Retired(niemi.fingerprint()))?;
    let attempt = clinic.vault.open_grant(&card, &aalto, &grants[3]);
    refused("the laptop opens its grant", attempt, Untrusted::Revoked(aalto.fingerprint()))?;
    // That holds the honest software. If the thief may have the database too, re-key: see `rekey.rs`.

    println!("Dr Salo's key fell into the lake: a new one takes its place, with the same roles");
    let lost = clinic.salo.fingerprint();
    let salo = clinic.vault.descriptor().new_member(MemberId::new("dr-salo")?, rng)?;
    let mut draft = clinic.vault.roster().next()?;
    draft.replace(lost, &MemberEntry::verify(salo.entry(), clinic.vault.descriptor())?)?;
    clinic.entries.push(salo.entry().to_vec());
    clinic.publish(draft)?;
    // She had enrolled the patient. What a lost key endorsed may be a thief's work, so the card counts no more ...
    refused("the card is used", clinic.vault.card(id, &stored, None), Untrusted::Revoked(lost))?;
    // ... until another enroller vouches for it, who remembers its id from before the loss and can open it.
    let with = GrantKey::Member { key: &lehto, grant: &grants[4] };
    let key = clinic.vault.open_remembered(id, stored.cards, known, &with)?;
    let Endorsed { endorsement, master_grant } = clinic.vault.endorse(Enroller::Member(&lehto), &key, rng)?;
    let stored = StoredPatient { cards: stored.cards, endorsement: &endorsement, master_grant: &master_grant };
    println!("- Dr Lehto endorsed the card anew, and grants it to Dr Salo's new key");
    let granted = clinic.vault.grant(&key, salo.fingerprint(), rng)?;
    let card = clinic.vault.card(id, &stored, Some(known))?;
    clinic.vault.open_grant(&card, &salo, &granted.bytes)?;

    println!("Who can open the patient, as the database shows it");
    grants[0].clone_from(&master_grant);
    grants.push(granted.bytes);
    println!("{}", brief(&clinic.vault.who_can_open(card.id(), &grants)));
    Ok(())
}
