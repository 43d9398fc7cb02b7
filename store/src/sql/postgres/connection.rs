//! One connection to a server of PostgreSQL.

use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::time::{Duration, Instant};

use bytes::{BufMut as _, BytesMut};
use futures_util::future::join;
use futures_util::{FutureExt as _, TryStreamExt as _};
use tokio::task::JoinHandle;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Row, SimpleQueryMessage, Statement};

use super::address::Address;
use crate::error::{Error, Result};
use crate::sql::reported;
use crate::table::Value;

/// What the driver reports.
pub(crate) fn failed(error: tokio_postgres::Error) -> Error {
    reported::by_postgres(&error)
}

/// How long a server is asked again that has no connection free now, or is starting.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

fn is_busy(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|state| matches!(state.code(), "53300" | "57P03"))
}

/// A connection, and what was prepared on it.
pub(crate) struct Connection {
    client: Client,
    /// Carries what goes to and fro, and ends with the connection.
    carrier: JoinHandle<()>,
    prepared: HashMap<&'static str, Statement>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl Connection {
    /// # Errors
    /// [`Error::Unavailable`].
    pub(crate) async fn open(address: &Address) -> Result<Self> {
        let begin = Instant::now();
        let (client, mut connection) = loop {
            match address.config.connect(address.tls.clone()).await {
                Err(error) if is_busy(&error) && begin.elapsed() < PATIENCE => tokio::time::sleep(PAUSE).await,
                other => break other.map_err(failed)?,
            }
        };
        // Passes over what the server says without being asked: the driver would write it to the log.
        let carrier = tokio::spawn(async move {
            while let Some(Ok(_)) = poll_fn(|context| connection.poll_message(context)).await {}
        });
        Ok(Self { client, carrier, prepared: HashMap::new() })
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Says goodbye to the server, and waits until that has arrived.
    pub(crate) async fn close(self) {
        drop(self.client);
        let _ = self.carrier.await;
    }

    /// Runs texts without values, one after the other.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub(crate) async fn script(&self, sql: &str) -> Result<()> {
        self.client.batch_execute(sql).await.map_err(failed)
    }

    /// Sends a text without values and does not wait for the server's answer. What is sent later is done after it.
    pub(crate) fn send(&self, sql: &str) {
        let _ = self.script(sql).now_or_never();
    }

    /// The rows of a text without values, each value as a text. It is sent without a name, so that no pooler can take it
    /// for another.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub(crate) async fn texts(&self, sql: &str) -> Result<Vec<Vec<String>>> {
        let messages = self.client.simple_query(sql).await.map_err(failed)?;
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        let text = |row: &tokio_postgres::SimpleQueryRow, at| {
            row.try_get(at).map(Option::unwrap_or_default).map(str::to_owned)
        };
        rows.map(|row| (0..row.len()).map(|at| text(row, at)).collect::<Result<_, _>>().map_err(failed)).collect()
    }

    /// The rows that a text with values gives.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub(crate) async fn rows(&mut self, sql: &'static str, values: &[Value]) -> Result<Vec<Row>> {
        let statement = self.statement(sql).await?;
        self.ask(&statement, values).await
    }

    async fn ask(&self, statement: &Statement, values: &[Value]) -> Result<Vec<Row>> {
        let rows = self.client.query_raw(statement, values.iter().map(Parameter)).await.map_err(failed)?;
        rows.try_collect().await.map_err(failed)
    }

    /// The same behind another text, which is sent together with it: one way to the server and back less.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where one of the two fails.
    pub(crate) async fn rows_behind(&mut self, first: &str, sql: &'static str, values: &[Value]) -> Result<Vec<Row>> {
        let Some(statement) = self.prepared.get(sql) else {
            self.script(first).await?;
            return self.rows(sql, values).await;
        };
        let (done, rows) = join(self.script(first), self.ask(statement, values)).await;
        done.and(rows)
    }

    /// Runs a text with values, and gives how many rows it has changed: the rows that come back are counted. The number that
    /// the server reports is not always theirs: Citus counts rows that it did not insert.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub(crate) async fn run(&mut self, sql: &'static str, values: &[Value]) -> Result<u64> {
        let statement = match self.prepared.get(sql) {
            Some(statement) => statement.clone(),
            None => self.prepare(sql, &format!("{sql} RETURNING 1")).await?,
        };
        let rows = self.client.query_raw(&statement, values.iter().map(Parameter)).await.map_err(failed)?;
        let count = rows.try_fold(0_u64, async |count, _| Ok(count.saturating_add(1)));
        count.await.map_err(failed)
    }

    /// Each text is prepared once.
    async fn statement(&mut self, sql: &'static str) -> Result<Statement> {
        match self.prepared.get(sql) {
            Some(statement) => Ok(statement.clone()),
            None => self.prepare(sql, sql).await,
        }
    }

    async fn prepare(&mut self, sql: &'static str, text: &str) -> Result<Statement> {
        let statement = self.client.prepare(text).await.map_err(failed)?;
        self.prepared.insert(sql, statement.clone());
        Ok(statement)
    }
}

/// A value on its way. The driver logs parameters by their `Debug`, which therefore shows nothing.
struct Parameter<'a>(&'a Value);

impl fmt::Debug for Parameter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("_")
    }
}

impl ToSql for Parameter<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self.0 {
            Value::Int(number) => out.put_i64(*number),
            Value::Bytes(bytes) => out.put_slice(bytes),
            Value::Null => return Ok(IsNull::Yes),
        }
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::BYTEA)
    }

    to_sql_checked!();
}
