//! The way into the clinic's next generation, after its custodians were changed.

use std::sync::Arc;

use lukko::{Fingerprint, Vault};
use lukko_store::{Generation, Store};

use super::{Clinic, Followed};
use crate::error::{Error, Result};
use crate::trust::Trusted;

impl<S: Store> Clinic<S> {
    /// The fingerprint of the next generation, if the custodians have made one: to be compared with what they say.
    ///
    /// # Errors
    /// [`Error::Core`] if what is stored is signed wrongly, or if two generations claim to be the next; as
    /// [`Clinic::vault`].
    pub async fn next_generation(&self) -> Result<Option<Fingerprint>> {
        let vault = self.follow().await?;
        let generations = self.store().generations(self.id()).await?;
        match Trusted::successor(&vault, &generations) {
            Ok(successor) => Ok(Some(successor.fingerprint())),
            Err(Error::Core(lukko::Error::Usage(lukko::error::Usage::NoSuccessor))) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Moves to the next generation, whose fingerprint a person has compared with what the custodians say. The memory keeps
    /// it. A clinic never moves by itself.
    ///
    /// Readers move first and front ends last: what is sealed in the next generation is refused in the one before.
    ///
    /// # Errors
    /// [`Error::Core`] if the next generation has another fingerprint, or is signed wrongly, or if there is none; as
    /// [`Clinic::vault`].
    pub async fn move_to(&self, compared: Fingerprint) -> Result<Arc<Vault>> {
        self.follow().await?;
        let _following = self.at.following.lock().await;
        loop {
            let now = self.clock.elapsed();
            let noted = self.memory().pinned().await?.ok_or(Error::MemoryEmpty)?;
            let generations: Vec<Generation> = self.store().generations(self.id()).await?;
            let entries = self.store().members(self.id()).await?;
            let known = Trusted::remembered(&noted, &entries)?;
            let next = match known.vault.pin().fingerprint() == compared {
                // Another process of this member was quicker.
                true => known,
                false => known.move_to(compared, &generations, &entries)?,
            };
            self.memory().confirm(compared.as_bytes()).await?;
            let next_noted = next.pinned();
            if next_noted == noted || self.memory().pin(Some(&noted), &next_noted).await? {
                let vault = Arc::new(next.vault);
                self.set(Followed { vault: Arc::clone(&vault), roster: next.roster.into(), at: Some(now) });
                return Ok(vault);
            }
        }
    }
}
