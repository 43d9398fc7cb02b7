//! The changes that end a piece.

use lukko::{CardId, Endorsed, PatientId, Vault};

use crate::change::{Change, Erase, Records};
use crate::error::Result;
use crate::placed::{NewEndorsement, NewMasterGrant};
use crate::rows::Claim;

/// A change that owns its bytes.
#[derive(Debug)]
pub(super) enum Owned {
    Endorse {
        card: CardId,
        generation: u32,
        endorsed: Endorsed,
        replaces: Option<Vec<u8>>,
    },
    MasterGrant {
        card: CardId,
        generation: u32,
        grant: Vec<u8>,
        replaces: Option<Vec<u8>>,
    },
    /// Ends the piece by itself.
    Erase {
        vault: Box<Vault>,
        at: u64,
        records: Records,
    },
}

impl Owned {
    pub(super) fn change<'a>(&'a self, patient: PatientId<'a>, claim: &'a Claim) -> Result<Change<'a>> {
        Ok(match self {
            Self::Endorse { card, generation, endorsed, replaces } => {
                let Endorsed { endorsement, master_grant } = endorsed;
                let new = NewEndorsement::new(patient, (*card, *generation), endorsement, master_grant)?;
                Change::Endorse(new.replacing(replaces.as_deref()))
            }
            Self::MasterGrant { card, generation, grant, replaces } => {
                let new = NewMasterGrant::new(patient, (*card, *generation), grant)?;
                Change::MasterGrant(new.replacing(replaces.as_deref()))
            }
            Self::Erase { vault, at, records } => Change::Erase(Erase {
                patient,
                vault,
                cards: &[],
                keys: &[],
                at: *at,
                records: *records,
                claim: Some(claim),
            }),
        })
    }
}
