//! Attachments: files of any length, as streams both ways. Nowhere is more than a few chunks of one in memory.
//!
//! The library reads and writes as files do, and blocks. So one blocking task seals what comes, and a short channel lies
//! between it and the connection: whoever is slower makes the other wait. What is given is opened by one short task
//! for each piece.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use axum::Json as Reply;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, IF_RANGE, RANGE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt, stream};
use lukko::{AttachmentReader, FieldLabel, OsRng, PatientId, PatientKey, RecordContext, RecordId, Revision, Vault};
use lukko_store::{AttachmentSealer, Change, NewRecord, ObjectSink, ObjectSource, Sealed, StoredBody};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::api::Made;
use super::extract::{At, Precondition, Therapist, etag};
use super::notes::apply;
use super::patients::member;
use crate::problem::Problem;
use crate::state::patients::{ATTACHMENT, Holds, With, key, key_of, refused};
use crate::state::threads::Threads;
use crate::state::{HasClinic, TherapistDoor};

/// Pieces that lie between the connection and the blocking task.
const WAITING: usize = 4;
/// The length of a piece that is sent.
const PIECE: usize = 64 * 1024;

/// What comes over the channel of an upload. A channel that ends without [`Piece::End`] was cut: half a file is no file.
enum Piece {
    Bytes(Bytes),
    End,
}

/// Writes a file: a new one with `If-None-Match: *`, or the next revision with `If-Match`.
#[utoipa::path(put, path = "/patients/{patient}/attachments/{record}", security(("token" = [])),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    params(
        ("patient" = String, Path), ("record" = String, Path),
        ("If-Match" = Option<String>, Header, description = "The ETag of the revision that is replaced"),
        ("If-None-Match" = Option<String>, Header, description = "`*` for a new file"),
    ),
    responses(
        (status = 200, body = Made, headers(("ETag" = String, description = "The revision"))),
        (status = 201, body = Made, headers(("ETag" = String, description = "The revision"))),
        (status = "default", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn write(
    State(door): State<Arc<TherapistDoor>>,
    Therapist(name): Therapist,
    At((id, record)): At<(String, String)>,
    precondition: Precondition,
    body: Body,
) -> Result<(StatusCode, HeaderMap, Reply<Made>), Problem> {
    let (clinic, member) = (door.clinic(), member(&door, &name)?);
    let (vault, patient) = (clinic.vault().await?, PatientId::new(&id)?);
    let (status, expect, revision) = precondition.of_write()?;
    let rows = clinic.database.patient(clinic.id(), patient).await?;
    let key = key(&vault, patient, &rows, With::Member(member))?;
    let sink = clinic.database.begin(&door.objects, clinic.id(), door.clock.unix().as_secs()).await?;
    let (pieces, waiting) = channel(WAITING);
    let name = record.clone();
    let sealing = door.sealing.run(move || seal(&vault, &key, (&name, revision), sink, waiting));
    let (sealed, received) = tokio::join!(sealing, receive(body, pieces));
    received?;
    let sealed = sealed?.map_err(failed)?;
    // The object is durable, and only now named. If this is refused, it waits for the sweep.
    apply(clinic, FieldLabel::new(ATTACHMENT)?, Change::Record(NewRecord::new(&sealed, expect))).await?;
    let revision = revision.get();
    Ok((status, etag(revision), Reply(Made { record, revision })))
}

/// Moves what comes into the channel, and says at the end that it was the end.
async fn receive(body: Body, pieces: Sender<Piece>) -> Result<(), Problem> {
    let mut body = body.into_data_stream();
    while let Some(bytes) = body.next().await {
        let cut =
            || Problem::unusable("the file did not arrive to its end, or is longer than 1 GiB; nothing was stored");
        let bytes = bytes.map_err(|_| cut())?;
        if pieces.send(Piece::Bytes(bytes)).await.is_err() {
            return Ok(()); // The other side failed, and says why.
        }
    }
    let _ = pieces.send(Piece::End).await;
    Ok(())
}

fn seal(
    vault: &Vault,
    key: &PatientKey,
    (record, revision): (&str, Revision),
    sink: ObjectSink,
    mut pieces: Receiver<Piece>,
) -> io::Result<Sealed> {
    let identifier = |error: lukko::Error| io::Error::other(error);
    let (record, field) =
        (RecordId::new(record).map_err(identifier)?, FieldLabel::new(ATTACHMENT).map_err(identifier)?);
    let context = RecordContext::new(record, field, revision);
    let mut sealer = AttachmentSealer::begin(vault, key, &context, sink, &mut OsRng)?;
    loop {
        match pieces.blocking_recv() {
            Some(Piece::Bytes(bytes)) => sealer.write_all(&bytes)?,
            Some(Piece::End) => return sealer.finish(),
            None => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// A file, or a range of it.
#[utoipa::path(get, path = "/patients/{patient}/attachments/{record}", security(("token" = [])),
    params(
        ("patient" = String, Path), ("record" = String, Path),
        ("Range" = Option<String>, Header, description = "One range of bytes"),
    ),
    responses(
        (status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "The range", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 416, description = "The file is shorter", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Refused", body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn read(
    State(door): State<Arc<TherapistDoor>>,
    Therapist(name): Therapist,
    At((id, record)): At<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (clinic, member) = (door.clinic(), member(&door, &name)?);
    let (vault, patient) = (clinic.vault().await?, PatientId::new(&id)?);
    let place = (RecordId::new(&record)?, FieldLabel::new(ATTACHMENT)?);
    let rows = clinic.database.patient(clinic.id(), patient).await?;
    let with = With::Member(member);
    let key = key(&vault, patient, &rows, with)?;
    let stored = clinic.database.record(clinic.id(), patient, place.0, place.1).await?;
    let stored = stored.ok_or_else(|| Problem::not_found("this patient has no such file"))?;
    let key = key_of(&vault, &rows, (key, with), patient, stored.card)?;
    let StoredBody::Object { object, .. } = &stored.body else { return Err(Problem::not_found("this is a note")) };
    let source = door.objects.source(clinic.id(), object).await?;
    let opening = door.opening.run(move || open(&vault, &key, &record, source));
    let (mut reader, length) = opening.await?.map_err(failed)?;

    let revision = reader.revision().get();
    // A part of another revision than the caller has begun with would make a file of two.
    let same = |tag: &HeaderValue| tag.as_bytes() == format!("\"{revision}\"").as_bytes();
    let range =
        headers.get(RANGE).filter(|_| headers.get(IF_RANGE).is_none_or(same)).and_then(|range| range.to_str().ok());
    let (status, first, count) = match range.map_or(Asked::Whole, |range| asked(range, length)) {
        Asked::Whole => (StatusCode::OK, 0, length),
        Asked::Part { first, count } => (StatusCode::PARTIAL_CONTENT, first, count),
        Asked::Beyond => {
            let refused = Problem::of_status(StatusCode::RANGE_NOT_SATISFIABLE);
            return Ok(([(CONTENT_RANGE, format!("bytes */{length}"))], refused).into_response());
        }
    };
    let seeking = door.opening.run(move || reader.seek(SeekFrom::Start(first)).map(|_| reader));
    let pieces = pieces(Arc::clone(&door.opening), seeking.await?.map_err(failed)?, count);
    let mut given: Vec<(HeaderName, String)> = vec![
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (ACCEPT_RANGES, "bytes".to_owned()),
        (CONTENT_LENGTH, count.to_string()),
    ];
    if status == StatusCode::PARTIAL_CONTENT {
        let last = first.saturating_add(count).saturating_sub(1);
        given.push((CONTENT_RANGE, format!("bytes {first}-{last}/{length}")));
    }
    let mut response = (status, etag(revision), Body::from_stream(pieces)).into_response();
    for (name, value) in given {
        let value = value.parse().map_err(|_| Problem::broken("a header cannot be written"))?;
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

type Reader = AttachmentReader<ObjectSource>;

fn open(vault: &Vault, key: &PatientKey, record: &str, source: ObjectSource) -> io::Result<(Reader, u64)> {
    let identifier = |error: lukko::Error| io::Error::other(error);
    let (record, field) =
        (RecordId::new(record).map_err(identifier)?, FieldLabel::new(ATTACHMENT).map_err(identifier)?);
    let mut reader = vault.open_attachment(key, record, field, source)?;
    let length = reader.plaintext_len()?;
    Ok((reader, length))
}

/// So many bytes, piece by piece. Each is read by a blocking task of its own, when the connection has taken the one
/// before: a caller who does not read holds no thread. An error ends the connection before its announced length, so
/// that the caller notices.
fn pieces(opening: Arc<Threads>, reader: Reader, count: u64) -> impl Stream<Item = io::Result<Bytes>> {
    stream::try_unfold((opening, reader, count), |(opening, reader, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let opened = opening.run(move || next(reader, left)).await;
        let (reader, piece) = opened.map_err(|_| io::Error::other("a file could not be opened"))??;
        let left = left.saturating_sub(piece.len() as u64);
        Ok(Some((piece, (opening, reader, left))))
    })
}

fn next(mut reader: Reader, left: u64) -> io::Result<(Reader, Bytes)> {
    let mut piece = vec![0; usize::try_from(left).unwrap_or(usize::MAX).min(PIECE)];
    reader.read_exact(&mut piece)?;
    Ok((reader, piece.into()))
}

/// What a `Range` asks for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// Everything: also for a header that is no single range of bytes, which may be passed over (RFC 9110, 14.2).
    Whole,
    Part {
        first: u64,
        count: u64,
    },
    Beyond,
}

fn asked(range: &str, length: u64) -> Asked {
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.trim().split_once('-')) else {
        return Asked::Whole;
    };
    let end = length.saturating_sub(1);
    let (first, last) = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last.min(end)),
        (Ok(first), Err(_)) if last.is_empty() => (first, end),
        (Err(_), Ok(suffix)) if first.is_empty() => match suffix {
            0 => return Asked::Beyond,
            _ => (length.saturating_sub(suffix), end),
        },
        _ => return Asked::Whole,
    };
    if first >= length {
        return Asked::Beyond;
    }
    Asked::Part { first, count: last.saturating_sub(first).saturating_add(1) }
}

/// The object store's failure, or the library's inside of it.
fn failed(error: io::Error) -> Problem {
    match lukko_store::Error::from(error) {
        lukko_store::Error::Core(error) => refused(error, Holds::Note, 0),
        error => error.into(),
    }
}
