//! Transactions that PostgreSQL takes back: deadlocks, and those that it could not put in order.

use crate::clinic::{Clinic, field, first, patient, record, with_notes};
use crate::postgres::Session;
use lukko_store::{Change, JobKind, Over, Store};

async fn sql(database: &str, statement: &str) {
    crate::postgres::sql(&format!("postgres:///{database}"), statement).await;
}

async fn number(database: &str, statement: &str) -> i64 {
    Session::to(&format!("postgres:///{database}")).await.number(statement).await
}

async fn deadlocks(database: &str) -> i64 {
    number(database, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").await
}

/// Two changes of two patients each, in the opposite order, until the server has broken a deadlock of theirs.
#[tokio::test]
async fn t100_a_deadlock_is_broken_and_both_changes_are_made() {
    let Some((store, database)) = crate::postgres::open("deadlock", 0).await else { return };
    sql(&database, &format!("ALTER DATABASE {database} SET deadlock_timeout = '20ms'")).await;
    store.close().await;
    let store = lukko_store::PostgresStore::open(&format!("postgres:///{database}")).await.unwrap();
    let mut clinic = Clinic::new(0x1001);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let one = with_notes(&store, &mut clinic, "p-1", 0).await.card_id;
    let two = with_notes(&store, &mut clinic, "p-2", 0).await.card_id;
    let mut rounds = 0;
    while deadlocks(&database).await < 3 {
        let names = ["a", "b"].map(|side| format!("r-{side}-{rounds}"));
        let notes = |name| {
            [first("p-1", name, one, b"text"), first("p-2", name, two, b"text")].map(|new| Change::Record(new.into()))
        };
        let (forth, mut back) = (notes(&names[0]), notes(&names[1]));
        back.reverse();
        let (forth, back) = tokio::join!(store.apply(clinic.id(), &forth), store.apply(clinic.id(), &back));
        forth.unwrap();
        back.unwrap();
        rounds += 1;
        assert!(rounds < 5_000, "no deadlock");
    }
    for id in ["p-1", "p-2"] {
        assert_eq!(store.records(clinic.id(), patient(id), None, 100_000).await.unwrap().len(), 2 * rounds);
    }
    println!("{} deadlocks in {rounds} rounds: every change was made once", deadlocks(&database).await);
}

/// A trigger that takes back so many transactions, as a server does that orders them: at the statement, or at the commit.
async fn trigger(database: &str, table: &str, when: &str) {
    let create = format!(
        "CREATE SEQUENCE tried;
         CREATE TABLE taken_back (times BIGINT);
         INSERT INTO taken_back VALUES (0);
         CREATE FUNCTION take_back() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
             IF nextval('tried') <= (SELECT times FROM taken_back) THEN
                 RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001';
             END IF;
             RETURN NEW;
         END $$;
         CREATE CONSTRAINT TRIGGER take_back AFTER INSERT OR UPDATE ON {table} {when}
             FOR EACH ROW EXECUTE FUNCTION take_back();"
    );
    sql(database, &create).await;
}

async fn take_back(database: &str, times: u32) {
    sql(database, &format!("UPDATE taken_back SET times = {times}; ALTER SEQUENCE tried RESTART")).await;
}

async fn tried(database: &str) -> i64 {
    number(database, "SELECT last_value FROM tried").await
}

/// A few times it is tried again; in the end the caller is told, and can give it again.
async fn a_transaction_is_taken_back(when: &str) {
    let Some((store, database)) = crate::postgres::open("order", 0).await else { return };
    let mut clinic = Clinic::new(0x1002);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let card = with_notes(&store, &mut clinic, "p-1", 0).await.card_id;
    trigger(&database, "record", when).await;
    for times in 0..12 {
        take_back(&database, times).await;
        let name = format!("r-{times}");
        let change = [Change::Record(first("p-1", &name, card, b"text").into())];
        let mut refusals = 0;
        while let Err(error) = store.apply(clinic.id(), &change).await {
            assert!(error.is_retryable() && error.to_string().contains("took this one back"), "{error:?}");
            let stored = store.record(clinic.id(), patient("p-1"), record(&name), field()).await.unwrap();
            assert_eq!(stored, None, "half done");
            refusals += 1;
        }
        assert_eq!((refusals, tried(&database).await), (times / 5, i64::from(times) + 1));
        assert!(store.record(clinic.id(), patient("p-1"), record(&name), field()).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn t100_a_statement_is_not_put_in_order() {
    a_transaction_is_taken_back("").await;
}

#[tokio::test]
async fn t100_a_commit_is_not_put_in_order() {
    a_transaction_is_taken_back("DEFERRABLE INITIALLY DEFERRED").await;
}

#[tokio::test]
async fn t100_a_claim_is_not_put_in_order() {
    let Some((store, database)) = crate::postgres::open("claim", 0).await else { return };
    let mut clinic = Clinic::new(0x1003);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    with_notes(&store, &mut clinic, "p-1", 0).await;
    store.apply(clinic.id(), &[Change::Job { job: "j", kind: JobKind::Verify, over: Over::Everyone }]).await.unwrap();
    trigger(&database, "job_piece", "").await;
    take_back(&database, 4).await;
    let claim = store.claim(clinic.id(), "j", 1_000, 2_000).await.unwrap().unwrap();
    assert_eq!(claim.token, 1);
    take_back(&database, 5).await;
    let error = store.claim(clinic.id(), "j", 3_000, 4_000).await.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    let claim = store.claim(clinic.id(), "j", 3_000, 4_000).await.unwrap().unwrap();
    assert_eq!(claim.token, 2);
}
