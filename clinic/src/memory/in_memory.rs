//! A memory in the process.

use std::collections::BTreeMap;
use std::future::ready;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Answer, Page, Remember};

#[derive(Debug, Default)]
pub(super) struct InMemory(Mutex<BTreeMap<Vec<u8>, Vec<u8>>>);

impl InMemory {
    fn notes(&self) -> MutexGuard<'_, BTreeMap<Vec<u8>, Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remember for InMemory {
    fn read<'a>(&'a self, about: &'a [u8]) -> Answer<'a, Option<Vec<u8>>> {
        let noted = self.notes().get(about).cloned();
        Box::pin(ready(Ok(noted)))
    }

    fn write<'a>(&'a self, about: &'a [u8], was: Option<&'a [u8]>, now: Option<&'a [u8]>) -> Answer<'a, bool> {
        let mut notes = self.notes();
        let same = notes.get(about).map(Vec::as_slice) == was;
        match now {
            Some(now) if same => drop(notes.insert(about.to_vec(), now.to_vec())),
            None if same => drop(notes.remove(about)),
            _ => {}
        }
        Box::pin(ready(Ok(same)))
    }

    fn list<'a>(&'a self, prefix: &'a [u8], after: Option<&'a [u8]>, limit: u32) -> Answer<'a, Page> {
        let from = after.map_or(Bound::Included(prefix), Bound::Excluded);
        let notes = self.notes();
        let listed =
            notes.range::<[u8], _>((from, Bound::Unbounded)).take_while(|(about, _)| about.starts_with(prefix));
        let page = listed.take(limit as usize).map(|(about, noted)| (about.clone(), noted.clone())).collect();
        drop(notes);
        Box::pin(ready(Ok(page)))
    }
}
