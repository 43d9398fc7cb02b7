//! Sources that give less than they are asked for, are interrupted, shrink, or fail.

use std::cell::Cell;
use std::io::{self, Cursor, ErrorKind, Read, Seek, SeekFrom, Write};

use lukko::*;

use super::*;

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
    let mut deposited = vault.open_deposited_attachment(key, Place::new(record, field()), source).unwrap();
    len.set(20_000);
    assert_eq!(read_out(&mut deposited).1.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    len.set(u64::MAX);
    assert_eq!(deposited.verify_authorship().unwrap_err().kind(), ErrorKind::UnexpectedEof);
    // And a source that fails while it is compared is no proof of anything.
    let source = Shrinking { inner: Cursor::new(&sealed), len: &len };
    let deposited = vault.open_deposited_attachment(key, Place::new(record, field()), source).unwrap();
    len.set(20_000);
    assert_eq!(refusal(&deposited.verify_authorship().unwrap_err()), &Error::NotAuthentic);
}
