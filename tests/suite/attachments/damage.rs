//! What a thief with write access does to the bytes: chunks moved, cut, added, mixed and altered.

use std::io::{Cursor, ErrorKind, Read, Seek, SeekFrom};

use lukko::error::Usage;
use lukko::*;

use super::*;

/// A note of 49,252 bytes: three full chunks and one of 100 bytes, or of 2,048 with Padmé (P(49,253) = 51,200).
const LEN: usize = 49_252;

fn chunks_of(sealed: &[u8]) -> Vec<&[u8]> {
    sealed[CHUNKS_AT..].chunks(SEALED).collect()
}

fn with_chunks(sealed: &[u8], chunks: &[&[u8]]) -> Vec<u8> {
    [&sealed[..CHUNKS_AT], &chunks.concat()].concat()
}

/// Whatever was handed out is the beginning of the note; the end is an error.
fn refused_after_a_true_prefix(clinic: &Clinic, damaged: &[u8], text: &[u8], what: &str) -> usize {
    let (read, end) = open_out(clinic, damaged);
    let error = end.expect_err(what);
    assert!(matches!(refusal(&error), Error::NotAuthentic | Error::Malformed { .. }), "{what}: {error:?}");
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert!(text.starts_with(&read), "{what}: {} bytes that are no beginning of the note", read.len());
    assert!(clinic.open(damaged).is_err(), "{what}: opens at once");
    read.len()
}

/// Every order of every choice of 0 to 5 out of the 4 chunks, each at most twice.
fn selections() -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    let mut newest: Vec<Vec<usize>> = all.clone();
    for _ in 0..5 {
        let longer = newest.iter().flat_map(|chosen| (0..4).map(move |next| [&chosen[..], &[next]].concat()));
        newest =
            longer.filter(|chosen| (0..4).all(|chunk| chosen.iter().filter(|at| **at == chunk).count() < 3)).collect();
        all.extend(newest.iter().cloned());
    }
    all
}

/// T035: chunks in another order, dropped, doubled.
#[test]
fn t035_chunks_permuted_dropped_and_doubled() {
    let mut clinic = clinic(0x35);
    let text = text(LEN);
    for padding in PADDINGS {
        let sealed = seal(&mut clinic, padding, &text);
        let chunks = chunks_of(&sealed);
        assert_eq!(chunks.len(), 4);
        let mut permutations = 0;
        for order in selections() {
            let damaged = with_chunks(&sealed, &order.iter().map(|at| chunks[*at]).collect::<Vec<_>>());
            if order == [0, 1, 2, 3] {
                assert!(damaged == sealed);
                continue;
            }
            permutations += usize::from((0..4).all(|at| order.contains(&at)) && order.len() == 4);
            refused_after_a_true_prefix(&clinic, &damaged, &text, &format!("{padding:?} {order:?}"));
        }
        assert_eq!(permutations, 23);
    }
}

/// T035: full chunks exchanged with the last one in its place, so that the length is right and reading begins.
#[test]
fn t035_full_chunks_exchanged_are_noticed_at_the_first() {
    let mut clinic = clinic(0x135);
    let text = text(LEN);
    for padding in PADDINGS {
        let sealed = seal(&mut clinic, padding, &text);
        let chunks = chunks_of(&sealed);
        for (order, released) in [([0, 2, 1], 1), ([1, 0, 2], 0), ([2, 1, 0], 0), ([0, 1, 1], 2), ([0, 0, 2], 1)] {
            let moved = [chunks[order[0]], chunks[order[1]], chunks[order[2]], chunks[3]];
            let damaged = with_chunks(&sealed, &moved);
            let read = refused_after_a_true_prefix(&clinic, &damaged, &text, &format!("{order:?}"));
            assert_eq!(read, released * CHUNK, "{padding:?} {order:?}");
        }
    }
}

/// T036: cut at every boundary of front, header, chunks and tags, beside them, and at every 97th byte: never an end of
/// file, and nothing is handed out, because the last chunk is opened first.
#[test]
fn t036_truncation_is_an_error_and_no_end_of_file() {
    let mut clinic = clinic(0x36);
    let text = text(LEN);
    for padding in PADDINGS {
        let sealed = seal(&mut clinic, padding, &text);
        let boundaries = (0..4).flat_map(|chunk| [chunk * SEALED, chunk * SEALED + CHUNK]).map(|at| CHUNKS_AT + at);
        let near = boundaries.chain([0, 4, 7, 48, 120, 144, 176]).flat_map(|at| at.saturating_sub(17)..=at + 17);
        for length in near.chain((0..sealed.len()).step_by(97)).filter(|length| *length < sealed.len()) {
            let what = format!("{padding:?}, cut to {length}");
            assert_eq!(refused_after_a_true_prefix(&clinic, &sealed[..length], &text, &what), 0, "{what}");
        }
    }
}

/// T036: cut at a chunk's end, with a last chunk of the thief's making behind: an empty one, and one of each length
/// with which the whole has a Padmé length.
#[test]
fn t036_truncation_with_a_forged_last_chunk_is_no_end_of_file() {
    let mut clinic = clinic(0x136);
    let text = text(LEN);
    for padding in PADDINGS {
        let sealed = seal(&mut clinic, padding, &text);
        for kept in 0..4 {
            // 16,384, 32,768 and 49,152 are Padmé lengths, and so is 17,408 = 16,384 + 1,024; 0 is none.
            for length in [0, 1, 256, 1_024, 2_048, 16_383] {
                for forged in [vec![0; length + 16], sealed[CHUNKS_AT..][..length + 16].to_vec()] {
                    let damaged = [&sealed[..CHUNKS_AT + kept * SEALED], &forged].concat();
                    let what = format!("{padding:?}, {kept} chunks and {length} bytes");
                    assert_eq!(refused_after_a_true_prefix(&clinic, &damaged, &text, &what), 0, "{what}");
                }
            }
        }
    }
}

/// T037: lengthened. With Padmé a longer file would move the least length of the note beyond its end, and padding would
/// be handed out as text.
#[test]
fn t037_what_is_appended_never_turns_padding_into_text() {
    let mut clinic = clinic(0x37);
    for len in [100, LEN, 1_048_576 + 100] {
        let text = text(len);
        for padding in PADDINGS {
            let sealed = seal(&mut clinic, padding, &text);
            for more in [1, 15, 16, 17, 2_048, SEALED - 1, SEALED, SEALED + 1, 65_536, 200_000] {
                let damaged = [&sealed[..], &vec![0x5A; more]].concat();
                let what = format!("{padding:?}, {len} and {more} bytes");
                assert_eq!(refused_after_a_true_prefix(&clinic, &damaged, &text, &what), 0, "{what}");
            }
        }
    }
}

/// T037: one bit in front, header, each chunk and each tag.
#[test]
fn t037_an_altered_bit_is_noticed_where_it_is() {
    let mut clinic = clinic(0x137);
    let text = text(LEN);
    let sealed = seal(&mut clinic, Padding::Padme, &text);
    // The last chunk is opened first; the three others release what is before them.
    let in_chunk = |chunk: usize, within: usize| CHUNKS_AT + chunk * SEALED + within;
    let mut cases = vec![(40, 0), (71, 0), (80, 0), (119, 0), (120, 0), (175, 0), (sealed.len() - 1, 0)];
    for chunk in 0..3 {
        cases.extend([0, 8_000, CHUNK - 1, CHUNK, SEALED - 1].map(|within| (in_chunk(chunk, within), chunk * CHUNK)));
    }
    cases.push((in_chunk(3, 0), 0));
    for (at, released) in cases {
        let mut damaged = sealed.clone();
        damaged[at] ^= 0x10;
        let read = refused_after_a_true_prefix(&clinic, &damaged, &text, &format!("byte {at}"));
        assert_eq!(read, released, "byte {at}");
    }
}

/// T038: chunks, payloads and fronts mixed between two attachments under one patient's key.
#[test]
fn t038_two_attachments_spliced() {
    let mut clinic = clinic(0x38);
    let text = text(LEN);
    let other_text: Vec<u8> = text.iter().map(|byte| !byte).collect();
    for padding in PADDINGS {
        let (one, two) = (seal(&mut clinic, padding, &text), seal(&mut clinic, padding, &other_text));
        let (of_one, of_two) = (chunks_of(&one), chunks_of(&two));
        for mask in 1..16_u8 {
            let mixed: Vec<&[u8]> =
                (0..4).map(|at| if mask >> at & 1 == 1 { of_two[at] } else { of_one[at] }).collect();
            refused_after_a_true_prefix(&clinic, &with_chunks(&one, &mixed), &text, &format!("mask {mask:#06b}"));
        }
        for cut in [72, 120, 144, 176] {
            let mixed = [&one[..cut], &two[cut..]].concat();
            assert_eq!(refused_after_a_true_prefix(&clinic, &mixed, &text, "front"), 0);
        }
    }
}

/// T040: after an error nothing more is handed out, neither from a good chunk nor at a good position.
#[test]
fn t040_an_error_is_final() {
    let mut clinic = clinic(0x40);
    let text = text(LEN);
    let mut damaged = seal(&mut clinic, Padding::Padme, &text);
    damaged[CHUNKS_AT + SEALED + 5] ^= 1;
    let mut reader = open(&clinic, Cursor::new(&damaged)).unwrap();
    let (read, end) = read_out(&mut reader);
    assert_eq!((read.len(), refusal(&end.unwrap_err())), (CHUNK, &Error::NotAuthentic));
    let mut out = [0xEE; 100];
    for round in 0..10 {
        let error = reader.read(&mut out).unwrap_err();
        assert_eq!(refusal(&error), &Error::NotAuthentic, "round {round}");
        for to in [SeekFrom::Start(0), SeekFrom::Current(0), SeekFrom::End(-1), SeekFrom::Current(i64::MIN)] {
            assert_eq!(refusal(&reader.seek(to).unwrap_err()), &Error::NotAuthentic, "round {round}");
        }
        assert_eq!(reader.read(&mut []).unwrap_err().kind(), ErrorKind::InvalidData);
        assert_eq!(refusal(&reader.plaintext_len().unwrap_err()), &Error::NotAuthentic);
    }
    assert_eq!(out, [0xEE; 100], "not a byte was written");
}

/// T040: by random access the chunks beside a bad one are read, and the bad one never is.
#[test]
fn t040_random_access_reads_around_a_bad_chunk_and_never_in_it() {
    let mut clinic = clinic(0x140);
    let text = text(LEN);
    for padding in PADDINGS {
        let mut damaged = seal(&mut clinic, padding, &text);
        damaged[CHUNKS_AT + SEALED + CHUNK] ^= 0x80;
        for within in [0, 1, 8_000, CHUNK - 1] {
            let mut reader = open(&clinic, Cursor::new(&damaged)).unwrap();
            for good in [0, 2 * CHUNK, 3 * CHUNK, 100, CHUNK - 64] {
                let mut out = [0; 64];
                reader.seek(SeekFrom::Start(good as u64)).unwrap();
                reader.read_exact(&mut out).unwrap();
                assert_eq!(out, text[good..good + 64]);
            }
            let mut out = [0xEE; 64];
            reader.seek(SeekFrom::Start((CHUNK + within) as u64)).unwrap();
            assert_eq!(refusal(&reader.read(&mut out).unwrap_err()), &Error::NotAuthentic);
            assert_eq!(out, [0xEE; 64]);
            assert!(reader.seek(SeekFrom::Start(0)).is_err());
        }
    }
}

/// The refusals of a record are those of an attachment, value for value.
#[test]
fn an_attachment_is_refused_as_a_record_is() {
    let mut clinic = clinic(0xA7);
    let sealed = seal(&mut clinic, Padding::None, b"short");
    let by = Enroller::Member(&clinic.therapist);
    let other = clinic.vault.enrol(by, PatientId::new("p-other").unwrap(), &mut clinic.rng).unwrap();
    let card = clinic.card(None).unwrap();
    let deposit =
        clinic.vault.deposit(&card, &clinic.front_end, field(), Padding::None, b"text", &mut clinic.rng).unwrap();
    let mut cases = vec![deposit.bytes, Vec::new(), b"LKN\x01".to_vec(), vec![0; 300]];
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        cases.extend([changed, sealed[..at].to_vec()]);
    }
    for bytes in &cases {
        let (at_once, streamed) = (clinic.open(bytes).unwrap_err(), open(&clinic, Cursor::new(bytes)).unwrap_err());
        assert_eq!(refusal(&streamed), &at_once, "{} bytes", bytes.len());
    }
    let moved =
        clinic.vault.open_attachment(&other.key, Place::new(record(), field()), Cursor::new(&sealed)).unwrap_err();
    let expected = Usage::WrongCard { key: other.card_id, object: clinic.patient.card_id };
    assert_eq!((refusal(&moved), moved.kind()), (&Error::Usage(expected), ErrorKind::InvalidInput));
    let title = FieldLabel::new("title").unwrap();
    let moved = clinic.vault.open_attachment(&clinic.patient.key, Place::new(record(), title), Cursor::new(&sealed));
    assert_eq!(refusal(&moved.unwrap_err()), &Error::NotAuthentic);
}
