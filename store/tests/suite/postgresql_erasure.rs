//! When PostgreSQL cannot remove what an erasure has deleted, the erasure is not noted as scrubbed, and the reason is said.

use crate::clinic::{Clinic, with_notes};
use crate::postgres::Session;
use crate::session::refused;
use lukko_store::{Change, PostgresStore, Scrub, Store};

async fn sql(database: &str, statement: &str) {
    crate::postgres::sql(&format!("postgres:///{database}"), statement).await;
}

/// A clinic with two patients with notes, of whom `p-1` can be erased.
pub async fn clinic(store: &impl Store) -> (Clinic, lukko::CardId) {
    let mut clinic = Clinic::new(0x1066);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let card = with_notes(store, &mut clinic, "p-1", 3).await.card_id;
    with_notes(store, &mut clinic, "p-2", 3).await;
    (clinic, card)
}

pub async fn erase(store: &impl Store, clinic: &mut Clinic, card: lukko::CardId) {
    let cards = [card];
    let closing = clinic.erasing(&cards);
    let erase = Change::Erase(closing.erase("p-1", &cards));
    store.apply(clinic.id(), &[closing.publish(), erase]).await.unwrap();
}

async fn scrubbed(store: &impl Store, clinic: &Clinic) -> Option<Scrub> {
    store.erasures(clinic.id()).await.unwrap()[0].scrubbed
}

/// The tables belong to the role that made them; the service runs under another one, which may read and write them.
#[tokio::test]
async fn t106_t168_a_role_that_may_not_vacuum_notes_nothing_as_scrubbed() {
    for partitions in [0, 2] {
        let Some((owner, database)) = crate::postgres::open("roles", partitions).await else { return };
        let role = format!("{database}_app");
        sql(
            &database,
            &format!(
                "CREATE ROLE {role} LOGIN PASSWORD 'x';
                 GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"
            ),
        )
        .await;
        let store =
            PostgresStore::open(&format!("postgres://{role}:x@{}/{database}", std::env::var("PGHOST").unwrap()))
                .await
                .unwrap();
        let (mut clinic, card) = clinic(&store).await;
        erase(&store, &mut clinic, card).await;
        refused(store.scrub(clinic.id()).await, &["lacks a right", "own the table", "MAINTAIN"]);
        assert_eq!(scrubbed(&store, &clinic).await, None);
        // One of the four is not enough; a member of the owner is.
        let part = if partitions == 0 { "card" } else { "card_0" };
        sql(&database, &format!("ALTER TABLE {part} OWNER TO {role}")).await;
        refused(store.scrub(clinic.id()).await, &["lacks a right"]);
        assert_eq!(scrubbed(&store, &clinic).await, None);
        assert_eq!(owner.scrub(clinic.id()).await.unwrap(), Scrub::Tables);
        assert_eq!(scrubbed(&store, &clinic).await, Some(Scrub::Tables));
        store.close().await;
        owner.close().await;
        crate::postgres::remove(&database).await;
        sql("postgres", &format!("DROP ROLE {role}")).await;
    }
}

/// An old transaction may still read what was deleted, and so it stays. One that ends in time is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t106_t168_an_erasure_is_not_scrubbed_while_an_old_transaction_may_read_it() {
    let Some((store, database)) = crate::postgres::open("old", 0).await else { return };
    let (mut clinic, card) = clinic(&store).await;
    let other = Session::to(&format!("postgres:///{database}")).await;
    let old = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM member";
    other.run(old).await;
    erase(&store, &mut clinic, card).await;
    refused(store.scrub(clinic.id()).await, &["the transaction of process", "scrub again"]);
    assert_eq!(scrubbed(&store, &clinic).await, None);
    let ends = async {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        other.run("ROLLBACK").await;
    };
    let (reached, ()) = tokio::join!(store.scrub(clinic.id()), ends);
    assert_eq!(reached.unwrap(), Scrub::Tables);
    assert_eq!(scrubbed(&store, &clinic).await, Some(Scrub::Tables));
}

/// A prepared transaction has no process, and outlives the server; a replication slot keeps rows for a standby.
#[tokio::test]
async fn t106_t168_an_erasure_is_not_scrubbed_beside_a_prepared_transaction() {
    let Some(programs) = crate::cluster::Programs::find().await else { return };
    let server = crate::cluster::Server::start(&programs, 6_030, "max_prepared_transactions = 2");
    let url = server.url("postgres");
    let store = PostgresStore::open(&url).await.unwrap();
    let (mut clinic, card) = clinic(&store).await;
    let other = Session::to(&url).await;
    let prepare = "BEGIN; CREATE TABLE elsewhere (x INT); PREPARE TRANSACTION 'left behind'";
    other.run(prepare).await;
    erase(&store, &mut clinic, card).await;
    refused(store.scrub(clinic.id()).await, &["the prepared transaction left behind"]);
    assert_eq!(scrubbed(&store, &clinic).await, None);
    other.run("ROLLBACK PREPARED 'left behind'").await;
    assert_eq!(store.scrub(clinic.id()).await.unwrap(), Scrub::Tables);
}

/// Writers who go on all the time, and autovacuum, do not keep an erasure from being scrubbed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t106_an_erasure_is_scrubbed_beside_writers() {
    let Some((store, _)) = crate::postgres::open("busy", 0).await else { return };
    let (mut clinic, card) = clinic(&store).await;
    let other = with_notes(&store, &mut clinic, "p-3", 0).await.card_id;
    erase(&store, &mut clinic, card).await;
    let (vault, store) = (clinic.id(), std::sync::Arc::new(store));
    let writer = std::sync::Arc::clone(&store);
    let writes = tokio::spawn(async move {
        for number in 0.. {
            let name = format!("w-{number}");
            writer
                .apply(vault, &[Change::Record(crate::clinic::first("p-3", &name, other, b"x").into())])
                .await
                .unwrap();
        }
    });
    assert_eq!(store.scrub(vault).await.unwrap(), Scrub::Tables);
    assert!(!writes.is_finished());
    writes.abort();
    assert_eq!(scrubbed(&*store, &clinic).await, Some(Scrub::Tables));
}
