//! What a driver reports, and what whoever runs the database can do about it.

use std::error::Error as StdError;
use std::fmt;

use crate::error::Error;

/// What a driver has reported, behind a word of advice. It keeps the text and the code, and no value: some drivers' errors
/// quote the row.
struct Reported {
    advice: &'static str,
    code: String,
    text: String,
}

impl fmt::Display for Reported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.advice, self.text)
    }
}

impl fmt::Debug for Reported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for Reported {}

fn reported(advice: Advice, code: String, text: String) -> Error {
    match advice {
        Wait(advice) => Error::unavailable(Reported { advice, code, text }),
        Restore(what) => Error::Corrupt { table: "(all tables)", what },
    }
}

/// What SQLite reports. Its texts name tables and constraints, and never a value; its codes are numbers, whose low byte says
/// what it is.
#[cfg(feature = "sqlite")]
pub(crate) fn by_sqlite(cause: sqlx::Error) -> Error {
    let code = cause.as_database_error().and_then(|error| error.code()).unwrap_or_default();
    let advice = code.parse::<u32>().map_or(Wait(GENERAL), |code| sqlite(code & 0xff));
    reported(advice, code.to_string(), cause.to_string())
}

/// What PostgreSQL reports, with its message, which names tables and constraints. What it adds to the message (`DETAIL`)
/// quotes rows, and is left out.
#[cfg(feature = "postgres")]
pub(crate) fn by_postgres(cause: &tokio_postgres::Error) -> Error {
    let Some(error) = cause.as_db_error() else {
        let below = cause.source().map(|below| format!(": {below}")).unwrap_or_default();
        return reported(Wait(GENERAL), String::new(), format!("{cause}{below}"));
    };
    let (code, message) = (error.code().code(), error.message());
    reported(postgres(code), code.to_owned(), format!("error returned from database: {message}"))
}

/// The database's own code for what went wrong.
fn code(error: &Error) -> Option<&str> {
    let Error::Unavailable(error) = error else { return None };
    Some(&error.downcast_ref::<Reported>()?.code)
}

/// Whether another process was at the file of SQLite.
#[cfg(feature = "sqlite")]
pub(crate) fn is_locked(error: &Error) -> bool {
    code(error).and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| matches!(code & 0xff, 5 | 6))
}

/// Whether the server has rolled the transaction back, because of a deadlock or because it could not be put in order.
#[cfg(feature = "postgres")]
pub(crate) fn taken_back(error: &Error) -> bool {
    code(error).is_some_and(|code| matches!(code, "40001" | "40P01"))
}

enum Advice {
    /// Nothing is lost.
    Wait(&'static str),
    /// The database's own structure is damaged.
    Restore(&'static str),
}

use Advice::{Restore, Wait};

const FULL: &str = "the disk is full: make room, and give the change again";
const GENERAL: &str = "give the change again";

#[cfg(feature = "sqlite")]
const fn sqlite(code: u32) -> Advice {
    match code {
        5 | 6 => Wait("another process holds the database's lock: give the change again"),
        8 => {
            Wait("the database's file cannot be written: see to its permissions, its directory's and the file system's")
        }
        10 => Wait("the disk reports an error: see to it, and open the database anew"),
        11 => Restore("SQLite finds its file malformed: restore a backup, or a log of another file lies beside it"),
        13 => Wait(FULL),
        14 => Wait("the database's file cannot be opened: see to its path, its permissions and its directory's"),
        26 => Restore("the file is not one of SQLite"),
        _ => Wait(GENERAL),
    }
}

#[cfg(feature = "postgres")]
fn postgres(code: &str) -> Advice {
    match code {
        "53100" => Wait(FULL),
        "25006" => Wait("the server takes no changes now: it is a replica, or was set to be read only"),
        "40001" | "40P01" => Wait("another change was in the way, and the server took this one back: give it again"),
        "42501" => Wait("the role lacks a right: see to what it was granted"),
        "XX001" | "XX002" => Restore("PostgreSQL finds its files damaged: restore a backup"),
        _ => Wait(GENERAL),
    }
}
