//! Founding day, and the members that the registrar admits.

use lukko::{
    MemberEntry, MemberId, MemberKey, NewVault, OsRng, Pin, PinnedDescriptor, Policy, RegistrarKey, Roles, RosterDraft,
    Share, Suite, create,
};

use crate::client::Client;
use crate::report::{Outcome, fact};
use crate::store::Store;

/// The people. In life each is elsewhere; here they stand side by side.
pub(crate) struct Clinic {
    /// The public part of the vault, as everyone trusts it.
    pub(crate) descriptor: PinnedDescriptor,
    /// The first pin, from the fingerprint on paper.
    pub(crate) pin: Pin,
    /// Signs who is a member. Opens nothing.
    pub(crate) registrar: RegistrarKey,
    /// The custodians' shares: five people, five drawers, never one machine.
    pub(crate) shares: Vec<Share>,
    /// Therapist, enrols patients.
    pub(crate) salo: Client,
    /// Therapist, reads the patients that are granted to her.
    pub(crate) laine: Client,
}

/// Creates the vault and admits both therapists.
pub(crate) fn open_clinic(store: &Store) -> Outcome<Clinic> {
    let rng = &mut OsRng;
    let registrar = RegistrarKey::generate(rng)?;
    let NewVault { descriptor, shares, master } = create(Policy::new(3, 5)?, Suite::XWing, &registrar.public(), rng)?;
    // Nobody needs the master key now. From here on it exists only as shares.
    drop(master);
    store.put_descriptor(descriptor.as_bytes())?;
    fact(format!("a vault: {} custodians hold one share each, any {} open it", descriptor.n(), descriptor.k()));
    fact(format!("its fingerprint, printed and handed to every client:\n      {}", descriptor.fingerprint()));

    let pin = Pin::new(descriptor.fingerprint(), &descriptor)?;
    let descriptor = pin.check(descriptor)?;
    let salo = Client::new(descriptor.new_member(MemberId::new("dr-salo")?, rng)?, &pin);
    let laine = Client::new(descriptor.new_member(MemberId::new("dr-laine")?, rng)?, &pin);
    let mut clinic = Clinic { descriptor, pin, registrar, shares, salo, laine };

    let mut roster = RosterDraft::first(&clinic.descriptor);
    admit(&clinic, store, &mut roster, &clinic.salo.key, Roles::READ | Roles::ENROL)?;
    publish(&clinic, store, roster)?;
    let mut roster = clinic.salo.load(store)?.roster().next()?;
    admit(&clinic, store, &mut roster, &clinic.laine.key, Roles::READ)?;
    publish(&clinic, store, roster)?;
    fact("roster 1 admits Dr Salo, who reads and enrols; roster 2 also Dr Laine, who reads");

    // A pin moves forward with each roster, and each client keeps it.
    for client in [&mut clinic.salo, &mut clinic.laine] {
        client.pin = client.load(store)?.pin().clone();
    }
    Ok(clinic)
}

/// The registrar compares the fingerprint with the person and admits her key.
pub(crate) fn admit(
    clinic: &Clinic,
    store: &Store,
    roster: &mut RosterDraft,
    member: &MemberKey,
    roles: Roles,
) -> Outcome<()> {
    let entry = MemberEntry::verify(member.entry(), &clinic.descriptor)?;
    roster.admit(&entry, roles)?;
    store.put_member(entry.fingerprint(), member.entry())
}

/// The registrar signs the roster, and the store puts it behind the others.
pub(crate) fn publish(clinic: &Clinic, store: &Store, roster: RosterDraft) -> Outcome<()> {
    store.put_roster(&roster.sign_as_registrar(&clinic.registrar, &clinic.descriptor)?)
}
