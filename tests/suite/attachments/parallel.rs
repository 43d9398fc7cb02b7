//! Several chunks at once (feature `parallel`): the same bytes as one by one, and the same refusals.

use std::num::NonZeroUsize;

use super::*;

/// Lengths around the boundaries of chunks and of batches of three.
const LENGTHS: [usize; 9] = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK - 1, 3 * CHUNK, 3 * CHUNK + 1, 7 * CHUNK + 5];

fn batch(chunks: usize) -> NonZeroUsize {
    NonZeroUsize::new(chunks).unwrap()
}

/// A writer for the same seed, and so with the same record key.
fn sealed_with<F>(len: usize, padding: Padding, change: F) -> (Clinic, Vec<u8>)
where
    F: Fn(AttachmentWriter<Vec<u8>>, usize) -> AttachmentWriter<Vec<u8>>,
{
    let mut clinic = clinic(71);
    let context = place().with_padding(padding);
    let writer = clinic.vault.seal_attachment(&clinic.patient.key, &context, Vec::new(), &mut clinic.rng);
    let mut writer = change(writer.unwrap(), 0);
    for (at, piece) in text(len).chunks(5_000).enumerate() {
        writer.write_all(piece).unwrap();
        writer = change(writer, at + 1);
    }
    let sealed = writer.finish().unwrap();
    (clinic, sealed)
}

#[test]
fn the_number_of_chunks_at_once_does_not_change_a_byte() {
    for padding in PADDINGS {
        for len in LENGTHS {
            let (clinic, serial) = sealed_with(len, padding, |writer, _| writer);
            for chunks in [1, 2, 3, 100] {
                let at_the_start = |writer: AttachmentWriter<Vec<u8>>, at| {
                    if at == 0 { writer.in_parallel(batch(chunks)).unwrap() } else { writer }
                };
                assert_eq!(sealed_with(len, padding, at_the_start).1, serial, "{len} bytes, {chunks} at once");
                let reader = open(&clinic, Cursor::new(&serial)).unwrap().in_parallel(batch(chunks));
                let (read, end) = read_out(reader);
                assert_eq!((read, end.is_ok()), (text(len), true), "{len} bytes, {chunks} at once");
            }
        }
    }
}

#[test]
fn the_number_may_change_at_any_time() {
    let len = 7 * CHUNK + 5;
    let (clinic, serial) = sealed_with(len, Padding::Padme, |writer, _| writer);
    let changing = |writer: AttachmentWriter<Vec<u8>>, at| writer.in_parallel(batch(1 + at % 4)).unwrap();
    assert_eq!(sealed_with(len, Padding::Padme, changing).1, serial);

    let mut reader = open(&clinic, Cursor::new(&serial)).unwrap();
    let (mut read, mut step) = (Vec::new(), [0; 5_000]);
    for chunks in (1..5).cycle() {
        let count = reader.read(&mut step).unwrap();
        if count == 0 {
            break;
        }
        read.extend_from_slice(&step[..count]);
        reader = reader.in_parallel(batch(chunks));
    }
    assert_eq!(read, text(len));
    for at in [6 * CHUNK + 1, 0, 7 * CHUNK + 4, 2 * CHUNK - 1] {
        reader.seek(SeekFrom::Start(at as u64)).unwrap();
        let mut few = Vec::new();
        reader.by_ref().take(10).read_to_end(&mut few).unwrap();
        assert_eq!(few, text(len)[at..len.min(at + 10)]);
    }
    assert_eq!(reader.plaintext_len().unwrap(), len as u64);
}

/// T036, T037: altered, exchanged and repeated chunks inside a batch.
#[test]
fn t036_t037_one_altered_chunk_in_a_batch_is_refused() {
    let len = 6 * CHUNK + 5;
    let (clinic, sealed) = sealed_with(len, Padding::None, |writer, _| writer);
    let chunk = |at: usize| CHUNKS_AT + at * SEALED..CHUNKS_AT + (at + 1) * SEALED;
    for at in 0..6 {
        let mut altered = sealed.clone();
        altered[chunk(at).start + at] ^= 1;
        let mut exchanged = sealed.clone();
        exchanged.copy_within(chunk((at + 1) % 6), chunk(at).start);
        for bad in [altered, exchanged] {
            let reader = open(&clinic, Cursor::new(&bad)).unwrap().in_parallel(batch(4));
            let (read, end) = read_out(reader);
            assert_eq!(*refusal(&end.unwrap_err()), Error::NotAuthentic);
            // What came before the batch is true, and nothing of the batch was given.
            assert_eq!(read, text(len)[..at / 4 * 4 * CHUNK]);
        }
    }
    let mut cut = sealed.clone();
    cut.drain(chunk(2));
    assert_eq!(*refusal(&open(&clinic, Cursor::new(&cut)).unwrap_err()), Error::NotAuthentic);
}

#[test]
fn deposited_attachments_too() {
    let mut clinic = clinic(72);
    let card = clinic.card(None).unwrap();
    let sink = Vec::new();
    let writer =
        clinic.vault.deposit_attachment(&card, &clinic.front_end, field(), Padding::Padme, sink, &mut clinic.rng);
    let mut writer = writer.unwrap().in_parallel(batch(3)).unwrap();
    let id = writer.record().to_owned();
    writer.write_all(&text(5 * CHUNK)).unwrap();
    let sealed = writer.finish().unwrap();
    let record = RecordId::new(&id).unwrap();
    let opened =
        clinic.vault.open_deposited_attachment(&clinic.patient.key, Place::new(record, field()), Cursor::new(&sealed));
    let mut opened = opened.unwrap().in_parallel(batch(2));
    assert_eq!(read_out(&mut opened).0, text(5 * CHUNK));
    let verified = opened.verify_authorship().unwrap();
    assert_eq!(verified.origin(), Origin::Deposit { writer: clinic.front_end.fingerprint() });
    assert_eq!(read_out(verified).0, text(5 * CHUNK));
}
