//! The names of columns, and what a first line looks like that has none.

use std::collections::BTreeMap;

use lukko::FieldLabel;

use super::alike::{is_hidden, skeleton};
use super::fault::{ImportColumn, ImportFault};
use super::{PATIENT, RECORD};

/// Whether a column is an id, and not a field.
pub(super) fn is_id(name: &str) -> bool {
    name == PATIENT || name == RECORD
}

/// Whether these are the names of columns: both ids, and each name once and usable as a field's.
pub(super) fn check<'n>(names: impl Iterator<Item = &'n str> + Clone) -> Result<(), ImportFault> {
    for id in [PATIENT, RECORD] {
        if !names.clone().any(|name| name == id) {
            let almost = names.clone().enumerate().find(|(_, name)| letters(name) == letters(id));
            return Err(match almost {
                Some((index, name)) => ImportFault::AlmostNamed(ImportColumn::new(index, name), id),
                None => ImportFault::Missing(id),
            });
        }
    }
    let mut before = BTreeMap::new();
    for (index, name) in names.enumerate() {
        let column = ImportColumn::new(index, name);
        if name.is_empty() {
            return Err(ImportFault::NoName(column));
        }
        if FieldLabel::new(name).is_err() {
            return Err(ImportFault::LongName(column));
        }
        if name.trim() != name || name.chars().any(|sign| is_hidden(sign) && sign != ' ') {
            return Err(ImportFault::HiddenInName(column));
        }
        if let Some(first) = before.insert(name, index) {
            return Err(ImportFault::SameName(ImportColumn::new(first, name), column));
        }
    }
    Ok(())
}

/// What a first line is that names no columns, if that can be seen.
pub(super) fn unusual(line: &[u8]) -> Option<ImportFault> {
    let is = |sign: char| line.iter().filter(|byte| char::from(**byte) == sign).count();
    if line.get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case(b"sep=")) {
        return Some(ImportFault::SepLine);
    }
    if [&b"#"[..], b"//", b"--"].iter().any(|begin| line.starts_with(begin)) {
        return Some(ImportFault::Comment);
    }
    // Two ids and a field have two separators between them.
    [';', '\t', '|'].into_iter().find(|sign| is(*sign) > 1 && is(*sign) > is(',')).map(ImportFault::Separator)
}

fn letters(name: &str) -> String {
    skeleton(name.as_bytes()).chars().filter(|sign| sign.is_alphanumeric()).collect()
}
