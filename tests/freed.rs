//! No block of the heap is freed with a secret or a note in it.
//!
//! The allocator of this binary looks into every block that is freed, also where a vector grows, for each window of 16
//! bytes of each secret that was drawn, of each key that FORMAT.md derives from one, of each share's value and text, and
//! of each note. `residue/` looks at what is left of a whole process in the end; this is about the time in between.
//!
//! The counter of blocks also says what an operation allocates.
//!
//! In a binary of its own, with one test, because it sees all allocations of the process.
#![cfg(feature = "std")]

#[path = "freed/allocator.rs"]
mod allocator;
#[path = "freed/draws.rs"]
mod draws;
#[path = "freed/hot_path.rs"]
mod hot_path;
#[path = "freed/life.rs"]
mod life;
#[path = "freed/needles.rs"]
mod needles;

use lukko::Suite;

use needles::{KINDS, Kind, finds, register, registered, seen};

#[global_allocator]
static ALLOCATOR: allocator::Scanning = allocator::Scanning;

/// Bytes that an allocation holds when it is dropped, moves, or shrinks are found; wiped ones are not.
fn controls() {
    const CONTROL: &[u8; 32] = b"a secret of thirty-two bytes ...";
    register(Kind::Control, CONTROL);
    let mut expected = 0;
    let mut check = |what: &str, found: usize, vector: Vec<u8>| {
        drop(vector);
        expected += found;
        assert_eq!(finds(Kind::Control), expected, "control: {what}");
    };
    check("dropped", 1, CONTROL.to_vec());
    check("one window, at an odd place", 1, [b"12345", &CONTROL[9..25]].concat());
    check("less than a window", 0, CONTROL[..15].to_vec());
    let mut wiped = CONTROL.to_vec();
    zeroize::Zeroize::zeroize(&mut wiped);
    check("wiped", 0, wiped);
    let mut truncated = CONTROL.to_vec();
    truncated.truncate(3);
    check("truncated", 1, truncated);
    let mut moved = CONTROL.to_vec();
    moved.reserve(1_000);
    zeroize::Zeroize::zeroize(&mut moved);
    check("moved, then wiped", 1, moved);
    let mut shrunk = Vec::with_capacity(100);
    shrunk.extend_from_slice(CONTROL);
    shrunk.shrink_to_fit();
    zeroize::Zeroize::zeroize(&mut shrunk);
    check("shrunk, then wiped", 1, shrunk);
}

#[test]
fn no_freed_block_holds_a_secret_or_a_note() {
    hot_path::allocates_once();
    controls();
    // Twice: what a secret is derived or split into is known only behind the first time.
    for _ in 0..2 {
        life::whole(Suite::X25519);
        life::whole(Suite::XWing);
    }
    let [blocks, bytes] = seen();
    println!("{} windows, looked for in {blocks} blocks of {bytes} bytes in all", registered());
    let found: Vec<(Kind, usize)> = KINDS
        .into_iter()
        .filter(|kind| *kind != Kind::Control)
        .map(|kind| (kind, finds(kind)))
        .filter(|(_, finds)| *finds > 0)
        .collect();
    assert!(found.is_empty(), "freed with a secret in it: {found:?}");
    assert!(registered() > 200_000 && blocks > 5_000, "the life is too short to show anything");
}
