//! What is looked for: every window of 16 bytes of every secret, in tables that are no part of the heap.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// Length of a window, in bytes.
pub(crate) const WINDOW: usize = 16;

/// What a window is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Kind {
    Draw,
    DerivedKey,
    ShareValue,
    ShareText,
    Note,
    Control,
}

pub(crate) const KINDS: [Kind; 6] =
    [Kind::Draw, Kind::DerivedKey, Kind::ShareValue, Kind::ShareText, Kind::Note, Kind::Control];

const SLOTS: usize = 1 << 20;

/// Open addressing: the two halves of a window, and 1 + what it is.
static TABLE: [[AtomicU64; 3]; SLOTS] = [const { [const { AtomicU64::new(0) }; 3] }; SLOTS];
static USED: AtomicUsize = AtomicUsize::new(0);

/// For each kind, the number of finds.
static FOUND: [AtomicUsize; KINDS.len()] = [const { AtomicUsize::new(0) }; KINDS.len()];
/// Blocks and bytes that were looked at.
static SEEN: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

fn slot_of(window: u128) -> usize {
    // The windows are random or text: one multiplication spreads either.
    let folded = (window as u64 ^ (window >> 64) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (folded >> 44) as usize
}

/// The slot that holds the window, or the empty one where it would be.
fn probe(window: u128) -> (&'static [AtomicU64; 3], bool) {
    let mut at = slot_of(window);
    loop {
        let slot = &TABLE[at];
        let [low, high, kind] = slot.each_ref().map(|half| half.load(Relaxed));
        if kind == 0 {
            return (slot, false);
        }
        if (low, high) == (window as u64, (window >> 64) as u64) {
            return (slot, true);
        }
        at = (at + 1) % SLOTS;
    }
}

/// Registers every window of these bytes. Only one thread may register at a time.
pub(crate) fn register(kind: Kind, bytes: &[u8]) {
    for window in bytes.windows(WINDOW) {
        let window = window.iter().rev().fold(0, |window, byte| window << 8 | u128::from(*byte));
        let (slot, known) = probe(window);
        if !known {
            assert!(USED.fetch_add(1, Relaxed) < SLOTS / 2, "the table is too small");
            slot[0].store(window as u64, Relaxed);
            slot[1].store((window >> 64) as u64, Relaxed);
            slot[2].store(1 + kind as u64, Relaxed);
        }
    }
}

/// How many windows are registered.
pub(crate) fn registered() -> usize {
    USED.load(Relaxed)
}

/// Looks for them in a block. Does not allocate.
pub(crate) fn look_for(block: impl Iterator<Item = u8>) {
    let (mut window, mut bytes, mut last) = (0_u128, 0_usize, 0);
    for byte in block {
        window = window >> 8 | u128::from(byte) << 120;
        bytes += 1;
        if bytes >= WINDOW && window != 0 {
            let (slot, known) = probe(window);
            if known && slot[2].load(Relaxed) != last {
                last = slot[2].load(Relaxed);
                found(last as usize - 1);
            }
        }
    }
    SEEN[0].fetch_add(1, Relaxed);
    SEEN[1].fetch_add(bytes, Relaxed);
}

/// A breakpoint here shows who frees what: `break freed::needles::found`.
#[inline(never)]
fn found(kind: usize) {
    FOUND[kind].fetch_add(1, Relaxed);
}

/// The finds of one kind so far: blocks, each counted once for a run of its windows.
pub(crate) fn finds(kind: Kind) -> usize {
    FOUND[kind as usize].load(Relaxed)
}

/// Blocks and bytes that were looked at so far.
pub(crate) fn seen() -> [usize; 2] {
    SEEN.each_ref().map(|count| count.load(Relaxed))
}
