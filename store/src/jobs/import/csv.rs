//! CSV as RFC 4180 has it, and no more: what a strict reader refuses is refused, and nobody guesses.
//!
//! A line ends with CRLF, LF or CR. Blank lines are passed over. A backslash has no meaning.

use std::io::{self, BufRead};

use super::fault::{ImportFault, ImportMistake};

/// One row, and where it is.
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) fields: Vec<String>,
}

/// The rows of what is read.
pub(super) struct Rows<R> {
    input: R,
    line: u64,
    offset: u64,
    /// The byte that was read last.
    last: u8,
}

/// Where in a field a byte stands.
#[derive(Clone, Copy)]
enum At {
    Begin,
    Plain,
    /// With the line of the quote.
    Quoted(u64),
    /// Behind a quote that closes the field, unless another quote follows.
    Closed(u64),
}

/// What a byte is.
enum Step {
    /// A part of the text.
    Text(At),
    /// A quote that is not.
    Quote(At),
    FieldEnds,
    RowEnds,
}

fn step(at: At, byte: Option<u8>, line: u64) -> Result<Step, ImportFault> {
    match (at, byte) {
        (At::Quoted(opened), Some(b'"')) => Ok(Step::Quote(At::Closed(opened))),
        (At::Quoted(_), Some(_)) => Ok(Step::Text(at)),
        (At::Quoted(opened), None) => Err(ImportFault::QuoteOpen { opened }),
        (At::Closed(opened), Some(b'"')) => Ok(Step::Text(At::Quoted(opened))),
        (At::Begin, Some(b'"')) => Ok(Step::Quote(At::Quoted(line))),
        (_, Some(b',')) => Ok(Step::FieldEnds),
        (_, Some(b'\r' | b'\n') | None) => Ok(Step::RowEnds),
        (At::Closed(opened), Some(_)) => Err(ImportFault::TextBehindQuote { opened }),
        (At::Plain, Some(b'"')) => Err(ImportFault::QuoteInside),
        (At::Begin | At::Plain, Some(_)) => Ok(Step::Text(At::Plain)),
    }
}

impl<R: BufRead> Rows<R> {
    /// `offset` is where the input begins in its file.
    pub(super) fn new(input: R, offset: u64) -> Self {
        Self { input, line: 1, offset, last: 0 }
    }

    /// The next row; none at the end.
    pub(super) fn next_row(&mut self) -> Result<Option<Row>, ImportMistake> {
        while let Some(b'\r' | b'\n') = self.peek()? {
            self.take()?;
        }
        if self.peek()?.is_none() {
            return Ok(None);
        }
        let (line, offset) = (self.line, self.offset);
        let fields = self.fields(line)?;
        Ok(Some(Row { line, offset, length: self.offset.saturating_sub(offset), fields }))
    }

    fn fields(&mut self, begin: u64) -> Result<Vec<String>, ImportMistake> {
        let wrong = |what| ImportMistake::Row { line: begin, what };
        let (mut fields, mut field, mut at, mut backslash) = (Vec::new(), Vec::new(), At::Begin, false);
        loop {
            let (before, line) = (self.last, self.line);
            let byte = self.take()?;
            backslash |= byte == Some(b'"') && before == b'\\';
            let step =
                step(at, byte, line).map_err(|what| wrong(if backslash { ImportFault::Backslash } else { what }))?;
            match step {
                Step::Text(next) => {
                    field.extend(byte);
                    at = next;
                }
                Step::Quote(next) => at = next,
                Step::FieldEnds | Step::RowEnds => {
                    fields.push(text(std::mem::take(&mut field), at).map_err(wrong)?);
                    at = At::Begin;
                }
            }
            if let Step::RowEnds = step {
                return Ok(fields);
            }
        }
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.input.fill_buf() {
                Ok(bytes) => return Ok(bytes.first().copied()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn take(&mut self) -> io::Result<Option<u8>> {
        let Some(byte) = self.peek()? else { return Ok(None) };
        self.input.consume(1);
        self.offset = self.offset.saturating_add(1);
        // CRLF is one line end.
        if byte == b'\r' || (byte == b'\n' && self.last != b'\r') {
            self.line = self.line.saturating_add(1);
        }
        self.last = byte;
        Ok(Some(byte))
    }
}

fn text(field: Vec<u8>, at: At) -> Result<String, ImportFault> {
    if matches!(at, At::Plain) && field == b"\\N" {
        return Err(ImportFault::Null);
    }
    String::from_utf8(field).map_err(|_| ImportFault::NotUtf8)
}
