//! The vault as the clinic remembers it, and its master key.

use std::io::BufRead;

use lukko::{MasterKey, Vault};

use super::failure::{Console, Failure, Named};
use super::kept::Kept;
use super::shares::Shares;
use crate::store::Store;

/// Takes shares until they are enough, verifies the vault against what was kept, and brings the database to what was
/// decided after the backup: see [`Kept::catch_up`]. `now` is in seconds since 1970.
///
/// # Errors
/// If the shares are not enough, or the database is not the vault that was kept.
pub async fn open(
    store: &impl Store,
    kept: &Kept,
    shares: &mut Shares<impl BufRead>,
    now: u64,
    console: &impl Console,
) -> Result<(Vault, MasterKey, Vec<Named>), Failure> {
    let first = loop {
        let share = shares.next(console)?;
        let share = share.ok_or_else(|| Failure::new("no share was given: type them in, one a line"))?;
        if !store.generations(share.vault()).await?.is_empty() {
            break share;
        }
        console.complain("the database does not have the vault that this share is of; take another custodian's");
    };
    let vault = kept.load(store, first.vault(), console).await?;
    let master = shares.complete(&vault, first, console)?;
    let unclear = kept.catch_up(store, &vault, now, console).await?;
    Ok((vault, master, unclear))
}
