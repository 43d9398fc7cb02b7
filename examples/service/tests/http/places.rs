//! A thief of the intake process has its seed and the database that it writes to. A place holds one kind of record all the
//! same, and who works there is not stuck.

use std::os::unix::fs::PermissionsExt;

use lukko::rand_core::{TryCryptoRng, TryRng};
use lukko::{FieldLabel, OsRng, Padding, PatientId, RecordId};
use lukko_service::{Door, Location};
use lukko_store::{Change, Expect, NewRecord, PostgresStore, Sealed, Spot, SqliteStore, Store, StoredBody};
use serde_json::json;

use crate::notes::{load, member_key};
use crate::world::{Caller, World, worlds};

const TEXT: &str = "acute risk; transfer to ward 7";

/// Gives the 16 bytes of an id first, and then what the operating system draws.
struct Chosen<'a>(Option<&'a str>);

impl TryRng for Chosen<'_> {
    type Error = <OsRng as TryRng>::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        OsRng.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        OsRng.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        let Some(id) = self.0.take() else { return OsRng.try_fill_bytes(bytes) };
        for (byte, digits) in bytes.iter_mut().zip(id.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
        }
        Ok(())
    }
}

impl TryCryptoRng for Chosen<'_> {}

/// Puts a deposit of the thief's own in a place, or these bytes. Gives the bytes that stood there.
async fn put(world: &World, place: (&str, &str, &str), bytes: Option<&[u8]>) -> Vec<u8> {
    match &world.database {
        Location::Sqlite(path) => with(&SqliteStore::open(path).await.unwrap(), world, place, bytes).await,
        Location::Postgres(url) => with(&PostgresStore::open(url).await.unwrap(), world, place, bytes).await,
    }
}

async fn with(
    store: &impl Store,
    world: &World,
    (id, name, field): (&str, &str, &str),
    bytes: Option<&[u8]>,
) -> Vec<u8> {
    let vault = load(store, world).await;
    let intake = member_key(&vault, &world.path("intake/intake.seed"), "intake");
    let (patient, record, field) =
        (PatientId::new(id).unwrap(), RecordId::new(name).unwrap(), FieldLabel::new(field).unwrap());
    let (vault_id, rows) =
        (vault.descriptor().vault(), store.patient(vault.descriptor().vault(), patient).await.unwrap());
    let cards = rows.card_bytes();
    let card = vault.card(patient, &rows.stored(1, &cards).unwrap(), None).unwrap();
    let forged =
        vault.deposit(&card, &intake, field, Padding::Padme, TEXT.as_bytes(), &mut Chosen(Some(name))).unwrap();
    assert_eq!(forged.record, name);
    let stored = store.record(vault_id, patient, record, field).await.unwrap().unwrap();
    let StoredBody::Sealed(before) = stored.body else { panic!("a note") };
    let revision = stored.revision;
    store.apply(vault_id, &[Change::Delete { patient, record, field, revision }]).await.unwrap();
    let (bytes, spot) = (bytes.unwrap_or(&forged.bytes), Spot { patient, record, field });
    let place = (card.id(), lukko::claimed::Record::read(bytes).unwrap().revision);
    let sealed = Sealed::from_bytes(&vault, spot, place, bytes.to_vec()).unwrap();
    store.apply(vault_id, &[Change::Record(NewRecord::new(&sealed, Expect::Absent))]).await.unwrap();
    before
}

async fn is_refused_by_name(caller: &Caller, path: &str, token: &str) -> String {
    let read = caller.get(path, token).await;
    assert_eq!((read.status, &read.body["type"]), (409, &json!("tag:lukko-service,2026:misplaced")), "{read:?}");
    assert!(!read.body.to_string().contains("ward"), "{read:?}");
    read.body["detail"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn t022_a_deposit_in_a_notes_place_is_refused_and_its_writer_goes_on() {
    for world in worlds("places").await {
        let (clinic, salo) = (world.open(Door::Therapist).await, world.token("dr-salo"));
        let id = clinic.caller.enrol(&salo).await;
        let name = "1".repeat(32);
        assert_eq!(clinic.caller.write(&id, &name, &salo, "no risk").await.status, 201);
        put(&world, (&id, &name, "note"), None).await;
        let path = format!("/patients/{id}/notes/{name}");
        let detail = is_refused_by_name(&clinic.caller, &path, &salo).await;
        assert!(detail.contains("it has the ETag \"0\""), "{detail}");
        // Who saves on the revision that was there learns the same, and how to go on.
        let put = clinic.caller.rewrite(&path, &salo, "\"1\"", "mine").await;
        assert_eq!((put.status, &put.body["type"]), (409, &json!("tag:lukko-service,2026:misplaced")));
        assert!(put.body["detail"].as_str().unwrap().contains("\"0\""), "{put:?}");
        let put = clinic.caller.rewrite(&path, &salo, "\"0\"", "mine").await;
        assert_eq!((put.status, put.etag.as_deref()), (200, Some("\"1\"")), "{put:?}");
        assert_eq!(clinic.caller.get(&path, &salo).await.body["text"], "mine");

        // At the glass too.
        self::put(&world, (&id, &name, "note"), None).await;
        let glass = world.open(Door::Glass).await;
        for number in [1, 2] {
            let given = glass.caller.share(&world.token(&format!("custodian-{number}")), &world.share(number)).await;
            assert_eq!(given.status, 200);
        }
        is_refused_by_name(&glass.caller, &format!("/glass{path}"), &salo).await;
        glass.shutdown().await;
        clinic.shutdown().await;
    }
}

#[tokio::test]
async fn t022_what_was_taken_over_is_out_of_its_authors_reach() {
    for world in worlds("reach").await {
        let (clinic, front) = (world.open(Door::Therapist).await, world.open(Door::Intake).await);
        let (salo, intake) = (world.token("dr-salo"), world.token("intake"));
        let id = clinic.caller.enrol(&salo).await;
        let deposits = format!("/patients/{id}/deposits");
        let made = front.caller.send("POST", &deposits, &intake, &[], Some(json!({ "text": "I slept" }))).await;
        let name = made.body["record"].as_str().unwrap().to_owned();
        let (path, place) = (format!("{deposits}/{name}"), (id.as_str(), name.as_str(), "intake"));
        let take_over = format!("{path}/take-over");
        // Until then a deposit of the author's may stand there: nobody has vouched for it.
        let old = put(&world, place, None).await;
        put(&world, place, Some(&old)).await;
        assert_eq!(clinic.caller.send("POST", &take_over, &salo, &[], None).await.status, 204);
        assert_eq!(clinic.caller.get(&path, &salo).await.body["origin"], "taken-over");

        // Another deposit of the same author, and then the old one.
        let taken = put(&world, place, None).await;
        is_refused_by_name(&clinic.caller, &path, &salo).await;
        put(&world, place, Some(&old)).await;
        is_refused_by_name(&clinic.caller, &path, &salo).await;
        let again = clinic.caller.send("POST", &take_over, &salo, &[], None).await;
        assert_eq!((again.status, &again.body["type"]), (409, &json!("tag:lukko-service,2026:misplaced")));
        // The door remembers it when it starts again, in a file that only its owner reads.
        clinic.shutdown().await;
        let file = std::fs::metadata(world.path("therapist/taken-over")).unwrap();
        assert_eq!((file.len(), file.permissions().mode() & 0o777), (32, 0o600));
        let clinic = world.open(Door::Therapist).await;
        is_refused_by_name(&clinic.caller, &path, &salo).await;
        put(&world, place, Some(&taken)).await;
        assert_eq!(clinic.caller.get(&path, &salo).await.body["text"], "I slept");
        // Deposits of others wait as before.
        let made = front.caller.send("POST", &deposits, &intake, &[], Some(json!({ "text": "and today" }))).await;
        let other = clinic.caller.get(&format!("{deposits}/{}", made.body["record"].as_str().unwrap()), &salo).await;
        assert_eq!((other.status, &other.body["origin"]), (200, &json!("deposit")));
        front.shutdown().await;
        clinic.shutdown().await;
    }
}

/// Nothing but a deposit is read at a deposit's address.
#[tokio::test]
async fn t022_a_note_in_a_deposits_place_is_refused() {
    let world = World::on_sqlite().await;
    let (clinic, front) = (world.open(Door::Therapist).await, world.open(Door::Intake).await);
    let (salo, intake) = (world.token("dr-salo"), world.token("intake"));
    let id = clinic.caller.enrol(&salo).await;
    let deposits = format!("/patients/{id}/deposits");
    let made = front.caller.send("POST", &deposits, &intake, &[], Some(json!({ "text": "I slept" }))).await;
    let name = made.body["record"].as_str().unwrap();
    assert_eq!(clinic.caller.write(&id, name, &salo, "in ward 7").await.status, 201);
    let note = put(&world, (&id, name, "note"), None).await;
    put(&world, (&id, name, "intake"), Some(&note)).await;
    is_refused_by_name(&clinic.caller, &format!("{deposits}/{name}"), &salo).await;
    front.shutdown().await;
    clinic.shutdown().await;
}
