//! Attachments: records of several chunks (section 7, and c2sp.org/chunked-encryption@v1).

use super::Desk;
use super::record::{input, result};
use crate::case::Book;
use crate::case::Layer::{self, Malformed, NotAuthentic};
use crate::make::payload::{CHUNK, Payload};
use crate::make::record::{Draw, Place};

pub(super) fn book(desk: &mut Desk) -> Book {
    let mut book = Book::new("attachment", desk.suite());
    valid(desk, &mut book);
    let place = desk.place("attachment", 1, 0);
    let draw = place.draw(&mut desk.rng);
    let text = desk.rng.bytes(CHUNK + 100);
    let bench = Bench { place, draw, kek: desk.world.patient.kek };
    let payload = bench.place.payload_of(&bench.draw, &text);
    if desk.is_x_wing() {
        let bytes = payload.bytes();
        bench.refuse(&mut book, Malformed, "The last chunk is missing.", &bytes[..56 + CHUNK + 16]);
        bench.refuse(&mut book, NotAuthentic, "The last byte is missing.", &bytes[..bytes.len() - 1]);
    } else {
        bench.ends(&payload, &mut book);
        bench.orders(&payload, &text, &mut book);
        bench.indexes(&payload, &text, &mut book);
        bench.three(desk, &mut book);
        bench.long_padding(desk, &mut book);
    }
    book
}

fn valid(desk: &mut Desk, book: &mut Book) {
    let long = !desk.is_x_wing();
    let lengths = [(0, 0), (100, 1), (CHUNK - 1, 0), (CHUNK, 0), (CHUNK + 1, 0), (66_000, 0)];
    for (length, padding) in lengths.into_iter().filter(|(length, _)| long || *length < CHUNK - 1) {
        let place = desk.place("attachment", 1, padding);
        let note = desk.rng.bytes(length);
        let bytes = super::record::sealed(desk, &place, &note);
        book.ok(&format!("{length} bytes with padding rule {padding}."), input(&place, &bytes), result(&place, &note));
    }
}

/// One place and key, for payloads that are good and bad.
struct Bench {
    place: Place,
    draw: Draw,
    kek: [u8; 32],
}

impl Bench {
    fn refuse(&self, book: &mut Book, layer: Layer, comment: &str, payload: &[u8]) {
        let bytes = self.place.reader(&self.kek, &self.draw, payload);
        book.reject(layer, comment, input(&self.place, &bytes));
    }

    /// The payload with other chunks.
    fn of(payload: &Payload, chunks: &[&[u8]]) -> Vec<u8> {
        [payload.salt.as_slice(), &payload.commitment, &chunks.concat()].concat()
    }

    fn ends(&self, payload: &Payload, book: &mut Book) {
        let [first, last] = [&payload.chunks[0], &payload.chunks[1]].map(Vec::as_slice);
        let bytes = payload.bytes();
        self.refuse(
            book,
            Malformed,
            "The last chunk is missing: it ends after a full chunk.",
            &bytes[..56 + CHUNK + 16],
        );
        self.refuse(book, Malformed, "Less than a tag follows the full chunk.", &bytes[..56 + CHUNK + 31]);
        self.refuse(book, NotAuthentic, "A tag's length of the last chunk is left.", &bytes[..56 + CHUNK + 32]);
        self.refuse(book, NotAuthentic, "The last byte is missing.", &bytes[..bytes.len() - 1]);
        self.refuse(book, Malformed, "The header alone.", &bytes[..56]);
        self.refuse(book, Malformed, "The header and 15 bytes.", &bytes[..71]);
        self.refuse(book, NotAuthentic, "The header and 16 bytes.", &bytes[..72]);
        self.refuse(book, Malformed, "Nothing follows the front.", b"");
        self.refuse(book, NotAuthentic, "A full chunk cut short, as if it were the last.", &bytes[..56 + CHUNK]);
        self.refuse(book, NotAuthentic, "The first chunk is missing.", &Self::of(payload, &[last]));
        self.refuse(
            book,
            NotAuthentic,
            "An empty last chunk of zeros is put in place of the last.",
            &Self::of(payload, &[first, &[0; 16]]),
        );
        let inner = payload.keys.chunk(1, b"");
        self.refuse(
            book,
            NotAuthentic,
            "An empty chunk before the last one.",
            &Self::of(payload, &[first, &inner, last]),
        );
        self.refuse(
            book,
            NotAuthentic,
            "The text of an empty last chunk stands in the first place.",
            &Self::of(payload, &[&inner]),
        );
    }

    fn orders(&self, payload: &Payload, text: &[u8], book: &mut Book) {
        let [first, last] = [&payload.chunks[0], &payload.chunks[1]].map(Vec::as_slice);
        self.refuse(book, NotAuthentic, "The two chunks are exchanged.", &Self::of(payload, &[last, first]));
        self.refuse(book, NotAuthentic, "The last chunk comes twice.", &Self::of(payload, &[first, last, last]));
        let other = Draw { salt: [9; 24], ..self.draw.clone() };
        let other = self.place.payload_of(&other, text);
        self.refuse(
            book,
            NotAuthentic,
            "The last chunk is of another payload with the same record key.",
            &Self::of(payload, &[first, &other.chunks[1]]),
        );
        self.refuse(
            book,
            NotAuthentic,
            "The salt is of another payload with the same record key.",
            &[other.salt.as_slice(), &payload.commitment, &payload.chunks.concat()].concat(),
        );
        let swapped = [payload.salt.as_slice(), &other.commitment, &payload.chunks.concat()].concat();
        self.refuse(book, NotAuthentic, "The commitment is of another payload with the same record key.", &swapped);
        let one = [&payload.commitment[..], &payload.salt, &payload.chunks.concat()].concat();
        self.refuse(book, NotAuthentic, "Commitment and salt are exchanged.", &one);
        for at in [56 + CHUNK, 56 + CHUNK + 16] {
            let mut bytes = payload.bytes();
            bytes[at] ^= 0x40;
            self.refuse(book, NotAuthentic, &format!("A bit of byte {at} of the payload is flipped."), &bytes);
        }
    }

    /// Chunks that are sealed under another number than their place, or of another length.
    fn indexes(&self, payload: &Payload, text: &[u8], book: &mut Book) {
        let keys = &payload.keys;
        let (head, tail) = text.split_at(CHUNK);
        for (index, what) in [
            (0, "0, which is the first chunk's"),
            (2, "2"),
            ((1 << 32) + 1, "2^32 + 1"),
            (1 << 56, "1 in another byte order"),
        ] {
            let bytes = Self::of(payload, &[&payload.chunks[0], &keys.chunk(index, tail)]);
            self.refuse(book, NotAuthentic, &format!("The second chunk is sealed under number {what}."), &bytes);
        }
        for (index, what) in [(1, "1"), (1 << 32, "2^32"), (1 << 38, "2^38")] {
            let bytes = Self::of(payload, &[&keys.chunk(index, head), &payload.chunks[1]]);
            self.refuse(book, NotAuthentic, &format!("The first chunk is sealed under number {what}."), &bytes);
        }
        let shifted = Self::of(payload, &[&keys.chunk(1, head), &keys.chunk(2, tail)]);
        self.refuse(book, NotAuthentic, "The chunks are numbered from 1.", &shifted);
        let full = Self::of(payload, &[&keys.chunk(0, head)]);
        self.refuse(book, Malformed, "One full chunk and no last one: sealed so.", &full);
        let long = Self::of(payload, &[&keys.chunk(0, &text[..CHUNK + 50])]);
        self.refuse(book, NotAuthentic, "One chunk of 16 KiB and 50 bytes.", &long);
        let halves = Self::of(payload, &[&keys.chunk(0, &text[..CHUNK / 2]), &keys.chunk(1, &text[CHUNK / 2..])]);
        self.refuse(book, NotAuthentic, "Two chunks of unusual lengths.", &halves);
        let aad = crate::make::prim::chacha_seal(&keys.key, &keys.nonce(1), b"last", tail);
        self.refuse(
            book,
            NotAuthentic,
            "The last chunk is sealed with associated data.",
            &Self::of(payload, &[&payload.chunks[0], &aad]),
        );
    }

    /// Three chunks in wrong orders.
    fn three(&self, desk: &mut Desk, book: &mut Book) {
        let text = desk.rng.bytes(2 * CHUNK + 9);
        let payload = self.place.payload_of(&self.draw, &text);
        let [a, b, c] = [0, 1, 2].map(|index| payload.chunks[index].as_slice());
        let cases: [(&str, [&[u8]; 3]); 2] = [
            ("Of three chunks the first two are exchanged.", [b, a, c]),
            ("Of three chunks the second is the first again.", [a, a, c]),
        ];
        for (comment, chunks) in cases {
            self.refuse(book, NotAuthentic, comment, &Self::of(&payload, &chunks));
        }
        self.refuse(book, NotAuthentic, "Of three chunks the second is missing.", &Self::of(&payload, &[a, c]));
    }

    /// Padding of more than one chunk, with something else than zeros in it.
    fn long_padding(&self, desk: &mut Desk, book: &mut Book) {
        let place = Place { padding: 1, ..self.place.clone() };
        let draw = place.draw(&mut desk.rng);
        let mut padded = crate::make::payload::pad(&vec![b'x'; 16_500], 1);
        assert!(padded.len() > 17_000, "zeros to spare");
        padded[16_900] = 0x80;
        let bytes = place.reader(&self.kek, &draw, &place.payload_of(&draw, &padded).bytes());
        let note = [vec![b'x'; 16_500], vec![0x80], vec![0; 399]].concat();
        book.ok("A marker within the zeros: it is the one that counts.", input(&place, &bytes), result(&place, &note));
        padded[16_900] = 7;
        let bytes = place.reader(&self.kek, &draw, &place.payload_of(&draw, &padded).bytes());
        book.reject(NotAuthentic, "A seven within the zeros.", input(&place, &bytes));
    }
}
