//! The table of objects.
//!
//! A handle is `type (8 bits) || generation (32 bits) || index (24 bits)`. The type is never 0, so no small number is a
//! handle. A slot's generation rises when its object is freed: a handle that was freed names a generation that is past.
//! Generations begin at a random number, so that a handle of another copy of the library in the same process is refused
//! as well. A slot whose generation has reached its end is never used again.
//!
//! A lookup clones an `Arc` under a short lock. An object that is freed while another thread uses it lives until that
//! call is over, and is wiped then.
//!
//! The thread that forks holds the lock during the fork, so that a child finds the table whole and unlocked.

use core::any::Any;
use core::cell::Cell;
use core::mem::ManuallyDrop;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};

use lukko::OsRng;
use lukko::rand_core::TryRng;

use crate::error::{
    LUKKO_E_BUSY, LUKKO_E_FULL, LUKKO_E_HANDLE, LUKKO_E_HANDLE_TYPE, LUKKO_E_PANIC, LUKKO_E_SPENT, Refusal, Result,
};
use crate::fork;

const INDEX_BITS: u32 = 24;
const GENERATION_BITS: u32 = 32;

/// What the table can hold. Each type has a tag of its own.
pub(crate) trait Object: Any + Send + Sync {
    /// From 1 to 255.
    const TAG: u8;
}

/// An object that changes. It takes one call at a time and answers `BUSY` to a second one, so that a callback which
/// calls the library with the handle that it is called for cannot wait for itself.
#[derive(Debug)]
pub(crate) struct Locked<T>(Mutex<T>);

impl<T> Locked<T> {
    pub(crate) const fn new(object: T) -> Self {
        Self(Mutex::new(object))
    }

    /// Runs one call on the object. After a panic in one it is of no use any more.
    pub(crate) fn with<R>(&self, call: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        match self.0.try_lock() {
            Ok(mut object) => {
                crate::api::failpoint("locked");
                call(&mut object)
            }
            Err(TryLockError::WouldBlock) => Err(Refusal(LUKKO_E_BUSY)),
            Err(TryLockError::Poisoned(_)) => Err(Refusal(LUKKO_E_PANIC)),
        }
    }
}

impl<T> Locked<Option<T>> {
    /// Runs one call on an object that was not used up.
    pub(crate) fn with_unspent<R>(&self, call: impl FnOnce(&mut T) -> Result<R>) -> Result<R> {
        self.with(|object| call(object.as_mut().ok_or(Refusal(LUKKO_E_SPENT))?))
    }

    /// Uses the object up.
    pub(crate) fn spend(&self) -> Result<T> {
        self.with(|object| object.take().ok_or(Refusal(LUKKO_E_SPENT)))
    }
}

struct Slot {
    generation: u32,
    tag: u8,
    object: Option<Arc<dyn Any + Send + Sync>>,
}

struct Table {
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// 0 until the first object comes.
    first_generation: u32,
    live: usize,
}

static TABLE: RwLock<Table> = RwLock::new(Table::new(0));

type Writing = RwLockWriteGuard<'static, Table>;

thread_local! {
    /// The lock, while this thread forks. It is dropped by hand: a destructor would keep the library from being unloaded.
    static FORKING: Cell<Option<ManuallyDrop<Writing>>> = const { Cell::new(None) };
}

extern "C" fn before_fork() {
    let held = FORKING.take();
    FORKING.set(Some(held.unwrap_or_else(|| ManuallyDrop::new(lock()))));
}

extern "C" fn after_fork() {
    drop(FORKING.take().map(ManuallyDrop::into_inner));
}

fn lock() -> Writing {
    TABLE.write().unwrap_or_else(PoisonError::into_inner)
}

fn table_to_change() -> Writing {
    fork::watch(before_fork, after_fork);
    lock()
}

fn table_to_read() -> RwLockReadGuard<'static, Table> {
    fork::watch(before_fork, after_fork);
    TABLE.read().unwrap_or_else(PoisonError::into_inner)
}

/// From 1 to 2^31. Without randomness it is 1: only the check for foreign handles is weaker then.
fn random_generation() -> u32 {
    OsRng.try_next_u32().map_or(1, |random| (random >> 1) + 1)
}

const fn split(handle: u64) -> (u8, u32, u32) {
    let index = (handle & ((1 << INDEX_BITS) - 1)) as u32;
    let generation = (handle >> INDEX_BITS) as u32;
    let tag = (handle >> (INDEX_BITS + GENERATION_BITS)) as u8;
    (tag, generation, index)
}

const fn join(tag: u8, generation: u32, index: u32) -> u64 {
    (tag as u64) << (INDEX_BITS + GENERATION_BITS) | (generation as u64) << INDEX_BITS | index as u64
}

impl Table {
    const fn new(first_generation: u32) -> Self {
        Self { slots: Vec::new(), free: Vec::new(), first_generation, live: 0 }
    }

    /// Refuses when 2^24 objects are alive or their slots used up.
    fn insert(&mut self, tag: u8, object: Arc<dyn Any + Send + Sync>) -> Result<u64> {
        let full = Refusal(LUKKO_E_FULL);
        if self.first_generation == 0 {
            self.first_generation = random_generation();
        }
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                let index =
                    u32::try_from(self.slots.len()).ok().filter(|index| *index < 1 << INDEX_BITS).ok_or(full)?;
                self.slots.push(Slot { generation: self.first_generation, tag: 0, object: None });
                index
            }
        };
        let slot = self.slots.get_mut(index as usize).ok_or(full)?;
        (slot.tag, slot.object) = (tag, Some(object));
        self.live += 1;
        Ok(join(tag, slot.generation, index))
    }

    fn get(&self, handle: u64) -> Option<&Arc<dyn Any + Send + Sync>> {
        let (tag, generation, index) = split(handle);
        let slot = self.slots.get(index as usize)?;
        slot.object.as_ref().filter(|_| (slot.tag, slot.generation) == (tag, generation))
    }

    fn remove(&mut self, handle: u64) -> Option<Arc<dyn Any + Send + Sync>> {
        self.get(handle)?;
        let (_, _, index) = split(handle);
        let slot = self.slots.get_mut(index as usize)?;
        let object = slot.object.take();
        self.live -= 1;
        if let Some(generation) = slot.generation.checked_add(1) {
            slot.generation = generation;
            self.free.push(index);
        }
        object
    }
}

/// Puts an object into the table. Nothing in the table's own code panics while the lock is held.
pub(crate) fn insert<T: Object>(object: Arc<T>) -> Result<u64> {
    table_to_change().insert(T::TAG, object)
}

/// The object of a handle, if it is alive and of this type.
pub(crate) fn get<T: Object>(handle: u64) -> Result<Arc<T>> {
    let table = table_to_read();
    let object = Arc::clone(table.get(handle).ok_or(Refusal(LUKKO_E_HANDLE))?);
    drop(table);
    object.downcast().map_err(|_| Refusal(LUKKO_E_HANDLE_TYPE))
}

/// Frees a handle. The object is dropped here, outside of the lock, or by the last call that uses it.
pub(crate) fn remove(handle: u64) -> Result<()> {
    let object = table_to_change().remove(handle);
    object.map(drop).ok_or(Refusal(LUKKO_E_HANDLE))
}

/// How many handles are alive.
pub(crate) fn live() -> usize {
    table_to_read().live
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T114: every handle that was given once and freed is refused, through many uses of one slot.
    #[test]
    fn t114_a_freed_handle_never_comes_back() {
        let mut table = Table::new(1);
        let mut past = Vec::new();
        for _ in 0..1000 {
            let handle = table.insert(7, Arc::new(())).unwrap();
            assert!(table.get(handle).is_some() && past.iter().all(|old| table.get(*old).is_none()));
            assert!(table.remove(handle).is_some() && table.remove(handle).is_none());
            past.push(handle);
        }
        assert_eq!((table.slots.len(), table.live), (1, 0));
    }

    /// T114: at the end of its generations a slot is retired.
    #[test]
    fn t114_a_slot_at_its_last_generation_is_retired() {
        let mut table = Table::new(u32::MAX);
        let last = table.insert(7, Arc::new(())).unwrap();
        table.remove(last).unwrap();
        let next = table.insert(7, Arc::new(())).unwrap();
        assert!(table.get(last).is_none() && table.get(next).is_some());
        assert_eq!((split(last).2, split(next).2), (0, 1));
    }

    /// T114: a handle with another type, generation or index is another handle.
    #[test]
    fn t114_every_altered_bit_of_a_handle_is_refused() {
        let mut table = Table::new(random_generation());
        let handle = table.insert(7, Arc::new(())).unwrap();
        for bit in 0..64 {
            assert!(table.get(handle ^ 1 << bit).is_none(), "bit {bit}");
        }
        for small in 0..1 << 16 {
            assert!(table.get(small).is_none());
        }
        assert_eq!(join(7, split(handle).1, split(handle).2), handle);
    }

    #[test]
    fn a_full_table_refuses() {
        let mut table = Table::new(1);
        let object: Arc<dyn Any + Send + Sync> = Arc::new(());
        table.slots.resize_with(1 << INDEX_BITS, || Slot { generation: 1, tag: 0, object: None });
        assert_eq!(table.insert(7, object), Err(Refusal(LUKKO_E_FULL)));
    }
}
