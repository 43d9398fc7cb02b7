//! Who else reads a patient.

use lukko::{KeyFingerprint, RecipientPublicKey};
use lukko_store::{Change, NewGrant, Store, StoredBody};

use super::Patient;
use crate::error::{Error, Result};
use crate::memory::notes::Seen;
use crate::names::{self, Holds};
use crate::note::Note;
use crate::open;
use crate::place::{self, Reads};
use crate::trust;

impl<S: Store> Patient<S> {
    /// Shares the patient with a colleague, who from then on reads and writes all of the patient's notes.
    ///
    /// The colleague needs exactly one key that can read, and it must be the one that this member knows: the one that was
    /// listed when this member joined, or that was [confirmed](crate::Clinic::confirm_colleague) since. So a thief of the
    /// registrar's key who lists a key of his own under a colleague's name receives nothing.
    ///
    /// # Errors
    /// [`Error::NoColleague`]; [`Error::SeveralKeys`]; [`Error::NewKey`] with the fingerprint to compare;
    /// [`Error::Expired`]; [`Error::Store`].
    ///
    /// # Security
    /// Whoever may read may copy. Withdrawing the grant later takes nothing back.
    pub async fn share_with(&self, colleague: &str) -> Result<()> {
        let opened = self.ready().await?;
        let keys: Vec<KeyFingerprint> =
            trust::readers(&opened.vault, colleague.as_bytes()).map(|member| member.entry().fingerprint()).collect();
        let key = match keys[..] {
            [] => return Err(Error::NoColleague),
            [key] => key,
            _ => return Err(Error::SeveralKeys(keys)),
        };
        if self.clinic().memory().colleague(colleague.as_bytes()).await? != Some(key) {
            return Err(Error::NewKey(key));
        }
        let grant = open::grant(&opened, key)?;
        let rows = self.clinic().store().patient(self.clinic().id(), names::patient(&self.id)?).await?;
        if rows.grant(grant.card, key).is_some() {
            // One is there. Whether it opens, only the colleague can see.
            return Ok(());
        }
        let grant = NewGrant::new(names::patient(&self.id)?, &grant)?;
        Ok(self.clinic().apply(&[Change::Grant(grant)]).await?)
    }

    /// Withdraws the grants of a colleague, under every key of that name.
    ///
    /// # Errors
    /// [`Error::Expired`]; [`Error::Store`].
    ///
    /// # Security
    /// What the colleague has read or copied stays with the colleague, the patient's key among it: where that matters,
    /// [make the next one](Patient::rekey).
    pub async fn withdraw(&self, colleague: &str) -> Result<()> {
        let opened = self.ready().await?;
        let patient = names::patient(&self.id)?;
        let rows = self.clinic().store().patient(self.clinic().id(), patient).await?;
        let theirs = |key| {
            let member = opened.vault.roster().member(key);
            member.is_ok_and(|member| member.entry().id() == colleague.as_bytes())
        };
        let grants = rows.grants.iter().filter(|grant| theirs(grant.to));
        let changes: Vec<_> =
            grants.map(|grant| Change::Withdraw { patient, card: grant.card, from: grant.to }).collect();
        if changes.is_empty() { Ok(()) } else { Ok(self.clinic().apply(&changes).await?) }
    }

    /// Who can open the patient, by name, as the stored grants say. A grant to a key that is not listed is named by its
    /// fingerprint.
    ///
    /// # Errors
    /// [`Error::Expired`]; [`Error::Store`].
    pub async fn shared_with(&self) -> Result<Vec<String>> {
        let opened = self.ready().await?;
        let rows = self.clinic().store().patient(self.clinic().id(), names::patient(&self.id)?).await?;
        let current = rows.grants.iter().filter(|grant| grant.card == opened.key.card());
        let name = |key| trust::name_of(&opened.vault, key).unwrap_or_else(|| KeyFingerprint::to_string(&key));
        Ok(current.map(|grant| name(grant.to)).collect())
    }

    /// Hands out a copy of one note to somebody outside, sealed to the recipient's key and signed by this member.
    ///
    /// # Errors
    /// As [`Patient::read`].
    ///
    /// # Security
    /// What is disclosed is outside for ever. Compare the fingerprint of the recipient's key with the recipient first.
    pub async fn disclose(&self, note: &Note, to: &RecipientPublicKey) -> Result<Vec<u8>> {
        self.own_patient(&note.place)?;
        let place = &note.place;
        let seen = self.clinic().memory().seen(place).await?;
        let reads = match (names::holds(&place.field), seen) {
            (Holds::Note, _) => Reads::Note,
            (Holds::Deposit, Some(Seen::TakenOver)) => Reads::TakenOver,
            (Holds::Deposit, _) => Reads::Deposit,
            _ => return Err(Error::Misplaced),
        };
        // Read first, so that what was put back is not handed out.
        match reads {
            Reads::Note => drop(self.read_place(place).await?),
            Reads::Deposit | Reads::TakenOver => drop(self.read_deposit(note).await?),
        }
        let opened = self.ready().await?;
        let record = self.stored(place).await?.ok_or(Error::NoRecord)?;
        let StoredBody::Sealed(sealed) = &record.body else { return Err(Error::Misplaced) };
        let key = self.key_of(&opened, record.card).await?;
        place::disclose(&opened.vault, &key, (place, reads), sealed, to, self.clinic().me())
    }
}
