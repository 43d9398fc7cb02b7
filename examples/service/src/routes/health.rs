//! Whether the process lives, and whether it can work.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use crate::problem::Problem;
use crate::state::HasClinic;

/// The process lives.
#[utoipa::path(get, path = "/healthz", responses((status = 204, description = "It lives")))]
pub(crate) async fn live() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// The database answers, and what it holds is the pinned vault. An answer holds for a second.
#[utoipa::path(get, path = "/readyz", responses(
    (status = 204, description = "It can work"),
    (status = "default", description = "Not now, or not this database", body = Problem,
        content_type = "application/problem+json"),
))]
pub(crate) async fn ready(State(door): State<Arc<dyn HasClinic>>) -> Result<StatusCode, Problem> {
    door.clinic().ready().await.map(|()| StatusCode::NO_CONTENT)
}
