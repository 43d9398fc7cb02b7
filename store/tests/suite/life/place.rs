//! The databases that lives are lived in: one for each thread and kind, emptied for every life.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lukko_store::{PostgresStore, SqliteStore, Store};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::postgres;
use crate::sql::{Sql, TABLES};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

pub(super) fn wait<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.block_on(future)
}

thread_local! {
    /// Seconds since 1970.
    static NOW: Cell<u64> = const { Cell::new(1_000_000) };
    static SQLITE: RefCell<Option<Rc<Place<SqliteStore>>>> = const { RefCell::new(None) };
    static POSTGRES: RefCell<Option<Rc<Place<PostgresStore>>>> = const { RefCell::new(None) };
}

/// The clock of everybody in this thread's life.
pub(super) fn clock() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(now())
}

pub(super) fn now() -> u64 {
    NOW.get()
}

pub(super) fn pass(seconds: u64) {
    NOW.set(now() + seconds);
}

/// A store, and the way behind its back.
pub(super) struct Place<S> {
    pub(super) store: S,
    pub(super) sql: Sql,
    /// Where a file is.
    _directory: Option<TempDir>,
}

/// A kind of database.
pub(super) trait Kind: 'static {
    type Store: Store + 'static;

    fn place() -> Rc<Place<Self::Store>>;

    /// An empty one.
    fn empty() -> Rc<Place<Self::Store>> {
        let place = Self::place();
        let statement = |(table, _): (&str, _)| format!("DELETE FROM {table}; DROP TABLE IF EXISTS hidden_{table};");
        wait(place.sql.run(&TABLES.map(statement).concat()));
        place
    }
}

pub(super) struct OnSqlite;
pub(super) struct OnPostgres;

impl Kind for OnSqlite {
    type Store = SqliteStore;

    fn place() -> Rc<Place<SqliteStore>> {
        SQLITE.with_borrow_mut(|place| Rc::clone(place.get_or_insert_with(|| Rc::new(sqlite()))))
    }
}

/// In memory, where the machine has a folder for that: lives do not test disks.
fn sqlite() -> Place<SqliteStore> {
    let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let path = directory.path().join("vault.db");
    let store = wait(SqliteStore::open(&path)).unwrap();
    Place { store, sql: Sql::Sqlite(path), _directory: Some(directory) }
}

impl Kind for OnPostgres {
    type Store = PostgresStore;

    fn place() -> Rc<Place<PostgresStore>> {
        POSTGRES.with_borrow_mut(|place| Rc::clone(place.get_or_insert_with(|| Rc::new(server()))))
    }
}

fn server() -> Place<PostgresStore> {
    let (store, database) = wait(postgres::open("life", 0)).expect("a server");
    Place { store, sql: Sql::Postgres(format!("postgres:///{database}")), _directory: None }
}
