//! The system's allocator, which looks into every block before it is freed.
//!
//! The only unsafe code of this test. `realloc` is the trait's own: it moves every block, copies it, and frees the old
//! one, so that a vector that grows or shrinks is looked at as well, wherever the system would have left it in place.

use std::alloc::{GlobalAlloc, Layout, System};

use super::needles;

pub(crate) struct Scanning;

// SAFETY: blocks come from `System` and go back to it with the layout that they came with. Nothing in between writes to
// a block, allocates, or panics.
unsafe impl GlobalAlloc for Scanning {
    /// Zeroed, so that a block shows only what its own owner left in it, and every byte of it has a value.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's layout, which has a size above zero by the contract of this function.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        needles::look_for((0..layout.size()).map(|at| {
            // SAFETY: `at` is inside the block, which is the caller's to give back and not yet given back. The read is
            // volatile, so that nothing is concluded from it about bytes of which the owner left no value.
            unsafe { block.add(at).read_volatile() }
        }));
        // SAFETY: block and layout are those of an `alloc` above, by the contract of this function.
        unsafe { System.dealloc(block, layout) }
    }
}
