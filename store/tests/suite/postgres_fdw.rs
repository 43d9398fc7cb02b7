//! Three PostgreSQL servers: one that takes the statements, and two that hold the rows, as partitions by the shard key
//! (`postgres_fdw`). `docs/SCALING.md` says what that can do and what it cannot.
//!
//! The tables lie as on Citus: those of a patient by the patient, all others by the vault. The server in front writes the plan
//! of each statement to its log, where the test reads which shards it needs.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;

use crate::clinic::{Clinic, first, patient, with_notes};
use crate::cluster::{Programs, Server};
use crate::postgres::{Session, sql};
use crate::sql::TABLES;
use crate::{jobs, keys, lifecycle, records};
use lukko_store::{Change, Error, PostgresStore, Store};

const SHARDS: usize = 2;

async fn number(url: &str, statement: &str) -> i64 {
    Session::to(url).await.number(statement).await
}

/// The server that takes the statements, and those that hold the rows.
struct Cluster {
    front: Server,
    shards: Vec<Server>,
}

impl Cluster {
    /// None if there is no server at all. `port` and the next two are the names of sockets.
    async fn start(port: u16) -> Option<Self> {
        let programs = Programs::find().await?;
        // Each statement is planned for its values, so that its plan shows the shards that it needs.
        let settings = "session_preload_libraries = auto_explain\nauto_explain.log_min_duration = 0\n\
                        auto_explain.log_format = json\nplan_cache_mode = force_custom_plan";
        let shards = (1..).take(SHARDS).map(|number| Server::start(&programs, port + number, "")).collect();
        Some(Self { front: Server::start(&programs, port, settings), shards })
    }

    /// A store whose rows are on the shards, in databases of this name.
    async fn open(&self, name: &str) -> PostgresStore {
        let front = self.front.url(name);
        sql(&self.front.url("postgres"), &format!("CREATE DATABASE {name}")).await;
        PostgresStore::open(&front).await.unwrap().close().await;
        let mut text = "CREATE EXTENSION postgres_fdw;".to_owned();
        for (number, shard) in self.shards.iter().enumerate() {
            sql(&shard.url("postgres"), &format!("CREATE DATABASE {name}")).await;
            PostgresStore::open(&shard.url(name)).await.unwrap().close().await;
            let (host, port) = (shard.host().0.display(), shard.host().1);
            text += &format!(
                "CREATE SERVER shard_{number} FOREIGN DATA WRAPPER postgres_fdw
                     OPTIONS (host '{host}', port '{port}', dbname '{name}');
                 CREATE USER MAPPING FOR CURRENT_USER SERVER shard_{number} OPTIONS (user 'postgres');"
            );
        }
        for (table, _) in TABLES {
            let shard_key = shard_key(table);
            text += &format!(
                "ALTER TABLE {table} RENAME TO old;
                 CREATE TABLE {table} (LIKE old INCLUDING DEFAULTS) PARTITION BY HASH ({shard_key});
                 DROP TABLE old;"
            );
            for number in 0..self.shards.len() {
                text += &format!(
                    "CREATE FOREIGN TABLE {table}_{number} PARTITION OF {table}
                         FOR VALUES WITH (MODULUS {}, REMAINDER {number})
                         SERVER shard_{number} OPTIONS (table_name '{table}');",
                    self.shards.len()
                );
            }
        }
        sql(&front, &text).await;
        PostgresStore::open(&front).await.unwrap()
    }

    /// Each statement over the tables, and the shards that it needed at once: the most of all its values.
    fn statements(&self) -> BTreeMap<String, BTreeSet<String>> {
        let (log, mut all) = (self.front.log(), BTreeMap::<_, BTreeSet<_>>::new());
        // A plan begins with its statement.
        for plan in log.split("\"Query Text\": \"").skip(1) {
            let (text, nodes) = plan.split_once('\n').unwrap_or_default();
            let text = text.trim_end_matches(',').trim_end_matches('"').to_owned();
            let relations = nodes.lines().map(str::trim).filter(|line| line.starts_with("\"Relation"));
            let shards: BTreeSet<String> = relations.flat_map(shards_in).collect();
            let most = all.entry(text).or_default();
            if shards.len() > most.len() {
                *most = shards;
            }
        }
        all.retain(|_, shards| !shards.is_empty());
        all
    }
}

/// By which column a table is distributed: as on Citus, where there is one.
fn shard_key(table: &str) -> &'static str {
    let of_patient = ["patient", "card", "endorsement", "patient_grant", "withdrawn", "record"];
    if of_patient.contains(&table) { "patient" } else { "vault" }
}

/// The shards of the partitions in a line of a plan.
fn shards_in(line: &str) -> impl Iterator<Item = String> {
    let words = line.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    words.filter_map(|word| {
        let (table, number) = word.rsplit_once('_')?;
        let known = TABLES.iter().any(|(known, _)| *known == table) && number.len() == 1;
        known.then(|| format!("{} {number}", shard_key(table)))
    })
}

macro_rules! cases {
    ($cluster:expr; $($module:ident :: $case:ident),* $(,)?) => {
        $(
            println!(stringify!($case));
            // Each case has a frame of its own: all of them in one are too much for a test's stack.
            let case: fn(PostgresStore) -> Pin<Box<dyn Future<Output = ()>>> = |store| Box::pin($module::$case(store));
            case($cluster.open(stringify!($case)).await).await;
        )*
    };
}

/// What belongs to jobs, and no request: these alone need more than one shard.
const EVERYWHERE: [&str; 6] = [
    "SELECT patient, version, card FROM patient WHERE vault = $1 ",
    "SELECT patient, version, card, bytes FROM card WHERE vault = $1 ",
    "SELECT DISTINCT n.patient, n.card, c.card FROM ",
    "SELECT 1 FROM record WHERE vault = $1 AND object = $2 ",
    "DELETE FROM endorsement WHERE vault = $1 AND generation = $2 ",
    "DELETE FROM patient_grant WHERE vault = $1 AND generation = $2 ",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t144_three_servers_hold_one_vault() {
    let Some(cluster) = Cluster::start(6_000).await else { return };
    // Rows are on both shards, and none at the front.
    let store = cluster.open("spread").await;
    let mut clinic = Clinic::new(0xfd3);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    for number in 0..12 {
        with_notes(&store, &mut clinic, &format!("p-{number}"), 2).await;
    }
    let mut counts = Vec::new();
    for shard in &cluster.shards {
        counts.push(number(&shard.url("spread"), "SELECT count(*) FROM record").await);
    }
    println!("records on each shard: {counts:?}");
    assert!(counts.iter().sum::<i64>() == 24 && counts.iter().all(|count| *count > 0), "{counts:?}");

    // All but the cases that scrub.
    cases!(cluster;
        keys::t090_a_repeated_enrolment_changes_nothing,
        keys::t096_of_two_generations_one_is_stored,
        keys::t096_an_older_roster_is_refused,
        keys::t095_of_two_enrolments_at_once_one_is_stored,
        keys::t094_a_change_is_made_whole_or_not_at_all,
        keys::t107_an_erasure_takes_one_patient_and_no_other,
        keys::t105_records_that_an_erasure_kept_hold_no_generation,
        keys::t108_an_erased_id_is_enrolled_anew,
        keys::t105_a_retired_generation_has_nothing_left,
        records::t097_a_writer_who_was_overtaken_is_refused,
        records::t097_of_many_writers_at_once_one_wins,
        records::t095_a_record_is_never_written_under_an_older_card,
        records::t090_t094_new_records_of_two_patients_in_one_change,
        records::t026_ids_are_compared_bytewise,
        records::t144_listings_give_every_row_once,
        records::t107_an_object_that_was_given_up_is_named_by_nothing,
        jobs::t094_every_piece_is_claimed_once,
        jobs::t093_a_rotation_stops_and_goes_on,
        jobs::t095_a_rekey_moves_every_record,
        jobs::t015_t016_t022_t098_verify_names_what_does_not_open,
        jobs::t094_a_lease_that_ended_goes_to_the_next_worker,
        jobs::an_import_leaves_another_text_in_its_place,
        lifecycle::t093_a_generation_with_the_last_way_to_a_card_is_not_retired,
        lifecycle::t093_an_older_card_with_records_keeps_its_generation,
        lifecycle::t107_a_sweep_takes_no_object_that_a_record_names,
    );
    one_shard_for_each_statement(&cluster.statements());
}

/// A statement that needs two shards would be refused on Citus, or wait for the workers of both.
fn one_shard_for_each_statement(statements: &BTreeMap<String, BTreeSet<String>>) {
    let mut met = BTreeSet::<&str>::new();
    for (text, shards) in statements {
        let everywhere = EVERYWHERE.iter().find(|begin| text.starts_with(**begin));
        assert!(shards.len() == 1 || everywhere.is_some(), "{text} needs {shards:?}");
        let tables: BTreeSet<&str> = shards.iter().filter_map(|shard| shard.split(' ').next()).collect();
        assert_eq!(tables.len(), 1, "{text} is over tables of a patient and of a vault");
        assert!(everywhere.is_none() || !text.contains(" FOR "), "{text} locks on every shard");
        let changes = ["UPDATE", "DELETE"].iter().any(|verb| text.starts_with(verb));
        assert!(!changes || text.ends_with("RETURNING 1"), "{text} does not give back what it has changed");
        met.extend(everywhere.copied());
    }
    println!("{} statements, {} of them on every shard", statements.len(), met.len());
    // The search for a planted card is part of an erasure by a job, which scrubs, and that cannot be done here.
    assert!(met.len() >= EVERYWHERE.len() - 1, "only {met:?} was met");
    assert!(statements.len() > 40, "{statements:?}");
}

/// `VACUUM` passes over a table on another server, and says nothing: the store does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t106_an_erasure_on_other_servers_is_not_noted_as_scrubbed() {
    let Some(cluster) = Cluster::start(6_003).await else { return };
    let store = cluster.open("scrub").await;
    let (mut clinic, card) = crate::postgresql_erasure::clinic(&store).await;
    crate::postgresql_erasure::erase(&store, &mut clinic, card).await;
    crate::session::refused(store.scrub(clinic.id()).await, &["is on another server", "VACUUM (FREEZE)"]);
    assert_eq!(store.erasures(clinic.id()).await.unwrap()[0].scrubbed, None);
}

/// There is no commit over two servers: what `docs/SCALING.md` says of it, and that the change given again completes it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t094_a_change_on_two_servers_can_be_half_made() {
    let Some(cluster) = Cluster::start(6_006).await else { return };
    let (store, shards) = (cluster.open("half").await, &cluster.shards);
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
        let there = number(&shards[0].url("half"), &count).await;
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
            &shard.url("half"),
            "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
                 AS 'BEGIN RAISE EXCEPTION ''no''; END';
             CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON record DEFERRABLE INITIALLY DEFERRED
                 FOR EACH ROW EXECUTE FUNCTION refuse();",
        )
        .await;
        let name = format!("r-{number}");
        let change = on.each_ref().map(|(id, card)| Change::Record(first(id, &name, *card, b"text").into()));
        let result = store.apply(vault, &change).await;
        assert!(matches!(result, Err(Error::Unavailable(_))), "{result:?}");
        let mut there = 0;
        for (id, _) in &on {
            there += store.records(vault, patient(id), None, 10).await.unwrap().len();
        }
        half += there - 2 * number;
        sql(&shard.url("half"), "DROP TRIGGER refuse ON record").await;
        store.apply(vault, &change).await.unwrap();
        for (id, _) in &on {
            assert_eq!(store.records(vault, patient(id), None, 10).await.unwrap().len(), number + 1);
        }
    }
    assert_eq!(half, 1, "docs/SCALING.md says otherwise");
}
