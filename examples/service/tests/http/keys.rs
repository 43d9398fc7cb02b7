//! Members with several keys, each for roles of its own.

use std::fs;

use lukko::{MemberEntry, MemberId, OsRng, RegistrarKey, Roles};
use lukko_service::{Door, Location};
use lukko_store::{Change, SqliteStore, Store};

use crate::notes::load;
use crate::world::World;

/// Dr Niemi has further keys, which may only deposit, and which stand on the roster before the one that reads.
async fn admit_depositing_keys(world: &World) {
    let Location::Sqlite(path) = &world.database else { panic!("a database on SQLite") };
    let store = SqliteStore::open(path).await.unwrap();
    let vault = load(&store, world).await;
    let id = MemberId::new("dr-niemi").unwrap();
    let reads = vault.roster().members().find(|member| member.entry().id() == id.as_bytes()).unwrap();
    let mut draft = vault.roster().next().unwrap();
    let key = loop {
        let key = vault.descriptor().new_member(id, &mut OsRng).unwrap();
        // The roster is in the order of the fingerprints.
        if key.fingerprint() < reads.entry().fingerprint() {
            break key;
        }
    };
    let entry = MemberEntry::verify(key.entry(), vault.descriptor()).unwrap();
    draft.admit(&entry, Roles::DEPOSIT).unwrap();
    let version = draft.version();
    let seed: [u8; 32] = fs::read(world.path("handed-out/registrar.seed")).unwrap().try_into().unwrap();
    let registrar = RegistrarKey::from_seed(&seed);
    let roster = draft.sign_as_registrar(&registrar, vault.descriptor()).unwrap();
    let changes = [
        Change::Member { key: key.fingerprint(), entry: key.entry() },
        Change::Roster { generation: 1, version, roster: &roster },
    ];
    store.apply(vault.descriptor().vault(), &changes).await.unwrap();
}

#[tokio::test]
async fn a_patient_is_granted_to_the_key_that_reads() {
    let world = World::on_sqlite().await;
    let site = world.open(Door::Therapist).await;
    let (salo, niemi) = (world.token("dr-salo"), world.token("dr-niemi"));
    let patient = site.caller.enrol(&salo).await;
    assert_eq!(site.caller.write(&patient, "n-1", &salo, "slept better").await.status, 201);
    admit_depositing_keys(&world).await;
    let colleague = format!("/patients/{patient}/readers/dr-niemi");
    assert_eq!(site.caller.send("PUT", &colleague, &salo, &[], None).await.status, 204);
    let read = site.caller.get(&format!("/patients/{patient}/notes/n-1"), &niemi).await;
    assert_eq!((read.status, &read.body["text"]), (200, &serde_json::json!("slept better")));
    site.shutdown().await;
}
