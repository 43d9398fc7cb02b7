//! Cards, endorsements and grants.

use lukko::{CardId, KeyFingerprint, PatientId, VaultId};

use super::{bytes, custody, read, receipt, vault_key, way};
use crate::backend::{Reader, Tx};
use crate::error::{Conflict, Missing, Result, Usage};
use crate::placed::{CardRow, EndorsementRow};
use crate::table::{CARD, ENDORSEMENT, GRANT, PATIENT, Row, Value, WITHDRAWN};

/// The version and id of the patient's card. The row is held until the end of the change, and with it every other change
/// of this patient waits: a record is never written under a card that is just being replaced.
pub(super) async fn current(tx: &mut impl Tx, vault: VaultId, patient: PatientId<'_>) -> Result<Option<(u32, CardId)>> {
    let row = tx.get(&PATIENT, vec![vault_key(vault), bytes(patient.as_bytes())]).await?;
    row.map(|row| {
        let mut row = Reader::new(&PATIENT, row).skip(PATIENT.key);
        Ok((row.u32()?, CardId::from_bytes(row.array()?)))
    })
    .transpose()
}

/// Refuses a card that is not the patient's current one.
pub(super) async fn require_current(
    tx: &mut impl Tx,
    vault: VaultId,
    patient: PatientId<'_>,
    card: CardId,
) -> Result<()> {
    let (_, current) = current(tx, vault, patient).await?.ok_or(Missing::Patient)?;
    if current == card { Ok(()) } else { Err(Conflict::Card.into()) }
}

pub(super) async fn card(tx: &mut impl Tx, vault: VaultId, new: &CardRow<'_>) -> Result<()> {
    let CardRow { patient, card, bytes: card_bytes, previous } = *new;
    let row = |version: u32| {
        vec![vault_key(vault), bytes(patient.as_bytes()), Value::Int(version.into()), bytes(card.as_bytes())]
    };
    let whole = |version: u32| row(version).into_iter().chain([bytes(card_bytes)]).collect::<Row>();
    // A new patient's row is made first: whoever else makes it waits here.
    if previous.is_none() && tx.insert(&PATIENT, row(1)).await? {
        // An enrolment that is sent again, after its patient was erased, would bring the wrapped keys back.
        if receipt::is_there(tx, vault, card).await? {
            return Err(lukko::Error::from(lukko::error::Untrusted::CardErased(card)).into());
        }
        return insert_card(tx, whole(1)).await;
    }
    let (version, current) = current(tx, vault, patient).await?.ok_or(Missing::Patient)?;
    if current == card {
        return insert_card(tx, whole(version)).await;
    }
    if previous != Some(current) {
        return Err(Conflict::Card.into());
    }
    let next = version.checked_add(1).ok_or(Usage::TooLarge)?;
    tx.update(&PATIENT, row(next)).await?;
    insert_card(tx, whole(next)).await
}

async fn insert_card(tx: &mut impl Tx, row: Row) -> Result<()> {
    if tx.insert(&CARD, row.clone()).await? {
        return Ok(());
    }
    let key = row.iter().take(CARD.key).cloned().collect();
    if tx.get(&CARD, key).await?.as_ref() == Some(&row) { Ok(()) } else { Err(Conflict::Card.into()) }
}

pub(super) async fn endorse(tx: &mut impl Tx, vault: VaultId, new: &EndorsementRow<'_>) -> Result<()> {
    let EndorsementRow { patient, card, generation, endorsement, master_grant, replaces } = *new;
    custody::require(tx, vault, generation).await?;
    require_current(tx, vault, patient, card).await?;
    let key = vec![vault_key(vault), bytes(patient.as_bytes()), Value::Int(generation.into())];
    let rest = [bytes(card.as_bytes()), bytes(endorsement), bytes(master_grant)];
    let row: Row = key.iter().cloned().chain(rest).collect();
    if replaces.is_none() && tx.insert(&ENDORSEMENT, row.clone()).await? {
        return Ok(());
    }
    let stored = tx.get(&ENDORSEMENT, key).await?.ok_or(Conflict::Endorsement)?;
    if stored == row {
        return Ok(());
    }
    let mut fields = Reader::new(&ENDORSEMENT, stored).skip(ENDORSEMENT.key);
    let (old, there, old_grant) = (CardId::from_bytes(fields.array()?), fields.bytes()?, fields.bytes()?);
    if replaces != Some(there.as_slice()) {
        return Err(Conflict::Endorsement.into());
    }
    // The same endorsement under another card's name was a stand-in, as a copy stores it.
    if old != card && there != endorsement {
        let place = Place { patient, card: old, generation, to: None };
        way::keep(tx, vault, &place, old_grant).await?;
    }
    tx.update(&ENDORSEMENT, row).await
}

/// Where a grant is kept.
pub(super) struct Place<'a> {
    pub(super) patient: PatientId<'a>,
    pub(super) card: CardId,
    /// 0 for members.
    pub(super) generation: u32,
    /// None for the master key.
    pub(super) to: Option<KeyFingerprint>,
}

impl Place<'_> {
    pub(super) fn key(&self, vault: VaultId) -> Vec<Value> {
        let to = self.to.as_ref().map_or(&[][..], |to| to.as_bytes());
        let generation = Value::Int(self.generation.into());
        vec![vault_key(vault), bytes(self.patient.as_bytes()), bytes(self.card.as_bytes()), generation, bytes(to)]
    }
}

/// A grant needs its patient: after an erasure nothing is granted by someone who was late.
pub(super) async fn grant(
    tx: &mut impl Tx,
    vault: VaultId,
    place: &Place<'_>,
    grant: &[u8],
    replaces: Option<&[u8]>,
) -> Result<()> {
    let (_, current) = current(tx, vault, place.patient).await?.ok_or(Missing::Patient)?;
    if current != place.card && !is_card_of(tx, vault, place).await? {
        return Err(Conflict::Card.into());
    }
    let row: Row = place.key(vault).into_iter().chain([bytes(grant)]).collect();
    if replaces.is_none() && tx.insert(&GRANT, row.clone()).await? {
        return Ok(());
    }
    let stored = tx.get(&GRANT, place.key(vault)).await?.ok_or(Conflict::Grant)?;
    match stored.last() {
        Some(Value::Bytes(stored)) if stored == grant => Ok(()),
        Some(Value::Bytes(stored)) if replaces == Some(stored) => tx.update(&GRANT, row).await,
        _ => Err(Conflict::Grant.into()),
    }
}

/// A card of a patient who was erased is none of the one who came after.
async fn is_card_of(tx: &mut impl Tx, vault: VaultId, place: &Place<'_>) -> Result<bool> {
    let cards = read::all(tx, &CARD, vec![vault_key(vault), bytes(place.patient.as_bytes())]).await?;
    Ok(cards.iter().any(|row| row.get(3) == Some(&bytes(place.card.as_bytes()))))
}

/// A master grant is drawn anew by whoever repeats the work: the first one stays, unless the caller has seen it.
pub(super) async fn master_grant(
    tx: &mut impl Tx,
    vault: VaultId,
    place: &Place<'_>,
    bytes: &[u8],
    replaces: Option<&[u8]>,
) -> Result<()> {
    custody::require(tx, vault, place.generation).await?;
    match grant(tx, vault, place, bytes, replaces).await {
        Err(crate::Error::Conflict(Conflict::Grant)) if replaces.is_none() => Ok(()),
        other => other,
    }
}

/// Deletes a member's grant. Its key is remembered until the patient is erased: every backup from before opens to it.
pub(super) async fn withdraw(
    tx: &mut impl Tx,
    vault: VaultId,
    (patient, card): (PatientId<'_>, CardId),
    from: KeyFingerprint,
) -> Result<()> {
    current(tx, vault, patient).await?;
    let place = Place { patient, card, generation: 0, to: Some(from) };
    match tx.delete(&GRANT, place.key(vault)).await? {
        0 => Ok(()),
        _ => remember(tx, vault, patient, from).await,
    }
}

/// A withdrawal that another store made.
pub(super) async fn withdrawn(
    tx: &mut impl Tx,
    vault: VaultId,
    patient: PatientId<'_>,
    from: KeyFingerprint,
) -> Result<()> {
    current(tx, vault, patient).await?.ok_or(Missing::Patient)?;
    remember(tx, vault, patient, from).await
}

async fn remember(tx: &mut impl Tx, vault: VaultId, patient: PatientId<'_>, from: KeyFingerprint) -> Result<()> {
    let row = vec![vault_key(vault), bytes(patient.as_bytes()), bytes(from.as_bytes())];
    tx.insert(&WITHDRAWN, row).await.map(|_| ())
}
