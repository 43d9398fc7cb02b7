//! Attachments: files of any length, as streams both ways. Nowhere is more than a few chunks of one in memory.
//!
//! The core reads and writes as files do, and blocks. So one blocking task seals what comes, and a short channel lies
//! between it and the caller's stream: whoever is slower makes the other wait.

use std::io::{self, Read as _, Write as _};
use std::sync::Arc;

use lukko::{AttachmentReader, OsRng, random_id};
use lukko_store::error::Conflict;
use lukko_store::{Change, Expect, NewRecord, ObjectSink, ObjectSource, Sealed, Store, StoredBody};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use super::Patient;
use super::notes::not_noted;
use crate::error::{Error, Result};
use crate::memory::notes::Seen;
use crate::memory::subject::Place;
use crate::names::{self, Holds};
use crate::note::Note;
use crate::open::Opened;
use crate::place;

/// The length of a piece, in bytes.
const PIECE: usize = 64 * 1024;
/// Pieces that lie between the caller's stream and the blocking task.
const WAITING: usize = 4;

/// What comes over the channel. One that ends without [`Piece::End`] was cut: half a file is no file.
enum Piece {
    Bytes(Zeroizing<Vec<u8>>),
    End,
}

impl<S: Store> Patient<S> {
    /// Attaches a file of any length, as a stream.
    ///
    /// # Errors
    /// [`Error::NoFiles`]; [`Error::Stream`] if the caller's stream or the place for attachments fails; as
    /// [`Patient::write`].
    pub async fn attach(&self, field: &str, source: impl AsyncRead + Send + Unpin) -> Result<Note> {
        let place = self.place(random_id(&mut OsRng)?, names::file_field(field)?);
        self.store_file(place, (None, 1), Expect::Absent, source).await
    }

    /// Puts another file in the place of one.
    ///
    /// # Errors
    /// [`Error::Overtaken`], without what is stored; as [`Patient::attach`].
    pub async fn replace_attachment(&self, note: &Note, source: impl AsyncRead + Send + Unpin) -> Result<Note> {
        let place = self.own(note, Holds::File)?;
        let seen = self.clinic().memory().seen(place).await?;
        if seen.is_some_and(|seen| !matches!(seen, Seen::Revision(seen) if seen <= note.revision)) {
            return Err(Error::Overtaken(Box::default()));
        }
        let next = note.revision.checked_add(1).ok_or(Error::Name)?;
        self.store_file(place.clone(), (seen, next), Expect::Revision(note.revision), source).await
    }

    /// Opens an attachment. Its end is verified before its first byte is given.
    ///
    /// # Errors
    /// [`Error::NoFiles`]; as [`Patient::read`].
    pub async fn attachment(&self, note: &Note) -> Result<Attachment> {
        let place = self.own(note, Holds::File)?;
        let opened = self.ready().await?;
        let seen = self.clinic().memory().seen(place).await?;
        let Some(record) = self.stored(place).await? else {
            return Err(self.clinic().memory().missing(place).await.err().unwrap_or(Error::NoRecord));
        };
        let StoredBody::Object { object, .. } = &record.body else { return Err(Error::Misplaced) };
        let key = self.key_of(&opened, record.card).await?;
        let source = self.clinic().files()?.source(self.clinic().id(), object).await?;
        let streams = Arc::clone(self.clinic().streams());
        let (there, permit) = (place.clone(), permit(&streams).await?);
        let reader = blocking(permit, move || {
            let mut reader = place::open_file(&opened.vault, &key, &there, source)?;
            let length = reader.plaintext_len()?;
            Ok((reader, length))
        });
        let (reader, length) = reader.await??;
        let revision = reader.revision().get();
        seen.map_or(Ok(()), |seen| seen.allows(place, revision))?;
        self.clinic().memory().note(place, seen, Seen::Revision(revision)).await?;
        Ok(Attachment { note: Note::at(place, revision), length, left: length, reader: Some(reader), streams })
    }

    async fn store_file(
        &self,
        place: Place,
        (seen, revision): (Option<Seen>, u64),
        expect: Expect<'_>,
        source: impl AsyncRead + Send + Unpin,
    ) -> Result<Note> {
        let opened = self.ready().await?;
        let clinic = self.clinic();
        let sink = clinic.files()?.begin(clinic.store(), clinic.id(), clinic.seconds()).await?;
        let sealed = seal(clinic.streams(), &opened, &place, revision, sink, source).await?;
        // The object is durable, and only now named. If this is refused, a sweep finds it.
        match clinic.apply(&[Change::Record(NewRecord::new(&sealed, expect))]).await {
            Ok(()) => clinic.memory().note(&place, seen, Seen::Revision(revision)).await.map_err(not_noted)?,
            Err(lukko_store::Error::Conflict(Conflict::Record { .. })) => {
                return Err(Error::Overtaken(Box::default()));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(Note::at(&place, revision))
    }
}

/// Seals a stream into an object.
async fn seal(
    streams: &Arc<Semaphore>,
    opened: &Arc<Opened>,
    place: &Place,
    revision: u64,
    sink: ObjectSink,
    source: impl AsyncRead + Send + Unpin,
) -> Result<Sealed> {
    let (pieces, waiting) = channel(WAITING);
    let (opened, place, permit) = (Arc::clone(opened), place.clone(), permit(streams).await?);
    let sealing = blocking(permit, move || write(&opened, &place, revision, sink, waiting));
    let (sealed, given) = tokio::join!(sealing, give(source, pieces));
    given?;
    Ok(sealed??)
}

/// Moves a stream into the channel, and says at its end that it was the end.
async fn give(mut source: impl AsyncRead + Send + Unpin, pieces: Sender<Piece>) -> io::Result<()> {
    loop {
        let mut bytes = Zeroizing::new(vec![0; PIECE]);
        let length = source.read(bytes.as_mut_slice()).await?;
        let piece = if length == 0 { Piece::End } else { Piece::Bytes(bytes) };
        if let Piece::Bytes(mut bytes) = piece {
            bytes.truncate(length);
            if pieces.send(Piece::Bytes(bytes)).await.is_ok() {
                continue;
            }
            return Ok(()); // The other side failed, and says why.
        }
        let _ = pieces.send(piece).await;
        return Ok(());
    }
}

fn write(
    opened: &Opened,
    place: &Place,
    revision: u64,
    sink: ObjectSink,
    mut pieces: Receiver<Piece>,
) -> io::Result<Sealed> {
    let mut writer = place::seal_file(&opened.vault, &opened.key, place, revision, sink)?;
    loop {
        match pieces.blocking_recv() {
            Some(Piece::Bytes(bytes)) => writer.write_all(&bytes)?,
            Some(Piece::End) => return writer.finish(),
            None => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// An attachment that is read, piece by piece. Between two pieces it holds no thread.
///
/// ```
/// # use lukko_clinic::*;
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let store = SqliteStore::open(directory.path().join("clinic.db")).await?;
/// # let plan = Plan::custodians(3, 5).member("aalto", THERAPIST).member("niemi", READER);
/// # let founded = Clinic::found(store, Memory::in_memory(), plan).await?;
/// # let clinic = founded.clinic.clone().with_files(Attachments::local(directory.path())?);
/// # let session = clinic.session(Purpose::care("appointment"));
/// # let patient = session.enrol().await?;
/// let note = patient.attach("scan", b"a scan".as_slice()).await?;
/// let mut attachment = patient.attachment(&note).await?;
/// let mut out = Vec::new(); // or a file, or a connection
/// attachment.copy_to(&mut out).await?;
/// assert_eq!(out, b"a scan");
/// # Ok(()) }
/// ```
pub struct Attachment {
    note: Note,
    length: u64,
    left: u64,
    /// Away while a piece is read.
    reader: Option<AttachmentReader<ObjectSource>>,
    streams: Arc<Semaphore>,
}

impl Attachment {
    /// Where it is, and at which revision.
    #[must_use]
    pub const fn note(&self) -> &Note {
        &self.note
    }

    /// Its length, in bytes.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.length
    }

    /// Whether it has no bytes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The next piece, of 64 KiB at most; none at the end. It is wiped when it is dropped.
    ///
    /// # Errors
    /// [`Error::Core`] if a chunk was altered; [`Error::Stream`] if the place for attachments fails. After an error there
    /// are no further pieces.
    pub async fn next(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let Some(mut reader) = self.reader.take().filter(|_| self.left > 0) else { return Ok(None) };
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(PIECE);
        let read = blocking(permit(&self.streams).await?, move || {
            let mut piece = Zeroizing::new(vec![0; length]);
            reader.read_exact(piece.as_mut_slice())?;
            Ok((reader, piece))
        });
        let (reader, piece) = read.await??;
        self.left = self.left.saturating_sub(length as u64);
        self.reader = Some(reader);
        Ok(Some(piece))
    }

    /// Writes all of it into a sink.
    ///
    /// # Errors
    /// As [`Attachment::next`]; [`Error::Stream`] if the sink fails. What the sink has received until then is true.
    pub async fn copy_to(&mut self, mut sink: impl AsyncWrite + Unpin) -> Result<()> {
        while let Some(piece) = self.next().await? {
            sink.write_all(&piece).await?;
        }
        Ok(sink.flush().await?)
    }
}

impl std::fmt::Debug for Attachment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attachment").field("note", &self.note).field("length", &self.length).finish_non_exhaustive()
    }
}

/// The store of objects works on the runtime's blocking threads too: with a bounded number of streams each finds one.
async fn permit(streams: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit> {
    Arc::clone(streams).acquire_owned().await.map_err(|_| Error::Expired)
}

/// Runs work that blocks on a thread for that. The outer error says that the thread is gone.
pub(super) async fn blocking<T: Send + 'static>(
    permit: OwnedSemaphorePermit,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<io::Result<T>> {
    let work = move || {
        let _permit = permit;
        work()
    };
    spawn_blocking(work).await.map_err(|error| Error::Stream(io::Error::other(error)))
}

/// Moves an attachment under the current key of its patient, into an object of its own.
pub(super) async fn reseal<S: Store>(
    patient: &Patient<S>,
    (opened, from): (&Arc<Opened>, &Arc<lukko::PatientKey>),
    (place, revision): (&Place, u64),
    object: &str,
) -> Result<Sealed> {
    let clinic = patient.clinic();
    let source = clinic.files()?.source(clinic.id(), object).await?;
    let sink = clinic.files()?.begin(clinic.store(), clinic.id(), clinic.seconds()).await?;
    let (opened, from, place) = (Arc::clone(opened), Arc::clone(from), place.clone());
    let work = move || place::reseal_file(&opened.vault, (&from, &opened.key), (&place, revision), source, sink);
    Ok(blocking(permit(clinic.streams()).await?, work).await??)
}
