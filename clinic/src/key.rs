//! A member's key, and where it is kept.

mod file;

use std::fmt;
use std::path::Path;

use lukko::rand_core::TryRng as _;
use lukko::{MemberId, MemberKey, OsRng, PinnedDescriptor};
use zeroize::Zeroizing;

use crate::error::Result;
use crate::memory::Failure;
use crate::names;

/// A member's name and the 32 secret bytes from which all of the member's keys derive. Wiped when dropped.
#[derive(Clone)]
pub struct Key {
    name: String,
    seed: Zeroizing<[u8; 32]>,
}

impl Key {
    /// Draws a new key. Only its owner has it, and whoever loses it gets a new one admitted.
    ///
    /// # Errors
    /// [`Error::Name`](crate::Error::Name); [`Error::Core`](crate::Error::Core) if the machine gives no random bytes.
    ///
    /// ```
    /// let key = lukko_clinic::Key::draw("dr-niemi")?;
    /// assert_eq!(key.name(), "dr-niemi");
    /// # Ok::<(), lukko_clinic::Error>(())
    /// ```
    pub fn draw(name: &str) -> Result<Self> {
        let mut seed = Zeroizing::new([0; 32]);
        OsRng.try_fill_bytes(seed.as_mut_slice()).map_err(|_| lukko::Error::Randomness)?;
        Self::from_seed(name, &seed)
    }

    /// Makes a key from the bytes that [`Key::seed`] gave.
    ///
    /// # Errors
    /// [`Error::Name`](crate::Error::Name).
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self> {
        names::note_field(name)?;
        Ok(Self { name: name.to_owned(), seed: Zeroizing::new(*seed) })
    }

    /// The member's name, as the list of members has it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The 32 secret bytes.
    ///
    /// # Security
    /// Whoever has them reads every patient that this member reads.
    #[must_use]
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// Writes the key into a new file that only its owner can read, sealed under a passphrase. The passphrase is stretched
    /// by Argon2id with 64 MiB and 3 passes (RFC 9106, section 4, second choice), which takes some 0.2 seconds.
    ///
    /// # Errors
    /// [`Error::Stream`](crate::Error::Stream) if there is such a file already, or it cannot be written.
    ///
    /// # Security
    /// A thief of the file tries passphrases as fast as his machines can. Choose one that nobody guesses.
    ///
    /// ```
    /// # let directory = tempfile::tempdir()?;
    /// use lukko_clinic::Key;
    /// let (key, file) = (Key::draw("dr-niemi")?, directory.path().join("dr-niemi.key"));
    /// key.seal_into(&file, b"a long passphrase")?;
    /// assert_eq!(Key::from_file(&file, b"a long passphrase")?.name(), "dr-niemi");
    /// assert_eq!(Key::from_file(&file, b"another one").unwrap_err().code(), "passphrase");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn seal_into(&self, path: impl AsRef<Path>, passphrase: &[u8]) -> Result<()> {
        file::write(path.as_ref(), self, passphrase)
    }

    /// Reads a file that [`Key::seal_into`] has written.
    ///
    /// # Errors
    /// [`Error::KeyMode`](crate::Error::KeyMode) if others can read it; [`Error::KeyFile`](crate::Error::KeyFile) if it is
    /// no such file; [`Error::Passphrase`](crate::Error::Passphrase) if it does not open;
    /// [`Error::Stream`](crate::Error::Stream) if it cannot be read.
    pub fn from_file(path: impl AsRef<Path>, passphrase: &[u8]) -> Result<Self> {
        file::read(path.as_ref(), passphrase)
    }

    pub(crate) fn of(&self, descriptor: &PinnedDescriptor) -> Result<MemberKey> {
        Ok(descriptor.member_from_seed(MemberId::new(&self.name)?, &self.seed)?)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Where a member's key comes from: a token, a secret store, a sign-in. [`Key`] is one itself.
pub trait KeySource {
    /// Gives the key.
    ///
    /// # Errors
    /// Any; it reaches the caller as [`Error::KeySource`](crate::Error::KeySource).
    fn key(&self) -> std::result::Result<Key, Failure>;
}

impl KeySource for Key {
    fn key(&self) -> std::result::Result<Key, Failure> {
        Ok(self.clone())
    }
}
