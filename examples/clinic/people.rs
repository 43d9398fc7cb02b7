//! The people of the clinic, what each of them has, and their everyday work.

use std::time::Instant;

use lukko::{
    Card, Enroller, FieldLabel, Grant, MemberEntry, MemberId, MemberKey, NewVault, OsRng, PatientId, PatientKey, Pin,
    PinnedDescriptor, Policy, RecordContext, RecordId, RegistrarKey, Revision, Roles, RosterDraft, Suite, Vault,
    VaultId, create,
};
use lukko_store::{
    After, Change, Expect, NewGeneration, NewRecord, Patient, Record, Sealed, Store, StoredBody, enrolment,
};

use crate::notes::{Note, Notes};
use crate::report::{Outcome, Timing, bar};

/// The one field that the notes of this clinic have.
pub(crate) const FIELD: &str = "note";

/// Records that are read at once.
const PAGE: u32 = 256;

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
    /// Which vault of the database is the clinic's.
    pub(crate) vault: VaultId,
    /// What every client of the clinic remembers outside the database.
    pub(crate) pin: Pin,
}

/// The first day: a vault of 3 of 5, a registrar, and two therapists, the second of whom comes a day later.
pub(crate) async fn found(store: &impl Store) -> Outcome<Clinic> {
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
    let version = draft.version();
    let first_roster = draft.sign_as_registrar(&registrar, &pinned)?;
    let (generation, descriptor) = (pinned.generation(), pinned.as_bytes());
    let first = NewGeneration { generation, descriptor, statement: None, version, roster: &first_roster };
    store.apply(pinned.vault(), &[Change::Generation(first), member(&salo)]).await?;

    let mut clinic = Clinic { registrar, shares, salo, niemi, first_roster, vault: pinned.vault(), pin };
    let mut vault = load(store, &clinic).await?;
    let mut draft = vault.roster().next()?;
    admit(&mut draft, &clinic.niemi, Roles::READ, &pinned)?;
    publish(store, &mut vault, &clinic, draft, &[member(&clinic.niemi)]).await?;
    clinic.pin = vault.pin().clone();
    Ok(clinic)
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

/// A member's entry as a part of a change.
pub(crate) fn member(member: &MemberKey) -> Change<'_> {
    Change::Member { key: member.fingerprint(), entry: member.entry() }
}

/// Opens the door: everything that comes from the database is verified against the pin.
pub(crate) async fn load(store: &impl Store, clinic: &Clinic) -> Outcome<Vault> {
    let Clinic { vault, pin, .. } = clinic;
    let generations = store.generations(*vault).await?;
    let generation = generations.iter().find(|stored| stored.generation == pin.generation());
    let generation = generation.ok_or("the generation is not in the database")?;
    let entries = store.members(*vault).await?;
    Ok(Vault::load(pin.clone(), &generation.descriptor, &generation.roster, entries)?)
}

/// The registrar signs the next roster, the database stores it with what belongs to it, and the client follows.
pub(crate) async fn publish(
    store: &impl Store,
    vault: &mut Vault,
    clinic: &Clinic,
    draft: RosterDraft,
    with: &[Change<'_>],
) -> Outcome<()> {
    let (generation, version) = (vault.descriptor().generation(), draft.version());
    let roster = draft.sign_as_registrar(&clinic.registrar, vault.descriptor())?;
    let change = Change::Roster { generation, version, roster: &roster };
    store.apply(clinic.vault, &[&[change], with].concat()).await?;
    vault.update_roster(&roster, store.members(clinic.vault).await?)?;
    Ok(())
}

/// Enrols every patient and seals every note. Whoever is `left_alone` is granted to no therapist.
pub(crate) async fn import(
    store: &impl Store,
    vault: &Vault,
    clinic: &Clinic,
    notes: &Notes,
    left_alone: Option<&str>,
) -> Outcome<(Timing, usize)> {
    let progress = bar("sealing", notes.all.len());
    let (begin, mut timing, mut stored) = (Instant::now(), Timing::default(), 0);
    let shared = notes.patients().next();
    for patient in notes.patients() {
        let granted =
            [(Some(patient) != left_alone).then_some(&clinic.salo), (Some(patient) == shared).then_some(&clinic.niemi)];
        let granted: Vec<&MemberKey> = granted.into_iter().flatten().collect();
        let notes: Vec<&Note> = notes.of(patient).collect();
        stored += admit_patient(store, vault, clinic, (patient, &notes), &granted, &mut timing).await?;
        progress.inc(notes.len() as u64);
    }
    progress.finish_and_clear();
    timing.total = begin.elapsed();
    Ok((timing, stored))
}

/// Dr Salo enrols a patient, grants it and seals the notes: in the database that is one change, made whole or not at
/// all. Gives how long the records are.
async fn admit_patient(
    store: &impl Store,
    vault: &Vault,
    clinic: &Clinic,
    (patient, notes): (&str, &[&Note]),
    granted: &[&MemberKey],
    timing: &mut Timing,
) -> Outcome<usize> {
    let rng = &mut OsRng;
    let patient = PatientId::new(patient)?;
    let enrolled = vault.enrol(Enroller::Member(&clinic.salo), patient, rng)?;
    let grants = granted.iter().map(|member| vault.grant(&enrolled.key, member.fingerprint(), rng));
    let grants: Vec<Grant> = grants.collect::<Result<_, _>>()?;
    let sealing = Instant::now();
    let records = notes.iter().map(|note| seal(vault, &enrolled.key, note)).collect::<Outcome<Vec<_>>>()?;
    timing.lukko += sealing.elapsed();

    let mut change = enrolment(patient, vault.descriptor().generation(), &enrolled, &grants)?;
    change.extend(records.iter().map(|sealed| Change::Record(NewRecord::new(sealed, Expect::Absent))));
    store.apply(clinic.vault, &change).await?;
    let length = |sealed: &Sealed| if let StoredBody::Sealed(bytes) = sealed.body() { bytes.len() } else { 0 };
    Ok(records.iter().map(length).sum())
}

fn seal(vault: &Vault, key: &PatientKey, note: &Note) -> Outcome<Sealed> {
    let context = RecordContext::new(RecordId::new(&note.record)?, FieldLabel::new(FIELD)?, Revision::FIRST);
    Ok(Sealed::note(vault, key, &context, note.text.as_bytes(), &mut OsRng)?)
}

/// What the database has of a patient.
pub(crate) async fn stored(store: &impl Store, vault: &Vault, patient: &str) -> Outcome<Patient> {
    Ok(store.patient(vault.descriptor().vault(), PatientId::new(patient)?).await?)
}

/// Verifies what the database says of a patient, in the generation that the client is pinned to.
pub(crate) fn card(vault: &Vault, patient: &str, stored: &Patient) -> Outcome<Card> {
    let cards = stored.card_bytes();
    let stored = stored.stored(vault.descriptor().generation(), &cards).ok_or("the patient is not in the database")?;
    Ok(vault.card(PatientId::new(patient)?, &stored, None)?)
}

/// Opens a patient's key as a therapist; `None` if there is no grant for her.
pub(crate) async fn key(
    store: &impl Store,
    vault: &Vault,
    member: &MemberKey,
    patient: &str,
) -> Outcome<Option<PatientKey>> {
    let stored = stored(store, vault, patient).await?;
    let card = card(vault, patient, &stored)?;
    match stored.grant(card.id(), member.fingerprint()) {
        Some(grant) => Ok(Some(vault.open_grant(&card, member, grant)?)),
        None => Ok(None),
    }
}

/// The bytes of a record. This clinic has no attachments.
fn sealed(record: Record) -> Outcome<Vec<u8>> {
    match record.body {
        StoredBody::Sealed(sealed) => Ok(sealed),
        StoredBody::Object { .. } => Err("a note is not in the database".into()),
    }
}

/// One record, as it is stored.
pub(crate) async fn record(store: &impl Store, vault: &Vault, patient: &str, record: &str) -> Outcome<Vec<u8>> {
    let (patient, record) = (PatientId::new(patient)?, RecordId::new(record)?);
    let stored = store.record(vault.descriptor().vault(), patient, record, FieldLabel::new(FIELD)?).await?;
    sealed(stored.ok_or("a record is missing")?)
}

/// Opens one note.
pub(crate) async fn read(
    store: &impl Store,
    vault: &Vault,
    key: &PatientKey,
    patient: &str,
    id: &str,
) -> Outcome<Vec<u8>> {
    let sealed = record(store, vault, patient, id).await?;
    let opened = vault.open(key, RecordId::new(id)?, FieldLabel::new(FIELD)?, &sealed)?;
    Ok(opened.plaintext.to_vec())
}

/// Every record of a patient: its id and its sealed bytes.
pub(crate) async fn history(store: &impl Store, vault: &Vault, patient: &str) -> Outcome<Vec<(Vec<u8>, Vec<u8>)>> {
    let (id, patient) = (vault.descriptor().vault(), PatientId::new(patient)?);
    let mut history: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    loop {
        let after = history.last().map(|(record, _)| After { record, field: FIELD.as_bytes() });
        let page = store.records(id, patient, after, PAGE).await?;
        if page.is_empty() {
            return Ok(history);
        }
        for record in page {
            history.push((record.record.clone(), sealed(record)?));
        }
    }
}

/// Reads a patient's whole history; gives how many notes came back byte for byte.
pub(crate) async fn compare(
    store: &impl Store,
    vault: &Vault,
    key: &PatientKey,
    (patient, notes): (&str, &Notes),
    timing: &mut Timing,
) -> Outcome<usize> {
    let history = history(store, vault, patient).await?;
    let mut same = 0;
    for note in notes.of(patient) {
        let stored = history.iter().find(|(record, _)| record == note.record.as_bytes());
        let (_, sealed) = stored.ok_or("a record is missing")?;
        let opening = Instant::now();
        let opened = vault.open(key, RecordId::new(&note.record)?, FieldLabel::new(FIELD)?, sealed)?;
        timing.lukko += opening.elapsed();
        same += usize::from(opened.plaintext.as_bytes() == note.text.as_bytes());
    }
    Ok(same)
}
