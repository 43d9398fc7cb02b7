//! The thief has the database's files, and writes to them with plain SQL. He has no key.

use std::collections::HashSet;

use lukko::error::{Untrusted, Usage};
use lukko::{
    Card, Enroller, Enrolment, Error, FieldLabel, OsRng, PatientId, PatientKey, Place, RecordContext, RecordId,
    Revision, Vault,
};

use lukko_store::{MemoryStore, Patient, Store};

use crate::database::Copy;
use crate::notes::Notes;
use crate::people::{self, Clinic, FIELD};
use crate::report::{Checks, Outcome, count, fact};

/// Length of the pieces of notes that are searched for, in bytes.
const PIECE: usize = 16;
/// Where the card id stands in a record.
const CARD_ID: std::ops::Range<usize> = 7..39;

/// Searches the raw files for pieces from the middle of every note.
pub(crate) fn search(checks: &mut Checks, files: &[Vec<u8>], notes: &Notes, schema: &str) {
    // What the database holds in clear anyway is no find: its schema, and the ids as they were given.
    let ids = notes.all.iter().flat_map(|note| [note.patient.as_str(), note.record.as_str()]);
    let public: HashSet<&[u8]> = ids.chain([schema]).flat_map(|text| text.as_bytes().windows(PIECE)).collect();
    let telling = |piece: &&[u8]| piece.iter().collect::<HashSet<_>>().len() >= 6 && !public.contains(piece);
    let pieces: HashSet<&[u8]> = notes
        .all
        .iter()
        .filter_map(|note| note.text.as_bytes().get(note.text.len() / 2..).and_then(|half| half.get(..PIECE)))
        .filter(telling)
        .collect();
    // How a piece begins rules out most places before the slower look-up.
    let begins: HashSet<[u8; 2]> = pieces.iter().map(|piece| [piece[0], piece[1]]).collect();
    let table: Vec<bool> = (0..=u16::MAX).map(|pair| begins.contains(&pair.to_be_bytes())).collect();
    let may_be = |window: &&[u8]| table[usize::from(u16::from_be_bytes([window[0], window[1]]))];
    let found = |haystacks: &[Vec<u8>]| {
        let windows = haystacks.iter().flat_map(|haystack| haystack.windows(PIECE)).filter(may_be);
        windows.filter_map(|window| pieces.get(window)).collect::<HashSet<_>>().len()
    };
    let input: Vec<u8> = notes.all.iter().flat_map(|note| note.text.as_bytes().iter().copied().chain([0])).collect();
    let all = count(pieces.len());
    if pieces.is_empty() {
        fact("the notes are too short to search the files for");
    } else {
        let (control, hits) = (found(&[input]), found(files));
        let text =
            format!("the search works: it finds {} of {all} pieces in the text that was imported", count(control));
        checks.holds(text, control == pieces.len());
        checks.holds(format!("in the database's files it finds {} of {all}", count(hits)), hits == 0);
    }
    let ids = notes
        .all
        .iter()
        .filter(|note| files.iter().any(|file| contains(file, note.patient.as_bytes())))
        .take(1)
        .count();
    fact(format!("what he does see: patient ids as given ({}), numbers and padded sizes of notes", yes(ids > 0)));
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

const fn yes(found: bool) -> &'static str {
    if found { "found" } else { "not found" }
}

/// What he works with: a copy of the database, the places of some records, and a vault that he made himself.
pub(crate) struct Thief<'a> {
    pub(crate) copy: Copy,
    pub(crate) clinic: &'a Clinic,
    /// The therapist's client, whose answers decide.
    pub(crate) vault: &'a Vault,
    pub(crate) key: &'a PatientKey,
    /// A patient that the key is for, and two of the patient's records (the same one twice if there is only one).
    pub(crate) patient: &'a str,
    pub(crate) records: [&'a str; 2],
    /// A record of another patient, if there is one.
    pub(crate) elsewhere: Option<(&'a str, &'a str)>,
}

/// A patient of the same name in a vault of the thief's own.
async fn own_patient(patient: &str) -> Outcome<(Vault, Clinic, Enrolment)> {
    let store = MemoryStore::new();
    let thief = people::found(&store).await?;
    let vault = people::load(&store, &thief).await?;
    let enrolled = vault.enrol(Enroller::Member(&thief.salo), PatientId::new(patient)?, &mut OsRng)?;
    Ok((vault, thief, enrolled))
}

impl Thief<'_> {
    /// Everything that he tries; each must be refused, and nothing but the reason is learned.
    pub(crate) async fn tries_everything(&mut self, checks: &mut Checks) -> Outcome<()> {
        let (own_vault, own_people, own) = own_patient(self.patient).await?;
        self.opens_with_his_own_keys(checks, &own_vault, &own_people, &own).await?;
        self.changes_records(checks).await?;
        self.forges_a_record(checks, &own_vault, &own).await?;
        self.substitutes_a_card(checks, &own).await?;
        self.shows_another_patient(checks).await?;
        self.puts_an_old_roster_back(checks).await
    }

    /// What the therapist's client says about a record in the copy.
    async fn read(&self, record: &str) -> Outcome<Vec<u8>> {
        people::read(&self.copy.store, self.vault, self.key, self.patient, record).await
    }

    /// What the therapist's client says about the patient in the copy.
    async fn card(&self) -> Outcome<Card> {
        people::card(self.vault, self.patient, &self.stored(self.patient).await?)
    }

    async fn stored(&self, patient: &str) -> Outcome<Patient> {
        people::stored(&self.copy.store, self.vault, patient).await
    }

    async fn record(&self, patient: &str, record: &str) -> Outcome<Vec<u8>> {
        people::record(&self.copy.store, self.vault, patient, record).await
    }

    async fn opens_with_his_own_keys(
        &self,
        checks: &mut Checks,
        vault: &Vault,
        people: &Clinic,
        own: &Enrolment,
    ) -> Outcome<()> {
        let mut sealed = self.record(self.patient, self.records[0]).await?;
        sealed[CARD_ID].copy_from_slice(own.card_id.as_bytes());
        let opened =
            vault.open(&own.key, Place::new(RecordId::new(self.records[0])?, FieldLabel::new(FIELD)?), &sealed);
        checks.refused("opens a record with a key of his own", opened.map_err(Into::into), not_authentic);

        let (card, stored) = (self.card().await?, self.stored(self.patient).await?);
        let grant = stored.grant(card.id(), self.clinic.salo.fingerprint()).ok_or("no grant")?;
        let mut readdressed = grant.to_vec();
        readdressed[71..103].copy_from_slice(people.salo.fingerprint().as_bytes());
        let opened = self.vault.open_grant(&card, &people.salo, &readdressed);
        let reason = |error: &Error| matches!(error, Error::Usage(Usage::WrongVault));
        checks.refused("addresses the therapist's grant to a key of his own", opened.map_err(Into::into), reason);
        Ok(())
    }

    /// Writes a record of the patient.
    async fn plant(&mut self, record: &str, sealed: &[u8]) -> Outcome<()> {
        let statement = "UPDATE record SET sealed = ?3 WHERE patient = ?1 AND record = ?2";
        self.copy.sql.change(statement, &[self.patient.as_bytes(), record.as_bytes(), sealed]).await
    }

    async fn changes_records(&mut self, checks: &mut Checks) -> Outcome<()> {
        let [first, second] = self.records;
        let original = self.record(self.patient, first).await?;
        let mut flipped = original.clone();
        *flipped.last_mut().ok_or("an empty record")? ^= 1;
        self.plant(first, &flipped).await?;
        checks.refused("flips one bit of a record", self.read(first).await, not_authentic);
        self.plant(first, &original).await?;

        if first != second {
            self.swap(first, second).await?;
            checks.refused("swaps two records of one patient", self.read(first).await, not_authentic);
            checks.refused("  the other one of the two", self.read(second).await, not_authentic);
            self.swap(first, second).await?;
        }
        if let Some((patient, record)) = self.elsewhere {
            let moved = self.record(patient, record).await?;
            self.plant(first, &moved).await?;
            let reason = |error: &Error| matches!(error, Error::Usage(Usage::WrongCard { .. }));
            checks.refused("moves another patient's record here", self.read(first).await, reason);
            let mut relabelled = moved;
            relabelled[CARD_ID].copy_from_slice(self.key.card().as_bytes());
            self.plant(first, &relabelled).await?;
            checks.refused("  and writes this patient's card id into it", self.read(first).await, not_authentic);
        }
        self.plant(first, &original).await?;
        checks.holds("the record put back as it was opens again", self.read(first).await.is_ok());
        Ok(())
    }

    /// Exchanges two records over a detour, because their ids are a part of the primary key.
    async fn swap(&mut self, first: &str, second: &str) -> Outcome<()> {
        let rename = "UPDATE record SET record = ?3 WHERE patient = ?1 AND record = ?2";
        let detour = "\u{1}detour";
        for (from, to) in [(first, detour), (second, first), (detour, second)] {
            self.copy.sql.change(rename, &[self.patient.as_bytes(), from.as_bytes(), to.as_bytes()]).await?;
        }
        Ok(())
    }

    async fn forges_a_record(&mut self, checks: &mut Checks, vault: &Vault, own: &Enrolment) -> Outcome<()> {
        let record = self.records[0];
        let original = self.record(self.patient, record).await?;
        let context = RecordContext::new(Place::new(RecordId::new(record)?, FieldLabel::new(FIELD)?), Revision::FIRST);
        let mut forged = vault.seal(&own.key, &context, b"I never said this.", &mut OsRng)?;
        self.plant(record, &forged).await?;
        let reason = |error: &Error| matches!(error, Error::Usage(Usage::WrongCard { .. }));
        checks.refused("puts a record of his own in its place", self.read(record).await, reason);
        forged[CARD_ID].copy_from_slice(self.key.card().as_bytes());
        self.plant(record, &forged).await?;
        checks.refused("  and writes the patient's card id into it", self.read(record).await, not_authentic);
        self.plant(record, &original).await
    }

    /// Writes what the patient's key is verified by: the card, its endorsement, and the master grant.
    async fn plant_card(&mut self, [card, endorsement, master_grant]: [&[u8]; 3]) -> Outcome<()> {
        let patient = self.patient.as_bytes();
        self.copy.sql.change("UPDATE card SET bytes = ?2 WHERE patient = ?1", &[patient, card]).await?;
        let statement = "UPDATE endorsement SET endorsement = ?2, master_grant = ?3 WHERE patient = ?1";
        self.copy.sql.change(statement, &[patient, endorsement, master_grant]).await
    }

    async fn substitutes_a_card(&mut self, checks: &mut Checks, own: &Enrolment) -> Outcome<()> {
        let stored = self.stored(self.patient).await?;
        let ([(_, card)], [endorsed]) = (&stored.cards[..], &stored.endorsed[..]) else {
            return Err("the patient has not one card".into());
        };
        self.plant_card([&own.card, &own.endorsement, &own.master_grant]).await?;
        let reason = |error: &Error| matches!(error, Error::Usage(Usage::WrongVault));
        checks.refused("substitutes the patient's card by one of his own vault", self.card().await, reason);
        // He makes it look like this vault's: its id into the card, and the true endorsement beside it.
        let mut relabelled = own.card.clone();
        relabelled[6..38].copy_from_slice(self.vault.descriptor().vault().as_bytes());
        self.plant_card([&relabelled, &endorsed.endorsement, &endorsed.master_grant]).await?;
        let reason = |error: &Error| matches!(error, Error::Untrusted(Untrusted::EndorsedCard { .. }));
        checks.refused("  and writes this vault's id into it", self.card().await, reason);
        let zeros = vec![0; endorsed.master_grant.len()];
        self.plant_card([card, &endorsed.endorsement, &zeros]).await?;
        let reason = |error: &Error| matches!(error, Error::Untrusted(Untrusted::MasterGrant(_)));
        checks.refused("replaces the grant that break-glass needs by zeros", self.card().await, reason);
        self.plant_card([card, &endorsed.endorsement, &endorsed.master_grant]).await?;
        checks.holds("the card put back as it was is good again", self.card().await.is_ok());
        Ok(())
    }

    /// Everything that he shows is genuine, and stands under another patient's name.
    async fn shows_another_patient(&self, checks: &mut Checks) -> Outcome<()> {
        let Some((other, _)) = self.elsewhere else { return Ok(()) };
        let attempt = people::card(self.vault, self.patient, &self.stored(other).await?);
        let reason = |error: &Error| matches!(error, Error::Usage(Usage::WrongPatient));
        checks.refused("shows another patient's whole file under this one's name", attempt, reason);
        Ok(())
    }

    async fn puts_an_old_roster_back(&mut self, checks: &mut Checks) -> Outcome<()> {
        let mut stored = self.copy.store.generations(self.clinic.vault).await?;
        let newest = stored.pop().ok_or("the generation is not in the database")?;
        let statement = "UPDATE generation SET roster = ?2 WHERE descriptor = ?1";
        self.copy.sql.change(statement, &[&newest.descriptor, &self.clinic.first_roster]).await?;
        let attempt = people::load(&self.copy.store, self.clinic).await;
        checks.refused("puts an old roster back", attempt, |error: &Error| matches!(error, Error::Stale { .. }));
        self.copy.sql.change(statement, &[&newest.descriptor, &newest.roster]).await
    }
}

fn not_authentic(error: &Error) -> bool {
    *error == Error::NotAuthentic
}
