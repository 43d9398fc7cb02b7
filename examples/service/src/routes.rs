//! What has an address: one file for each thing, and a router for each door.
//!
//! Every route is registered together with its description, so that none is missing in `/openapi.json`.

mod api;
mod deposits;
mod extract;
mod glass;
mod health;
mod notes;
mod patients;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::{GlassDoor, HasClinic, IntakeDoor, TherapistDoor};

/// The therapists' door.
pub(crate) fn therapist(door: Arc<TherapistDoor>) -> Router {
    let routes = OpenApiRouter::with_openapi(document("Therapists read and write"))
        .routes(routes!(patients::list, patients::enrol))
        .routes(routes!(patients::grant))
        .routes(routes!(notes::list))
        .routes(routes!(notes::read, notes::write, notes::delete))
        .routes(routes!(deposits::read))
        .routes(routes!(deposits::take_over));
    finish(routes, door)
}

/// The intake door: one route, and it writes.
pub(crate) fn intake(door: Arc<IntakeDoor>) -> Router {
    let routes = OpenApiRouter::with_openapi(document("A front end deposits")).routes(routes!(deposits::deposit));
    finish(routes, door)
}

/// The glass.
pub(crate) fn glass(door: Arc<GlassDoor>) -> Router {
    let routes = OpenApiRouter::with_openapi(document("Custodians break the glass"))
        .routes(routes!(glass::status, glass::close))
        .routes(routes!(glass::share))
        .routes(routes!(glass::list))
        .routes(routes!(glass::read));
    finish(routes, door)
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
