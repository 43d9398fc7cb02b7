//! Being told when the process forks.
//!
//! A child of `fork` has the memory of its parent and one thread: the one that forked. A lock that another thread held
//! at that moment stays locked in the child for ever. So the lock is taken before the fork and released behind it, in
//! the parent and in the child.
// The one declaration of a function of C.
#![allow(unsafe_code)]

/// Has `before` run before every fork and `after` behind it, in parent and child, from the first call on.
///
/// Both must allow to be run twice: threads that come here at the same time may each register them. A thread that waited
/// for another one here could wait for ever in a child.
#[cfg(unix)]
pub(crate) fn watch(before: extern "C" fn(), after: extern "C" fn()) {
    use core::sync::atomic::{AtomicBool, Ordering};

    static WATCHED: AtomicBool = AtomicBool::new(false);

    unsafe extern "C" {
        /// POSIX. Keeps three function pointers, each of which lives as long as the library.
        safe fn pthread_atfork(
            prepare: Option<extern "C" fn()>,
            parent: Option<extern "C" fn()>,
            child: Option<extern "C" fn()>,
        ) -> core::ffi::c_int;
    }

    // Without memory for it, the next call tries again.
    if !WATCHED.load(Ordering::Acquire) && pthread_atfork(Some(before), Some(after), Some(after)) == 0 {
        WATCHED.store(true, Ordering::Release);
    }
}

/// Nothing: there is no fork here.
#[cfg(not(unix))]
pub(crate) fn watch(_before: extern "C" fn(), _after: extern "C" fn()) {}
