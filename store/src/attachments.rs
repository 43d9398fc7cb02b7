//! Attachments: objects in a directory or a cloud, streamed both ways.
//!
//! An object is written before the record that names it, and announced before that: whatever fails in between leaves an
//! object that [`Attachments::sweep`] finds.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use lukko::claimed::Record;
use lukko::{OsRng, VaultId, random_id};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, WriteMultipart};
use tokio::runtime::Handle;

use crate::change::Change;
use crate::error::{Conflict, Error, Missing, Result};
use crate::placed::Uploaded;
use crate::store::Store;

/// Parts of an upload that are under way at once, each of 5 MiB.
const PARTS: usize = 2;
/// Bytes that a source reads at once: as many as 16 sealed chunks.
const WINDOW: u64 = 16 * 16_400;
/// Objects that a sweep deletes before it looks again.
const PAGE: u32 = 100;

/// Where the bytes of attachments are kept.
#[derive(Debug, Clone)]
pub struct Attachments {
    objects: Arc<dyn ObjectStore>,
    /// Where uploads that a crash interrupted leave files that the object store does not list.
    directory: Option<PathBuf>,
}

impl Attachments {
    /// In any object store: S3, GCS and Azure as `object_store` builds them.
    #[must_use]
    pub fn new(objects: Arc<dyn ObjectStore>) -> Self {
        Self { objects, directory: None }
    }

    /// In a directory, which must exist. Files are synchronised before they count.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the directory cannot be used.
    pub fn local(directory: impl AsRef<FilePath>) -> Result<Self> {
        let objects = LocalFileSystem::new_with_prefix(&directory).map_err(Error::unavailable)?;
        let directory = Some(directory.as_ref().to_owned());
        Ok(Self { objects: Arc::new(objects.with_fsync(true)), directory })
    }

    /// Begins an upload: draws a name, announces it, and gives the sink to seal into. `at` is in seconds since 1970.
    ///
    /// When the sink is finished, store the record of the object: see [`AttachmentSealer`](crate::AttachmentSealer).
    ///
    /// # Errors
    /// As [`Store::apply`].
    pub async fn begin(&self, store: &impl Store, vault: VaultId, at: u64) -> Result<ObjectSink> {
        let object = random_id(&mut OsRng)?;
        // 0 is the mark of what was given up.
        store.apply(vault, &[Change::Upload { object: &object, at: at.max(1) }]).await?;
        let upload = self.objects.put_multipart(&place(vault, &object)).await.map_err(Error::unavailable)?;
        let upload = Some(WriteMultipart::new(upload));
        Ok(ObjectSink { object, upload, length: 0, begin: Vec::new(), runtime: Handle::current() })
    }

    /// Opens an object for reading at any position. Its length is asked for: what the store has noted is not trusted.
    ///
    /// # Errors
    /// [`Missing::Object`]; [`Error::Unavailable`].
    pub async fn source(&self, vault: VaultId, object: &str) -> Result<ObjectSource> {
        let location = place(vault, object);
        let met = self.objects.head(&location).await.map_err(missing)?;
        let objects = Arc::clone(&self.objects);
        let runtime = Handle::current();
        Ok(ObjectSource { objects, location, length: met.size, position: 0, window: (0, Bytes::new()), runtime })
    }

    /// Deletes the objects that a record named once and no record names any more. Gives their number.
    ///
    /// # Errors
    /// As [`Attachments::sweep`].
    pub async fn sweep_given_up(&self, store: &impl Store, vault: VaultId) -> Result<u64> {
        // They are announced at 0, and uploads at their time.
        self.sweep(store, vault, 1).await
    }

    /// Deletes objects that no record names and that were announced before `before`, in seconds since 1970: choose it so
    /// that no upload takes as long. Gives their number.
    ///
    /// # Errors
    /// As [`Store::apply`]; [`Error::Unavailable`].
    pub async fn sweep(&self, store: &impl Store, vault: VaultId, before: u64) -> Result<u64> {
        let mut deleted = 0;
        loop {
            let page = store.unnamed_objects(vault, before, PAGE).await?;
            if page.is_empty() {
                return Ok(deleted);
            }
            for object in page {
                // No name that was drawn here: whoever wrote it into the database reaches no file by it.
                if !is_drawn(&object) {
                    store.apply(vault, &[Change::Swept { object: &object }]).await?;
                    continue;
                }
                match store.apply(vault, &[Change::GiveUp { object: &object }]).await {
                    Ok(()) => {}
                    // A record names it: the row is nobody's, or a writer was quicker.
                    Err(Error::Conflict(Conflict::Object)) => {
                        store.apply(vault, &[Change::Swept { object: &object }]).await?;
                        continue;
                    }
                    Err(Error::Missing(Missing::Object)) => continue,
                    Err(error) => return Err(error),
                }
                match self.objects.delete(&place(vault, &object)).await {
                    Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                    Err(error) => return Err(Error::unavailable(error)),
                }
                self.remove_part(vault, &object)?;
                store.apply(vault, &[Change::Swept { object: &object }]).await?;
                deleted += 1;
            }
        }
    }

    /// Removes what a process that was killed in the middle of an upload has left in the directory. Names are drawn at
    /// random, so that each has at most one such file.
    fn remove_part(&self, vault: VaultId, object: &str) -> Result<()> {
        let Some(directory) = &self.directory else { return Ok(()) };
        match std::fs::remove_file(directory.join(vault.to_string()).join(format!("{object}{PART}"))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::unavailable(error)),
            _ => Ok(()),
        }
    }
}

/// Whether this may be a name that [`Attachments::begin`] has drawn.
fn is_drawn(object: &str) -> bool {
    object.len() == 32 && object.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// What `object_store` appends to the name of a file that is still being written.
const PART: &str = "#1";

fn place(vault: VaultId, object: &str) -> Path {
    Path::from_iter([vault.to_string().as_str(), object])
}

fn missing(error: object_store::Error) -> Error {
    match error {
        object_store::Error::NotFound { .. } => Missing::Object.into(),
        error => Error::unavailable(error),
    }
}

/// An object that is being written. It blocks: use it in `tokio::task::spawn_blocking` and nowhere else, or the thread's
/// own future may miss that it was woken.
///
/// A local directory works on the runtime's blocking threads too: let fewer tasks than half of them block here at the
/// same time, or all may wait for each other.
#[derive(Debug)]
pub struct ObjectSink {
    object: String,
    upload: Option<WriteMultipart>,
    length: u64,
    /// The first bytes, which say of which record they are.
    begin: Vec<u8>,
    runtime: Handle,
}

impl ObjectSink {
    /// The object's name, drawn at random.
    #[must_use]
    pub fn object(&self) -> &str {
        &self.object
    }

    /// Ends the upload; the object is there and durable when this returns.
    ///
    /// # Errors
    /// Those of the object store. The object does not exist then.
    pub fn finish(mut self) -> io::Result<Uploaded> {
        let upload = self.upload.take().ok_or(io::ErrorKind::BrokenPipe)?;
        self.runtime.block_on(upload.finish())?;
        Ok(Uploaded::new(self.object, self.length, self.begin))
    }
}

impl Write for ObjectSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let upload = self.upload.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        if let Err(error) = self.runtime.block_on(upload.wait_for_capacity(PARTS)) {
            self.upload = None;
            return Err(error.into());
        }
        // A full part is uploaded by a task, and a thread that is not the runtime's has none to begin it on.
        let _entered = self.runtime.enter();
        upload.write(bytes);
        let missing = Record::BEGIN.saturating_sub(self.begin.len());
        self.begin.extend(bytes.iter().take(missing));
        self.length = self.length.saturating_add(bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An object that is read, by ranges of some 256 KiB. It blocks: use it in `tokio::task::spawn_blocking` and nowhere
/// else, or the thread's own future may miss that it was woken. As for [`ObjectSink`], not in all threads at once.
#[derive(Debug)]
pub struct ObjectSource {
    objects: Arc<dyn ObjectStore>,
    location: Path,
    length: u64,
    position: u64,
    /// Bytes that were read, and where they begin.
    window: (u64, Bytes),
    runtime: Handle,
}

impl ObjectSource {
    fn fill(&mut self) -> io::Result<()> {
        let end = self.position.saturating_add(WINDOW).min(self.length);
        let range = self.position..end;
        let bytes = self.runtime.block_on(self.objects.get_range(&self.location, range))?;
        self.window = (self.position, bytes);
        Ok(())
    }

    /// What of the window lies behind the position.
    fn held(&self) -> &[u8] {
        let skipped = self.position.checked_sub(self.window.0).and_then(|skipped| usize::try_from(skipped).ok());
        skipped.and_then(|skipped| self.window.1.get(skipped..)).unwrap_or_default()
    }
}

impl Read for ObjectSource {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.length || out.is_empty() {
            return Ok(0);
        }
        if self.held().is_empty() {
            self.fill()?;
        }
        let held = self.held();
        let count = held.len().min(out.len());
        out[..count].copy_from_slice(&held[..count]);
        self.position = self.position.saturating_add(count as u64);
        Ok(count)
    }
}

impl Seek for ObjectSource {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(target) => Some(target),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}
