//! A note: where it is, and, once opened, its text.

use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;

use futures_core::Stream;
use lukko::{KeyFingerprint, Plaintext};

use crate::error::{Error, Result};
use crate::memory::subject::Place;
use crate::names;

/// A stream, item by item: what `StreamExt` of `futures-util` takes.
pub type Items<T> = Pin<Box<dyn Stream<Item = Result<T>> + Send>>;

/// Where a note, a deposit or an attachment is, and which revision of it is meant. It holds no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub(crate) place: Place,
    pub(crate) revision: u64,
}

impl Note {
    pub(crate) fn at(place: &Place, revision: u64) -> Self {
        Self { place: place.clone(), revision }
    }

    /// The record's id, for an address or a link.
    #[must_use]
    pub fn id(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.place.record)
    }

    /// The field, as it was given.
    #[must_use]
    pub fn field(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(names::shown(&self.place.field))
    }

    /// The patient's id.
    #[must_use]
    pub fn patient(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.place.patient)
    }

    /// The revision, from 1; 0 for a deposit.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// The same record at another revision, for an edit that builds on what a person saw.
    #[must_use]
    pub fn at_revision(self, revision: u64) -> Self {
        Self { revision, ..self }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {} ({}) of patient {}", self.id(), self.field(), self.patient())
    }
}

/// What is known of an author.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Author {
    /// One of those to whom the patient is granted.
    Reader,
    /// A member who deposited it, and signed it.
    Depositor {
        /// The name under which the list of members has the key; none if it is not listed.
        name: Option<String>,
        /// The key.
        key: KeyFingerprint,
        /// Whether that key was revoked since: whoever stole it may be the author.
        revoked: bool,
    },
}

/// An opened note. Its text is wiped when it is dropped, and shows in no `Debug`.
pub struct Text {
    note: Note,
    text: Plaintext,
    author: Author,
}

impl Text {
    pub(crate) fn new(note: Note, text: Plaintext, author: Author) -> Result<Self> {
        std::str::from_utf8(&text).map_err(|_| Error::NotText)?;
        Ok(Self { note, text, author })
    }

    /// Where it is, and at which revision.
    #[must_use]
    pub const fn note(&self) -> &Note {
        &self.note
    }

    /// The text.
    ///
    /// # Security
    /// A copy that the caller makes is the caller's to wipe.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.text).unwrap_or_default()
    }

    /// Who wrote it, as far as that is known.
    #[must_use]
    pub const fn author(&self) -> &Author {
        &self.author
    }
}

/// A note in which something was found. `Display` shows where, and nothing of the text.
pub struct Hit(pub(crate) Text);

impl Hit {
    /// The note, opened.
    #[must_use]
    pub const fn text(&self) -> &Text {
        &self.0
    }
}

impl fmt::Display for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.note.fmt(f)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Text").field("note", &self.note).finish_non_exhaustive()
    }
}

impl fmt::Debug for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hit").field("note", &self.0.note).finish_non_exhaustive()
    }
}
