//! What a connection to PostgreSQL must be before the store uses it: a session of its own, on a server of PostgreSQL that
//! takes changes and keeps what it has acknowledged.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, Row as _};

use super::reported::failed;
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

/// A session of the server, which belongs to one connection.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// The number that the server's files got when they were made. A standby has its primary's.
    pub(super) server: String,
    mark: String,
}

fn refused<T>(why: impl Into<String>) -> Result<T> {
    Err(Error::unavailable(why.into()))
}

async fn row(connection: &mut PgConnection, sql: &'static str) -> Result<PgRow> {
    sqlx::raw_sql(sql).fetch_one(connection).await.map_err(failed)
}

fn text(row: &PgRow, at: usize) -> Result<String> {
    row.try_get(at).map_err(failed)
}

/// Looks at the server from two connections at once, and gives its number.
///
/// # Errors
/// [`Error::Unavailable`], with what to do, if the store cannot keep notes there.
pub(super) async fn probe(options: &PgConnectOptions) -> Result<String> {
    in_time(async {
        let mut one = options.connect().await.map_err(failed)?;
        let first = look_and_mark(&mut one, None).await?;
        let mut two = options.connect().await.map_err(failed)?;
        let second = look_and_mark(&mut two, Some(&first.server)).await?;
        for _ in 0..ROUNDS {
            hold(&mut two, &mut one, &first).await?;
            hold(&mut one, &mut two, &second).await?;
        }
        one.close().await.map_err(failed)?;
        two.close().await.map_err(failed)?;
        Ok(first.server)
    })
    .await
}

/// While one connection holds a server in a transaction, the other gets another one, if they share.
async fn hold(holder: &mut PgConnection, other: &mut PgConnection, session: &Session) -> Result<()> {
    // In statement mode there are no transactions.
    let Ok(mut held) = holder.begin().await else { return refused(POOLER) };
    row(&mut held, "SELECT 'held'").await?;
    still(other, session).await?;
    held.rollback().await.map_err(failed)
}

/// Makes a new connection one that the store can use.
///
/// # Errors
/// [`Error::Unavailable`], with what to do.
pub(super) async fn require(connection: &mut PgConnection, server: &str) -> Result<()> {
    in_time(look_and_mark(connection, Some(server))).await.map(drop)
}

async fn in_time<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| refused(SILENT))
}

async fn look_and_mark(connection: &mut PgConnection, server: Option<&str>) -> Result<Session> {
    known(&text(&row(connection, "SELECT version()").await?, 0)?)?;
    let found = row(connection, LOOK).await?;
    if !text(&found, 0)?.is_empty() {
        return refused(POOLER);
    }
    if text(&found, 1)? != "false" {
        return refused(STANDBY);
    }
    for (at, setting) in [(2, "fsync"), (3, "full_page_writes")] {
        if text(&found, at)? != "on" {
            return refused(unsafe_setting(setting));
        }
    }
    if text(&found, 4)? != "0" {
        return refused(unknown("PostgreSQL with the extension citus"));
    }
    let unlogged = text(&found, 5)?;
    if !unlogged.is_empty() {
        return refused(format!(
            "the table {unlogged} is UNLOGGED, and a crash of the server would empty it: ALTER TABLE {unlogged} SET LOGGED"
        ));
    }
    let number = text(&row(connection, SERVER).await?, 0)?;
    if server.is_some_and(|server| server != number) {
        return refused(ANOTHER);
    }
    let mark = text(&row(connection, MARK).await?, 0)?;
    let session = Session { server: number, mark };
    still(connection, &session).await?;
    Ok(session)
}

/// Whether the connection still has its session.
async fn still(connection: &mut PgConnection, session: &Session) -> Result<()> {
    if text(&row(connection, STILL).await?, 0)? == session.mark { Ok(()) } else { refused(POOLER) }
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
