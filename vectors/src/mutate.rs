//! The systematic cases: every field changed in each way of [`Change`], one change for one case.

use serde_json::Value;

use crate::case::{Book, Layer};
use crate::fields::Field;

/// What is done to one field of a valid object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// A bit of its last byte is flipped.
    Last,
    /// The highest bit of its first byte is flipped.
    First,
    /// All of its bytes are zero.
    Zeros,
    /// All of its bytes are 255.
    Ones,
    /// The object ends before it.
    Cut,
    /// The object ends one byte before its end.
    Short,
    /// A zero byte is inserted before it.
    Insert,
    /// It is left out.
    Without,
    /// It stands there twice.
    Twice,
    /// It is exchanged with the field behind it.
    Neighbour,
    /// It is that of another object.
    Swap,
}

use Change::*;

/// All changes: for objects that are small.
pub(crate) const ALL: &[Change] = &[Last, Cut, Insert, Swap, First, Zeros, Ones, Short, Without, Twice, Neighbour];
/// The first ones of them: for objects that are big, and of which the other suite has all.
pub(crate) const MAIN: &[Change] = &[Last, Cut, Insert, Swap];
/// What changes a value and moves nothing: for objects that are big.
pub(crate) const VALUES: &[Change] = &[Last, Swap];
/// What changes a value, and is signed again.
const SIGNED: &[Change] = &[Last, Swap, First, Zeros, Ones];

/// In which class an object is refused when one field of it is changed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    name: &'static str,
    /// What the last byte of the field is combined with (exclusive or).
    mask: u8,
    /// Where the value changes and all else stays in its place.
    value: Layer,
    /// Where the object ends too early.
    short: Layer,
    /// Where the fields behind it move.
    moved: Layer,
    /// Changes of another class, or of none: the changed object is good, or the change is made elsewhere.
    other: [Option<(Change, Option<Layer>)>; 7],
}

/// A field of an object that is refused in `value` if the field changes, and is malformed if it ends or moves there.
pub(crate) const fn row(name: &'static str, mask: u8, value: Layer) -> Row {
    Row { name, mask, value, short: Layer::Malformed, moved: Layer::Malformed, other: [None; 7] }
}

impl Row {
    pub(crate) const fn insert(self, layer: Layer) -> Self {
        Self { moved: layer, ..self }
    }

    pub(crate) const fn cut(self, layer: Layer) -> Self {
        Self { short: layer, ..self }
    }

    /// Another class for one change.
    pub(crate) const fn but(self, change: Change, layer: Layer) -> Self {
        self.set(change, Some(layer))
    }

    /// No case of this change.
    pub(crate) const fn not(self, change: Change) -> Self {
        self.set(change, None)
    }

    const fn set(mut self, change: Change, layer: Option<Layer>) -> Self {
        let mut at = 0;
        while self.other[at].is_some() {
            at += 1;
        }
        self.other[at] = Some((change, layer));
        self
    }

    fn layer(&self, change: Change) -> Option<Layer> {
        let other = self.other.iter().flatten().find(|(known, _)| *known == change);
        other.map_or_else(
            || match change {
                Cut | Short => Some(self.short),
                Insert | Without | Twice => Some(self.moved),
                Last | First | Zeros | Ones | Swap | Neighbour => Some(self.value),
            },
            |(_, layer)| *layer,
        )
    }
}

/// Signs an object again.
type Sign<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;

/// A valid object, taken apart, and another valid one of the same kind.
pub(crate) struct Base<'a> {
    /// How comments name it.
    pub(crate) what: &'a str,
    pub(crate) bytes: &'a [u8],
    pub(crate) fields: Vec<Field>,
    pub(crate) other: (&'a str, &'a [u8]),
    pub(crate) other_fields: Vec<Field>,
    /// Whether a value may stand in the field of this name (keys, which must stay keys).
    pub(crate) valid: &'a dyn Fn(&str, &[u8]) -> bool,
    /// The case's input, from the object.
    pub(crate) input: &'a dyn Fn(&[u8]) -> Value,
}

impl Base<'_> {
    /// All systematic cases of the fields in `rows`.
    pub(crate) fn systematic(&self, book: &mut Book, rows: &[Row]) {
        self.changes(book, rows, ALL);
    }

    /// All changes of small objects, and the first ones of big ones.
    pub(crate) fn by_size(&self, book: &mut Book, rows: &[Row], big: bool) {
        self.changes(book, rows, if big { MAIN } else { ALL });
    }

    /// Only flips and exchanges, where objects are big.
    pub(crate) fn flips_and_swaps(&self, book: &mut Book, rows: &[Row]) {
        self.changes(book, rows, VALUES);
    }

    /// Only exchanges.
    pub(crate) fn swaps(&self, book: &mut Book, rows: &[Row]) {
        self.changes(book, rows, &[Swap]);
    }

    /// These changes of every field.
    pub(crate) fn changes(&self, book: &mut Book, rows: &[Row], changes: &[Change]) {
        for index in 0..self.fields.len() {
            for change in changes {
                self.case(book, rows, index, *change, None);
            }
        }
    }

    /// Every field that has a row changed, and the object signed again by `sign`, so that nothing else is wrong.
    pub(crate) fn signed(&self, book: &mut Book, rows: &[Row], sign: Sign<'_>) {
        for index in 0..self.fields.len() {
            if rows.iter().any(|row| row.name == self.fields[index].name) {
                SIGNED.iter().for_each(|change| self.case(book, rows, index, *change, Some(sign)));
            }
        }
    }

    fn case(&self, book: &mut Book, rows: &[Row], index: usize, change: Change, sign: Option<Sign<'_>>) {
        let field = &self.fields[index];
        let row = rows.iter().find(|row| row.name == field.name).unwrap_or_else(|| panic!("no row: {}", field.name));
        let next = self.fields.get(index + 1).filter(|next| next.start == field.start + field.len);
        let Some(bytes) = self.changed(field, next, row.mask, change).filter(|bytes| bytes != self.bytes) else {
            return;
        };
        let spoilt = matches!(change, First | Zeros | Ones) && !(self.valid)(field.name, range(&bytes, field));
        let Some(layer) = (if spoilt { Some(Layer::Malformed) } else { row.layer(change) }) else { return };
        let comment = format!("{}: {}.", self.what, self.said(field, next, change));
        match sign {
            None => book.reject(layer, &comment, (self.input)(&bytes)),
            Some(sign) => {
                let comment = format!("{} The object is signed again.", comment);
                book.reject(layer, &comment, (self.input)(&sign(&bytes)));
            }
        }
    }

    /// The object with one change, if the change can be made there.
    fn changed(&self, field: &Field, next: Option<&Field>, mask: u8, change: Change) -> Option<Vec<u8>> {
        let (head, rest) = self.bytes.split_at(field.start);
        let (own, tail) = rest.split_at(field.len);
        let end = field.start + field.len;
        Some(match change {
            Last => self.flipped(field, mask),
            First if field.len > 1 => [head, &[own[0] ^ 0x80], &own[1..], tail].concat(),
            Zeros if field.len > 1 => [head, &vec![0; field.len], tail].concat(),
            Ones if field.len > 1 => [head, &vec![0xFF; field.len], tail].concat(),
            Cut => head.to_vec(),
            Short if field.len > 1 => self.bytes[..end - 1].to_vec(),
            Insert => [head, &[0], rest].concat(),
            Without => [head, tail].concat(),
            Twice => [head, own, own, tail].concat(),
            Neighbour => {
                let (behind, tail) = tail.split_at(next?.len);
                [head, behind, own, tail].concat()
            }
            Swap => {
                let other = self.other_fields.iter().find(|other| other.name == field.name)?;
                let foreign = range(self.other.1, other);
                patched(self.bytes, field, Some(foreign).filter(|foreign| foreign.len() == field.len)?)
            }
            First | Zeros | Ones | Short => return None,
        })
    }

    /// The last byte combined with the mask; or, of a key, the last bit that leaves it a key.
    fn flipped(&self, field: &Field, mask: u8) -> Vec<u8> {
        let last = field.start + field.len - 1;
        let others = (field.start..=last).rev().flat_map(|at| (0..8).map(move |bit| (at, 1 << bit)));
        let flipped = std::iter::once((last, mask)).chain(others).find_map(|(at, mask)| {
            let mut bytes = self.bytes.to_vec();
            bytes[at] ^= mask;
            (self.valid)(field.name, range(&bytes, field)).then_some(bytes)
        });
        flipped.expect("some bit leaves a key a key")
    }

    fn said(&self, field: &Field, next: Option<&Field>, change: Change) -> String {
        let name = field.name;
        match change {
            Last => format!("a bit of the field {name} is flipped"),
            First => format!("the first bit of the field {name} is flipped"),
            Zeros => format!("the field {name} is all zeros"),
            Ones => format!("the field {name} is all ones"),
            Cut => format!("it ends before the field {name}"),
            Short => format!("it ends one byte before the end of the field {name}"),
            Insert => format!("a zero byte is inserted before the field {name}"),
            Without => format!("the field {name} is left out"),
            Twice => format!("the field {name} stands there twice"),
            Neighbour => {
                format!("the fields {name} and {} are exchanged", next.map_or("nothing", |next| next.name))
            }
            Swap => format!("the field {name} is that of {}", self.other.0),
        }
    }
}

pub(crate) fn range<'a>(bytes: &'a [u8], field: &Field) -> &'a [u8] {
    &bytes[field.start..field.start + field.len]
}

/// The object with another value in a field.
pub(crate) fn patched(bytes: &[u8], field: &Field, value: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.splice(field.start..field.start + field.len, value.iter().copied());
    bytes
}

/// The field of this name.
pub(crate) fn named(fields: &[Field], name: &str) -> Field {
    *fields.iter().find(|field| field.name == name).expect("a field of this name")
}
