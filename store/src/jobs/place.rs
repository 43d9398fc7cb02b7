//! Which call opens what stands in a place. It is known from the field, before the bytes are looked at: whoever can write
//! to the database chooses bytes and columns, and must not choose the call.

use lukko::error::{Untrusted, Usage};
use lukko::{FieldLabel, Opened, OsRng, Path, PatientKey, RecordId, Vault, path_of};

use super::keys::Closed;
use crate::rows::Record;

/// A place of a patient's: a record and its field.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) vault: &'a Vault,
    pub(crate) record: RecordId<'a>,
    pub(crate) field: FieldLabel<'a>,
    /// Whether the field holds deposits, taken over or not.
    pub(crate) deposits: bool,
}

impl<'a> Place<'a> {
    /// Where a row stands. `deposits` are the fields that hold deposits.
    pub(crate) fn new(vault: &'a Vault, row: &'a Record, deposits: &[FieldLabel<'_>]) -> Result<Self, Closed> {
        let (record, field) = (RecordId::new(&row.record)?, FieldLabel::new(&row.field)?);
        let deposits = deposits.iter().any(|known| known.as_bytes() == field.as_bytes());
        Ok(Self { vault, record, field, deposits })
    }

    /// Refuses a sealed record of another kind than the place holds. It opens nothing.
    pub(crate) fn require_kind(&self, sealed: &[u8]) -> Result<(), Closed> {
        let met = path_of(sealed)?;
        if self.deposits == (met != Path::Reader) { Ok(()) } else { Err(refused(Usage::WrongPath { met }.into())) }
    }

    /// Opens a sealed record by the call of this place.
    pub(crate) fn open(&self, key: &PatientKey, sealed: &[u8]) -> Result<Opened, Closed> {
        let opened = if self.deposits {
            self.vault.open_deposit(key, self.record, self.field, sealed)
        } else {
            self.vault.open(key, self.record, self.field, sealed)
        };
        opened.map_err(refused)
    }

    /// As [`Place::open`], for a person who reads: a deposit opens too when its writer's key was revoked since.
    pub(crate) fn open_for_reading(&self, key: &PatientKey, sealed: &[u8]) -> Result<Opened, Closed> {
        match self.open(key, sealed) {
            Err(Closed::Refused(lukko::Error::Untrusted(Untrusted::Revoked(_)))) if self.deposits => {
                let opened = self.vault.open_unattributed(key, self.record, self.field, sealed);
                Ok(opened.map_err(refused)?.into_inner())
            }
            opened => opened,
        }
    }

    /// Opens a record of a card that is closed as compromised, for a person who reads. It moves to a key of the patient that
    /// is open; nothing is stored.
    pub(crate) fn open_behind_a_closed_card(
        &self,
        from: &PatientKey,
        to: &PatientKey,
        sealed: &[u8],
    ) -> Result<Opened, Closed> {
        self.require_kind(sealed)?;
        match self.vault.reseal(from, to, self.record, self.field, sealed, &mut OsRng) {
            Ok(Some(moved)) => self.open(to, &moved),
            Ok(None) => self.open(to, sealed),
            Err(lukko::Error::Untrusted(Untrusted::Revoked(_))) if self.deposits => {
                let opened = self.vault.open_unattributed(from, self.record, self.field, sealed);
                Ok(opened.map_err(refused)?.into_inner())
            }
            Err(error) => Err(refused(error)),
        }
    }
}

/// What the core said; a record of another kind than the place is named.
pub(crate) fn refused(error: lukko::Error) -> Closed {
    match error {
        lukko::Error::Usage(Usage::WrongPath { met: Path::Reader }) => {
            Closed::Missing("a note stands in the place of a deposit; take this record from an older backup")
        }
        lukko::Error::Usage(Usage::WrongPath { .. }) => Closed::Missing(
            "a deposit stands in the place of a note. If this field holds deposits, name it as such; if not, somebody put \
             it there: take this record from an older backup",
        ),
        error => Closed::Refused(error),
    }
}
