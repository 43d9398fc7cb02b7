//! Attachments: records as streams. Lengths and offsets stand here as numbers, worked out from FORMAT.md by hand.

mod damage;
mod deposited;
mod faces;
mod moves;
mod oracle;
#[cfg(feature = "parallel")]
mod parallel;
mod sinks;
mod sources;

use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

use lukko::*;

use super::clinic::{Clinic, field, place, record};

/// Plaintext bytes of a full chunk.
const CHUNK: usize = 16_384;
/// The same with its tag.
const SEALED: usize = 16_400;
/// Front of a reader's record (120), salt (24) and commitment (32): where the chunks begin.
const CHUNKS_AT: usize = 176;

const PADDINGS: [Padding; 2] = [Padding::None, Padding::Padme];

/// A text without repetition in sight, which shows from where each byte is.
fn text(len: usize) -> Vec<u8> {
    (0..len as u64).map(|at| (at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect()
}

fn clinic(seed: u64) -> Clinic {
    Clinic::new(Suite::X25519, seed)
}

/// Seals a text as an attachment at the usual place, in one write.
fn seal(clinic: &mut Clinic, padding: Padding, text: &[u8]) -> Vec<u8> {
    seal_in_pieces(clinic, padding, &[text])
}

fn seal_in_pieces(clinic: &mut Clinic, padding: Padding, pieces: &[&[u8]]) -> Vec<u8> {
    let context = place().with_padding(padding);
    let sink = Vec::new();
    let mut writer = clinic.vault.seal_attachment(&clinic.patient.key, &context, sink, &mut clinic.rng).unwrap();
    for piece in pieces {
        writer.write_all(piece).unwrap();
    }
    writer.finish().unwrap()
}

fn open<R: Read + Seek>(clinic: &Clinic, source: R) -> io::Result<AttachmentReader<R>> {
    clinic.vault.open_attachment(&clinic.patient.key, Place::new(record(), field()), source)
}

/// The error of this crate in an `io::Error`.
fn refusal(error: &io::Error) -> &Error {
    Error::from_io(error).unwrap_or_else(|| panic!("not from lukko: {error:?}"))
}

/// Reads until the end or an error, in small steps; what came before an error counts too.
fn read_out(mut reader: impl Read) -> (Vec<u8>, io::Result<()>) {
    let (mut out, mut step) = (Vec::new(), [0; 5000]);
    loop {
        match reader.read(&mut step) {
            Ok(0) => return (out, Ok(())),
            Ok(count) => out.extend_from_slice(&step[..count]),
            Err(error) => return (out, Err(error)),
        }
    }
}

/// Opens and reads all: what was handed out, and how it ended.
fn open_out(clinic: &Clinic, sealed: &[u8]) -> (Vec<u8>, io::Result<()>) {
    match open(clinic, Cursor::new(sealed)) {
        Ok(reader) => read_out(reader),
        Err(error) => (Vec::new(), Err(error)),
    }
}

/// The lengths at which something changes: chunks, and steps of Padmé (256, 272; 480, 496; 16,384, 17,408; 51,200).
const LENGTHS: [usize; 27] = [
    0, 1, 2, 254, 255, 256, 270, 271, 272, 494, 495, 496, 16_381, 16_382, 16_383, 16_384, 16_385, 17_406, 17_407,
    17_408, 32_767, 32_768, 32_769, 49_151, 49_152, 51_199, 51_200,
];

/// One format, two interfaces: what is sealed as a stream opens at once, and the other way round.
#[test]
fn an_attachment_is_a_record_and_a_record_an_attachment() {
    let mut clinic = clinic(0xA0);
    for padding in PADDINGS {
        for len in LENGTHS {
            let text = text(len);
            let streamed = seal(&mut clinic, padding, &text);
            assert_eq!(streamed.len(), sealed_len(len, padding).unwrap(), "{len} bytes, {padding:?}");
            let opened = clinic.open(&streamed).unwrap();
            assert_eq!((&opened.plaintext[..], opened.padding), (&text[..], padding), "{len} bytes");

            let context = place().with_padding(padding);
            let at_once = clinic.vault.seal(&clinic.patient.key, &context, &text, &mut clinic.rng).unwrap();
            for sealed in [streamed, at_once] {
                let mut reader = open(&clinic, Cursor::new(&sealed)).unwrap();
                assert_eq!((reader.revision(), reader.padding()), (Revision::FIRST, padding));
                assert_eq!(reader.origin(), Origin::Reader);
                assert_eq!(reader.plaintext_len().unwrap(), len as u64);
                let (read, end) = read_out(reader);
                end.unwrap();
                assert!(read == text, "{len} bytes, {padding:?}");
            }
        }
    }
}

/// The same draw gives the same bytes, whichever interface seals: nothing of the format is different.
#[test]
fn a_stream_writes_the_bytes_of_a_record() {
    let clinic = clinic(0xA1);
    let text = text(40_000);
    for padding in PADDINGS {
        let (context, key) = (place().with_padding(padding), &clinic.patient.key);
        let rng = || super::clinic::TestRng::new(0xA11);
        let mut writer = clinic.vault.seal_attachment(key, &context, Vec::new(), &mut rng()).unwrap();
        writer.write_all(&text).unwrap();
        let record = clinic.vault.seal(key, &context, &text, &mut rng()).unwrap();
        assert!(writer.finish().unwrap() == record);
    }
}

/// An end that nobody asks for need not be found: up to the least length of the note no chunk is opened twice.
#[test]
fn a_seek_opens_the_chunks_that_are_needed() {
    let mut clinic = clinic(0xA2);
    // P(1,000,001) = 1,015,808 = 62 * 16,384: 62 full chunks and an empty last one.
    let text = text(1_000_000);
    let sealed = seal(&mut clinic, Padding::Padme, &text);
    let mut source = Counting { inner: Cursor::new(&sealed), bytes: 0 };
    let mut reader = open(&clinic, &mut source).unwrap();
    let mut out = [0; 10];
    reader.seek(SeekFrom::Start(500_000)).unwrap();
    reader.read_exact(&mut out).unwrap();
    assert_eq!(out, text[500_000..500_010]);
    drop(reader);
    // Front, header, the last chunk, which has only a tag, and the one chunk that was asked for.
    assert_eq!(source.bytes, 120 + 56 + 16 + SEALED);

    // From the end: two chunks of zeros are looked through, at most, and the note's last chunk is held already.
    source.bytes = 0;
    let mut reader = open(&clinic, &mut source).unwrap();
    assert_eq!(reader.seek(SeekFrom::End(-10)).unwrap(), 999_990);
    reader.read_exact(&mut out).unwrap();
    assert_eq!(out, text[999_990..]);
    assert_eq!(reader.read(&mut out).unwrap(), 0);
    drop(reader);
    // 1,000,000 is in chunk 61, the last full one.
    assert_eq!(source.bytes, 120 + 56 + 16 + SEALED);
}

/// A source that counts what is read from it.
struct Counting<R> {
    inner: R,
    bytes: usize,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(out)?;
        self.bytes += count;
        Ok(count)
    }
}

impl<R: Seek> Seek for Counting<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

/// The end of a long note is behind chunks of zeros: they are searched, and none before the least length.
#[test]
fn the_end_is_found_behind_chunks_of_zeros() {
    let mut clinic = clinic(0xA3);
    // 2^20 + 1 to 2^20 + 32,767 bytes are padded to 2^20 + 32,768 (E = 20, S = 5): up to two chunks of zeros.
    for len in [1_048_576, 1_048_577, 1_064_959, 1_064_960, 1_064_961, 1_081_343] {
        let text = text(len);
        let sealed = seal(&mut clinic, Padding::Padme, &text);
        assert_eq!(sealed.len(), 1_081_344 + 66 * 16 + 16 + CHUNKS_AT, "{len} bytes");
        let mut reader = open(&clinic, Cursor::new(&sealed)).unwrap();
        assert_eq!(reader.plaintext_len().unwrap(), len as u64);
        assert_eq!(reader.stream_position().unwrap(), 0, "the position stays");
        let (read, end) = read_out(reader);
        end.unwrap();
        assert!(read == text, "{len} bytes");
    }
}

fn is_sendable<T: Send + Sync + std::panic::UnwindSafe>() {}

#[test]
fn streams_go_to_other_threads() {
    is_sendable::<AttachmentWriter<Vec<u8>>>();
    is_sendable::<AttachmentReader<Cursor<Vec<u8>>>>();
    is_sendable::<DepositWriter<'static, Vec<u8>>>();
    is_sendable::<DepositedAttachment<Cursor<Vec<u8>>>>();
}

/// T109: what is printed of a stream is what is public.
#[test]
fn t109_debug_shows_no_text() {
    let mut clinic = clinic(0xA4);
    let (key, card) = (&clinic.patient.key, clinic.card(None).unwrap());
    let mut writer = clinic.vault.seal_attachment(key, &place(), Vec::new(), &mut clinic.rng).unwrap();
    writer.write_all(b"ABCDEFGH").unwrap();
    assert_eq!(format!("{writer:?}"), "AttachmentWriter { .. }");
    let sealed = writer.finish().unwrap();
    let reader = open(&clinic, Cursor::new(&sealed)).unwrap();
    assert_eq!(format!("{reader:?}"), "AttachmentReader { revision: Revision(1), origin: Reader, .. }");

    let (by, rng) = (&clinic.front_end, &mut clinic.rng);
    let writer = clinic.vault.deposit_attachment(&card, by, field(), Padding::None, Vec::new(), rng).unwrap();
    let id = writer.record().to_owned();
    assert_eq!(format!("{writer:?}"), format!("DepositWriter {{ record: {id:?}, .. }}"));
    let sealed = writer.finish().unwrap();
    let (key, id) = (&clinic.patient.key, RecordId::new(&id).unwrap());
    let deposited = clinic.vault.open_deposited_attachment(key, Place::new(id, field()), Cursor::new(&sealed)).unwrap();
    let writer = clinic.front_end.fingerprint();
    assert_eq!(format!("{deposited:?}"), format!("DepositedAttachment {{ claimed_writer: {writer:?}, .. }}"));
}

/// A closed card neither takes nor gives an attachment.
#[test]
fn a_closed_card_is_refused() {
    use lukko::error::Untrusted;
    let mut clinic = clinic(0xA5);
    let sealed = seal(&mut clinic, Padding::Padme, b"text");
    let (card, card_id) = (clinic.card(None).unwrap(), clinic.patient.card_id);
    clinic.next_roster(|draft| {
        draft.close(card_id, ClosedReason::Erased).unwrap();
    });
    let expected = Error::Untrusted(Untrusted::CardErased(card_id));
    let (vault, key, by, rng) = (&clinic.vault, &clinic.patient.key, &clinic.front_end, &mut clinic.rng);
    let refused = [
        vault.seal_attachment(key, &place(), Vec::new(), rng).map(drop).unwrap_err(),
        vault.deposit_attachment(&card, by, field(), Padding::None, Vec::new(), rng).map(drop).unwrap_err(),
        vault.open_attachment(key, Place::new(record(), field()), Cursor::new(&sealed)).map(drop).unwrap_err(),
        vault
            .open_deposited_attachment(key, Place::new(record(), field()), Cursor::new(&sealed))
            .map(drop)
            .unwrap_err(),
    ];
    assert!(refused.iter().all(|error| refusal(error) == &expected), "{refused:?}");
}
