use lukko::*;

let rng = &mut OsRng;
// Founding day: a registrar, and a vault that any 3 of 5 custodians open.
let registrar = RegistrarKey::generate(rng)?;
let NewVault { descriptor, shares, master } = create(Policy::new(3, 5)?, Suite::XWing, &registrar.public(), rng)?;
drop(master);
let pin = Pin::new(descriptor.fingerprint(), &descriptor)?; // clients get the fingerprint by a trusted way
let pinned = pin.check(descriptor.clone())?;
// A therapist makes her keys; the registrar admits them.
let therapist = pinned.new_member(MemberId::new("dr-salo")?, rng)?;
let mut roster = RosterDraft::first(&pinned);
roster.admit(&MemberEntry::verify(therapist.entry(), &pinned)?, Roles::READ | Roles::ENROL)?;
let roster = roster.sign_as_registrar(&registrar, &pinned)?;
// Every day: enrol a patient, seal a note, open it again. What is stored, a thief may have.
let vault = Vault::load(pin, descriptor.as_bytes(), &roster, [therapist.entry()])?;
let patient = vault.enrol(Enroller::Member(&therapist), PatientId::new("p-1")?, rng)?;
let place = Place::new(RecordId::new("r-1")?, FieldLabel::new("note")?);
let sealed = vault.seal(&patient.key, &RecordContext::new(place, Revision::FIRST), b"slept better", rng)?;
assert_eq!(vault.open(&patient.key, place, &sealed)?.plaintext.as_bytes(), b"slept better");
// The therapist is gone: three custodians break the glass.
let stored = StoredPatient { cards: &[&patient.card], endorsement: &patient.endorsement, master_grant: &patient.master_grant };
let mut recovery = Recovery::new(&pinned);
for share in shares.into_iter().take(3) {
    recovery.add(share)?;
}
let key = vault.break_glass(&vault.card(PatientId::new("p-1")?, &stored, None)?, &recovery.finish()?)?;
assert_eq!(vault.open(&key, place, &sealed)?.plaintext.as_bytes(), b"slept better");
# Ok::<(), lukko::Error>(())
