//! What a handler takes: who calls, what was sent, and on which revision it builds.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use lukko::Revision;
use lukko_store::Expect;
use serde::de::DeserializeOwned;

use crate::problem::Problem;
use crate::state::HasClinic;
use crate::state::tokens::{Caller, Role};

/// A therapist who signed in.
pub(crate) struct Therapist(pub(crate) String);
/// The front end, signed in.
pub(crate) struct FrontEnd;
/// A custodian who signed in.
pub(crate) struct Custodian(pub(crate) String);
/// Any of those who have something to do with the glass.
pub(crate) struct AtTheGlass;

/// Whose token it is. No token and a wrong one are one answer.
fn sign_in<D: HasClinic>(parts: &Parts, door: &Arc<D>, roles: &[Role]) -> Result<Caller, Problem> {
    let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.strip_prefix("Bearer "));
    let caller = token.and_then(|token| door.clinic().tokens.find(token));
    let caller = caller.ok_or_else(|| Problem::not_signed_in("no token, or none that is known here"))?;
    if roles.contains(&caller.role) {
        return Ok(caller.clone());
    }
    Err(Problem::wrong_role(format!("a token of role {} does not do this", caller.role)))
}

macro_rules! signed_in {
    ($($type:ident from $roles:expr => $make:expr;)+) => {$(
        impl<D: HasClinic> FromRequestParts<Arc<D>> for $type {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, door: &Arc<D>) -> Result<Self, Problem> {
                sign_in(parts, door, &$roles).map($make)
            }
        }
    )+};
}

signed_in! {
    Therapist from [Role::Therapist] => |caller| Self(caller.name);
    FrontEnd from [Role::Intake] => |_| Self;
    Custodian from [Role::Custodian] => |caller| Self(caller.name);
    AtTheGlass from [Role::Custodian, Role::Therapist] => |_| Self;
}

/// A body of JSON. Unlike axum's own, its refusal repeats nothing of what was sent.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
        if kind != Some("application/json") {
            return Err(Problem::unusable("the body is `Content-Type: application/json`"));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|error| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large("the body is too large"),
            _ => Problem::unusable("the body could not be read to its end"),
        })?;
        let parsed = serde_json::from_slice(&bytes).map(Self);
        // The parser's own words may quote the text.
        parsed.map_err(|error| Problem::unusable(format!("not as described, at column {}", error.column())))
    }
}

/// Parts of the path.
pub(crate) struct At<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::from_request_parts(parts, state).await;
        path.map(|Path(at)| Self(at)).map_err(|_| Problem::unusable("the address cannot be read"))
    }
}

/// The query.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::from_request_parts(parts, state).await;
        query.map(|Query(asked)| Self(asked)).map_err(|_| Problem::unusable("the query cannot be read"))
    }
}

/// What a writer builds on. A writer who says nothing is refused, because it would overwrite what it has not seen.
pub(crate) enum Precondition {
    /// `If-None-Match: *`: there is none yet.
    Absent,
    /// `If-Match: "7"`.
    Revision(u64),
}

impl Precondition {
    /// What a write builds on, the revision that it makes, and the status when it is made.
    pub(crate) fn of_write(&self) -> Result<(StatusCode, Expect<'static>, Revision), Problem> {
        let Self::Revision(revision) = *self else {
            return Ok((StatusCode::CREATED, Expect::Absent, Revision::FIRST));
        };
        // 0 is no note's revision: what has it was put in the note's place, and the writer means to replace it.
        let next = if revision == 0 { Ok(Revision::FIRST) } else { Revision::new(revision).and_then(Revision::next) };
        let next = next.map_err(|_| Problem::unusable("no record has this revision"))?;
        Ok((StatusCode::OK, Expect::Revision(revision), next))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Precondition {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let headers = |name: HeaderName| {
            let values = parts.headers.get_all(name).into_iter();
            values.map(|value| value.to_str().unwrap_or_default().trim()).collect::<Vec<_>>()
        };
        match (&headers(IF_MATCH)[..], &headers(IF_NONE_MATCH)[..]) {
            ([], ["*"]) => Ok(Self::Absent),
            ([tag], []) => revision(tag).map(Self::Revision).ok_or_else(|| {
                Problem::changed_etag("`If-Match` is not an ETag that this service gave, such as `\"7\"`")
            }),
            ([], []) => Err(Problem::no_precondition("neither `If-Match` nor `If-None-Match: *`")),
            ([_, _, ..], []) => Err(Problem::changed_etag("`If-Match` came more than once")),
            _ => Err(Problem::unusable("one of `If-Match` and `If-None-Match: *`, not both")),
        }
    }
}

/// The revision of an ETag: digits in quotation marks, without a sign and without zeros in front.
///
/// A proxy that compresses writes `W/` in front (RFC 9110, 8.8.3: the bytes are not the same any more). The revision is the
/// same one, and counts.
fn revision(tag: &str) -> Option<u64> {
    let digits = tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"')?.strip_suffix('"')?;
    let plain = digits.bytes().all(|digit| digit.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    if plain { digits.parse().ok() } else { None }
}

/// The ETag of a revision.
pub(crate) fn etag(revision: u64) -> HeaderMap {
    HeaderMap::from_iter(HeaderValue::from_str(&format!("\"{revision}\"")).ok().map(|tag| (ETAG, tag)))
}
