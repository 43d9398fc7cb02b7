//! What a connection to PostgreSQL must be before the store uses it: a session of its own, on a server of PostgreSQL that
//! takes changes and keeps what it has acknowledged.

use std::time::Duration;

use futures_util::future::{join, join3};

use super::address::Address;
use super::connection::Connection;
use crate::error::{Error, Result};

/// How long a server, or a pooler in front of it, has to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The oldest version of PostgreSQL whose functions the store asks.
const OLDEST: u32 = 13;
/// How often two connections try to take each other's server.
const ROUNDS: usize = 4;

/// The setting by which a session is known again. A new session does not have it.
///
/// All texts of this file are sent without a name, so that no pooler can take one for another.
const LOOK: &str = "SELECT coalesce(current_setting('lukko.session', true), ''), CAST(pg_is_in_recovery() AS TEXT), \
     current_setting('fsync'), current_setting('full_page_writes'), \
     CAST((SELECT count(*) FROM pg_extension WHERE extname = 'citus') AS TEXT), \
     coalesce((SELECT CAST(min(relname) AS TEXT) FROM pg_class \
               WHERE relpersistence = 'u' AND relkind = 'r' AND pg_table_is_visible(oid) AND relname ~ \
               '^(generation|member|patient|card|endorsement|patient_grant|withdrawn|record|erasure|erasure_part|unnamed_object|job|job_piece|lukko_schema)(_[0-9]+)?$'), '')";
/// Every role may ask this.
const SERVER: &str = "SELECT CAST(system_identifier AS TEXT) FROM pg_control_system()";
/// `remote_apply` is more than `on`, and stays. All other values are less: with them a note that was acknowledged can be
/// lost, here or on the standby that takes over.
const MARK: &str = "SELECT set_config('lukko.session', pg_backend_pid() || ' ' || clock_timestamp(), false), \
     set_config('synchronous_commit', \
                CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false)";
const STILL: &str = "SELECT coalesce(current_setting('lukko.session', true), '')";

const POOLER: &str = "a pooler gives the server's session to several connections: a pooler in transaction mode or in \
     statement mode. Acknowledged notes would be lost behind it. Set the pooler to session mode, with server_reset_query = \
     DISCARD ALL, or use the server's own port";
const STANDBY: &str = "the server is a standby, which repeats another server's changes and may be behind it: use the \
     primary's address (target_session_attrs or the pooler's setting for writers)";
const ANOTHER: &str = "another server answers at the database's address than at the beginning: stop the service, and find \
     out which of the two has the newest notes";
const SILENT: &str = "no answer from the server in ten seconds. Behind a pooler: each process of the store takes up to 16 \
     connections, and each needs a connection to the server (default_pool_size)";

/// What stays the same of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    /// The number that the server's files got when they were made. A standby has its primary's.
    number: String,
    /// Whether the database has the extension citus.
    pub(crate) citus: bool,
}

/// A session of the server, which belongs to one connection.
#[derive(Debug, Clone)]
struct Session {
    server: Server,
    mark: String,
}

fn refused<T>(why: impl Into<String>) -> Result<T> {
    Err(Error::unavailable(why.into()))
}

/// The only row of a text.
async fn row(connection: &Connection, sql: &str) -> Result<Vec<String>> {
    let rows = connection.texts(sql).await?;
    rows.into_iter().next().ok_or_else(|| Error::unavailable("the server gives no answer to a question of the store"))
}

/// Looks at the server from two connections at once, and gives them, with the server's number.
///
/// # Errors
/// [`Error::Unavailable`], with what to do, if the store cannot keep notes there.
pub(crate) async fn probe(address: &Address) -> Result<([Connection; 2], Server)> {
    in_time(async {
        let (one, two) = join(Connection::open(address), Connection::open(address)).await;
        let (one, two) = (one?, two?);
        let first = look_and_mark(&one, None).await?;
        let second = look_and_mark(&two, Some(&first.server)).await?;
        for _ in 0..ROUNDS {
            hold(&two, &one, &first).await?;
            hold(&one, &two, &second).await?;
        }
        Ok(([one, two], first.server))
    })
    .await
}

/// While one connection holds a server in a transaction, the other gets another one, if they share.
async fn hold(holder: &Connection, other: &Connection, session: &Session) -> Result<()> {
    // In statement mode there are no transactions.
    if holder.texts("BEGIN; SELECT 'held'").await.is_err() {
        return refused(POOLER);
    }
    still(other, session).await?;
    holder.script("ROLLBACK").await
}

/// A new connection that the store can use.
///
/// # Errors
/// [`Error::Unavailable`], with what to do.
pub(crate) async fn open(address: &Address, server: Option<&Server>) -> Result<Connection> {
    in_time(async {
        let connection = Connection::open(address).await?;
        look_and_mark(&connection, server).await?;
        Ok(connection)
    })
    .await
}

async fn in_time<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| refused(SILENT))
}

/// The three questions are sent at once. The first one alone is for every database that speaks the protocol.
async fn look_and_mark(connection: &Connection, server: Option<&Server>) -> Result<Session> {
    let (version, found, number) =
        join3(row(connection, "SELECT version()"), row(connection, LOOK), row(connection, SERVER)).await;
    known(&version?.concat())?;
    let met = Server { citus: acceptable(&found?)?, number: number?.concat() };
    if server.is_some_and(|server| *server != met) {
        return refused(ANOTHER);
    }
    let mark = row(connection, MARK).await?.into_iter().next().unwrap_or_default();
    let session = Session { server: met, mark };
    still(connection, &session).await?;
    Ok(session)
}

/// Whether what [`LOOK`] has found has Citus.
fn acceptable(found: &[String]) -> Result<bool> {
    let [mark, standby, fsync, pages, citus, unlogged] = found else {
        return refused("the server's answer to a question of the store is not understood");
    };
    if !mark.is_empty() {
        return refused(POOLER);
    }
    if standby != "false" {
        return refused(STANDBY);
    }
    for (value, setting) in [(fsync, "fsync"), (pages, "full_page_writes")] {
        if value != "on" {
            return refused(unsafe_setting(setting));
        }
    }
    if !unlogged.is_empty() {
        return refused(format!(
            "the table {unlogged} is UNLOGGED, and a crash of the server would empty it: ALTER TABLE {unlogged} SET LOGGED"
        ));
    }
    Ok(citus != "0")
}

/// Whether the connection still has its session.
async fn still(connection: &Connection, session: &Session) -> Result<()> {
    if row(connection, STILL).await?.concat() == session.mark { Ok(()) } else { refused(POOLER) }
}

fn unsafe_setting(setting: &str) -> String {
    format!(
        "the server's setting {setting} is off: a power cut would lose or damage acknowledged notes. Set {setting} = on in \
         postgresql.conf and reload it (ALTER SYSTEM SET {setting} = on; SELECT pg_reload_conf())"
    )
}

/// What other databases that speak the protocol put into the text of their version, and their names.
const OTHERS: [(&str, &str); 8] = [
    ("CockroachDB", "CockroachDB"),
    ("-YB-", "YugabyteDB"),
    ("Redshift", "Amazon Redshift"),
    ("Greenplum", "Greenplum"),
    ("Materialize", "Materialize"),
    ("QuestDB", "QuestDB"),
    ("CrateDB", "CrateDB"),
    ("openGauss", "openGauss"),
];

/// Whether the text of a version is that of PostgreSQL.
fn known(version: &str) -> Result<()> {
    if let Some((_, name)) = OTHERS.into_iter().find(|(mark, _)| version.contains(mark)) {
        return refused(unknown(name));
    }
    let number = version.strip_prefix("PostgreSQL ").and_then(|rest| rest.split([' ', '.']).next());
    match number.map(|number| number.split(char::is_alphabetic).next()) {
        Some(Some(number)) if number.parse::<u32>().is_ok_and(|number| number >= OLDEST) => Ok(()),
        _ => refused(unknown(&version.chars().take(80).collect::<String>())),
    }
}

fn unknown(name: &str) -> String {
    format!(
        "the database is {name}, and the store has not been shown to keep notes there: a write could be acknowledged that was \
         never made. Use PostgreSQL {OLDEST} or newer"
    )
}

#[cfg(test)]
mod tests {
    use super::known;

    /// Texts that the databases themselves publish in their documentation.
    #[test]
    fn t168_a_database_that_only_looks_like_postgresql_is_named() {
        for version in [
            "PostgreSQL 15.18 (Debian 15.18-0+deb12u1) on x86_64-pc-linux-gnu, compiled by gcc, 64-bit",
            "PostgreSQL 13.0 on x86_64-apple-darwin19.6.0, compiled by Apple clang version 11.0.3, 64-bit",
            "PostgreSQL 17beta1 on x86_64-pc-linux-gnu, compiled by gcc, 64-bit",
            "PostgreSQL 18devel on x86_64-linux, compiled by gcc-13.2.0, 64-bit",
        ] {
            known(version).unwrap();
        }
        for (version, name) in [
            ("CockroachDB CCL v23.1.11 (x86_64-pc-linux-gnu, built 2023/09/27, go1.19.10)", "CockroachDB"),
            ("PostgreSQL 15.2-YB-2.25.0.0-b0 on x86_64-pc-linux-gnu, compiled by clang, 64-bit", "YugabyteDB"),
            ("PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc 3.4.2, Redshift 1.0.54052", "Amazon Redshift"),
            ("PostgreSQL 12.12 (Greenplum Database 7.0.0 build dev) on x86_64-pc-linux-gnu", "Greenplum"),
            ("PostgreSQL 9.5.0 on x86_64-unknown-linux-gnu (Materialize v0.98.0)", "Materialize"),
            ("PostgreSQL 12.3, compiled by Visual C++ build 1914, 64-bit, QuestDB", "QuestDB"),
            ("PostgreSQL 9.6.24 on x86_64-pc-linux-gnu, compiled by gcc, 64-bit", "PostgreSQL 9.6.24"),
            ("PostgreSQL", "the database is PostgreSQL,"),
            ("Another 15.1", "Another 15.1"),
        ] {
            let text = known(version).unwrap_err().to_string();
            assert!(text.contains(name), "{version}: {text}");
        }
    }
}
