//! What parsers hand out beside values: the body that a signature is over, and the place of a field.

use crate::error::{Error, Object};

/// Length of an Ed25519 signature, in bytes.
pub(crate) const SIGNATURE_LEN: usize = 64;
/// An Ed25519 signature, not verified.
pub(crate) type Signature = [u8; SIGNATURE_LEN];

/// A parsed object whose last field is about the bytes before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Framed<'a, T, End> {
    /// What the object says.
    pub(crate) value: T,
    /// Its bytes, without the end.
    pub(crate) body: &'a [u8],
    /// What stands behind the body: a signature, a voucher, a checksum, a sealed secret.
    pub(crate) end: End,
}

/// An object that ends in a signature over its body.
pub(crate) type Signed<'a, T> = Framed<'a, T, Signature>;

/// A field that another room judges, such as a key, and where it begins: a refusal names the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field<T> {
    pub(crate) value: T,
    pub(super) offset: usize,
}

impl<T> Field<T> {
    /// A field to be written, which has no place yet.
    pub(crate) const fn new(value: T) -> Self {
        Self { value, offset: 0 }
    }

    /// The refusal of this field.
    pub(crate) const fn refuse(&self, object: Object, field: &'static str) -> Error {
        Error::malformed(object, field, self.offset)
    }
}
