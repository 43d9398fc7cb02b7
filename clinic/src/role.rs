//! What a member does.

use lukko::Roles;

/// What a member does in the clinic. It never changes for a key: who does something else gets another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Role(u8);

const READ: u8 = 1;
const DEPOSITS: u8 = 2;
const ENROL: u8 = 4;

/// Enrols patients, reads and writes.
pub const THERAPIST: Role = Role(READ | ENROL);
/// Reads and writes what others have shared.
pub const READER: Role = Role(READ);
/// A front end, which deposits and reads nothing.
pub const DEPOSIT: Role = Role(DEPOSITS);

impl Role {
    /// As the core names it.
    pub(crate) fn roles(self) -> lukko::Result<Roles> {
        Roles::from_bits(self.0)
    }
}
