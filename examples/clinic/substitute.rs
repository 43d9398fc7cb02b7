//! The thief with write access puts his own keys, and old or other people's objects, in place of the true ones.

use lukko::OsRng;
use lukko::error::{Error, Untrusted, Usage, Versioned};

use crate::client::{OtherPatient, verified_card};
use crate::report::Outcome;
use crate::store::Store;
use crate::tamper::Tampering;
use crate::thief::{own_member_key, renamed};

impl Tampering<'_> {
    pub(crate) fn with_keys(&mut self) -> Outcome<()> {
        self.card()?;
        self.whole_patient()?;
        self.master_grant()?;
        self.member()?;
        self.roster()?;
        self.descriptor()
    }

    /// His patient key in place of the true one: from then on she would seal her notes for him.
    fn card(&mut self) -> Outcome<()> {
        let (thief, salo) = (self.thief, self.salo);
        let patient = &self.targets.first.0;
        self.refused(
            "he puts a patient card of his own in, with all that belongs to it",
            |store| {
                put_card(store, patient, &thief.patient.card)?;
                put_endorsement(store, patient, &thief.patient.endorsement)?;
                put_master_grant(store, patient, &thief.patient.master_grant)
            },
            |salo, store| verified_card(&salo.load(store)?, store, patient, None),
            |error: &Error| matches!(error, Error::Usage(Usage::WrongVault)),
        )?;
        let (own, true_vault) = (thief.descriptor.vault(), salo.load(self.store)?.descriptor().vault());
        let card = renamed(&thief.patient.card, own.as_bytes(), true_vault.as_bytes());
        self.refused(
            "the same card with the true vault's id in it, under the true endorsement",
            |store| put_card(store, patient, &card),
            |salo, store| verified_card(&salo.load(store)?, store, patient, None),
            |error: &Error| matches!(error, Error::Untrusted(Untrusted::EndorsedCard { .. })),
        )
    }

    /// All that he puts in is genuine, and stands under the wrong name.
    fn whole_patient(&mut self) -> Outcome<()> {
        let Some(other) = &self.targets.other_patient else { return Ok(()) };
        let (one, two) = (&self.targets.first.0, &other.0);
        self.refused(
            "he exchanges the whole files of two patients",
            |store| exchange(store, one, two),
            |salo, store| salo.read(store, one, &other.1),
            |error: &Error| matches!(error, Error::Untrusted(Untrusted::UnexpectedCard { .. })),
        )?;
        self.refused(
            "the same, before a client that has not met these patients yet",
            |store| exchange(store, one, two),
            |salo, store| verified_card(&salo.load(store)?, store, one, None),
            |_: &OtherPatient| true,
        )
    }

    /// Nobody would notice before the day on which the glass must be broken: so the clients notice at once.
    fn master_grant(&mut self) -> Outcome<()> {
        let patient = &self.targets.first.0;
        self.refused(
            "he fills the grant to the master key with random bytes",
            |store| {
                let sql = "UPDATE master_grants SET bytes = randomblob(length(bytes))
                    WHERE card_id = (SELECT card_id FROM cards WHERE patient = ?1)";
                store.write(sql, [patient])
            },
            |salo, store| verified_card(&salo.load(store)?, store, patient, None),
            |error: &Error| matches!(error, Error::Untrusted(Untrusted::MasterGrant(_))),
        )
    }

    fn member(&mut self) -> Outcome<()> {
        let patient = &self.targets.first.0;
        let own = own_member_key(self.salo.load(self.store)?.descriptor())?;
        self.refused(
            "he enters himself as `dr-salo` among the members and asks for a grant",
            |store| store.put_member(own.fingerprint(), own.entry()),
            |salo, store| {
                let vault = salo.load(store)?;
                let key = salo.patient_key(&vault, store, patient)?;
                Ok(vault.grant(&key, own.fingerprint(), &mut OsRng)?)
            },
            |error: &Error| matches!(error, Error::Untrusted(Untrusted::UnknownMember(_))),
        )
    }

    fn roster(&mut self) -> Outcome<()> {
        let (own, true_vault) = (self.thief.descriptor.vault(), self.salo.load(self.store)?.descriptor().vault());
        let roster = renamed(&self.thief.roster, own.as_bytes(), true_vault.as_bytes());
        self.refused(
            "he signs a roster himself, with the true vault's id in it",
            |store| store.put_roster(&roster),
            |salo, store| salo.load(store),
            |error: &Error| matches!(error, Error::Untrusted(Untrusted::RosterSignature)),
        )?;
        self.refused(
            "he puts the old roster back",
            |store| store.write("DELETE FROM roster WHERE version > 1", []),
            |salo, store| salo.load(store),
            |error: &Error| matches!(error, Error::Stale { what: Versioned::Roster, known: 2, met: 1 }),
        )
    }

    fn descriptor(&mut self) -> Outcome<()> {
        let own = self.thief.descriptor.as_bytes();
        self.refused(
            "he puts the descriptor of his own vault in",
            |store| store.write("UPDATE descriptor SET bytes = ?1", [own]),
            |salo, store| salo.load(store),
            |error: &Error| matches!(error, Error::Untrusted(Untrusted::Fingerprint { .. })),
        )
    }
}

fn put_card(store: &Store, patient: &str, bytes: &[u8]) -> Outcome<()> {
    store.write("UPDATE cards SET card = ?2 WHERE patient = ?1", (patient, bytes))
}

fn put_endorsement(store: &Store, patient: &str, bytes: &[u8]) -> Outcome<()> {
    let sql = "UPDATE endorsements SET bytes = ?2 WHERE card_id = (SELECT card_id FROM cards WHERE patient = ?1)";
    store.write(sql, (patient, bytes))
}

fn put_master_grant(store: &Store, patient: &str, bytes: &[u8]) -> Outcome<()> {
    let sql = "UPDATE master_grants SET bytes = ?2 WHERE card_id = (SELECT card_id FROM cards WHERE patient = ?1)";
    store.write(sql, (patient, bytes))
}

/// Cards, and with them grants, and records of two patients, each under the other's name.
fn exchange(store: &Store, one: &str, two: &str) -> Outcome<()> {
    let aside = "a name that no patient has";
    for (from, to) in [(one, aside), (two, one), (aside, two)] {
        store.write("UPDATE cards SET patient = ?2 WHERE patient = ?1", (from, to))?;
        store.write("UPDATE records SET patient = ?2 WHERE patient = ?1", (from, to))?;
    }
    Ok(())
}
