//! What somebody with access to the database does to its rows, and what a backup does to all of them.

use lukko::rand_core::{TryCryptoRng, TryRng};
use lukko::{CardId, ClosedReason, OsRng};
use lukko_store::{Change, StoredBody};

use super::place::{Kind, wait};
use super::steps::{PATIENTS, Planted, Row};
use super::world::{EndorsementRow, World, id, note};
use crate::sql::{TABLES, hex};

/// The thief's own generator: the first thing that is drawn is the name of a note.
struct Chosen(Option<String>);

impl TryRng for Chosen {
    type Error = <OsRng as TryRng>::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        OsRng.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        OsRng.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        match self.0.take_if(|_| bytes.len() == 16) {
            Some(name) => bytes.copy_from_slice(&u128::from_str_radix(&name, 16).unwrap().to_be_bytes()),
            None => OsRng.try_fill_bytes(bytes)?,
        }
        Ok(())
    }
}

impl TryCryptoRng for Chosen {}

const ROWS: [&str; 5] = ["patient", "card", "endorsement", "patient_grant", "record"];

impl<K: Kind> World<K> {
    fn run(&self, statement: &str) {
        wait(self.place.sql.run(statement));
    }

    fn of(&self, patient: usize) -> String {
        format!("vault = x'{}' AND patient = x'{}'", hex(self.vault_id().as_bytes()), hex(id(patient).as_bytes()))
    }

    pub(super) fn hide(&mut self, patient: usize, row: Row) {
        let (table, which) = match row {
            Row::Patient => ("patient", String::new()),
            Row::Card(version) => ("card", format!("AND version = {version}")),
            Row::Endorsement(generation) => ("endorsement", format!("AND generation = {generation}")),
            Row::Grant(generation) => ("patient_grant", format!("AND generation = {generation}")),
            Row::Record(record) => ("record", format!("AND record = x'{}'", hex(note(record).0.as_bytes()))),
        };
        let rows = format!("{table} WHERE {} {which}", self.of(patient));
        self.run(&format!(
            "CREATE TABLE IF NOT EXISTS hidden_{table} AS SELECT * FROM {table} WHERE 1 = 0;
             INSERT INTO hidden_{table} SELECT * FROM {rows}; DELETE FROM {rows};"
        ));
        self.distrust(patient);
        if let Row::Record(record) = row {
            self.trust.truth.remove(&(patient, note(record)));
        }
    }

    /// Everything that was hidden comes back, where nothing else is now.
    pub(super) fn show(&mut self) {
        let statement = |table: &&str| {
            format!(
                "CREATE TABLE IF NOT EXISTS hidden_{table} AS SELECT * FROM {table} WHERE 1 = 0;
                 INSERT INTO {table} SELECT * FROM hidden_{table} WHERE true ON CONFLICT DO NOTHING;
                 DROP TABLE hidden_{table};"
            )
        };
        let before: Vec<_> = (0..PATIENTS).map(|patient| (self.stored(patient), self.records(patient))).collect();
        self.run(&ROWS.iter().map(statement).collect::<String>());
        for (patient, before) in before.into_iter().enumerate() {
            if (self.stored(patient), self.records(patient)) != before {
                self.came_back(patient);
            }
        }
    }

    /// Rows are there again that nobody has answered for.
    fn came_back(&mut self, patient: usize) {
        self.distrust(patient);
        self.trust.erased.remove(&patient);
        self.trust.truth.retain(|(owner, _), _| *owner != patient);
        self.trust.paths.retain(|(owner, _), _| *owner != patient);
        let ids = self.stored(patient).cards.into_iter().map(|(card, _)| card);
        self.cards[patient].extend(ids.chain(self.records(patient).into_iter().map(|record| record.card)));
    }

    pub(super) fn plant(&mut self, patient: usize, by: usize, what: Planted) {
        let stored = self.stored(patient);
        let (of, newest) = (self.of(patient), self.generations.len());
        let statement = match what {
            Planted::OlderGrant => format!(
                "INSERT INTO patient_grant SELECT vault, patient, card, {newest}, x'', master_grant FROM endorsement
                 WHERE {of} AND generation < {newest} ON CONFLICT DO NOTHING"
            ),
            Planted::OlderEndorsement => {
                let other = |(generation, card, endorsement, _): &&EndorsementRow| {
                    stored.endorsed(*generation).is_some_and(|of| of.endorsement != *endorsement)
                        && self.cards[patient].contains(&CardId::from_bytes(*card))
                };
                let Some((generation, card, endorsement, grant)) = self.seen[patient].endorsed.iter().find(other)
                else {
                    return;
                };
                format!(
                    "UPDATE endorsement SET card = x'{}', endorsement = x'{}', master_grant = x'{}'
                     WHERE {of} AND generation = {generation}",
                    hex(card),
                    hex(endorsement),
                    hex(grant)
                )
            }
            Planted::OlderCurrent => {
                let Some((card, _)) = stored.cards.first() else { return };
                format!("UPDATE patient SET version = 1, card = x'{}' WHERE {of}", hex(card.as_bytes()))
            }
            Planted::OlderCard => {
                let gone = |card: &&CardId| !self.cards[patient].contains(*card);
                let Some(card) = self.seen[patient].cards.keys().find(gone) else { return };
                let (vault, patient_id) = (hex(self.vault_id().as_bytes()), hex(id(patient).as_bytes()));
                let bytes = hex(&self.seen[patient].cards[card]);
                let card = hex(card.as_bytes());
                if stored.current.is_none() {
                    return;
                }
                format!(
                    "INSERT INTO card (vault, patient, version, card, bytes)
                     VALUES (x'{vault}', x'{patient_id}', 90, x'{card}', x'{bytes}') ON CONFLICT DO NOTHING"
                )
            }
            Planted::DepositInPlace => return self.deposit_in_place(patient, by),
            Planted::Unnamed => return self.announce_named(patient),
        };
        self.run(&statement);
        self.distrust(patient);
        self.trust.planted.insert(patient);
    }

    /// The key of an intake desk was stolen: what it deposits goes where a note was.
    fn deposit_in_place(&mut self, patient: usize, by: usize) {
        let Some((owner, spot)) =
            self.trust.truth.keys().find(|(owner, (_, field))| *owner == patient && *field == "note").cloned()
        else {
            return;
        };
        let mut rng = Chosen(Some(spot.0.clone()));
        let Some((card, forged)) = self.sealed_deposit((patient, by), "note", b"forged", &mut rng) else { return };
        assert_eq!(forged.record, spot.0);
        let place = format!("record = x'{}' AND field = x'{}'", hex(spot.0.as_bytes()), hex(spot.1.as_bytes()));
        self.run(&format!(
            "UPDATE record SET revision = 0, card = x'{}', sealed = x'{}' WHERE {} AND {place}",
            hex(card.as_bytes()),
            hex(&forged.bytes),
            self.of(patient)
        ));
        self.trust.truth.remove(&(owner, spot.clone()));
        self.trust.spoiled.insert((owner, spot));
    }

    /// Announces an object as given up that a record names.
    fn announce_named(&mut self, patient: usize) {
        let object = self.records(patient).into_iter().find_map(|record| match record.body {
            StoredBody::Object { object, .. } => Some(object),
            StoredBody::Sealed(_) => None,
        });
        let Some(object) = object else { return };
        let (vault, object) = (hex(self.vault_id().as_bytes()), hex(object.as_bytes()));
        self.run(&format!(
            "INSERT INTO unnamed_object (vault, object, since) VALUES (x'{vault}', x'{object}', 0) ON CONFLICT DO NOTHING"
        ));
    }

    pub(super) fn save(&mut self) {
        let table = |(table, _): (&str, _)| {
            format!("DROP TABLE IF EXISTS saved_{table}; CREATE TABLE saved_{table} AS SELECT * FROM {table};")
        };
        self.run(&TABLES.map(table).concat());
        self.saved = Some((self.trust.clone(), self.retired.len()));
    }

    /// Puts the copy back. The registrar then publishes what is newer: the generations, their rosters, the members.
    pub(super) fn put_back(&mut self) {
        // What a retired generation had is destroyed in every backup: shares that are gone bring nothing back.
        let Some((trust, retired)) = self.saved.clone() else { return };
        if retired != self.retired.len() {
            return;
        }
        wait(self.place.sql.restore_all());
        self.trust = trust;
        (0..self.generations.len()).for_each(|at| self.store_generation(at).unwrap());
        for at in 0..self.generations.len() {
            let generation = &self.generations[at];
            let (number, version) = (generation.vault.descriptor().generation(), generation.vault.roster().version());
            let roster = generation.rosters.last().unwrap();
            self.apply(&[Change::Roster { generation: number, version, roster }]).unwrap();
        }
        self.store_members();
        self.uploads.clear();
        (0..PATIENTS).for_each(|patient| self.after_put_back(patient));
    }

    fn after_put_back(&mut self, patient: usize) {
        let newest = &self.generations.last().unwrap().vault;
        let erased = |card: &CardId| newest.roster().closed(*card) == Some(ClosedReason::Erased);
        let rows = self.stored(patient);
        if rows.cards.iter().any(|(card, _)| erased(card))
            || (self.trust.erased.contains_key(&patient) && !rows.cards.is_empty())
        {
            // A card that was made after the copy is in no table any more: an erasure can only name what is there.
            self.cards[patient].clear();
            self.came_back(patient);
        } else {
            self.cards[patient] = rows.cards.into_iter().map(|(card, _)| card).collect();
        }
        // Objects that were swept meanwhile are in no copy of the database.
        let records = self.records(patient);
        for record in records {
            let gone = matches!(&record.body, StoredBody::Object { object, .. } if !self.has_object(object));
            if gone {
                let spot = (String::from_utf8(record.record).unwrap(), "scan");
                self.trust.truth.remove(&(patient, spot.clone()));
                self.trust.spoiled.insert((patient, spot));
            }
        }
    }
}
