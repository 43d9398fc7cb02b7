//! The clinic of the drill: what the people keep, and what is lost with the machine.

use std::fs;
use std::io::Write;
use std::path::Path;

use lukko::{
    Enroller, Enrolment, FieldLabel, MemberEntry, MemberId, NewVault, OsRng, PatientId, Pin, Policy, RecordContext,
    RecordId, RegistrarKey, Revision, Roles, RosterDraft, Share, Suite, Vault, create,
};
use lukko_store::{AttachmentSealer, Attachments, Change, Expect, NewGeneration, NewRecord, Sealed, Store, enrolment};

use lukko_store::restore::{Console, Kept, erase_again, write_secret};

use crate::{Outcome, Terminal, beside, now};

/// Notes of each patient.
const NOTES: usize = 25;
const FIELD: &str = "note";

/// Makes a vault of 3 of 5. `directory` gets what was kept, each custodian's share, the registrar's key, and the notes as
/// they were written.
pub(crate) async fn found(
    store: &impl Store,
    attachments: &Attachments,
    directory: &Path,
    patients: usize,
) -> Outcome<()> {
    let rng = &mut OsRng;
    for name in ["kept", "shares", "notes"] {
        fs::create_dir_all(directory.join(name))?;
    }
    let registrar = RegistrarKey::generate(rng)?;
    write_secret(&directory.join("registrar.key"), registrar.seed().expose())?;
    let NewVault { descriptor, shares, master } = create(Policy::new(3, 5)?, Suite::XWing, &registrar.public(), rng)?;
    drop(master);
    for share in &shares {
        let text = format!("{}\n", share.to_text().expose());
        write_secret(&directory.join("shares").join(share.index().to_string()), text.as_bytes())?;
    }
    let pin = Pin::new(descriptor.fingerprint(), &descriptor)?;
    let pinned = pin.check(descriptor)?;
    let salo = pinned.new_member(MemberId::new("dr-salo")?, rng)?;
    let mut draft = RosterDraft::first(&pinned);
    draft.admit(&MemberEntry::verify(salo.entry(), &pinned)?, Roles::READ | Roles::ENROL)?;
    let version = draft.version();
    let roster = draft.sign_as_registrar(&registrar, &pinned)?;
    let (generation, descriptor) = (pinned.generation(), pinned.as_bytes());
    let first = NewGeneration { generation, descriptor, statement: None, version, roster: &roster };
    let entry = Change::Member { key: salo.fingerprint(), entry: salo.entry() };
    store.apply(pinned.vault(), &[Change::Generation(first), entry]).await?;
    let vault = Vault::load(pin, pinned.as_bytes(), &roster, [salo.entry()])?;
    Kept::new(directory.join("kept")).remember(&vault, &roster)?;

    for number in 0..patients {
        let name = format!("p-{number:03}");
        let id = PatientId::new(&name)?;
        let enrolled = vault.enrol(Enroller::Member(&salo), id, rng)?;
        let grants = [vault.grant(&enrolled.key, salo.fingerprint(), rng)?];
        let records: Vec<String> = (0..NOTES).map(|number| format!("r-{number:03}")).collect();
        fs::create_dir(directory.join("notes").join(&name))?;
        let mut sealed = Vec::new();
        for (number, record) in records.iter().enumerate() {
            let note = note(&name, number);
            fs::write(directory.join("notes").join(&name).join(format!("{record}.{FIELD}")), &note)?;
            let context = RecordContext::new(RecordId::new(record)?, FieldLabel::new(FIELD)?, Revision::FIRST);
            sealed.push(Sealed::note(&vault, &enrolled.key, &context, note.as_bytes(), rng)?);
        }
        let mut change = enrolment(id, generation, &enrolled, &grants)?;
        change.extend(sealed.iter().map(|sealed| Change::Record(NewRecord::new(sealed, Expect::Absent))));
        store.apply(pinned.vault(), &change).await?;
        if number == 0 {
            let file = directory.join("notes").join(&name).join(format!("scan.{FIELD}"));
            attach(store, attachments, &vault, &enrolled, &file).await?;
        }
    }
    Terminal.say(&format!("{} notes of {patients} patients are sealed", patients * NOTES));
    Ok(())
}

/// An attachment, long enough that its object is written in parts.
async fn attach(
    store: &impl Store,
    attachments: &Attachments,
    vault: &Vault,
    enrolled: &Enrolment,
    file: &Path,
) -> Outcome<()> {
    let (id, record, field) = (vault.descriptor().vault(), RecordId::new("scan")?, FieldLabel::new(FIELD)?);
    let scan: Vec<u8> = (0..6_000_000_u32).flat_map(u32::to_be_bytes).take(6_000_000).collect();
    fs::write(file, &scan)?;
    let sink = attachments.begin(store, id, now()?).await?;
    let context = RecordContext::new(record, field, Revision::FIRST);
    let sealed = beside(|| {
        let mut sealer = AttachmentSealer::begin(vault, &enrolled.key, &context, sink, &mut OsRng)?;
        sealer.write_all(&scan)?;
        sealer.finish()
    })?;
    Ok(store.apply(id, &[Change::Record(NewRecord::new(&sealed, Expect::Absent))]).await?)
}

/// Of different lengths, and no two alike.
fn note(patient: &str, number: usize) -> String {
    let line = format!("{patient}, session {number}: \"nukuin hyvin\", as it was said.\n");
    line.repeat(1 + number * number % 37)
}

/// Erases a patient, in the database and among the notes that must come back.
pub(crate) async fn erase(store: &impl Store, directory: &Path, patient: &str) -> Outcome<()> {
    let share = Share::from_text(fs::read_to_string(directory.join("shares/1"))?.trim())?;
    let seed = fs::read(directory.join("registrar.key"))?;
    let registrar = RegistrarKey::from_seed(seed.as_slice().try_into()?)?;
    let kept = Kept::new(directory.join("kept"));
    let mut vault = kept.load(store, share.vault(), &Terminal).await?;
    let (id, patient_id) = (share.vault(), PatientId::new(patient)?);
    let stored = store.patient(id, patient_id).await?;
    let mut draft = vault.roster().next()?;
    vault.begin_erasure(patient_id, &stored.card_bytes(), stored.all_grants())?.close_in(&mut draft)?;
    let (generation, version) = (vault.descriptor().generation(), draft.version());
    let roster = draft.sign_as_registrar(&registrar, vault.descriptor())?;
    store.apply(id, &[Change::Roster { generation, version, roster: &roster }]).await?;
    vault.update_roster(&roster, store.members(id).await?)?;
    kept.remember(&vault, &roster)?;
    erase_again(store, &vault, patient_id, &stored, now()?).await?;
    store.scrub(id).await?;
    fs::remove_dir_all(directory.join("notes").join(patient))?;
    Terminal.say(&format!("{patient} is erased, by roster {version}"));
    Ok(())
}
