//! Rows that are missing, planted or altered behind the store's back, while a patient is erased, a vault copied or a
//! database scrubbed.

use lukko_store::{Change, ErasureJob, Error, MemoryStore, Patient, Records, Scrub, Store, copy};

use crate::clinic::{Clinic, patient, rekeyed, with_notes, withdrawn};
use crate::erasures::nothing_is_left;
use crate::lifecycle::run;
use crate::sql::{Sql, hex};

/// Tables with rows of a patient's key, and of records. The first one alone is no sign of a patient.
const TABLES: [&str; 6] = ["withdrawn", "patient", "card", "endorsement", "patient_grant", "record"];

fn statement(kind: &str, table: &str, id: &str) -> String {
    format!("{kind} FROM {table} WHERE patient = x'{}'", hex(id.as_bytes()))
}

/// Whichever rows of a patient are gone, the others go with the erasure, and the piece ends.
async fn an_erasure_with_rows_missing(store: &impl Store, sql: &Sql) {
    let mut clinic = Clinic::new(0x2380);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let kept = with_notes(store, &mut clinic, "p-kept", 2).await;
    let before = store.patient(clinic.id(), patient("p-kept")).await.unwrap();
    // Every set of tables but the last two, in which nothing is left to be erased.
    for missing in 0..62_u32 {
        let id = format!("p-{missing}");
        let one = with_notes(store, &mut clinic, &id, 2).await;
        withdrawn(store, &mut clinic, &id, &one).await;
        let two = rekeyed(store, &mut clinic, &id, &one).await;
        for (number, table) in TABLES.iter().enumerate() {
            if missing & (1 << number) != 0 {
                sql.run(&statement("DELETE", table, &id)).await;
            }
        }
        let closing = clinic.erasing(&[one.card_id, two.card_id]);
        store.apply(clinic.id(), &[closing.publish()]).await.unwrap();
        clinic.follow(&closing.roster);
        let (vault, patients, records) = (&clinic.vault, &[patient(&id)], Records::Delete);
        let task = ErasureJob { vault, patients, records, attachments: None };
        let done = run(store, &clinic, &id, task).await;
        assert_eq!(done.len(), 1, "{missing:#b}");
        assert_eq!(done[0].findings, [], "{missing:#b}");
        let state = store.job(clinic.id(), &id).await.unwrap().unwrap();
        assert_eq!((state.open, state.done, state.failed), (0, 1, 0), "{missing:#b}");
        nothing_is_left(store, &clinic, patient(&id)).await;
        for table in TABLES {
            let left = sql.texts(&statement("SELECT 'a row'", table, &id)).await;
            assert!(left.is_empty(), "{missing:#b}: {left:?} in {table}");
        }
        // Each has a receipt of its own, unless only the patient's row had been left, which names one card.
        let receipts = store.erasures(clinic.id()).await.unwrap();
        assert_eq!(receipts.len() as u32, missing + 1, "{missing:#b}");
        assert!(receipts.iter().all(|receipt| receipt.scrubbed.is_some()));
    }
    assert_eq!(store.patient(clinic.id(), patient("p-kept")).await.unwrap(), before);
    assert_eq!(before.current, Some(kept.card_id));
    // By itself the change is as thorough: one row of `patient` is gone.
    let one = with_notes(store, &mut clinic, "p-alone", 2).await;
    sql.run(&statement("DELETE", "patient", "p-alone")).await;
    let closing = clinic.erasing(&[one.card_id]);
    let erase = Change::Erase(closing.erase("p-alone", &[]));
    store.apply(clinic.id(), &[closing.publish(), erase]).await.unwrap();
    nothing_is_left(store, &clinic, patient("p-alone")).await;
}

/// Rows that somebody has planted or damaged go with the patient, and stop nothing.
async fn an_erasure_with_rows_planted(store: &impl Store, sql: &Sql) {
    let mut clinic = Clinic::new(0x2381);
    let vault = hex(clinic.id().as_bytes());
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let other = with_notes(store, &mut clinic, "p-other", 1).await;
    let theirs = store.patient(clinic.id(), patient("p-other")).await.unwrap();
    let (any, short) = ("ab".repeat(32), "ab".repeat(5));
    let planted: &[(&str, &str, &str)] = &[
        ("card", "9, x'CARD', x'00'", "a card that is none"),
        ("card", "9, x'SHORT', x'00'", "a card's id that is too short"),
        ("card", "9, x'OTHER', x'BYTES'", "another patient's card"),
        ("endorsement", "7, x'CARD', x'00', x'00'", "an endorsement of a card that is none"),
        ("endorsement", "7, x'OTHER', x'00', x'00'", "an endorsement of another patient's card"),
        ("endorsement", "-7, x'SHORT', x'00', x'00'", "an endorsement of no generation"),
        ("patient_grant", "x'CARD', 0, x'CARD', x'00'", "a grant of a card that is none"),
        ("patient_grant", "x'OTHER', 3, x'', x'00'", "a master grant of another patient's card"),
        ("patient_grant", "x'SHORT', -3, x'SHORT', x'00'", "a grant to nobody"),
        ("withdrawn", "x'CARD'", "a withdrawal from a stranger"),
        ("withdrawn", "x'SHORT'", "a withdrawal from nobody"),
        ("record", "x'72', x'66', 1, x'CARD', x'00', NULL, 1", "a record under a card that is none"),
        ("record", "x'72', x'66', 1, x'OTHER', x'00', NULL, 1", "a record under another patient's card"),
        ("record", "x'72', x'66', -1, x'SHORT', NULL, NULL, 1", "a record without a body"),
    ];
    for (number, (table, values, what)) in planted.iter().enumerate() {
        let id = format!("p-{number}");
        let gone = with_notes(store, &mut clinic, &id, 1).await;
        let values = values.replace("CARD", &any).replace("SHORT", &short);
        let values = values.replace("OTHER", &hex(other.card_id.as_bytes())).replace("BYTES", &hex(&other.card));
        sql.run(&format!("INSERT INTO {table} VALUES (x'{vault}', x'{}', {values})", hex(id.as_bytes()))).await;
        let closing = clinic.erasing(&[gone.card_id]);
        store.apply(clinic.id(), &[closing.publish()]).await.unwrap();
        clinic.follow(&closing.roster);
        let (vault, patients, records) = (&clinic.vault, &[patient(&id)], Records::Delete);
        let task = ErasureJob { vault, patients, records, attachments: None };
        let done = run(store, &clinic, &id, task).await;
        assert_eq!((done.len(), &done[0].findings[..]), (1, &[][..]), "{what}");
        for table in TABLES {
            let left = sql.texts(&statement("SELECT 'a row'", table, &id)).await;
            assert!(left.is_empty(), "{what}: {left:?} in {table}");
        }
        assert!(store.erasures(clinic.id()).await.unwrap().iter().any(|receipt| receipt.erasure == gone.card_id));
    }
    assert_eq!(store.patient(clinic.id(), patient("p-other")).await.unwrap(), theirs);
}

/// The receipt stands there already, and nothing was erased: what the tables hold decides.
async fn an_erasure_whose_receipt_was_planted(store: &impl Store, sql: &Sql) {
    let mut clinic = Clinic::new(0x2382);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let gone = with_notes(store, &mut clinic, "p-1", 2).await;
    let (vault, card) = (hex(clinic.id().as_bytes()), hex(gone.card_id.as_bytes()));
    sql.run(&format!("INSERT INTO erasure VALUES (x'{vault}', x'{card}', 2, 1, 2)")).await;
    // No row names the generation any more. The receipt names every one that there was until now.
    sql.run(&statement("DELETE", "endorsement", "p-1")).await;
    let closing = clinic.erasing(&[gone.card_id]);
    let erase = Change::Erase(closing.erase("p-1", &[]));
    store.apply(clinic.id(), &[closing.publish(), erase]).await.unwrap();
    nothing_is_left(store, &clinic, patient("p-1")).await;
    let [receipt] = &store.erasures(clinic.id()).await.unwrap()[..] else { panic!("one receipt") };
    assert_eq!(receipt.scrubbed, None, "said to be scrubbed, and rows were deleted since");
    assert_eq!(receipt.parts.len(), 3, "card, generation and key: {receipt:?}");
    // Put back from a backup, and erased once more: scrubbed once more, too.
    store.scrub(clinic.id()).await.unwrap();
    let (values, id) = (format!("x'{card}', 0, x'{card}', x'00'"), hex(b"p-1"));
    sql.run(&format!("INSERT INTO patient_grant VALUES (x'{vault}', x'{id}', {values})")).await;
    store.apply(clinic.id(), &[erase]).await.unwrap();
    nothing_is_left(store, &clinic, patient("p-1")).await;
    assert_eq!(store.erasures(clinic.id()).await.unwrap()[0].scrubbed, None);
}

/// A scrub notes what it reached on those that have no such note, and leaves the notes of the others.
async fn a_scrub_marks_what_was_pending(store: &impl Store, sql: &Sql) {
    let mut clinic = Clinic::new(0x2383);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let mut cards = Vec::new();
    for id in ["p-1", "p-2"] {
        let gone = with_notes(store, &mut clinic, id, 0).await;
        let closing = clinic.erasing(&[gone.card_id]);
        let erase = Change::Erase(closing.erase(id, &[]));
        store.apply(clinic.id(), &[closing.publish(), erase]).await.unwrap();
        clinic.follow(&closing.roster);
        cards.push(gone.card_id);
    }
    let reached = store.scrub(clinic.id()).await.unwrap();
    let (other, number) = if reached == Scrub::Files { (Scrub::Tables, 1) } else { (Scrub::Files, 2) };
    sql.run(&format!("UPDATE erasure SET scrubbed = {number} WHERE erasure = x'{}'", hex(cards[0].as_bytes()))).await;
    sql.run(&format!("UPDATE erasure SET scrubbed = 0 WHERE erasure = x'{}'", hex(cards[1].as_bytes()))).await;
    store.scrub(clinic.id()).await.unwrap();
    for receipt in store.erasures(clinic.id()).await.unwrap() {
        let expected = if receipt.erasure == cards[0] { other } else { reached };
        assert_eq!(receipt.scrubbed, Some(expected));
    }
}

/// A record whose card is none of its patient's is not passed over in silence when a vault is copied.
async fn a_copy_refuses_a_record_of_no_card(store: &impl Store, sql: &Sql) {
    let mut clinic = Clinic::new(0x2384);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    with_notes(store, &mut clinic, "p-1", 2).await;
    sql.run(&format!("UPDATE record SET card = x'{}' WHERE record = x'{}'", "ab".repeat(32), hex(b"r-0001"))).await;
    let copied = copy(store, &MemoryStore::new(), &clinic.vault).await;
    assert!(matches!(copied, Err(Error::Corrupt { table: "record", .. })), "{copied:?}");
    assert_ne!(store.patient(clinic.id(), patient("p-1")).await.unwrap(), Patient::default());
}

crate::sql::on_both! { "behind";
    an_erasure_with_rows_missing: t107_rows_missing_in_sqlite, t107_rows_missing_in_postgresql;
    an_erasure_with_rows_planted: t107_rows_planted_in_sqlite, t107_rows_planted_in_postgresql;
    an_erasure_whose_receipt_was_planted: t107_receipt_planted_in_sqlite, t107_receipt_planted_in_postgresql;
    a_scrub_marks_what_was_pending: t104_scrubbed_in_sqlite, t104_scrubbed_in_postgresql;
    a_copy_refuses_a_record_of_no_card: t142_record_of_no_card_in_sqlite, t142_record_of_no_card_in_postgresql;
}
