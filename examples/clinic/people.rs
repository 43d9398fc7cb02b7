//! The people of the clinic, what each of them has, and their everyday work.

use std::time::Instant;

use lukko::{
    Card, Endorsed, Enroller, FieldLabel, MemberEntry, MemberId, MemberKey, NewVault, OsRng, PatientId, PatientKey,
    Pin, PinnedDescriptor, Policy, RecordContext, RecordId, RegistrarKey, Revision, Roles, RosterDraft, StoredPatient,
    Suite, Vault, create,
};

use crate::notes::{Note, Notes};
use crate::report::{Outcome, Timing, bar};
use crate::store::{PatientRow, Store};

/// The one field that the notes of this clinic have.
pub(crate) const FIELD: &str = "note";

/// Patients that are worked on in one transaction of the database.
pub(crate) const BATCH: usize = 32;

/// Who works here. None of this is in the database.
pub(crate) struct Clinic {
    pub(crate) registrar: RegistrarKey,
    /// What the five custodians hold, each one of them. Only this example has all five in one place.
    pub(crate) shares: Vec<String>,
    /// Enrols and reads.
    pub(crate) salo: MemberKey,
    /// Reads.
    pub(crate) niemi: MemberKey,
    /// The roster of the first day, which is replaced on the second.
    pub(crate) first_roster: Vec<u8>,
    /// What every client of the clinic remembers outside the database.
    pub(crate) pin: Pin,
}

/// The first day: a vault of 3 of 5, a registrar, and two therapists, the second of whom comes a day later.
pub(crate) fn found(store: &Store) -> Outcome<Clinic> {
    let rng = &mut OsRng;
    let registrar = RegistrarKey::generate(rng)?;
    let NewVault { descriptor, shares, master } = create(Policy::new(3, 5)?, Suite::XWing, &registrar.public(), rng)?;
    // The master key has done its work. From here on it exists only as five shares.
    drop(master);
    let shares = shares.iter().map(|share| share.to_text().expose().to_owned()).collect();

    let pin = Pin::new(descriptor.fingerprint(), &descriptor)?;
    let pinned = pin.check(descriptor)?;
    let salo = pinned.new_member(MemberId::new("dr-salo")?, rng)?;
    let niemi = pinned.new_member(MemberId::new("dr-niemi")?, rng)?;
    let mut draft = RosterDraft::first(&pinned);
    admit(&mut draft, &salo, Roles::READ | Roles::ENROL, &pinned)?;
    let first_roster = draft.sign_as_registrar(&registrar, &pinned)?;
    store.put_member(&salo)?;
    let vault = Vault::load(pin, pinned.as_bytes(), &first_roster, [salo.entry()])?;

    let mut draft = vault.roster().next()?;
    admit(&mut draft, &niemi, Roles::READ, &pinned)?;
    let roster = draft.sign_as_registrar(&registrar, &pinned)?;
    store.put_member(&niemi)?;
    store.put_generation(pinned.generation(), pinned.as_bytes(), None, &roster)?;
    let pin = load(store, vault.pin().clone())?.pin().clone();
    Ok(Clinic { registrar, shares, salo, niemi, first_roster, pin })
}

/// In earnest the registrar compares the fingerprint of the entry with the person before this.
pub(crate) fn admit(
    draft: &mut RosterDraft,
    member: &MemberKey,
    roles: Roles,
    pinned: &PinnedDescriptor,
) -> Outcome<()> {
    draft.admit(&MemberEntry::verify(member.entry(), pinned)?, roles)?;
    Ok(())
}

/// Opens the door: everything that comes from the database is verified against the pin.
pub(crate) fn load(store: &Store, pin: Pin) -> Outcome<Vault> {
    let (descriptor, roster) = store.vault(pin.generation())?;
    Ok(Vault::load(pin, &descriptor, &roster, store.entries()?)?)
}

/// Enrols every patient and seals every note. Whoever is `left_alone` is granted to no therapist.
pub(crate) fn import(
    store: &Store,
    vault: &Vault,
    clinic: &Clinic,
    notes: &Notes,
    left_alone: Option<&str>,
) -> Outcome<(Timing, usize)> {
    let progress = bar("sealing", notes.all.len());
    let (begin, mut timing, mut stored) = (Instant::now(), Timing::default(), 0);
    let patients: Vec<&str> = notes.patients().collect();
    let shared = patients.first().copied();
    for batch in patients.chunks(BATCH) {
        store.transaction(|| {
            for patient in batch.iter().copied() {
                let granted = [
                    (Some(patient) != left_alone).then_some(&clinic.salo),
                    (Some(patient) == shared).then_some(&clinic.niemi),
                ];
                let key = enrol(store, vault, clinic, patient, granted.into_iter().flatten())?;
                for note in notes.of(patient) {
                    stored += seal(store, vault, &key, note, &mut timing)?;
                    progress.inc(1);
                }
            }
            Ok(())
        })?;
    }
    progress.finish_and_clear();
    timing.total = begin.elapsed();
    Ok((timing, stored))
}

/// Dr Salo enrols a patient and grants it.
fn enrol<'a>(
    store: &Store,
    vault: &Vault,
    clinic: &Clinic,
    patient: &str,
    to: impl Iterator<Item = &'a MemberKey>,
) -> Outcome<PatientKey> {
    let rng = &mut OsRng;
    let enrolled = vault.enrol(Enroller::Member(&clinic.salo), PatientId::new(patient)?, rng)?;
    store.put_patient(patient, vault.descriptor().generation(), &PatientRow::from(&enrolled))?;
    for member in to {
        store.put_grant(patient, &vault.grant(&enrolled.key, member.fingerprint(), rng)?)?;
    }
    Ok(enrolled.key)
}

/// Seals a note and stores it; gives how long the record is.
fn seal(store: &Store, vault: &Vault, key: &PatientKey, note: &Note, timing: &mut Timing) -> Outcome<usize> {
    let context = RecordContext::new(RecordId::new(&note.record)?, FieldLabel::new(FIELD)?, Revision::FIRST);
    let sealing = Instant::now();
    let sealed = vault.seal(key, &context, note.text.as_bytes(), &mut OsRng)?;
    timing.lukko += sealing.elapsed();
    store.put_record(&note.patient, &note.record, FIELD, &sealed)?;
    Ok(sealed.len())
}

/// What the database has of a patient in the generation that the client is pinned to.
pub(crate) fn row(store: &Store, vault: &Vault, patient: &str) -> Outcome<PatientRow> {
    store.patient(patient, vault.descriptor().generation())?.ok_or("the patient is not in the database".into())
}

/// Verifies what the database says of a patient.
pub(crate) fn card(vault: &Vault, patient: &str, row: &PatientRow) -> Outcome<Card> {
    let PatientRow { card, endorsed: Endorsed { endorsement, master_grant } } = row;
    let stored = StoredPatient { cards: &[card], endorsement, master_grant };
    Ok(vault.card(PatientId::new(patient)?, &stored, None)?)
}

/// The registrar signs the next roster, the database stores it, and the client follows.
pub(crate) fn publish(store: &Store, vault: &mut Vault, clinic: &Clinic, draft: RosterDraft) -> Outcome<()> {
    let roster = draft.sign_as_registrar(&clinic.registrar, vault.descriptor())?;
    store.put_roster(vault.descriptor().generation(), &roster)?;
    vault.update_roster(&roster, store.entries()?)?;
    Ok(())
}

/// Opens a patient's key as a therapist; `None` if there is no grant for her.
pub(crate) fn key(store: &Store, vault: &Vault, member: &MemberKey, patient: &str) -> Outcome<Option<PatientKey>> {
    let Some(grant) = store.grant(patient, member.fingerprint())? else { return Ok(None) };
    let card = card(vault, patient, &row(store, vault, patient)?)?;
    Ok(Some(vault.open_grant(&card, member, &grant)?))
}

/// Opens one note.
pub(crate) fn read(store: &Store, vault: &Vault, key: &PatientKey, patient: &str, record: &str) -> Outcome<Vec<u8>> {
    let sealed = store.record(patient, record, FIELD)?;
    let opened = vault.open(key, RecordId::new(record)?, FieldLabel::new(FIELD)?, &sealed)?;
    Ok(opened.plaintext.to_vec())
}

/// Reads a patient's whole history; gives how many notes came back byte for byte.
pub(crate) fn compare(
    store: &Store,
    vault: &Vault,
    key: &PatientKey,
    (patient, notes): (&str, &Notes),
    timing: &mut Timing,
) -> Outcome<usize> {
    let history = store.history(patient, FIELD)?;
    let mut same = 0;
    for note in notes.of(patient) {
        let sealed = history.iter().find(|(record, _)| *record == note.record).ok_or("a record is missing")?;
        let opening = Instant::now();
        let opened = vault.open(key, RecordId::new(&note.record)?, FieldLabel::new(FIELD)?, &sealed.1)?;
        timing.lukko += opening.elapsed();
        same += usize::from(opened.plaintext.as_bytes() == note.text.as_bytes());
    }
    Ok(same)
}
