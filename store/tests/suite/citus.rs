//! What the store does where the extension citus is. There is no Citus here: a stand-in has its catalogue and its function, in
//! an ordinary database. Which statements need one server only is shown by `postgres_fdw.rs`.

use crate::clinic::{Clinic, patient, with_notes};
use crate::postgres::{Session, fresh, remove, sql};
use crate::session::refused;
use lukko_store::{PostgresStore, Store};

/// Citus's own names, as its documentation has them.
const STAND_IN: &str = "
    SET allow_system_table_mods = on;
    INSERT INTO pg_extension SELECT 4711, 'citus', extowner, extnamespace, extrelocatable, '13.2', NULL, NULL
        FROM pg_extension WHERE extname = 'plpgsql';
    CREATE TABLE pg_dist_partition (logicalrelid REGCLASS, partmethod \"char\", partkey TEXT, colocationid INT);
    CREATE SEQUENCE groups;
    CREATE FUNCTION column_to_column_name(REGCLASS, TEXT) RETURNS TEXT LANGUAGE SQL AS 'SELECT $2';
    CREATE FUNCTION create_distributed_table(name REGCLASS, key TEXT, colocate_with TEXT) RETURNS VOID LANGUAGE plpgsql AS $$
    BEGIN
        IF current_setting('citus.multi_shard_modify_mode', true) IS DISTINCT FROM 'sequential' THEN
            RAISE EXCEPTION 'not one worker after the other';
        END IF;
        INSERT INTO pg_dist_partition SELECT name, 'h', key, CASE WHEN colocate_with = 'none' THEN nextval('groups')
            ELSE (SELECT colocationid FROM pg_dist_partition WHERE logicalrelid = CAST(colocate_with AS REGCLASS)) END;
    END $$;";

/// As docs/SCALING.md has it: table, column, and which tables lie together.
const LAYOUT: [(&str, &str, &str); 14] = [
    ("card", "patient", "2"),
    ("endorsement", "patient", "2"),
    ("erasure", "vault", "1"),
    ("erasure_part", "vault", "1"),
    ("generation", "vault", "1"),
    ("job", "vault", "1"),
    ("job_piece", "vault", "1"),
    ("lukko_probe", "place", "3"),
    ("member", "vault", "1"),
    ("patient", "patient", "2"),
    ("patient_grant", "patient", "2"),
    ("record", "patient", "2"),
    ("unnamed_object", "vault", "1"),
    ("withdrawn", "patient", "2"),
];

async fn layout(url: &str) -> Vec<Vec<String>> {
    Session::to(url).await.rows("SELECT logicalrelid, partkey, colocationid FROM pg_dist_partition ORDER BY 1").await
}

#[tokio::test]
async fn t168_on_citus_every_table_is_distributed_when_it_is_made() {
    let Some(database) = fresh("citus").await else { return };
    let url = format!("postgres:///{database}");
    sql(&url, STAND_IN).await;
    let store = PostgresStore::open(&url).await.unwrap();
    let mut found = layout(&url).await;
    found.sort();
    assert_eq!(found, LAYOUT.map(|(table, key, group)| vec![table.to_owned(), key.to_owned(), group.to_owned()]));
    let mut clinic = Clinic::new(0xc1);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    with_notes(&store, &mut clinic, "p-1", 3).await;
    assert_eq!(store.records(clinic.id(), patient("p-1"), None, 10).await.unwrap().len(), 3);
    // Where VACUUM reaches is not seen from here.
    refused(store.scrub(clinic.id()).await, &["workers of Citus", "VACUUM (FREEZE)"]);
    store.close().await;
    remove(&database).await;
}

/// What was found out when the tables were made is kept: a role that may make nothing opens the database.
#[tokio::test]
async fn t168_on_citus_a_database_opens_without_the_right_to_make_tables() {
    let Some(database) = fresh("citus").await else { return };
    let (url, role) = (format!("postgres:///{database}"), format!("{database}_app"));
    sql(&url, STAND_IN).await;
    PostgresStore::open(&url).await.unwrap().close().await;
    sql(&url, &format!("CREATE ROLE {role} LOGIN PASSWORD 'x'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}"))
        .await;
    let app = format!("postgres://{role}:x@{}/{database}", std::env::var("PGHOST").unwrap());
    PostgresStore::open(&app).await.unwrap().close().await;
    // Another version of Citus is looked at anew.
    sql(&url, "SET allow_system_table_mods = on; UPDATE pg_extension SET extversion = '14.0' WHERE extname = 'citus'")
        .await;
    refused(PostgresStore::open(&app).await, &["lacks a right"]);
    PostgresStore::open(&url).await.unwrap().close().await;
    PostgresStore::open(&app).await.unwrap().close().await;
    remove(&database).await;
    sql("postgres:///postgres", &format!("DROP ROLE {role}")).await;
}

#[tokio::test]
async fn t168_on_citus_tables_that_lie_otherwise_are_refused() {
    let Some(database) = fresh("citus").await else { return };
    let url = format!("postgres:///{database}");
    // They were there before the extension was.
    PostgresStore::open(&url).await.unwrap().close().await;
    sql(&url, STAND_IN).await;
    let first = "create_distributed_table('generation', 'vault', colocate_with => 'none')";
    refused(PostgresStore::open(&url).await, &["citus", "the table generation", first]);
    remove(&database).await;

    let Some(database) = fresh("citus").await else { return };
    let url = format!("postgres:///{database}");
    sql(&url, STAND_IN).await;
    PostgresStore::open(&url).await.unwrap().close().await;
    for (table, key, group) in LAYOUT.into_iter().filter(|(table, ..)| *table != "lukko_probe") {
        let row = format!("WHERE logicalrelid = CAST('{table}' AS REGCLASS)");
        let spoilt = [
            format!("UPDATE pg_dist_partition SET partkey = 'record' {row}"),
            format!("UPDATE pg_dist_partition SET partmethod = 'n' {row}"),
            format!("UPDATE pg_dist_partition SET colocationid = 9 {row}"),
        ];
        for spoil in spoilt {
            sql(&url, &spoil).await;
            refused(PostgresStore::open(&url).await, &["citus", "does not lie there as the store needs it"]);
            let mend = format!("partkey = '{key}', partmethod = 'h', colocationid = {group}");
            sql(&url, &format!("UPDATE pg_dist_partition SET {mend} {row}")).await;
        }
    }
    PostgresStore::open(&url).await.unwrap().close().await;
    remove(&database).await;
}

/// Here a second row of the same key is stored and counted: the table of the probe has no key.
#[tokio::test]
async fn t168_on_citus_counts_that_are_not_true_are_refused() {
    let Some(database) = fresh("citus").await else { return };
    let url = format!("postgres:///{database}");
    sql(&url, STAND_IN).await;
    sql(&url, "CREATE TABLE lukko_probe (place BIGINT, number BIGINT, version TEXT)").await;
    for _ in 0..2 {
        refused(PostgresStore::open(&url).await, &["reports rows that it did not store"]);
    }
    remove(&database).await;
}
