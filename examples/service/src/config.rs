//! The command line and the environment.

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// What `--help` prints.
pub const HELP: &str = "\
An HTTP service over lukko: therapists read and write, an intake front end deposits, custodians break the glass.

usage: lukko-service init --state DIR [--db FILE]
       lukko-service therapist|intake|glass --state DIR/DOOR [--listen ADDRESS] [--db FILE] [OPTIONS]

  --state DIR          init: a directory to make; otherwise the one of this door, which init made
  --db FILE            the SQLite database; without it DATABASE_URL counts, then `clinic.db`
  --listen ADDRESS     where to listen, 127.0.0.1:0 if not given; put TLS in front
  --objects DIR        therapist: where attachments are, DIR/therapist/objects if not given
  --open-for SECONDS   glass: how long it stays open, 900 if not given
  --shares-for SECONDS glass: how long shares wait for the rest of the quorum, 600 if not given
  --grace SECONDS      how long requests may take to end after SIGTERM or SIGINT, 10 if not given
  --log LEVEL          error, warn, info, debug or trace; info if not given

DATABASE_URL=postgres://USER@HOST/NAME?sslmode=verify-full takes PostgreSQL instead of a file.";

/// Which of the three processes this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Therapists read and write.
    Therapist,
    /// A front end deposits.
    Intake,
    /// Custodians break the glass.
    Glass,
}

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A file of SQLite.
    Sqlite(PathBuf),
    /// The URL of a PostgreSQL database.
    Postgres(String),
}

/// A URL may hold a password.
impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(_) => f.debug_tuple("Postgres").finish_non_exhaustive(),
        }
    }
}

/// How a door runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Which one.
    pub door: Door,
    /// Its directory: pin, descriptor, tokens and its keys.
    pub state: PathBuf,
    /// The database.
    pub database: Location,
    /// Where attachments are; a directory of the state if not given.
    pub objects: Option<PathBuf>,
    /// How many files are sealed, and how many opened, at the same moment; further ones wait. Let the runtime have
    /// more than twice as many threads that may block.
    pub files: usize,
    /// Where it listens.
    pub listen: SocketAddr,
    /// How long the glass stays open.
    pub open_for: Duration,
    /// How long shares wait for the rest of the quorum.
    pub shares_for: Duration,
    /// How long requests may take to end at shutdown.
    pub grace: Duration,
    /// What is logged.
    pub log: tracing::Level,
}

impl Config {
    /// A door on a free port of this machine, with everything else as it is by default.
    #[must_use]
    pub fn new(door: Door, state: PathBuf, database: Location) -> Self {
        Self {
            door,
            state,
            database,
            objects: None,
            files: 128,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            open_for: Duration::from_secs(900),
            shares_for: Duration::from_secs(600),
            grace: Duration::from_secs(10),
            log: tracing::Level::INFO,
        }
    }
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Found a vault.
    Init {
        /// The directory to make.
        state: PathBuf,
        /// The database.
        database: Location,
    },
    /// Run a door.
    Run(Config),
    /// Print [`HELP`].
    Help,
}

/// Reads the arguments behind the program's name, or says what is wrong with them. `database_url` is the environment's.
///
/// # Errors
/// A sentence for the person at the terminal.
pub fn parse(given: impl IntoIterator<Item = OsString>, database_url: Option<String>) -> Result<Command, String> {
    let mut given = given.into_iter();
    let what = given.next().ok_or("say what to do; --help lists it")?;
    let door = match what.to_str() {
        Some("--help" | "-h") => return Ok(Command::Help),
        Some("init") => None,
        Some("therapist") => Some(Door::Therapist),
        Some("intake") => Some(Door::Intake),
        Some("glass") => Some(Door::Glass),
        _ => return Err(format!("unknown command {}", what.display())),
    };
    let (mut state, mut db) = (None, None);
    let mut config = Config::new(door.unwrap_or(Door::Glass), PathBuf::new(), Location::Sqlite("clinic.db".into()));
    while let Some(option) = given.next() {
        let name = option.to_str().unwrap_or_default().to_owned();
        let mut value = || given.next().filter(|value| !value.is_empty()).ok_or(format!("{name} needs a value"));
        match name.as_str() {
            "--state" => state = Some(PathBuf::from(value()?)),
            "--db" => db = Some(PathBuf::from(value()?)),
            "--objects" if door == Some(Door::Therapist) => config.objects = Some(PathBuf::from(value()?)),
            "--listen" if door.is_some() => config.listen = number(&name, value()?)?,
            "--open-for" if door == Some(Door::Glass) => config.open_for = seconds(&name, value()?)?,
            "--shares-for" if door == Some(Door::Glass) => config.shares_for = seconds(&name, value()?)?,
            "--grace" if door.is_some() => config.grace = seconds(&name, value()?)?,
            "--log" if door.is_some() => config.log = number(&name, value()?)?,
            _ => return Err(format!("unknown argument {}", option.display())),
        }
    }
    let state = state.ok_or("--state names the directory, and is needed")?;
    let database = match (db, database_url) {
        (Some(path), _) => Location::Sqlite(path),
        (None, Some(url)) => Location::Postgres(url),
        (None, None) => config.database.clone(),
    };
    Ok(match door {
        None => Command::Init { state, database },
        Some(_) => Command::Run(Config { state, database, ..config }),
    })
}

fn number<T: FromStr>(name: &str, value: OsString) -> Result<T, String> {
    let refuse = || format!("{name} cannot be {}", value.display());
    value.to_str().and_then(|text| text.parse().ok()).ok_or_else(refuse)
}

fn seconds(name: &str, value: OsString) -> Result<Duration, String> {
    number(name, value).map(Duration::from_secs)
}
