//! Three PostgreSQL servers: one that takes the statements, and two that hold the rows, as partitions by the shard key
//! (`postgres_fdw`). `docs/SCALING.md` says what that can do and what it cannot.

use crate::clinic::{Clinic, first, patient, with_notes};
use crate::cluster::{Programs, Server};
use crate::postgres::{Session, sql};
use crate::sql::TABLES;
use crate::{jobs, keys, records};
use lukko_store::{Change, Error, JobKind, Over, PostgresStore, Store};

const SHARDS: usize = 2;

async fn number(url: &str, statement: &str) -> i64 {
    Session::to(url).await.number(statement).await
}

/// A store whose rows are on the shards. Gives it with the name of the database, which is the same on each server.
async fn open(shards: &[Server], name: &str) -> (PostgresStore, String) {
    let database = crate::postgres::fresh(name).await.unwrap();
    let front = format!("postgres:///{database}");
    PostgresStore::open(&front).await.unwrap().close().await;
    let mut text = "CREATE EXTENSION postgres_fdw;".to_owned();
    for (number, shard) in shards.iter().enumerate() {
        sql(&shard.url("postgres"), &format!("CREATE DATABASE {database}")).await;
        PostgresStore::open(&shard.url(&database)).await.unwrap().close().await;
        let (host, port) = (shard.host().0.display(), shard.host().1);
        text += &format!(
            "CREATE SERVER shard_{number} FOREIGN DATA WRAPPER postgres_fdw
                 OPTIONS (host '{host}', port '{port}', dbname '{database}');
             CREATE USER MAPPING FOR CURRENT_USER SERVER shard_{number} OPTIONS (user 'postgres');"
        );
    }
    for (table, key) in TABLES {
        let shard_key = if key.starts_with("vault, patient") { "vault, patient" } else { "vault" };
        text += &format!(
            "ALTER TABLE {table} RENAME TO old;
             CREATE TABLE {table} (LIKE old INCLUDING DEFAULTS) PARTITION BY HASH ({shard_key});
             DROP TABLE old;"
        );
        for number in 0..shards.len() {
            text += &format!(
                "CREATE FOREIGN TABLE {table}_{number} PARTITION OF {table}
                     FOR VALUES WITH (MODULUS {}, REMAINDER {number}) SERVER shard_{number} OPTIONS (table_name '{table}');",
                shards.len()
            );
        }
    }
    sql(&front, &text).await;
    (PostgresStore::open(&front).await.unwrap(), database)
}

macro_rules! cases {
    ($shards:expr; $($module:ident :: $case:ident),* $(,)?) => {
        $(
            println!(stringify!($case));
            let (store, _) = open($shards, "fdw").await;
            Box::pin($module::$case(store)).await;
        )*
    };
}

/// The shards; none if there is no server at all.
async fn shards() -> Option<Vec<Server>> {
    let programs = Programs::find().await?;
    // The ports are names of sockets, each in a directory of its own.
    Some((0..SHARDS).map(|number| Server::start(&programs, 6_000 + number as u16, "")).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t144_three_servers_hold_one_vault() {
    let Some(shards) = shards().await else { return };
    // Rows are on both shards, and none at the front.
    let (store, database) = open(&shards, "spread").await;
    let mut clinic = Clinic::new(0xfd3);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    for number in 0..12 {
        with_notes(&store, &mut clinic, &format!("p-{number}"), 2).await;
    }
    let mut counts = Vec::new();
    for shard in &shards {
        counts.push(number(&shard.url(&database), "SELECT count(*) FROM record").await);
    }
    println!("records on each shard: {counts:?}");
    assert!(counts.iter().sum::<i64>() == 24 && counts.iter().all(|count| *count > 0), "{counts:?}");

    // All but the cases that scrub.
    cases!(&shards;
        keys::t090_a_repeated_enrolment_changes_nothing,
        keys::t096_of_two_generations_one_is_stored,
        keys::t096_an_older_roster_is_refused,
        keys::t095_of_two_enrolments_at_once_one_is_stored,
        keys::t094_a_change_is_made_whole_or_not_at_all,
        keys::t107_an_erasure_takes_one_patient_and_no_other,
        keys::t108_an_erased_id_is_enrolled_anew,
        keys::t105_a_retired_generation_has_nothing_left,
        records::t097_a_writer_who_was_overtaken_is_refused,
        records::t097_of_many_writers_at_once_one_wins,
        records::t095_a_record_is_never_written_under_an_older_card,
        records::t026_ids_are_compared_bytewise,
        records::t144_listings_give_every_row_once,
        jobs::t094_every_piece_is_claimed_once,
        jobs::t093_a_rotation_stops_and_goes_on,
        jobs::t095_a_rekey_moves_every_record,
        jobs::t015_t016_t022_t098_verify_names_what_does_not_open,
        jobs::t094_a_lease_that_ended_goes_to_the_next_worker,
        jobs::an_import_leaves_another_text_in_its_place,
    );
}

/// `VACUUM` passes over a table on another server, and says nothing: the store does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t106_an_erasure_on_other_servers_is_not_noted_as_scrubbed() {
    let Some(shards) = shards().await else { return };
    let (store, _) = open(&shards, "scrub").await;
    let (mut clinic, card) = crate::postgresql_erasure::clinic(&store).await;
    crate::postgresql_erasure::erase(&store, &mut clinic, card).await;
    crate::session::refused(store.scrub(clinic.id()).await, &["is on another server", "VACUUM (FREEZE)"]);
    assert_eq!(store.erasures(clinic.id()).await.unwrap()[0].scrubbed, None);
}

/// There is no commit over two servers: what `docs/SCALING.md` says of it, and that the change given again completes it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t094_a_change_on_two_servers_can_be_half_made() {
    let Some(shards) = shards().await else { return };
    let (store, database) = open(&shards, "half").await;
    let mut clinic = Clinic::new(0xfd4);
    let vault = clinic.id();
    store.apply(vault, &clinic.founding()).await.unwrap();
    // A patient on each shard.
    let mut on = [None, None];
    for number_ in 0.. {
        let id = format!("p-{number_}");
        let card = with_notes(&store, &mut clinic, &id, 0).await.card_id;
        let hex = crate::sql::hex(id.as_bytes());
        let count = format!("SELECT count(*) FROM patient WHERE patient = '\\x{hex}'::bytea");
        let there = number(&shards[0].url(&database), &count).await;
        on[usize::from(there == 0)].get_or_insert((id, card));
        if on.iter().all(Option::is_some) {
            break;
        }
    }
    let on = on.map(Option::unwrap);
    let mut half = 0;
    for (number, shard) in shards.iter().enumerate() {
        // This shard refuses when it is told to commit.
        sql(
            &shard.url(&database),
            "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
                 AS 'BEGIN RAISE EXCEPTION ''no''; END';
             CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON record DEFERRABLE INITIALLY DEFERRED
                 FOR EACH ROW EXECUTE FUNCTION refuse();",
        )
        .await;
        let name = format!("r-{number}");
        let change = on.each_ref().map(|(id, card)| Change::Record(first(id, &name, *card, b"text")));
        let result = store.apply(vault, &change).await;
        assert!(matches!(result, Err(Error::Unavailable(_))), "{result:?}");
        let mut there = 0;
        for (id, _) in &on {
            there += store.records(vault, patient(id), None, 10).await.unwrap().len();
        }
        half += there - 2 * number;
        sql(&shard.url(&database), "DROP TRIGGER refuse ON record").await;
        store.apply(vault, &change).await.unwrap();
        for (id, _) in &on {
            assert_eq!(store.records(vault, patient(id), None, 10).await.unwrap().len(), number + 1);
        }
    }
    assert_eq!(half, 1, "docs/SCALING.md says otherwise");
}

/// `SKIP LOCKED` is not passed on: a second worker waits for the first one's transaction.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t094_a_second_worker_waits_for_the_first() {
    let Some(shards) = shards().await else { return };
    let (store, database) = open(&shards, "skip").await;
    let mut clinic = Clinic::new(0xfd5);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    for number in 0..4 {
        with_notes(&store, &mut clinic, &format!("p-{number}"), 0).await;
    }
    store.apply(clinic.id(), &[Change::Job { job: "j", kind: JobKind::Verify, over: Over::Everyone }]).await.unwrap();
    let claim = "SELECT patient FROM job_piece WHERE state = 0 ORDER BY patient LIMIT 1 FOR UPDATE SKIP LOCKED";
    let url = format!("postgres:///{database}");
    let one = Session::to(&url).await;
    one.run("BEGIN").await;
    one.run(claim).await;
    let other = Session::to(&url).await;
    other.run("SET statement_timeout = '1s'").await;
    assert!(other.try_run(claim).await.is_err(), "docs/SCALING.md says otherwise");
    one.run("ROLLBACK").await;
    assert_eq!(other.rows(claim).await.len(), 1);
}
