//! Brings a vault back from a backup, as `docs/RESTORE.md` says step by step: with shares from standard input it checks
//! every object, reads every note, and admits a new member. What it does is in `lukko_store::restore`. Two more commands
//! make the clinic of the drill, `store/drill`.

mod drill;

use std::error::Error;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use lukko::{FieldLabel, MasterKey, Vault};
use lukko_store::restore::{self, Console, Database, Kept, Named, Shares};
use lukko_store::{Attachments, KeyOf, PostgresStore, SqliteStore, Store};

type Outcome<T> = Result<T, Box<dyn Error>>;

const HELP: &str = "\
usage: restore verify DATABASE OBJECTS KEPT          checks every object of the vault
       restore read DATABASE OBJECTS KEPT DIRECTORY  writes every note and attachment into DIRECTORY, which is made
       restore admit DATABASE OBJECTS KEPT NAME FILE  admits a new member by the root and grants every patient; FILE gets
                                                      the member's key
       restore found DATABASE OBJECTS DIRECTORY PATIENTS  makes the vault of the drill; DIRECTORY gets what its people keep
       restore erase DATABASE OBJECTS DIRECTORY PATIENT  erases a patient of that vault

DATABASE is a file of SQLite or postgres://..., OBJECTS the directory of attachments, which need not exist if there are
none, KEPT the directory with `pin` or `fingerprint`, `roster`, and `deposits` if there are fields of deposits. The first three
read shares from standard input, one a line, until they are enough. The exit code is 0 if nothing is missing, else 1.";

/// Standard output and standard error.
struct Terminal;

impl Console for Terminal {
    fn say(&self, line: &str) {
        // Who closes the pipe has seen enough.
        let _ = writeln!(std::io::stdout(), "{line}");
    }

    fn complain(&self, line: &str) {
        let _ = writeln!(std::io::stderr(), "{line}");
    }

    fn ask(&self) {
        if std::io::stdin().is_terminal() {
            let _ = write!(std::io::stderr(), "share: ");
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let [command, database, objects, ref rest @ ..] = arguments[..] else {
        eprintln!("{HELP}");
        return ExitCode::from(2);
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done =
        runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(run(database, objects, (command, rest))));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("restore: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(database: &str, objects: &str, command: (&str, &[&str])) -> Outcome<()> {
    if command.0 == "found" {
        std::fs::create_dir_all(objects)?;
    }
    let attachments = if Path::new(objects).exists() { Some(Attachments::local(objects)?) } else { None };
    let path = match Database::new(database) {
        Database::Server(url) => {
            let store = PostgresStore::open(&url).await?;
            return with(&store, attachments.as_ref(), command).await;
        }
        Database::File(path) => path,
    };
    // Opening would make an empty one.
    if command.0 != "found" && !path.exists() {
        return Err(format!("there is no database {database}: put the backup there first").into());
    }
    let store = SqliteStore::open(&path).await?;
    let done = with(&store, attachments.as_ref(), command).await;
    store.close().await;
    done
}

async fn with(store: &impl Store, attachments: Option<&Attachments>, (command, rest): (&str, &[&str])) -> Outcome<()> {
    match (command, rest) {
        ("verify", &[kept]) => {
            let opened = open(store, kept).await?;
            verify(store, attachments, &opened, KeyOf::Master(&opened.master)).await
        }
        ("read", &[kept, directory]) => read(store, attachments, open(store, kept).await?, Path::new(directory)).await,
        ("admit", &[kept, name, file]) => admit(store, attachments, open(store, kept).await?, (name, file)).await,
        ("found", &[directory, patients]) => {
            let attachments = attachments.ok_or("there is no directory of attachments")?;
            drill::found(store, attachments, Path::new(directory), patients.parse()?).await
        }
        ("erase", &[directory, patient]) => drill::erase(store, Path::new(directory), patient).await,
        _ => Err(HELP.into()),
    }
}

/// A vault that a quorum has opened.
struct Opened {
    kept: Kept,
    vault: Vault,
    master: MasterKey,
    deposits: Vec<Vec<u8>>,
    /// Patients of whom it is not clear whether they are erased.
    unclear: Vec<Named>,
}

impl Opened {
    fn deposits(&self) -> Outcome<Vec<FieldLabel<'_>>> {
        Ok(self.deposits.iter().map(FieldLabel::new).collect::<lukko::Result<_>>()?)
    }
}

async fn open(store: &impl Store, kept: &str) -> Outcome<Opened> {
    let kept = Kept::new(kept);
    let deposits = kept.deposits()?;
    let mut shares = Shares::new(std::io::stdin().lock());
    let (vault, master, unclear) = restore::open(store, &kept, &mut shares, now()?, &Terminal).await?;
    Ok(Opened { kept, vault, master, deposits, unclear })
}

/// The list of what is missing, and the exit code.
fn list(missing: &[Named], what: &str) -> Outcome<()> {
    for named in missing {
        Terminal.say(&named.to_string());
    }
    if missing.is_empty() { Ok(()) } else { Err(what.into()) }
}

async fn verify(store: &impl Store, attachments: Option<&Attachments>, opened: &Opened, by: KeyOf<'_>) -> Outcome<()> {
    let whole = (&opened.vault, by);
    let (patients, found) = restore::verify(store, attachments, whole, &opened.deposits()?, SystemTime::now).await?;
    let findings = [&opened.unclear[..], &found].concat();
    let listed = list(
        &findings,
        "not everything is whole. What is named above comes from an older backup; the rest can be used",
    );
    Terminal.say(&format!("{patients} patients checked with all their records, {} findings", findings.len()));
    listed
}

async fn read(store: &impl Store, attachments: Option<&Attachments>, opened: Opened, directory: &Path) -> Outcome<()> {
    let by = (&opened.vault, &opened.master);
    let report = restore::read(store, attachments, by, &opened.deposits()?, directory).await?;
    for remark in &report.remarks {
        Terminal.say(&remark.to_string());
    }
    let missing = [&opened.unclear[..], &report.unread].concat();
    let listed = list(&missing, "not everything was read. What is named above comes from an older backup");
    let (records, earlier) = (report.records, report.earlier);
    Terminal.say(&format!(
        "{records} notes and attachments of {} patients read, {earlier} of them by an earlier run",
        report.patients
    ));
    listed
}

/// Every key was lost, the registrar's too: the root admits someone, and a quorum grants what there is.
async fn admit(
    store: &impl Store,
    attachments: Option<&Attachments>,
    mut opened: Opened,
    (name, file): (&str, &str),
) -> Outcome<()> {
    let root = (&mut opened.vault, &opened.master);
    let admission = restore::admit(store, root, &opened.kept, (name, Path::new(file)), &Terminal).await?;
    for decided in &admission.decided {
        Terminal.say(&decided.to_string());
    }
    let missed =
        list(&admission.missed, "not every patient was granted. Bring back what is named above, and run it again");
    Terminal.say(&format!(
        "{name} is on roster {}, with key {}, and was granted {} patients",
        opened.vault.roster().version(),
        admission.member.fingerprint(),
        admission.granted
    ));
    let by = (&opened.vault, KeyOf::Master(&opened.master));
    let (moved, left) = restore::move_records(store, attachments, by, &opened.deposits()?, SystemTime::now).await?;
    if moved > 0 {
        Terminal.say(&format!("{moved} records moved to their patients' newest keys"));
    }
    let left = list(&left, "not every record moved to its patient's newest key; it is where it was");
    let whole = verify(store, attachments, &opened, KeyOf::Member(&admission.member)).await;
    missed.and(left).and(whole)
}

fn now() -> Outcome<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}

/// Streams of attachments block: they get a thread of their own.
fn beside<T: Send>(work: impl FnOnce() -> std::io::Result<T> + Send) -> Outcome<T> {
    let done = tokio::task::block_in_place(|| std::thread::scope(|scope| scope.spawn(work).join()));
    Ok(done.map_err(|_| "the thread of an attachment panicked")??)
}
