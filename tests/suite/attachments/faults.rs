//! Sinks and sources that do less than they are asked for, are interrupted, or fail.

use std::cell::Cell;
use std::io::{self, Cursor, ErrorKind, Read, Seek, SeekFrom, Write};

use lukko::*;

use super::*;

/// Takes one byte at a time, and is interrupted before each.
#[derive(Default)]
struct Trickle {
    bytes: Vec<u8>,
    interrupted: bool,
    flushes: usize,
}

impl Trickle {
    fn interrupt(&mut self) -> io::Result<()> {
        self.interrupted = !self.interrupted;
        if self.interrupted { Err(ErrorKind::Interrupted.into()) } else { Ok(()) }
    }
}

impl Write for Trickle {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.interrupt()?;
        self.bytes.extend(bytes.first());
        Ok(bytes.len().min(1))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.interrupt()?;
        self.flushes += 1;
        Ok(())
    }
}

/// Has room for so many bytes; then the disk is full.
#[derive(Debug)]
struct Full {
    room: usize,
    bytes: Vec<u8>,
}

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(self.room);
        if count == 0 {
            return Err(ErrorKind::StorageFull.into());
        }
        self.room -= count;
        self.bytes.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_sink_that_takes_one_byte_and_is_interrupted_gets_all() {
    let mut clinic = clinic(0xC0);
    let text = text(20_000);
    let (key, sink) = (&clinic.patient.key, Trickle::default());
    let mut writer = clinic.vault.seal_attachment(key, &place(), sink, &mut clinic.rng).unwrap();
    writer.write_all(&text).unwrap();
    writer.flush().unwrap();
    let sink = writer.finish().unwrap();
    assert_eq!(sink.flushes, 2, "one that was asked for and one at the end");
    assert!(clinic.open(&sink.bytes).unwrap().plaintext[..] == text[..]);
}

/// For every byte of a small attachment: the sink fails there. The writer fails with it and stays so, and what the sink
/// has does not open.
#[test]
fn a_sink_that_fails_anywhere_fails_the_writer_for_good() {
    let mut clinic = clinic(0xC1);
    let total = 120 + 56 + 256 + 16;
    let mut failed_at = [0; 2];
    for room in 0..total {
        let (key, mut sink) = (&clinic.patient.key, Full { room, bytes: Vec::new() });
        match clinic.vault.seal_attachment(key, &place(), &mut sink, &mut clinic.rng) {
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::StorageFull);
                failed_at[0] += 1;
            }
            Ok(mut writer) => {
                writer.write_all(b"a short note").unwrap();
                assert_eq!(writer.finish().unwrap_err().kind(), ErrorKind::StorageFull);
                failed_at[1] += 1;
            }
        }
        assert_eq!(sink.bytes.len(), room);
        assert!(open(&clinic, Cursor::new(&sink.bytes)).is_err());
        assert!(clinic.open(&sink.bytes).is_err());
    }
    assert_eq!(failed_at, [176, 272], "while it was begun, and while it was finished");
}

#[test]
fn t040_a_failed_writer_stays_failed() {
    let mut clinic = clinic(0xC2);
    let text = text(40_000);
    for room in [176, 177, 16_575, 16_576, 20_000, 32_975] {
        let (key, sink) = (&clinic.patient.key, Full { room, bytes: Vec::new() });
        let mut writer = clinic.vault.seal_attachment(key, &place(), sink, &mut clinic.rng).unwrap();
        assert_eq!(writer.write_all(&text).unwrap_err().kind(), ErrorKind::StorageFull, "{room}");
        for _ in 0..10 {
            assert_eq!(writer.write(b"more").unwrap_err().kind(), ErrorKind::StorageFull);
            assert_eq!(writer.write(b"").unwrap_err().kind(), ErrorKind::StorageFull);
            assert_eq!(writer.flush().unwrap_err().kind(), ErrorKind::StorageFull);
        }
        let refused = writer.finish().map(drop).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::StorageFull);
    }
}

/// Dropped at any point, also where a chunk is complete: it does not open, whatever was flushed.
#[test]
fn a_writer_that_is_dropped_leaves_nothing_that_opens() {
    let mut clinic = clinic(0xC3);
    for padding in PADDINGS {
        for len in LENGTHS {
            let (context, mut sink) = (place().with_padding(padding), Vec::new());
            let key = &clinic.patient.key;
            let mut writer = clinic.vault.seal_attachment(key, &context, &mut sink, &mut clinic.rng).unwrap();
            writer.write_all(&text(len)).unwrap();
            writer.flush().unwrap();
            drop(writer);
            // Flushing seals no chunk that is not full.
            assert_eq!(sink.len(), CHUNKS_AT + len / CHUNK * SEALED);
            let refused = open(&clinic, Cursor::new(&sink)).unwrap_err();
            assert!(matches!(refusal(&refused), Error::Malformed { field: "payload", offset: 120, .. }));
            assert!(clinic.open(&sink).is_err());
        }
    }
}

/// Gives one to three bytes at a time and is interrupted in between, or fails at some read or seek.
struct Shaky<'a> {
    inner: Cursor<&'a [u8]>,
    calls: usize,
    /// The call, of those that are not interrupted, that fails.
    fails_at: usize,
    short: bool,
}

impl<'a> Shaky<'a> {
    fn new(bytes: &'a [u8], fails_at: usize, short: bool) -> Self {
        Self { inner: Cursor::new(bytes), calls: 0, fails_at, short }
    }

    fn call(&mut self) -> io::Result<()> {
        self.calls += 1;
        if self.calls % 2 == 1 {
            return Err(ErrorKind::Interrupted.into());
        }
        if self.calls / 2 == self.fails_at { Err(ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

impl Read for Shaky<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.call()?;
        let most = if self.short { out.len().min(1 + self.calls % 3) } else { out.len() };
        self.inner.read(&mut out[..most])
    }
}

impl Seek for Shaky<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.call()?;
        self.inner.seek(to)
    }
}

#[test]
fn a_source_of_short_reads_and_interruptions_gives_all() {
    let mut clinic = clinic(0xC4);
    let text = text(40_000);
    for padding in PADDINGS {
        let sealed = seal(&mut clinic, padding, &text);
        let (read, end) = read_out(open(&clinic, Shaky::new(&sealed, 0, true)).unwrap());
        end.unwrap();
        assert!(read == text);
    }
}

/// For every call on the source: it fails there. The reader fails with the source's kind and stays so.
#[test]
fn t040_a_source_that_fails_anywhere_fails_the_reader_for_good() {
    let mut clinic = clinic(0xC5);
    let text = text(40_000);
    let sealed = seal(&mut clinic, Padding::Padme, &text);
    let mut failures = [0, 0];
    for fails_at in 1.. {
        let mut reader = match open(&clinic, Shaky::new(&sealed, fails_at, false)) {
            Ok(reader) => reader,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ConnectionReset, "call {fails_at}");
                failures[0] += 1;
                continue;
            }
        };
        let (read, end) = read_out(&mut reader);
        assert!(text.starts_with(&read));
        let Err(error) = end else {
            assert_eq!(read.len(), text.len());
            break;
        };
        assert_eq!(error.kind(), ErrorKind::ConnectionReset, "call {fails_at}");
        failures[1] += 1;
        for _ in 0..10 {
            assert_eq!(reader.read(&mut [0; 9]).unwrap_err().kind(), ErrorKind::ConnectionReset);
            assert_eq!(reader.seek(SeekFrom::Start(0)).unwrap_err().kind(), ErrorKind::ConnectionReset);
        }
    }
    assert!(failures[0] >= 8 && failures[1] >= 4, "{failures:?}");
}

/// A file that someone else cuts while it is read.
struct Shrinking<'a> {
    inner: Cursor<&'a [u8]>,
    len: &'a Cell<u64>,
}

impl Read for Shrinking<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = self.len.get().saturating_sub(self.inner.position());
        Read::by_ref(&mut self.inner).take(left).read(out)
    }
}

impl Seek for Shrinking<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

#[test]
fn a_source_that_shrinks_is_an_error_and_no_end_of_file() {
    let mut clinic = clinic(0xC6);
    let text = text(60_000);
    let sealed = seal(&mut clinic, Padding::None, &text);
    let len = Cell::new(u64::MAX);
    let mut reader = open(&clinic, Shrinking { inner: Cursor::new(&sealed), len: &len }).unwrap();
    // In the second chunk.
    len.set(20_000);
    let (read, end) = read_out(&mut reader);
    assert!(read == text[..CHUNK]);
    assert_eq!(end.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    len.set(u64::MAX);
    assert_eq!(reader.read(&mut [0]).unwrap_err().kind(), ErrorKind::UnexpectedEof, "and it stays one");
}

/// Fails at one call and works again: the writer has lost a chunk by then and must not go on.
struct Hiccup {
    bytes: Vec<u8>,
    writes_left: usize,
}

impl Write for Hiccup {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writes_left = self.writes_left.wrapping_sub(1);
        if self.writes_left == 0 {
            return Err(ErrorKind::TimedOut.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn t040_a_sink_that_recovers_does_not_revive_the_writer() {
    let mut clinic = clinic(0xC7);
    let (text, card) = (text(40_000), clinic.card(None).unwrap());
    // Writes 1 to 3 are front, salt and commitment; 4 and 5 the full chunks.
    for writes_left in [4, 5] {
        let sink = || Hiccup { bytes: Vec::new(), writes_left };
        let (vault, key) = (&clinic.vault, &clinic.patient.key);
        let mut writer = vault.seal_attachment(key, &place(), sink(), &mut clinic.rng).unwrap();
        assert_eq!(writer.write_all(&text).unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(writer.write(&text).unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(writer.finish().map(drop).unwrap_err().kind(), ErrorKind::TimedOut);

        let (by, rng) = (&clinic.front_end, &mut clinic.rng);
        let mut writer = vault.deposit_attachment(&card, by, field(), Padding::Padme, sink(), rng).unwrap();
        assert_eq!(writer.write_all(&text).unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(writer.finish().map(drop).unwrap_err().kind(), ErrorKind::TimedOut);
    }
}

/// A source that says `Interrupted` where that is not handled for us, and then works again.
struct Interrupting<'a> {
    inner: Cursor<&'a [u8]>,
    on: &'a Cell<bool>,
}

impl Read for Interrupting<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.inner.read(out)
    }

    fn read_exact(&mut self, out: &mut [u8]) -> io::Result<()> {
        if self.on.get() { Err(ErrorKind::Interrupted.into()) } else { self.inner.read_exact(out) }
    }
}

impl Seek for Interrupting<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

/// `read_to_end` tries again for ever on `Interrupted`; an error that stays must be of another kind.
#[test]
fn an_interruption_that_stuck_does_not_hang_the_caller() {
    let mut clinic = clinic(0xC8);
    let sealed = seal(&mut clinic, Padding::None, &text(60_000));
    let on = Cell::new(false);
    let mut reader = open(&clinic, Interrupting { inner: Cursor::new(&sealed), on: &on }).unwrap();
    on.set(true);
    let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Other);
    on.set(false);
    assert_eq!(reader.read(&mut [0]).unwrap_err().kind(), ErrorKind::Other);
}

/// Authorship is not asked behind an error, also when the source works again.
#[test]
fn t040_a_source_that_recovers_does_not_revive_a_deposit() {
    let mut clinic = clinic(0xC9);
    let (text, card) = (text(60_000), clinic.card(None).unwrap());
    let (by, rng) = (&clinic.front_end, &mut clinic.rng);
    let mut writer = clinic.vault.deposit_attachment(&card, by, field(), Padding::None, Vec::new(), rng).unwrap();
    let id = writer.record().to_owned();
    writer.write_all(&text).unwrap();
    let sealed = writer.finish().unwrap();
    let len = Cell::new(u64::MAX);
    let source = Shrinking { inner: Cursor::new(&sealed), len: &len };
    let (vault, key, record) = (&clinic.vault, &clinic.patient.key, RecordId::new(&id).unwrap());
    let mut deposited = vault.open_deposited_attachment(key, record, field(), source).unwrap();
    len.set(20_000);
    assert_eq!(read_out(&mut deposited).1.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    len.set(u64::MAX);
    assert_eq!(deposited.verify_authorship().unwrap_err().kind(), ErrorKind::UnexpectedEof);
    // And a source that fails while it is compared is no proof of anything.
    let source = Shrinking { inner: Cursor::new(&sealed), len: &len };
    let deposited = vault.open_deposited_attachment(key, record, field(), source).unwrap();
    len.set(20_000);
    assert_eq!(refusal(&deposited.verify_authorship().unwrap_err()), &Error::NotAuthentic);
}
