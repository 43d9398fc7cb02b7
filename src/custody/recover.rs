//! Recovery of the master key from k shares, one at a time.

use alloc::vec::Vec;
use core::fmt;

use super::descriptor::PinnedDescriptor;
use super::share::Share;
use crate::error::{Error, Result, ShareFault};
use crate::keys::master::{MasterKey, MasterSecret};
use crate::shamir::{self, Point};

/// How far a recovery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Shares accepted so far.
    pub have: u8,
    /// Shares needed.
    pub need: u8,
}

/// Collects shares against one pinned descriptor. What it holds is wiped when it is dropped.
pub struct Recovery<'a> {
    descriptor: &'a PinnedDescriptor,
    points: Vec<Point>,
}

impl<'a> Recovery<'a> {
    /// Begins a recovery of the pinned generation.
    #[must_use]
    pub const fn new(descriptor: &'a PinnedDescriptor) -> Self {
        Self { descriptor, points: Vec::new() }
    }

    /// Takes one share, or refuses it at once and says why; a refused share changes nothing.
    ///
    /// More than k shares are accepted: [`Recovery::finish`] then checks that all of them fit together.
    ///
    /// # Errors
    /// [`Error::Share`] with the index and the reason.
    pub fn add(&mut self, share: Share) -> Result<Progress> {
        self.descriptor.check_share(&share)?;
        let index = share.index();
        if self.points.iter().any(|point| point.x().get() == index) {
            return Err(Error::Share { index, reason: ShareFault::Duplicate });
        }
        self.points.push(share.into_point());
        Ok(self.progress())
    }

    /// How many shares were accepted, and how many are needed.
    #[must_use]
    pub fn progress(&self) -> Progress {
        // At most n <= 255 points: their indices are distinct.
        Progress { have: u8::try_from(self.points.len()).unwrap_or(u8::MAX), need: self.descriptor.k() }
    }

    /// Takes one share out again, and wipes it: one that [`Recovery::finish`] named, or one whose custodian withdraws. The
    /// others stay. An index that was not given changes nothing.
    pub fn remove(&mut self, index: u8) -> Progress {
        self.points.retain(|point| point.x().get() != index);
        self.progress()
    }

    /// Recovers the master key from the first k shares and checks the others against them. Then the shares are wiped;
    /// on an error they are kept.
    ///
    /// The key is handed out only if its public halves are those of the pinned descriptor.
    ///
    /// # Errors
    /// [`Error::NotEnoughShares`]; [`Error::Share`] with [`ShareFault::OffPolynomial`] for a share that does not fit the
    /// others, which only a wrong dealer can have made: [`Recovery::remove`] it;
    /// [`Untrusted::MasterKey`](crate::error::Untrusted::MasterKey) if the recovered key is not the vault's and no single
    /// share can be named for it: [`Recovery::add`] one more share than k, and it is named.
    pub fn finish(&mut self) -> Result<MasterKey> {
        let Progress { have, need } = self.progress();
        let points: Vec<&Point> = self.points.iter().collect();
        let Some((quorum, further)) = points.split_at_checked(usize::from(need)) else {
            return Err(Error::NotEnoughShares { have, need });
        };
        let master = self.combine(quorum).map_err(|error| self.misdealt(&points).unwrap_or(error))?;
        // The quorum is right: a further share that does not fit it is wrong itself.
        shamir::check_all(quorum, further)?;
        self.points.clear();
        Ok(master)
    }

    /// The master key of k shares, if it is the descriptor's.
    fn combine(&self, quorum: &[&Point]) -> Result<MasterKey> {
        let descriptor = self.descriptor;
        MasterSecret::from_secret(shamir::combine(quorum)?.into_secret())
            .derive(descriptor.scope(), descriptor.generation())?
            .matching(&descriptor.master_key, &descriptor.root_key)
    }

    /// Names the share without which k of the others give the key, if more than k were given.
    fn misdealt(&self, points: &[&Point]) -> Option<Error> {
        let need = usize::from(self.descriptor.k());
        let wrong = points.iter().find(|wrong| {
            let others: Vec<&Point> =
                points.iter().filter(|point| point.x() != wrong.x()).take(need).copied().collect();
            others.len() == need && self.combine(&others).is_ok()
        })?;
        Some(Error::Share { index: wrong.x().get(), reason: ShareFault::OffPolynomial })
    }
}

impl fmt::Debug for Recovery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recovery").field("progress", &self.progress()).finish_non_exhaustive()
    }
}
