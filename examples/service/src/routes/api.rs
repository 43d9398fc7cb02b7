//! What goes over the wire.

use lukko::{Opened, Origin, Status, VerifiedRoster};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use zeroize::Zeroizing;

use crate::problem::Problem;

/// A text to be stored.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Text {
    /// The text. Wiped after use here; buffers of the HTTP server are not.
    #[schema(value_type = String)]
    pub(crate) text: Zeroizing<String>,
}

/// A custodian's share.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShareText {
    /// The 132 characters on the paper.
    #[schema(value_type = String)]
    pub(crate) share: Zeroizing<String>,
}

/// An opened record.
#[derive(Serialize, ToSchema)]
pub(crate) struct Note {
    /// The record's id.
    pub(crate) record: String,
    /// The revision, which the ETag repeats. A deposit has 0.
    pub(crate) revision: u64,
    /// The text.
    #[schema(value_type = String)]
    pub(crate) text: Zeroizing<String>,
    /// What is known of the author.
    #[serde(flatten)]
    pub(crate) author: Author,
}

/// What is known of an author.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case", tag = "origin")]
pub(crate) enum Author {
    /// Any of those who may read the patient.
    Reader,
    /// A member signed it.
    Deposit {
        /// The member.
        writer: String,
    },
    /// A member signed it, and a reader took it over.
    TakenOver {
        /// The member.
        writer: String,
        /// Whether the member's key was revoked since.
        revoked: bool,
    },
    /// A member's key signed it that was revoked: whoever stole the key may be the author.
    Unattributed {
        /// The member.
        claimed_writer: String,
    },
}

/// A record that was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct Made {
    /// The record's id.
    pub(crate) record: String,
    /// Its revision.
    pub(crate) revision: u64,
}

/// A patient that was enrolled.
#[derive(Serialize, ToSchema)]
pub(crate) struct Enrolled {
    /// The patient's id: random, because it is stored in clear.
    pub(crate) patient: String,
}

/// A page of patients.
#[derive(Serialize, ToSchema)]
pub(crate) struct Patients {
    /// Those that are granted to the caller. A page may have fewer than its limit, and none at all.
    pub(crate) patients: Vec<String>,
    /// What to send as `after` for the next page; none on the last one.
    pub(crate) next: Option<String>,
}

/// A page of records.
#[derive(Serialize, ToSchema)]
pub(crate) struct Records {
    /// The records, unopened.
    pub(crate) records: Vec<Listed>,
    /// What to send as `after` for the next page; none on the last one.
    pub(crate) next: Option<String>,
}

/// A record in a listing, as the database says and nobody has verified.
#[derive(Serialize, ToSchema)]
pub(crate) struct Listed {
    /// The record's id.
    pub(crate) record: String,
    /// The field: `note`, `intake` or `attachment`, and others if notes were imported.
    pub(crate) field: String,
    /// The revision.
    pub(crate) revision: u64,
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// The `next` of the page before, as it was given; left out for the first page.
    pub(crate) after: Option<String>,
    /// How many at most: 50 if not given, and never more than 200.
    pub(crate) limit: Option<u32>,
}

impl Page {
    pub(crate) fn limit(&self) -> u32 {
        self.limit.unwrap_or(50).clamp(1, 200)
    }
}

/// How the glass stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct GlassStatus {
    /// Whether it is open.
    pub(crate) open: bool,
    /// How many shares were given, and wait for the rest.
    pub(crate) shares_given: usize,
    /// How many are needed.
    pub(crate) shares_needed: u8,
    /// Seconds until it closes, or until the shares are wiped; 0 if there are none.
    pub(crate) seconds_left: u64,
}

impl Note {
    pub(crate) fn new(record: &str, opened: &Opened, roster: &VerifiedRoster) -> Result<Self, Problem> {
        let text = std::str::from_utf8(&opened.plaintext).map_err(|_| Problem::broken("the note is not text"))?;
        let name = |key| roster.member(key).map(|member| member.entry().id().escape_ascii().to_string());
        let author = match opened.origin {
            Origin::Deposit { writer } => Author::Deposit { writer: name(writer)? },
            Origin::Absorbed { writer, status } => {
                Author::TakenOver { writer: name(writer)?, revoked: status == Status::Revoked }
            }
            Origin::Unattributed { claimed_writer } => Author::Unattributed { claimed_writer: name(claimed_writer)? },
            _ => Author::Reader,
        };
        let text = Zeroizing::new(text.to_owned());
        Ok(Self { record: record.to_owned(), revision: opened.revision.get(), text, author })
    }
}
