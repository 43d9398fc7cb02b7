//! What has an address: one file for each thing, and a router for each door.
//!
//! Every route is registered together with its description, so that none is missing in `/openapi.json`.

mod api;
mod attachments;
mod cursor;
mod deposits;
mod extract;
mod glass;
mod health;
mod notes;
mod patients;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::{RequestBodyTimeoutLayer, TimeoutLayer};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::{GlassDoor, HasClinic, IntakeDoor, TherapistDoor};

/// The longest body: a long note. What is longer is an attachment.
const BODY_LIMIT: usize = 256 * 1024;
/// The longest attachment.
const ATTACHMENT_LIMIT: usize = 1024 * 1024 * 1024;
/// The longest request, from its headers to the response's; of a stream, the longest silence.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// The therapists' door.
pub(crate) fn therapist(door: Arc<TherapistDoor>) -> Router {
    let routes = OpenApiRouter::with_openapi(document("Therapists read and write"))
        .routes(routes!(patients::list, patients::enrol))
        .routes(routes!(patients::grant))
        .routes(routes!(notes::list))
        .routes(routes!(notes::read, notes::write, notes::delete))
        .routes(routes!(deposits::read))
        .routes(routes!(deposits::take_over));
    // Files take as long as they take, as long as something comes.
    let streams = OpenApiRouter::new()
        .routes(routes!(attachments::read, attachments::write))
        .layer(RequestBodyLimitLayer::new(ATTACHMENT_LIMIT))
        .layer(RequestBodyTimeoutLayer::new(REQUEST_TIMEOUT));
    finish(limited(routes).merge(streams), door)
}

/// The intake door: one route, and it writes.
pub(crate) fn intake(door: Arc<IntakeDoor>) -> Router {
    let routes = OpenApiRouter::with_openapi(document("A front end deposits")).routes(routes!(deposits::deposit));
    finish(limited(routes), door)
}

/// The glass.
pub(crate) fn glass(door: Arc<GlassDoor>) -> Router {
    let routes = OpenApiRouter::with_openapi(document("Custodians break the glass"))
        .routes(routes!(glass::status, glass::close))
        .routes(routes!(glass::share))
        .routes(routes!(glass::list))
        .routes(routes!(glass::read));
    finish(limited(routes), door)
}

/// What every route that does not stream is held to.
fn limited<D: HasClinic>(routes: OpenApiRouter<Arc<D>>) -> OpenApiRouter<Arc<D>> {
    routes
        .layer(RequestBodyLimitLayer::new(BODY_LIMIT))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT))
}

fn document(title: &str) -> OpenApi {
    let info = InfoBuilder::new().title(format!("lukko-service: {title}")).version(env!("CARGO_PKG_VERSION"));
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    let components = ComponentsBuilder::new().security_scheme("token", SecurityScheme::Http(bearer));
    OpenApiBuilder::new().info(info.build()).components(Some(components.build())).build()
}

fn finish<D: HasClinic>(routes: OpenApiRouter<Arc<D>>, door: Arc<D>) -> Router {
    let any_door: Arc<dyn HasClinic> = Arc::clone(&door) as _;
    let health = OpenApiRouter::new().routes(routes!(health::live)).routes(routes!(health::ready));
    let (router, document) = routes.merge(health.with_state(any_door)).split_for_parts();
    // The one address that the document does not describe is its own.
    router.route("/openapi.json", get(async move || axum::Json(document))).with_state(door)
}
