//! Ids that look alike: a person takes them for one, and the vault for several.

use std::collections::{BTreeMap, BTreeSet};

use lukko::PatientId;
use unicode_normalization::UnicodeNormalization;

/// Which of these patient ids look alike: each answer has at least two of them, in bytewise order.
///
/// Alike are ids that differ only in white space, in characters that are not seen (such as NUL, zero-width and soft hyphen),
/// in capitals, in the form of Unicode (NFC, NFD, full width), in the kind of hyphen, or in zeros before a number. Letters of
/// two alphabets are not compared.
///
/// Give it the ids of a file together with those that the store has
/// ([`Store::patients`](crate::Store::patients)): a list that went through a spreadsheet has lost its zeros, and each of its
/// patients would be enrolled a second time.
///
/// # Security
/// The vault knows an id by its bytes. A person with two ids is two patients: whoever was granted one reads half, and an
/// erasure of one leaves the other.
#[must_use]
pub fn look_alikes<'a>(ids: impl IntoIterator<Item = PatientId<'a>>) -> Vec<Vec<PatientId<'a>>> {
    let ids: BTreeMap<&[u8], PatientId<'a>> = ids.into_iter().map(|id| (id.as_bytes(), id)).collect();
    groups(ids.into_values(), |id| id.as_bytes())
}

/// Those that look alike, of values that are all different.
pub(super) fn groups<T>(all: impl Iterator<Item = T>, bytes: impl Fn(&T) -> &[u8]) -> Vec<Vec<T>> {
    let mut groups = BTreeMap::<String, Vec<T>>::new();
    for one in all {
        groups.entry(skeleton(bytes(&one))).or_default().push(one);
    }
    groups.into_values().filter(|group| group.len() > 1).collect()
}

/// Of many ids, what [`skeleton`] makes of them.
pub(super) fn skeletons(ids: &[PatientId<'_>]) -> BTreeSet<String> {
    ids.iter().map(|id| skeleton(id.as_bytes())).collect()
}

/// What is left of an id without what a person does not see. Ids that look alike have the same.
pub(super) fn skeleton(id: &[u8]) -> String {
    let text = String::from_utf8_lossy(id);
    let seen = text.chars().filter(|sign| !is_hidden(*sign)).nfkc();
    // Upper case first: it makes two letters of the German sharp s.
    let folded = seen.flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfkc();
    let mut signs = folded.filter(|sign| !is_hidden(*sign)).map(hyphen).peekable();
    let mut skeleton = String::new();
    while let Some(sign) = signs.next() {
        let begins = !skeleton.ends_with(|before: char| before.is_ascii_digit());
        let number_follows = signs.peek().is_some_and(char::is_ascii_digit);
        if !(sign == '0' && begins && number_follows) {
            skeleton.push(sign);
        }
    }
    skeleton
}

/// Whether a character is white space, or is not seen: control characters, and what Unicode calls default ignorable.
pub(super) fn is_hidden(sign: char) -> bool {
    sign.is_whitespace()
        || sign.is_control()
        || matches!(sign,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn hyphen(sign: char) -> char {
    if matches!(sign, '\u{2010}'..='\u{2015}' | '\u{2212}') { '-' } else { sign }
}
