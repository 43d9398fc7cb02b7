//! The thief has the database file, and can write to it. He has no key.

use std::collections::HashSet;
use std::path::Path;

use lukko::error::{Untrusted, Usage};
use lukko::{
    Enroller, Enrolment, Error, FieldLabel, OsRng, PatientId, PatientKey, RecordContext, RecordId, Revision, Vault,
};

use crate::notes::Notes;
use crate::people::{self, Clinic, FIELD};
use crate::report::{Checks, Outcome, count, fact};
use crate::store::{PatientRow, SCHEMA, Store};

/// Length of the pieces of notes that are searched for, in bytes.
const PIECE: usize = 16;
/// Where the card id stands in a record.
const CARD_ID: std::ops::Range<usize> = 7..39;

/// Searches the raw file for pieces from the middle of every note.
pub(crate) fn search(checks: &mut Checks, file: &[u8], notes: &Notes) {
    // What the database holds in clear anyway is no find: its schema, and the ids as they were given.
    let ids = notes.all.iter().flat_map(|note| [note.patient.as_str(), note.record.as_str()]);
    let public: HashSet<&[u8]> = ids.chain([SCHEMA]).flat_map(|text| text.as_bytes().windows(PIECE)).collect();
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
    let found = |haystack: &[u8]| {
        haystack.windows(PIECE).filter(may_be).filter_map(|window| pieces.get(window)).collect::<HashSet<_>>().len()
    };
    let input: Vec<u8> = notes.all.iter().flat_map(|note| note.text.as_bytes().iter().copied().chain([0])).collect();
    let all = count(pieces.len());
    if pieces.is_empty() {
        fact("the notes are too short to search the file for");
    } else {
        let (control, hits) = (found(&input), found(file));
        let text = format!("the search works: it finds {} of {all} pieces in the text as imported", count(control));
        checks.holds(text, control == pieces.len());
        checks.holds(format!("in the database file it finds {} of {all}", count(hits)), hits == 0);
    }
    let ids = notes.all.iter().filter(|note| contains(file, note.patient.as_bytes())).take(1).count();
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
    pub(crate) copy: Store,
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
fn own_patient(patient: &str, path: &Path) -> Outcome<(Vault, Clinic, Enrolment)> {
    let store = Store::create(path)?;
    let thief = people::found(&store)?;
    let vault = people::load(&store, thief.pin.clone())?;
    let enrolled = vault.enrol(Enroller::Member(&thief.salo), PatientId::new(patient)?, &mut OsRng)?;
    Ok((vault, thief, enrolled))
}

impl Thief<'_> {
    /// Everything that he tries; each must be refused, and nothing but the reason is learned.
    pub(crate) fn tries_everything(&self, checks: &mut Checks) -> Outcome<()> {
        let (own_vault, own_people, own) = own_patient(self.patient, Path::new(":memory:"))?;
        self.opens_with_his_own_keys(checks, &own_vault, &own_people, &own)?;
        self.changes_records(checks)?;
        self.forges_a_record(checks, &own_vault, &own)?;
        self.substitutes_a_card(checks, &own)?;
        self.shows_another_patient(checks)?;
        self.puts_an_old_roster_back(checks)
    }

    /// What the therapist's client says about a record in the copy.
    fn read(&self, record: &str) -> Outcome<Vec<u8>> {
        people::read(&self.copy, self.vault, self.key, self.patient, record)
    }

    fn opens_with_his_own_keys(
        &self,
        checks: &mut Checks,
        vault: &Vault,
        people: &Clinic,
        own: &Enrolment,
    ) -> Outcome<()> {
        let mut sealed = self.copy.record(self.patient, self.records[0], FIELD)?;
        sealed[CARD_ID].copy_from_slice(own.card_id.as_bytes());
        let opened = vault.open(&own.key, RecordId::new(self.records[0])?, FieldLabel::new(FIELD)?, &sealed);
        checks.refused("opens a record with a key of his own", opened.map_err(Into::into), not_authentic);

        let card = people::card(self.vault, self.patient, &people::row(&self.copy, self.vault, self.patient)?)?;
        let grant = self.copy.grant(self.patient, self.clinic.salo.fingerprint())?.ok_or("no grant")?;
        let mut readdressed = grant;
        readdressed[71..103].copy_from_slice(people.salo.fingerprint().as_bytes());
        let opened = self.vault.open_grant(&card, &people.salo, &readdressed);
        let reason = |error: &Error| matches!(error, Error::Usage(Usage::WrongVault));
        checks.refused("addresses the therapist's grant to a key of his own", opened.map_err(Into::into), reason);
        Ok(())
    }

    fn changes_records(&self, checks: &mut Checks) -> Outcome<()> {
        let [first, second] = self.records;
        let original = self.copy.record(self.patient, first, FIELD)?;
        let mut flipped = original.clone();
        *flipped.last_mut().ok_or("an empty record")? ^= 1;
        self.copy.put_record(self.patient, first, FIELD, &flipped)?;
        checks.refused("flips one bit of a record", self.read(first), not_authentic);
        self.copy.put_record(self.patient, first, FIELD, &original)?;

        if first != second {
            self.swap(first, second)?;
            checks.refused("swaps two records of one patient", self.read(first), not_authentic);
            checks.refused("  the other one of the two", self.read(second), not_authentic);
            self.swap(first, second)?;
        }
        if let Some((patient, record)) = self.elsewhere {
            let moved = self.copy.record(patient, record, FIELD)?;
            self.copy.put_record(self.patient, first, FIELD, &moved)?;
            let reason = |error: &Error| matches!(error, Error::Usage(Usage::WrongCard { .. }));
            checks.refused("moves another patient's record here", self.read(first), reason);
            let mut relabelled = moved;
            relabelled[CARD_ID].copy_from_slice(self.key.card().as_bytes());
            self.copy.put_record(self.patient, first, FIELD, &relabelled)?;
            checks.refused("  and writes this patient's card id into it", self.read(first), not_authentic);
        }
        self.copy.put_record(self.patient, first, FIELD, &original)?;
        checks.holds("the record put back as it was opens again", self.read(first).is_ok());
        Ok(())
    }

    /// Exchanges two records over a detour, because their ids are a primary key.
    fn swap(&self, first: &str, second: &str) -> Outcome<()> {
        let rename = "UPDATE record SET record = ?3 WHERE patient = ?1 AND record = ?2";
        let detour = "\u{1}detour";
        for (from, to) in [(first, detour), (second, first), (detour, second)] {
            self.copy.0.execute(rename, [self.patient, from, to])?;
        }
        Ok(())
    }

    fn forges_a_record(&self, checks: &mut Checks, vault: &Vault, own: &Enrolment) -> Outcome<()> {
        let record = self.records[0];
        let original = self.copy.record(self.patient, record, FIELD)?;
        let context = RecordContext::new(RecordId::new(record)?, FieldLabel::new(FIELD)?, Revision::FIRST);
        let mut forged = vault.seal(&own.key, &context, b"I never said this.", &mut OsRng)?;
        self.copy.put_record(self.patient, record, FIELD, &forged)?;
        let reason = |error: &Error| matches!(error, Error::Usage(Usage::WrongCard { .. }));
        checks.refused("puts a record of his own in its place", self.read(record), reason);
        forged[CARD_ID].copy_from_slice(self.key.card().as_bytes());
        self.copy.put_record(self.patient, record, FIELD, &forged)?;
        checks.refused("  and writes the patient's card id into it", self.read(record), not_authentic);
        self.copy.put_record(self.patient, record, FIELD, &original)
    }

    fn substitutes_a_card(&self, checks: &mut Checks, own: &Enrolment) -> Outcome<()> {
        let true_row = people::row(&self.copy, self.vault, self.patient)?;
        let mut row = PatientRow::from(own);
        let attempt = people::card(self.vault, self.patient, &row);
        let reason = |error: &Error| matches!(error, Error::Usage(Usage::WrongVault));
        checks.refused("substitutes the patient's card by one of his own vault", attempt, reason);
        // He makes it look like this vault's: its id into the card, and the true endorsement beside it.
        row.card[6..38].copy_from_slice(self.vault.descriptor().vault().as_bytes());
        row.endorsed.clone_from(&true_row.endorsed);
        let attempt = people::card(self.vault, self.patient, &row);
        let reason = |error: &Error| matches!(error, Error::Untrusted(Untrusted::EndorsedCard { .. }));
        checks.refused("  and writes this vault's id into it", attempt, reason);
        let mut garbage = true_row;
        garbage.endorsed.master_grant.fill(0);
        let attempt = people::card(self.vault, self.patient, &garbage);
        let reason = |error: &Error| matches!(error, Error::Untrusted(Untrusted::MasterGrant(_)));
        checks.refused("replaces the grant that break-glass needs by zeros", attempt, reason);
        Ok(())
    }

    /// Everything that he shows is genuine, and stands under another patient's name.
    fn shows_another_patient(&self, checks: &mut Checks) -> Outcome<()> {
        let Some((other, _)) = self.elsewhere else { return Ok(()) };
        let attempt = people::card(self.vault, self.patient, &people::row(&self.copy, self.vault, other)?);
        let reason = |error: &Error| matches!(error, Error::Usage(Usage::WrongPatient));
        checks.refused("shows another patient's whole file under this one's name", attempt, reason);
        Ok(())
    }

    fn puts_an_old_roster_back(&self, checks: &mut Checks) -> Outcome<()> {
        let generation = self.vault.descriptor().generation();
        let (_, roster) = self.copy.vault(generation)?;
        self.copy.put_roster(generation, &self.clinic.first_roster)?;
        let attempt = people::load(&self.copy, self.clinic.pin.clone());
        checks.refused("puts an old roster back", attempt, |error: &Error| matches!(error, Error::Stale { .. }));
        self.copy.put_roster(generation, &roster)
    }
}

fn not_authentic(error: &Error) -> bool {
    *error == Error::NotAuthentic
}
