//! Everything that is stored under a patient's id, for an erasure: damaged and planted rows are passed over, and stop
//! nothing.

use std::collections::BTreeSet;

use lukko::{CardId, Holder, KeyFingerprint, PatientId, Vault};

use super::read;
use crate::backend::{Reader, Tx};
use crate::change::Part;
use crate::error::Result;
use crate::rows::{Endorsed, Grant, MasterGrant};
use crate::table::{CARD, ENDORSEMENT, GRANT, PATIENT, RECORD, Row, Value, WITHDRAWN};

/// The rows of one patient, as far as they can be read.
#[derive(Default)]
pub(super) struct Stored {
    /// The card that the patient's row names.
    current: Option<CardId>,
    pub(super) cards: Vec<(CardId, Vec<u8>)>,
    endorsed: Vec<Endorsed>,
    grants: Vec<Grant>,
    master_grants: Vec<MasterGrant>,
    /// Members whose grant was withdrawn. Such a row alone is no sign of a patient, and is not counted.
    withdrawn: Vec<KeyFingerprint>,
    /// The cards of records.
    records: BTreeSet<CardId>,
    /// How many rows there are, readable or not.
    rows: u64,
}

impl Stored {
    /// `held` says whether the patient's row was there before the erasure.
    pub(super) async fn read(tx: &mut impl Tx, prefix: &[Value], held: bool) -> Result<Self> {
        let mut stored = Self::default();
        if held {
            for row in stored.rows(read::all(tx, &PATIENT, prefix.to_vec()).await?) {
                stored.current = Reader::new(&PATIENT, row).skip(3).array().ok().map(CardId::from_bytes);
            }
        }
        for row in stored.rows(read::all(tx, &CARD, prefix.to_vec()).await?) {
            stored.cards.extend(read::card(row).ok());
        }
        for row in stored.rows(read::all(tx, &ENDORSEMENT, prefix.to_vec()).await?) {
            stored.endorsed.extend(read::endorsed(row).ok());
        }
        for row in stored.rows(read::all(tx, &GRANT, prefix.to_vec()).await?) {
            match read::grant(row) {
                Ok(read::AnyGrant::Member(grant)) => stored.grants.push(grant),
                Ok(read::AnyGrant::Master(grant)) => stored.master_grants.push(grant),
                Err(_) => {}
            }
        }
        for row in read::all(tx, &WITHDRAWN, prefix.to_vec()).await? {
            stored.withdrawn.extend(read::withdrawn(row).ok());
        }
        for row in stored.rows(read::all(tx, &RECORD, prefix.to_vec()).await?) {
            stored.records.extend(read::record_row(row).ok().map(|record| record.card));
        }
        Ok(stored)
    }

    fn rows(&mut self, rows: Vec<Row>) -> Vec<Row> {
        self.rows = self.rows.saturating_add(rows.len() as u64);
        rows
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Whether nothing but records is left, as an erasure leaves them that keeps records.
    pub(super) fn has_records_only(&self) -> bool {
        !self.records.is_empty() && self.cards.is_empty() && self.endorsed.is_empty() && self.grants.is_empty()
    }

    /// Every card that a row names, in order of versions as far as there is one.
    pub(super) fn named(&self) -> Vec<CardId> {
        let mut named: Vec<CardId> = self.cards.iter().map(|(card, _)| *card).collect();
        let endorsed = self.endorsed.iter().map(|endorsed| endorsed.card);
        let grants = self.grants.iter().map(|grant| grant.card);
        let masters = self.master_grants.iter().map(|grant| grant.card);
        let rest = self.current.into_iter().chain(endorsed).chain(grants).chain(masters);
        named.extend(rest.chain(self.records.iter().copied()));
        named
    }

    /// The card of a patient who is not erased: one that is not among the closed `cards`, whose bytes are a card of this
    /// patient, and that the patient's row or an endorsement names. Where no stored card is closed, any card counts.
    pub(super) fn living(&self, by: &Vault, patient: PatientId<'_>, closed: &[CardId]) -> Option<CardId> {
        let own = self.own(by, patient);
        let none_is_closed = !own.iter().any(|(card, _)| closed.contains(card));
        let mut open = own.into_iter().map(|(card, _)| card).filter(|card| !closed.contains(card));
        open.find(|card| none_is_closed || self.in_use(*card))
    }

    fn in_use(&self, card: CardId) -> bool {
        self.current == Some(card) || self.endorsed.iter().any(|endorsed| endorsed.card == card)
    }

    /// Cards whose bytes are well formed and of this patient, by the id that the bytes have.
    pub(super) fn own(&self, by: &Vault, patient: PatientId<'_>) -> Vec<(CardId, &[u8])> {
        let own = |bytes: &'_ [u8]| by.card_ids(patient, &[bytes]).ok()?.first().copied();
        self.cards.iter().filter_map(|(_, bytes)| Some((own(bytes)?, bytes.as_slice()))).collect()
    }

    /// Older cards that the patient's closed cards follow and that are not among them. A card that was only
    /// planted, and that neither the patient's row nor an endorsement names, leads to nobody.
    ///
    /// # Errors
    /// As [`Vault::begin_erasure`].
    pub(super) fn older(&self, by: &Vault, patient: PatientId<'_>, closed: &[CardId]) -> Result<BTreeSet<CardId>> {
        let own: Vec<_> = self.own(by, patient).into_iter().filter(|(card, _)| closed.contains(card)).collect();
        let mut chain: Vec<(CardId, &[u8])> = own.iter().filter(|(card, _)| self.in_use(*card)).copied().collect();
        if chain.is_empty() {
            chain.clone_from(&own);
        }
        loop {
            if chain.is_empty() {
                return Ok(BTreeSet::new());
            }
            let bytes: Vec<&[u8]> = chain.iter().map(|(_, bytes)| *bytes).collect();
            let missing = by.begin_erasure(patient, &bytes, [[]; 0])?.missing().to_vec();
            let next: Vec<_> = own.iter().filter(|(card, _)| missing.contains(card)).copied().collect();
            if next.is_empty() {
                return Ok(missing.into_iter().collect());
            }
            chain.extend(next);
        }
    }

    /// To whom grants were given: by the columns of the rows, also of those that were withdrawn, and by the grants' own
    /// bytes.
    pub(super) fn recipients(&self, by: &Vault) -> BTreeSet<Part> {
        let mut parts: BTreeSet<Part> = self.grants.iter().map(|grant| Part::Key(grant.to)).collect();
        parts.extend(self.withdrawn.iter().copied().map(Part::Key));
        parts.extend(self.endorsed.iter().map(|endorsed| Part::Generation(endorsed.generation)));
        parts.extend(self.master_grants.iter().map(|grant| Part::Generation(grant.generation)));
        let members = self.grants.iter().map(|grant| &grant.bytes);
        let masters = self.master_grants.iter().map(|grant| &grant.bytes);
        let grants: Vec<_> = members.chain(masters).chain(self.endorsed.iter().map(|of| &of.master_grant)).collect();
        for card in self.named().into_iter().collect::<BTreeSet<_>>() {
            parts.extend(by.who_can_open(card, &grants).holders.into_iter().filter_map(part));
        }
        parts
    }
}

fn part(holder: Holder) -> Option<Part> {
    match holder {
        Holder::Member { key, .. } | Holder::Unlisted { key } => Some(Part::Key(key)),
        Holder::Quorum { generation, .. } => Some(Part::Generation(generation)),
        _ => None,
    }
}
