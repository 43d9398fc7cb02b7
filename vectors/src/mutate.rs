//! The systematic cases: every field flipped, cut off, pushed back by a byte, and exchanged with another object's.

use serde_json::Value;

use crate::case::{Book, Layer};
use crate::fields::Field;

/// What becomes of an object when one field of it is damaged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    name: &'static str,
    /// What the last byte of the field is combined with (exclusive or).
    mask: u8,
    flip: Layer,
    cut: Option<Layer>,
    insert: Option<Layer>,
    swap: Option<Layer>,
}

/// A field that is refused in `flip` if its last byte is changed by `mask` or all of it is another object's; cutting
/// the object before it, or pushing it back, is malformed.
pub(crate) const fn row(name: &'static str, mask: u8, flip: Layer) -> Row {
    Row { name, mask, flip, cut: Some(Layer::Malformed), insert: Some(Layer::Malformed), swap: Some(flip) }
}

impl Row {
    pub(crate) const fn insert(self, layer: Layer) -> Self {
        Self { insert: Some(layer), ..self }
    }

    pub(crate) const fn cut(self, layer: Layer) -> Self {
        Self { cut: Some(layer), ..self }
    }

    pub(crate) const fn swap(self, layer: Layer) -> Self {
        Self { swap: Some(layer), ..self }
    }

    pub(crate) const fn no_swap(self) -> Self {
        Self { swap: None, ..self }
    }
}

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
        for field in &self.fields {
            let row =
                rows.iter().find(|row| row.name == field.name).unwrap_or_else(|| panic!("no row: {}", field.name));
            self.flip(book, field, row);
            self.cut(book, field, row);
            self.insert(book, field, row);
            self.swap(book, field, row);
        }
    }

    /// Only flips and exchanges, where objects are big.
    pub(crate) fn flips_and_swaps(&self, book: &mut Book, rows: &[Row]) {
        for field in &self.fields {
            let row =
                rows.iter().find(|row| row.name == field.name).unwrap_or_else(|| panic!("no row: {}", field.name));
            self.flip(book, field, row);
            self.swap(book, field, row);
        }
    }

    /// Only exchanges.
    pub(crate) fn swaps(&self, book: &mut Book, rows: &[Row]) {
        for field in &self.fields {
            let row =
                rows.iter().find(|row| row.name == field.name).unwrap_or_else(|| panic!("no row: {}", field.name));
            self.swap(book, field, row);
        }
    }

    fn flip(&self, book: &mut Book, field: &Field, row: &Row) {
        let last = field.start + field.len - 1;
        let first_mask = (last, row.mask);
        let others = (field.start..=last).rev().flat_map(|at| (0..8).map(move |bit| (at, 1 << bit)));
        let flipped = std::iter::once(first_mask).chain(others).find_map(|(at, mask)| {
            let mut bytes = self.bytes.to_vec();
            bytes[at] ^= mask;
            (self.valid)(field.name, &bytes[field.start..=last]).then_some(bytes)
        });
        let comment = format!("{}: a bit of the field {} is flipped.", self.what, field.name);
        book.reject(row.flip, &comment, (self.input)(&flipped.expect("some bit leaves a key a key")));
    }

    fn cut(&self, book: &mut Book, field: &Field, row: &Row) {
        if let Some(layer) = row.cut {
            let comment = format!("{}: it ends before the field {}.", self.what, field.name);
            book.reject(layer, &comment, (self.input)(&self.bytes[..field.start]));
        }
    }

    fn insert(&self, book: &mut Book, field: &Field, row: &Row) {
        if let Some(layer) = row.insert {
            let comment = format!("{}: a zero byte is inserted before the field {}.", self.what, field.name);
            let (head, tail) = self.bytes.split_at(field.start);
            book.reject(layer, &comment, (self.input)(&[head, &[0], tail].concat()));
        }
    }

    fn swap(&self, book: &mut Book, field: &Field, row: &Row) {
        let Some(other) = self.other_fields.iter().find(|other| other.name == field.name) else { return };
        let (own, foreign) = (range(self.bytes, field), range(self.other.1, other));
        if let Some(layer) = row.swap.filter(|_| own.len() == foreign.len() && own != foreign) {
            let comment = format!("{}: the field {} is that of {}.", self.what, field.name, self.other.0);
            book.reject(layer, &comment, (self.input)(&patched(self.bytes, field, foreign)));
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
