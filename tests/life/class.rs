//! Refusals, by the class that a caller acts on: what the model predicts and what the library says.

use lukko::Error;
use lukko::error::{Conflict, Object, ShareFault, Untrusted, Usage, Versioned};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    NoCard,
    CardErased,
    CardCompromised,
    EndorsedCard,
    MasterGrant,
    MalformedEndorsement,
    MalformedGrant,
    Succession,
    UnexpectedCard,
    TwoCards,
    StaleGeneration,
    StaleRoster,
    Revoked,
    Retired,
    Role,
    WrongRecipient,
    WrongCard,
    ErasurePending,
    NotRetired,
    OldShare,
    NotEnoughShares,
    /// Nothing that the model ever predicts.
    Other,
}

impl From<&Error> for Class {
    fn from(error: &Error) -> Self {
        match error {
            Error::Usage(usage) => of_usage(usage),
            Error::Untrusted(untrusted) => of_untrusted(untrusted),
            Error::Stale { what: Versioned::Generation, .. } => Self::StaleGeneration,
            Error::Stale { what: Versioned::Roster, .. } => Self::StaleRoster,
            Error::Conflict(Conflict::Cards { .. }) => Self::TwoCards,
            Error::Malformed { object: Object::Endorsement, .. } => Self::MalformedEndorsement,
            Error::Malformed { object: Object::Grant, .. } => Self::MalformedGrant,
            Error::Share { reason: ShareFault::Generation, .. } => Self::OldShare,
            Error::NotEnoughShares { .. } => Self::NotEnoughShares,
            _ => Self::Other,
        }
    }
}

fn of_usage(usage: &Usage) -> Class {
    match usage {
        Usage::NoCard => Class::NoCard,
        Usage::WrongRecipient { .. } => Class::WrongRecipient,
        Usage::WrongCard { .. } => Class::WrongCard,
        Usage::ErasurePending(_) => Class::ErasurePending,
        Usage::NotRetired { .. } => Class::NotRetired,
        _ => Class::Other,
    }
}

fn of_untrusted(untrusted: &Untrusted) -> Class {
    match untrusted {
        Untrusted::CardErased(_) => Class::CardErased,
        Untrusted::CardCompromised(_) => Class::CardCompromised,
        Untrusted::EndorsedCard { .. } => Class::EndorsedCard,
        Untrusted::MasterGrant(_) => Class::MasterGrant,
        Untrusted::Succession(_) => Class::Succession,
        Untrusted::UnexpectedCard { .. } => Class::UnexpectedCard,
        Untrusted::Revoked(_) => Class::Revoked,
        Untrusted::Retired(_) => Class::Retired,
        Untrusted::Role(_) => Class::Role,
        _ => Class::Other,
    }
}
