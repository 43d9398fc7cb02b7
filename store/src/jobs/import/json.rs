//! One line of JSON Lines: an object whose values are strings, as RFC 8259 has it.

use super::fault::{ImportColumn, ImportFault};

/// White space of JSON.
const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// Whether nothing but white space stands on the line.
pub(super) fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| SPACE.contains(&char::from(*byte)))
}

/// The members of the line's object, in their order.
pub(super) fn object(line: &[u8]) -> Result<Vec<(String, String)>, ImportFault> {
    let text = std::str::from_utf8(line).map_err(|_| ImportFault::NotUtf8)?;
    let mut cursor = Cursor { text: text.trim_end_matches(SPACE), at: 0 };
    cursor.skip_space();
    match cursor.take()? {
        '{' => {}
        '[' => return Err(ImportFault::JsonArray),
        _ => return Err(ImportFault::JsonNotObject),
    }
    let members = cursor.members()?;
    if cursor.peek().is_some() { Err(ImportFault::JsonBehind) } else { Ok(members) }
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl Cursor<'_> {
    /// What stands behind the opening brace.
    fn members(&mut self) -> Result<Vec<(String, String)>, ImportFault> {
        let mut members = Vec::new();
        self.skip_space();
        if self.peek() == Some('}') {
            self.take()?;
            return Ok(members);
        }
        loop {
            self.skip_space();
            self.expect('"')?;
            let name = self.string()?;
            self.skip_space();
            self.expect(':')?;
            self.skip_space();
            if let Some(kind) = self.peek().and_then(kind) {
                return Err(ImportFault::NotString { column: ImportColumn::new(members.len(), &name), kind });
            }
            self.expect('"')?;
            members.push((name, self.string()?));
            self.skip_space();
            if self.peek() == Some('}') {
                self.take()?;
                return Ok(members);
            }
            self.expect(',')?;
        }
    }

    /// A string, behind its opening quote.
    fn string(&mut self) -> Result<String, ImportFault> {
        let mut string = String::new();
        loop {
            let byte = self.byte();
            match self.take()? {
                '"' => return Ok(string),
                '\\' => string.push(self.escaped(byte)?),
                '\0'..='\u{1f}' => return Err(ImportFault::JsonControl { byte }),
                other => string.push(other),
            }
        }
    }

    /// The character of an escape, behind its backslash. `byte` is the backslash.
    fn escaped(&mut self, byte: usize) -> Result<char, ImportFault> {
        match self.take()? {
            sign @ ('"' | '\\' | '/') => Ok(sign),
            'b' => Ok('\u{8}'),
            'f' => Ok('\u{c}'),
            'n' => Ok('\n'),
            'r' => Ok('\r'),
            't' => Ok('\t'),
            'u' => {
                let mut units = vec![self.unit()?];
                if let [0xd800..=0xdbff] = units[..]
                    && self.rest().starts_with("\\u")
                {
                    self.at = self.at.saturating_add(2);
                    units.push(self.unit()?);
                }
                String::from_utf16(&units)
                    .ok()
                    .and_then(|text| text.chars().next())
                    .ok_or(ImportFault::JsonHalf { byte })
            }
            _ => Err(ImportFault::Json { byte }),
        }
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Result<u16, ImportFault> {
        let mut unit = 0_u16;
        for _ in 0..4 {
            let byte = self.byte();
            let digit = self.take()?.to_digit(16).and_then(|digit| u16::try_from(digit).ok());
            unit = unit << 4 | digit.ok_or(ImportFault::Json { byte })?;
        }
        Ok(unit)
    }

    fn expect(&mut self, expected: char) -> Result<(), ImportFault> {
        let byte = self.byte();
        if self.take()? == expected { Ok(()) } else { Err(ImportFault::Json { byte }) }
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at = self.at.saturating_add(rest.len().saturating_sub(rest.trim_start_matches(SPACE).len()));
    }

    fn take(&mut self) -> Result<char, ImportFault> {
        let next = self.peek().ok_or(ImportFault::JsonCut)?;
        self.at = self.at.saturating_add(next.len_utf8());
        Ok(next)
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The byte that comes next, from 1.
    fn byte(&self) -> usize {
        self.at.saturating_add(1)
    }
}

/// What a value is that begins so; none for a string, and for what is no value.
fn kind(first: char) -> Option<&'static str> {
    match first {
        'n' => Some("null"),
        't' | 'f' => Some("true or false"),
        '-' | '0'..='9' => Some("a number"),
        '[' => Some("a list"),
        '{' => Some("an object"),
        _ => None,
    }
}
