//! Whether the process lives, and whether it can work.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::problem::Problem;
use crate::state::HasClinic;

/// The process lives.
#[utoipa::path(get, path = "/healthz", responses((status = 204, description = "It lives")))]
pub(crate) async fn live() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// The length of SQLite's log, in bytes.
const LOG_LENGTH: HeaderName = HeaderName::from_static("sqlite-log-bytes");

/// The database answers, and what it holds is the pinned vault. An answer holds for a second. With SQLite it says how long the
/// database's log is: a log that grows has a reader who stays.
#[utoipa::path(get, path = "/readyz", responses(
    (status = 204, description = "It can work", headers(
        ("Sqlite-Log-Bytes" = u64, description = "The length of SQLite's log; missing with another database"),
    )),
    (status = "default", description = "Not now, or not this database", body = Problem,
        content_type = "application/problem+json"),
))]
pub(crate) async fn ready(State(door): State<Arc<dyn HasClinic>>) -> Result<(StatusCode, HeaderMap), Problem> {
    let log = door.clinic().ready().await?;
    let headers = log.map(|length| (LOG_LENGTH, HeaderValue::from(length)));
    Ok((StatusCode::NO_CONTENT, headers.into_iter().collect()))
}
