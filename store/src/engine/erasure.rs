//! Erasure: whatever is stored under the patient's id goes, by what the tables hold and not by a row that stands for it.

use std::collections::BTreeSet;

use lukko::{CardId, ClosedReason, PatientId, VaultId, VerifiedRoster};

use super::stored::Stored;
use super::{bytes, custody, jobs, read, receipt, records, vault_key};
use crate::backend::{Reader, Tx};
use crate::change::{Erase, Outcome, Part, Records};
use crate::error::{Result, Usage};
use crate::table::{CARD, ENDORSEMENT, GRANT, PATIENT, PIECE, RECORD, Row, Table, Value, WITHDRAWN};

/// Cards that are read at once.
const PAGE: u32 = 500;

/// Where a card's id stands in the rows of a table.
const CARD_COLUMNS: [(&Table, usize); 4] = [(&CARD, 3), (&ENDORSEMENT, 3), (&GRANT, 2), (&RECORD, 5)];

/// Everything in one transaction: there is no moment at which a patient is half erased.
pub(super) async fn erase(tx: &mut impl Tx, vault: VaultId, erase: &Erase<'_>) -> Result<()> {
    let Erase { patient, vault: by, records, claim, .. } = *erase;
    if by.descriptor().vault() != vault {
        return Err(lukko::Error::from(lukko::error::Usage::WrongVault).into());
    }
    let prefix = vec![vault_key(vault), bytes(patient.as_bytes())];
    let held = hold(tx, vault, patient).await?;
    if let Some(claim) = claim {
        jobs::done(tx, vault, claim, Outcome::Done).await?;
    }
    let stored = Stored::read(tx, &prefix, held).await?;
    let cards = Cards::find(tx, erase, &stored).await?;
    require_closed(tx, vault, &cards).await?;
    let known = known(tx, vault, &cards, &stored).await?;
    let deleted = match stored.living(by, patient, &cards.own) {
        None => delete_all(tx, vault, &prefix, records).await?,
        // Enrolled anew under the same id: another patient, who stays. What is left of the erased one goes.
        Some(_) if known.is_some_and(|known| cards.own.contains(&known)) => {
            delete_cards(tx, vault, &prefix, &cards.own, records).await?
        }
        Some(living) => return Err(lukko::Error::from(lukko::error::Usage::ErasurePending(living)).into()),
    };
    if !held {
        tx.delete(&PATIENT, prefix).await?;
    }
    match known.or_else(|| cards.all().next()) {
        Some(erasure) => note(tx, vault, erase, (&cards, &stored), erasure, deleted > 0).await,
        // There was nothing, and nothing is said of it.
        None if stored.is_empty() => Ok(()),
        None => Err(Usage::NoCard.into()),
    }
}

/// Holds the patient's row until the end, and says whether it was there. Where it is missing one is made, which the
/// erasure deletes: so nobody enrols the same id meanwhile.
async fn hold(tx: &mut impl Tx, vault: VaultId, patient: PatientId<'_>) -> Result<bool> {
    let row = vec![vault_key(vault), bytes(patient.as_bytes()), Value::Int(1), bytes(&[0; 32])];
    if tx.insert(&PATIENT, row).await? {
        return Ok(false);
    }
    tx.get(&PATIENT, vec![vault_key(vault), bytes(patient.as_bytes())]).await.map(|row| row.is_some())
}

/// The cards of the erased patient, every one closed as erased by the verified roster.
struct Cards {
    /// Those that the caller names, those whose bytes are of the patient, and the older cards that these follow.
    own: Vec<CardId>,
    /// Those that only a column names, and that no other patient has.
    others: Vec<CardId>,
}

impl Cards {
    /// # Errors
    /// The core's `ErasurePending` or `CardMissing` for a card that is not closed.
    async fn find(tx: &mut impl Tx, erase: &Erase<'_>, stored: &Stored) -> Result<Self> {
        let Erase { patient, vault: by, cards, .. } = *erase;
        let is_erased = |card: &CardId| by.roster().closed(*card) == Some(ClosedReason::Erased);
        let pending = |card| lukko::Error::from(lukko::error::Usage::ErasurePending(card));
        if let Some(open) = cards.iter().find(|card| !is_erased(card)) {
            return Err(pending(*open).into());
        }
        let mut own = cards.to_vec();
        let stored_own: BTreeSet<CardId> = stored.own(by, patient).into_iter().map(|(card, _)| card).collect();
        own.extend(stored_own.iter().copied().filter(is_erased));
        let older = stored.older(by, patient, &own)?;
        let mut unseen = older.clone();
        unseen.extend(stored.named().into_iter().filter(is_erased));
        unseen.retain(|card| !own.contains(card) && !stored_own.contains(card));
        let elsewhere = elsewhere(tx, erase, &unseen).await?;
        for older in older.difference(&elsewhere).copied() {
            match is_erased(&older) {
                true => own.push(older),
                false if stored_own.contains(&older) => return Err(pending(older).into()),
                false => return Err(lukko::Error::from(lukko::error::Usage::CardMissing(older)).into()),
            }
        }
        let mut met = BTreeSet::new();
        own.retain(|card| met.insert(*card));
        let mut others = stored.named();
        others.retain(|card| is_erased(card) && !elsewhere.contains(card) && met.insert(*card));
        Ok(Self { own, others })
    }

    fn all(&self) -> impl Iterator<Item = CardId> {
        self.own.iter().chain(&self.others).copied()
    }
}

/// Which of these cards are another patient's. Only rows that somebody has planted name such a card; what a card's own bytes
/// say decides, and nobody can make a second card of the same id. It reads the cards of the whole vault, unless there is
/// nothing to look for.
async fn elsewhere(tx: &mut impl Tx, erase: &Erase<'_>, wanted: &BTreeSet<CardId>) -> Result<BTreeSet<CardId>> {
    let (mut found, mut after) = (BTreeSet::new(), Vec::new());
    if wanted.is_empty() {
        return Ok(found);
    }
    let prefix = vec![vault_key(erase.vault.descriptor().vault())];
    loop {
        let page = tx.page(&CARD, prefix.clone(), after, PAGE).await?;
        after = page.last().map(|row| read::rest_of_key(&CARD, row, prefix.len())).unwrap_or_default();
        for row in page {
            found.extend(card_of_another(erase, row).filter(|card| wanted.contains(card)));
        }
        if after.is_empty() {
            return Ok(found);
        }
    }
}

/// The id of the card in a row of another patient; none if it is none of that patient's.
fn card_of_another(erase: &Erase<'_>, row: Row) -> Option<CardId> {
    let mut row = Reader::new(&CARD, row).skip(1);
    let owner = row.bytes().ok()?;
    let (owner, bytes) = (PatientId::new(&owner).ok()?, row.skip(2).bytes().ok()?);
    if owner.as_bytes() == erase.patient.as_bytes() {
        return None;
    }
    erase.vault.card_ids(owner, &[&bytes]).ok()?.first().copied()
}

/// Refuses while the stored roster of a generation that is in use leaves one of the cards open: a client of that
/// generation would read the patient from a backup. The rosters were verified by nobody here: that is what the caller's
/// vault is for.
async fn require_closed(tx: &mut impl Tx, vault: VaultId, cards: &Cards) -> Result<()> {
    for generation in read::generations(tx, vault).await?.into_iter().filter(|generation| !generation.retired) {
        let closed = VerifiedRoster::claimed_closed(&generation.roster)?;
        let erased = |card: CardId| {
            let met = closed.binary_search_by_key(&card, |(card, _)| *card).ok().and_then(|at| closed.get(at));
            met.is_some_and(|(_, reason)| *reason == ClosedReason::Erased)
        };
        if !cards.all().all(erased) {
            return Err(Usage::ErasureBeforeRoster.into());
        }
    }
    Ok(())
}

/// The name of the receipt that this patient's erasure has already.
async fn known(tx: &mut impl Tx, vault: VaultId, cards: &Cards, stored: &Stored) -> Result<Option<CardId>> {
    let candidates = if cards.own.is_empty() { &cards.others } else { &cards.own };
    for card in candidates {
        if receipt::is_there(tx, vault, *card).await? {
            return Ok(Some(*card));
        }
    }
    // Records that an earlier erasure kept may be under another card than the one that names it.
    if stored.has_records_only() { receipt::of_card(tx, vault, candidates).await } else { Ok(None) }
}

/// Deletes every row of the patient. Gives their number.
async fn delete_all(tx: &mut impl Tx, vault: VaultId, prefix: &[Value], records: Records) -> Result<u64> {
    let mut deleted = 0_u64;
    for table in [&ENDORSEMENT, &GRANT, &WITHDRAWN, &CARD] {
        deleted = deleted.saturating_add(tx.delete(table, prefix.to_vec()).await?);
    }
    tx.delete(&PATIENT, prefix.to_vec()).await?;
    tx.delete(&PIECE, prefix.to_vec()).await?;
    if records == Records::Keep {
        return Ok(deleted);
    }
    for row in read::all(tx, &RECORD, prefix.to_vec()).await? {
        give_up(tx, vault, row).await?;
    }
    Ok(deleted.saturating_add(tx.delete(&RECORD, prefix.to_vec()).await?))
}

/// Deletes the rows of these cards, and leaves those of others, and the list of withdrawn keys, which names no cards. Gives their number.
async fn delete_cards(
    tx: &mut impl Tx,
    vault: VaultId,
    prefix: &[Value],
    cards: &[CardId],
    records: Records,
) -> Result<u64> {
    let mut deleted = 0_u64;
    for (table, column) in CARD_COLUMNS {
        if table == &RECORD && records == Records::Keep {
            continue;
        }
        for row in read::all(tx, table, prefix.to_vec()).await? {
            let of_one = |card: &CardId| row.get(column) == Some(&bytes(card.as_bytes()));
            if cards.iter().any(of_one) {
                let key = row.iter().take(table.key).cloned().collect();
                if table == &RECORD {
                    give_up(tx, vault, row).await?;
                }
                deleted = deleted.saturating_add(tx.delete(table, key).await?);
            }
        }
    }
    Ok(deleted)
}

/// A row that is damaged names no object, and is deleted all the same.
async fn give_up(tx: &mut impl Tx, vault: VaultId, row: Vec<Value>) -> Result<()> {
    match read::record_row(row) {
        Ok(record) => records::give_up(tx, vault, &record.body).await,
        Err(_) => Ok(()),
    }
}

/// The receipt: cards, generations and keys from every row that was stored, also of grants that were
/// withdrawn, and from what the grants themselves say.
async fn note(
    tx: &mut impl Tx,
    vault: VaultId,
    erase: &Erase<'_>,
    (cards, stored): (&Cards, &Stored),
    erasure: CardId,
    deleted: bool,
) -> Result<()> {
    let mut parts: BTreeSet<Part> = cards.all().map(Part::Card).collect();
    parts.extend(erase.keys.iter().map(|key| Part::Key(*key)));
    parts.extend(stored.recipients(erase.vault));
    if deleted || !receipt::is_there(tx, vault, erasure).await? {
        let newest = custody::newest(tx, vault).await?.generation;
        parts.extend((1..=newest).map(Part::Generation));
    }
    let (roster_version, at) = (erase.vault.roster().version(), erase.at);
    receipt::note(tx, vault, &receipt::New { erasure, roster_version, at, parts, deleted }).await
}
