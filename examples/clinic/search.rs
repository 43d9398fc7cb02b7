//! The search of a file's raw bytes for pieces of the notes.

use std::collections::HashSet;

use crate::notes::Notes;
use crate::store::SCHEMA;

/// Length of a fragment, in bytes. Two random runs of 12 bytes are the same 1 time in 2^96.
const LENGTH: usize = 12;
/// A fragment with fewer different bytes, such as a row of dashes, says nothing.
const DIFFERENT: usize = 6;

type Fragment = [u8; LENGTH];

/// The 12 bytes that begin at each word of each note.
pub(crate) struct Fragments(HashSet<Fragment>);

impl Fragments {
    /// Leaves out what a database holds in clear anyway: its schema, and the ids as they were given.
    pub(crate) fn of(notes: &Notes) -> Self {
        let ids = notes.all.iter().flat_map(|note| [note.patient.as_str(), note.record.as_str()]);
        let public: HashSet<Fragment> = ids.chain([SCHEMA]).flat_map(|text| runs(text.as_bytes())).collect();
        let words = notes.all.iter().flat_map(|note| at_words(note.text.as_bytes()));
        Self(words.filter(|fragment| is_distinctive(fragment) && !public.contains(fragment)).collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn any(&self) -> Option<&Fragment> {
        self.0.iter().next()
    }

    /// How many of the fragments stand anywhere in these bytes.
    pub(crate) fn found_in(&self, bytes: &[u8]) -> usize {
        runs(bytes).filter(|run| self.0.contains(run)).collect::<HashSet<_>>().len()
    }
}

/// Every run of 12 bytes.
fn runs(bytes: &[u8]) -> impl Iterator<Item = Fragment> {
    bytes.windows(LENGTH).filter_map(|run| run.try_into().ok())
}

fn at_words(note: &[u8]) -> impl Iterator<Item = Fragment> {
    let begins = |at: &usize| *at == 0 || note[at - 1].is_ascii_whitespace();
    (0..note.len()).filter(begins).filter_map(|at| note.get(at..at + LENGTH)?.try_into().ok())
}

fn is_distinctive(fragment: &Fragment) -> bool {
    fragment.iter().collect::<HashSet<_>>().len() >= DIFFERENT
}
