//! What a caller is told when something is refused (RFC 9457): what happened, and what to do next.
//!
//! Once a key has touched data there is one answer, whatever went wrong. No answer holds what the caller sent, so that
//! a note in the wrong place does not end in somebody's error log.

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use lukko::error::Untrusted;
use lukko_store::error::Missing;
use serde::Serialize;
use utoipa::ToSchema;

/// The media type of every refusal.
pub(crate) const PROBLEM: &str = "application/problem+json";

/// A refusal.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Which one, for programs.
    #[serde(rename = "type")]
    #[schema(example = "tag:lukko-service,2026:stale-revision")]
    kind: String,
    /// Which one, for people.
    title: &'static str,
    /// The status of the response.
    status: u16,
    /// What happened.
    detail: String,
    /// What to do next.
    next: &'static str,
}

/// The kinds: name, status, title, what to do next.
macro_rules! problems {
    ($($(#[$meta:meta])* $make:ident, $status:ident, $name:literal, $title:literal, $next:literal;)+) => {
        impl Problem {
            $(
                $(#[$meta])*
                pub(crate) fn $make(detail: impl Into<String>) -> Self {
                    let kind = concat!("tag:lukko-service,2026:", $name).to_owned();
                    let status = StatusCode::$status.as_u16();
                    Self { kind, title: $title, status, detail: detail.into(), next: $next }
                }
            )+
        }
    };
}

problems! {
    not_signed_in, UNAUTHORIZED, "not-signed-in", "No valid token", "Send `Authorization: Bearer TOKEN`.";
    wrong_role, FORBIDDEN, "wrong-role", "This is not your door", "Ask who may do it.";
    /// The same for a patient that does not exist: whoever may not read does not learn which it is.
    not_granted, FORBIDDEN, "not-granted", "This patient is not granted to you",
        "Ask a colleague who treats the patient for a grant.";
    refused_member, FORBIDDEN, "refused-member", "The roster does not let this member do it", "Ask the registrar.";
    not_found, NOT_FOUND, "not-found", "There is no such thing", "Check the address.";
    erased, GONE, "erased", "The patient was erased", "Nothing: no key opens these records any more.";
    card_closed, CONFLICT, "card-closed", "The patient's key was closed", "Ask for a re-key, then try again.";
    stale_revision, CONFLICT, "stale-revision", "Somebody else was there first",
        "Read it again, take the new ETag, and decide anew.";
    changed_etag, UNPROCESSABLE_ENTITY, "changed-etag", "Your text was not saved",
        "Keep your text, read the note again, and save it then. If this comes again, tell whoever runs the service: \
         something on the way changes ETags, and must leave them as they are.";
    misplaced, CONFLICT, "misplaced", "Something else was put in this place",
        "Tell whoever runs the database: a backup has what was there. To write over a note's place, send `If-Match` with \
         the ETag that is named here.";
    no_precondition, PRECONDITION_REQUIRED, "no-precondition", "Which revision does this replace?",
        "Send `If-Match` with the ETag that you read, or `If-None-Match: *` for a new note.";
    unusable, UNPROCESSABLE_ENTITY, "unusable", "The request cannot be used", "Correct it: /openapi.json says how.";
    too_large, PAYLOAD_TOO_LARGE, "too-large", "The request is too large", "Send less.";
    share_refused, UNPROCESSABLE_ENTITY, "share-refused", "The share was refused",
        "Compare it with the custodian's copy; shares given before stand.";
    glass_closed, LOCKED, "glass-closed", "The glass is closed", "A quorum of custodians opens it.";
    glass_open, CONFLICT, "glass-open", "The glass is open already", "Close it first if the time is to begin anew.";
    /// For everything that is stored and does not open, whatever the reason.
    does_not_open, INTERNAL_SERVER_ERROR, "does-not-open", "What is stored does not open",
        "Tell whoever runs the database, who finds the reason in the log or with `verify`.";
    unavailable, SERVICE_UNAVAILABLE, "unavailable", "Not now",
        "Try again in a moment. If you were writing, read first: it may be stored.";
    broken, INTERNAL_SERVER_ERROR, "broken", "The service failed", "Tell whoever runs the service.";
}

impl Problem {
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// For responses that the framework made: a route that does not exist, a path that cannot be read, a timeout.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let title = status.canonical_reason().unwrap_or("Refused");
        let next = match status {
            StatusCode::REQUEST_TIMEOUT => {
                "Send it faster, or less of it. If you were writing, read first: it may be stored."
            }
            _ => "See /openapi.json.",
        };
        Self { kind: "about:blank".to_owned(), title, status: status.as_u16(), detail: title.to_owned(), next }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
        match status {
            StatusCode::UNAUTHORIZED => headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            StatusCode::SERVICE_UNAVAILABLE => headers.insert(RETRY_AFTER, HeaderValue::from_static("1")),
            _ => None,
        };
        response
    }
}

impl From<lukko::Error> for Problem {
    fn from(error: lukko::Error) -> Self {
        use lukko::Error as Core;
        match &error {
            Core::Usage(lukko::error::Usage::IdentifierLength { .. }) => Self::unusable(error.to_string()),
            Core::Usage(lukko::error::Usage::TooLong) => Self::too_large(error.to_string()),
            Core::Untrusted(
                Untrusted::Role(_) | Untrusted::Revoked(_) | Untrusted::Retired(_) | Untrusted::UnknownMember(_),
            ) => Self::refused_member(error.to_string()),
            Core::Untrusted(Untrusted::CardErased(_)) => Self::erased("its card is closed"),
            Core::Untrusted(Untrusted::CardCompromised(_)) => Self::card_closed("its card is closed as compromised"),
            Core::Randomness => Self::unavailable("the random number generator failed"),
            _ => {
                // The log gets the reason, which holds no secret; the caller does not.
                tracing::error!(%error, "what is stored was refused");
                Self::does_not_open("It was refused.")
            }
        }
    }
}

impl From<lukko_store::Error> for Problem {
    fn from(error: lukko_store::Error) -> Self {
        use lukko_store::Error as Store;
        match error {
            Store::Core(error) => error.into(),
            Store::Conflict(_) | Store::Stale { .. } => Self::stale_revision(error.to_string()),
            Store::Missing(Missing::Patient) => Self::not_found("no such patient"),
            Store::Missing(Missing::Object) => {
                tracing::error!("an attachment's object is gone");
                Self::does_not_open("It was refused.")
            }
            Store::Stream(error) => {
                tracing::error!(%error, "the store of objects failed");
                Self::unavailable("the store of objects failed")
            }
            Store::Unavailable(_) => {
                tracing::error!(%error, "the database did not answer");
                Self::unavailable("the database did not answer")
            }
            _ => {
                tracing::error!(%error, "the database refused");
                Self::broken("the database refused")
            }
        }
    }
}
