//! The connections of one process: how many there are, who has one, and in which state one comes back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_postgres::Row;

use super::address::Address;
use super::connection::Connection;
use super::session::{self, Server};
use crate::error::{Error, Result};
use crate::sql::driver::{panicked, without_panic};
use crate::table::Value;

/// Connections of one process, at most.
pub(crate) const CONNECTIONS: u32 = 16;
/// How long a caller waits for a connection that others have.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a connection stays open that nobody uses.
const IDLE: Duration = Duration::from_secs(600);
/// How long a server has to end what was given up.
const ENDS: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
pub(crate) struct Pool {
    shared: Arc<Shared>,
    permits: Arc<Semaphore>,
}

#[derive(Debug)]
struct Shared {
    address: Address,
    /// What was there first.
    server: Server,
    /// The one that was used last is at the end.
    idle: Mutex<Vec<(Connection, Instant)>>,
}

impl Shared {
    fn idle(&self) -> MutexGuard<'_, Vec<(Connection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, connection: Connection) {
        self.idle().push((connection, Instant::now()));
    }

    /// The connection that was used last, if there is one; those that are too old are closed.
    fn take(&self) -> Option<Connection> {
        let mut idle = self.idle();
        idle.retain(|(connection, since)| !connection.is_closed() && since.elapsed() < IDLE);
        idle.pop().map(|(connection, _)| connection)
    }
}

impl Pool {
    /// Looks at the server from two connections, and keeps both.
    ///
    /// # Errors
    /// [`Error::Unavailable`], with what to do, if the store cannot keep notes there.
    pub(crate) async fn open(address: Address) -> Result<Self> {
        let (connections, server) = session::probe(&address).await?;
        let shared = Shared { address, server, idle: Mutex::default() };
        connections.into_iter().for_each(|connection| shared.put(connection));
        Ok(Self { shared: Arc::new(shared), permits: Arc::new(Semaphore::new(CONNECTIONS as usize)) })
    }

    /// Whether the server gives its rows to the workers of Citus.
    pub(crate) fn is_citus(&self) -> bool {
        self.shared.server.citus
    }

    /// A connection, for as long as the caller keeps it.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub(crate) async fn lease(&self) -> Result<Lease> {
        let permit = timeout(PATIENCE, Arc::clone(&self.permits).acquire_owned()).await;
        let permit = permit
            .map_err(|_| Error::unavailable("all connections to the server are in use: give the change again"))?;
        let permit = permit.map_err(|_| Error::unavailable("the store was closed"))?;
        let connection = match self.shared.take() {
            Some(connection) => connection,
            None => session::open(&self.shared.address, Some(&self.shared.server)).await?,
        };
        let shared = Arc::clone(&self.shared);
        Ok(Lease {
            connection: Some(connection),
            begun: false,
            first: None,
            asked: false,
            shared,
            permit: Some(permit),
        })
    }

    /// Closes every connection, when whoever has one has given it back.
    pub(crate) async fn close(&self) {
        let all = self.permits.acquire_many(CONNECTIONS).await;
        self.permits.close();
        drop(all);
        let idle = std::mem::take(&mut *self.shared.idle());
        for (connection, _) in idle {
            connection.close().await;
        }
    }
}

/// A connection that one caller has, in a transaction or without one. What is left open when it is dropped is rolled back
/// before anybody else gets the connection.
#[derive(Debug)]
pub(crate) struct Lease {
    /// None when it was given up.
    connection: Option<Connection>,
    /// It is in a transaction, or may be.
    begun: bool,
    /// What begins a transaction, and goes with its first statement.
    first: Option<&'static str>,
    /// The server has not answered the last statement.
    asked: bool,
    shared: Arc<Shared>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Lease {
    /// Begins a transaction that only reads. The text goes with the first statement: if it failed, that would be no part of a
    /// transaction, and its rows are not given out.
    pub(crate) const fn begin_to_read(&mut self, sql: &'static str) {
        self.first = Some(sql);
    }

    /// # Errors
    /// [`Error::Unavailable`].
    pub(crate) async fn begin(&mut self, sql: &'static str) -> Result<()> {
        self.begun = true;
        self.script(sql).await
    }

    /// Ends the transaction, if there is one.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub(crate) async fn end(&mut self, sql: &'static str) -> Result<()> {
        if self.begun {
            self.script(sql).await?;
            self.begun = false;
        }
        Ok(())
    }

    /// As [`Connection::script`].
    pub(crate) async fn script(&mut self, sql: &str) -> Result<()> {
        self.asking(async |connection| connection.script(sql).await).await
    }

    /// As [`Connection::texts`].
    pub(crate) async fn texts(&mut self, sql: &str) -> Result<Vec<Vec<String>>> {
        self.asking(async |connection| connection.texts(sql).await).await
    }

    /// As [`Connection::rows`].
    pub(crate) async fn rows(&mut self, sql: &'static str, values: &[Value]) -> Result<Vec<Row>> {
        let Some(first) = self.first.take() else {
            return self.asking(async |connection| connection.rows(sql, values).await).await;
        };
        self.begun = true;
        self.asking(async |connection| connection.rows_behind(first, sql, values).await).await
    }

    /// As [`Connection::run`].
    pub(crate) async fn run(&mut self, sql: &'static str, values: &[Value]) -> Result<u64> {
        if let Some(first) = self.first.take() {
            self.begin(first).await?;
        }
        self.asking(async |connection| connection.run(sql, values).await).await
    }

    /// A connection whose driver panics is given up. The driver's future is large, and in a box those above stay small.
    pub(crate) async fn asking<T>(&mut self, ask: impl AsyncFnOnce(&mut Connection) -> Result<T>) -> Result<T> {
        let connection = self.connection.as_mut().ok_or_else(panicked)?;
        self.asked = true;
        let answer = without_panic(Box::pin(ask(connection))).await;
        self.asked = false;
        answer.unwrap_or_else(|| {
            self.connection = None;
            Err(panicked())
        })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        if !self.asked {
            if self.begun {
                connection.send("ROLLBACK");
            }
            self.shared.put(connection);
            return;
        }
        // The caller did not wait for the answer. Until it has come, and what was open is rolled back, nobody gets the
        // connection. Where that takes too long it is closed.
        let (shared, permit) = (Arc::clone(&self.shared), self.permit.take());
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            if let Ok(Ok(())) = timeout(ENDS, connection.script("ROLLBACK")).await {
                shared.put(connection);
            }
            drop(permit);
        });
    }
}
