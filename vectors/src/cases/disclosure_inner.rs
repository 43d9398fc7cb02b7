//! The text inside a disclosure: its fields and its padding (section 8).

use super::Desk;
use super::disclosure::{NOTE, head, input, recipient, seed, text};
use crate::case::Book;
use crate::case::Layer::NotAuthentic;
use crate::fields;
use crate::make::objects::inner;
use crate::make::payload::pad;
use crate::world::PATIENT;

/// Texts that break a rule behind all keys and signatures.
pub(super) fn texts(desk: &mut Desk, book: &mut Book) {
    let (key, own) = (seed(desk, "therapist"), recipient(&desk.world));
    let good = text(None, NOTE);
    let inner_len = good.len() - NOTE.len();
    let mut refuse = |comment: &str, text: &[u8], padded: &[u8]| {
        let mut disclosure = head(&desk.world);
        disclosure.fill_padded(&own, text, padded, &mut desk.rng);
        book.reject(NotAuthentic, comment, input(&disclosure.signed(&key)));
    };
    let changed = |at: usize, byte: u8| {
        let mut text = good.clone();
        text[at] = byte;
        text
    };
    let bad = [
        ("The text inside has another magic.", changed(2, b'J')),
        ("The text inside is of format version 2.", changed(3, 2)),
        ("The patient id inside is empty.", changed(4, 0)),
        ("The record id inside is longer than the text.", changed(4 + 1 + PATIENT.len(), 255)),
        ("The writer inside is of kind 2.", changed(inner_len - 1, 2)),
        ("The writer inside is of kind 255.", changed(inner_len - 1, 255)),
        ("The writer inside is of kind 2, and 32 bytes follow.", {
            let mut text = text(Some([7; 32]), NOTE);
            text[inner_len - 1] = 2;
            text
        }),
        ("The text inside ends before the writer's kind.", good[..inner_len - 1].to_vec()),
        ("The text inside ends within the writer.", [&good[..inner_len - 1], &[1; 32]].concat()),
        ("There is no text inside.", Vec::new()),
    ];
    for (comment, text) in bad {
        refuse(comment, &text, &pad(&text, 1));
    }
    let padded = pad(&good, 1);
    refuse("The text is not padded.", &good, &good);
    refuse("The padding is one zero too short.", &good, &padded[..padded.len() - 1]);
    refuse("The padding is one zero too long.", &good, &[padded.as_slice(), &[0]].concat());
    refuse("The padding has no marker.", &good, &vec![0; padded.len()]);
    let mut nonzero = padded.clone();
    nonzero[good.len() + 1] = 1;
    refuse("A one stands behind the marker.", &good, &nonzero);
    for field in fields::inner(&good) {
        for (cut, what) in [(field.start, "before"), (field.start + 1, "one byte into")] {
            if cut < inner_len && (cut == field.start || field.len > 1) {
                let text = &good[..cut];
                refuse(&format!("The text inside ends {what} the field {}.", field.name), text, &pad(text, 1));
            }
        }
        let doubled = [&good[..field.start + field.len], &good[field.start..]].concat();
        if ["magic", "patient id's length", "patient id"].contains(&field.name) {
            refuse(&format!("The field {} stands in the text inside twice.", field.name), &doubled, &pad(&doubled, 1));
        }
    }
    let last = [inner(PATIENT, b"r-1", b"note", u64::MAX, None), NOTE.to_vec()].concat();
    refuse("The revision inside is 2^64 - 1.", &last, &pad(&last, 1));
}
