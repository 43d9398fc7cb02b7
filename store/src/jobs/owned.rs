//! The changes that end a piece.

use lukko::{CardId, Endorsed, PatientId, Vault};

use crate::change::{Change, Endorsement, Erase, Records};
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
    pub(super) fn change<'a>(&'a self, patient: PatientId<'a>, claim: &'a Claim) -> Change<'a> {
        match self {
            Self::Endorse { card, generation, endorsed, replaces } => Change::Endorse(Endorsement {
                patient,
                card: *card,
                generation: *generation,
                endorsement: &endorsed.endorsement,
                master_grant: &endorsed.master_grant,
                replaces: replaces.as_deref(),
            }),
            Self::MasterGrant { card, generation, grant, replaces } => {
                let replaces = replaces.as_deref();
                Change::MasterGrant { patient, card: *card, generation: *generation, grant, replaces }
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
        }
    }
}
