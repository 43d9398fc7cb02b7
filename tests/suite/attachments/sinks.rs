//! Sinks that take less than they are given, are interrupted, or fail; and writers that are dropped.

use std::io::{self, Cursor, ErrorKind, Write};

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
