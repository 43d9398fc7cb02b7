//! The same calls for programs without an asynchronous runtime.
//!
//! [`Blocking`] holds a runtime and waits. What it waits for comes back as a [`Twin`], whose calls have the names of the
//! asynchronous ones and wait too.
//!
//! ```
//! use lukko_clinic::blocking::Blocking;
//! use lukko_clinic::{Clinic, Memory, Plan, Purpose, SqliteStore, THERAPIST};
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("clinic.db");
//! let blocking = Blocking::new()?;
//! let store = blocking.wait(SqliteStore::open(&path))?;
//! let plan = Plan::custodians(3, 5).member("aalto", THERAPIST);
//! let clinic = blocking.wait(Clinic::found(store, Memory::in_memory(), plan))?.clinic;
//! let session = blocking.twin(clinic.session(Purpose::care("appointment")));
//! let patient = session.enrol()?;
//! let note = patient.write("note", "slept better")?;
//! assert_eq!(patient.read(&note)?.text(), "slept better");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::future::Future;
use std::io::{self, Read, Write};
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::StreamExt as _;
use lukko::RecipientPublicKey;
use lukko_store::Store;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::runtime::{Builder, Runtime};

use crate::error::Result;
use crate::{
    Application, Attachment, Clinic, Difference, FrontDesk, Hit, Items, KeyFingerprint, Note, Officer, OpenTask,
    Patient, Progress, Receipt, Rekeyed, Role, RolledBack, Session, Text,
};

/// Threads on which databases and streams work.
const THREADS: usize = 2;

/// A runtime of its own, for programs that have none. Do not use it inside of an asynchronous one.
#[derive(Debug, Clone)]
pub struct Blocking(Arc<Runtime>);

impl Blocking {
    /// Starts the runtime.
    ///
    /// # Errors
    /// [`Error::Stream`](crate::Error::Stream) if the machine gives no threads.
    pub fn new() -> Result<Self> {
        Ok(Self(Arc::new(Builder::new_multi_thread().worker_threads(THREADS).enable_all().build()?)))
    }

    /// Waits for a call of this crate or of the store. Everything that belongs together waits on one runtime.
    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.0.block_on(work)
    }

    /// A value whose calls wait.
    #[must_use]
    pub fn twin<T>(&self, value: T) -> Twin<T> {
        Twin { value, blocking: self.clone() }
    }
}

/// A value whose asynchronous calls wait. Its other calls are reached through it.
#[derive(Debug, Clone)]
pub struct Twin<T> {
    value: T,
    blocking: Blocking,
}

impl<T> Twin<T> {
    fn of<U>(&self, value: U) -> Twin<U> {
        self.blocking.twin(value)
    }

    fn each<I>(&self, items: Items<I>) -> Each<I> {
        Each { items, blocking: self.blocking.clone() }
    }
}

impl<T> Deref for Twin<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// The items of a stream, each of which is waited for.
pub struct Each<I> {
    items: Items<I>,
    blocking: Blocking,
}

impl<I> Iterator for Each<I> {
    type Item = Result<I>;

    fn next(&mut self) -> Option<Result<I>> {
        self.blocking.wait(self.items.next())
    }
}

impl<I> fmt::Debug for Each<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Each").finish_non_exhaustive()
    }
}

/// Declares calls that wait for the call of the same name. Their errors are the same.
macro_rules! waits {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $kind:ty),*) -> $out:ty;)*) => {
        $($(#[$doc])*
        ///
        /// # Errors
        /// As the asynchronous call of the same name.
        pub fn $name(&self $(, $arg: $kind)*) -> Result<$out> {
            self.blocking.wait(self.value.$name($($arg),*))
        })*
    };
}

impl<S: Store + 'static> Twin<Clinic<S>> {
    waits! {
        /// As [`Clinic::differences`].
        fn differences() -> Vec<RolledBack>;
        /// As [`Clinic::open_tasks`].
        fn open_tasks() -> Vec<OpenTask>;
        /// As [`Clinic::confirm_colleague`].
        fn confirm_colleague(name: &str, compared: KeyFingerprint) -> ();
    }

    /// As [`Clinic::verify`].
    pub fn verify(&self, job: &str) -> Each<Progress> {
        self.each(self.value.verify(job))
    }
}

impl<S: Store> Twin<Session<S>> {
    /// As [`Session::enrol`].
    ///
    /// # Errors
    /// As there.
    pub fn enrol(&self) -> Result<Twin<Patient<S>>> {
        Ok(self.of(self.blocking.wait(self.value.enrol())?))
    }

    /// As [`Session::patient`].
    ///
    /// # Errors
    /// As there.
    pub fn patient(&self, patient: &str) -> Result<Twin<Patient<S>>> {
        Ok(self.of(self.blocking.wait(self.value.patient(patient))?))
    }
}

impl<S: Store + 'static> Twin<Patient<S>> {
    waits! {
        /// As [`Patient::write`].
        fn write(field: &str, text: &str) -> Note;
        /// As [`Patient::edit`].
        fn edit(note: &Note, text: &str) -> Note;
        /// As [`Patient::read`].
        fn read(note: &Note) -> Text;
        /// As [`Patient::delete`].
        fn delete(note: &Note) -> ();
        /// As [`Patient::search`].
        fn search(words: &str) -> Vec<Hit>;
        /// As [`Patient::read_deposit`].
        fn read_deposit(deposit: &Note) -> Text;
        /// As [`Patient::take_over`].
        fn take_over(deposit: &Note) -> ();
        /// As [`Patient::attachment`].
        fn attachment(note: &Note) -> Attachment;
        /// As [`Patient::share_with`].
        fn share_with(colleague: &str) -> ();
        /// As [`Patient::withdraw`].
        fn withdraw(colleague: &str) -> ();
        /// As [`Patient::shared_with`].
        fn shared_with() -> Vec<String>;
        /// As [`Patient::disclose`].
        fn disclose(note: &Note, to: &RecipientPublicKey) -> Vec<u8>;
        /// As [`Patient::rekey`].
        fn rekey() -> Rekeyed;
        /// As [`Patient::differences`].
        fn differences() -> Vec<Difference>;
    }

    /// As [`Patient::notes`].
    pub fn notes(&self) -> Each<Text> {
        self.each(self.value.notes())
    }

    /// As [`Patient::deposits`].
    pub fn deposits(&self) -> Each<Text> {
        self.each(self.value.deposits())
    }

    /// As [`Patient::attach`].
    ///
    /// # Errors
    /// As there.
    pub fn attach(&self, field: &str, source: impl Read + Send + Unpin) -> Result<Note> {
        self.blocking.wait(self.value.attach(field, Source(source)))
    }

    /// Writes an attachment into a sink.
    ///
    /// # Errors
    /// As [`Patient::attachment`] and [`Attachment::next`]; [`Error::Stream`](crate::Error::Stream) if the sink fails.
    pub fn copy_attachment(&self, note: &Note, mut sink: impl Write) -> Result<()> {
        let mut attachment = self.attachment(note)?;
        while let Some(piece) = self.blocking.wait(attachment.next())? {
            sink.write_all(&piece)?;
        }
        Ok(sink.flush()?)
    }
}

impl<S: Store> Twin<FrontDesk<S>> {
    waits! {
        /// As [`FrontDesk::deposit`].
        fn deposit(patient: &str, field: &str, text: &str) -> Note;
    }
}

impl<S: Store> Twin<Officer<S>> {
    waits! {
        /// As [`Officer::admit`].
        fn admit(application: &Application, compared: KeyFingerprint, role: Role) -> ();
        /// As [`Officer::retire`].
        fn retire(key: KeyFingerprint) -> ();
        /// As [`Officer::revoke`].
        fn revoke(key: KeyFingerprint) -> ();
        /// As [`Officer::close`].
        fn close(task: &OpenTask) -> ();
        /// As [`Officer::erase`].
        fn erase(patient: &str) -> Receipt;
    }
}

/// A source that blocks, on the caller's own thread: nothing else runs there.
struct Source<R>(R);

impl<R: Read + Unpin> AsyncRead for Source<R> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let length = self.0.read(out.initialize_unfilled())?;
        out.advance(length);
        Poll::Ready(Ok(()))
    }
}
