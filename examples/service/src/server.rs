//! A door that runs: opened, listened at, and closed without a key left behind.

use std::any::Any;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn, map_response};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::Failure;
use crate::clock::Clock;
use crate::config::{Config, Door};
use crate::files::StateDir;
use crate::problem::{PROBLEM, Problem};
use crate::routes;
use crate::state::clinic::Clinic;
use crate::state::database::Database;
use crate::state::{GlassDoor, IntakeDoor, TherapistDoor};

/// How often the glass is looked at when nobody asks.
const TICK: Duration = Duration::from_secs(1);

/// A door that runs.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), Failure>>,
    keys: Weak<dyn Any + Send + Sync>,
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What holds this door's keys. It is gone, and with it the keys, when nobody can upgrade it.
    #[must_use]
    pub fn keys(&self) -> Weak<dyn Any + Send + Sync> {
        Weak::clone(&self.keys)
    }

    /// Ends it: no new requests, those that run to their end, the glass closed, keys wiped, connections closed.
    ///
    /// # Errors
    /// If requests did not end within the time of grace, or the listener failed.
    pub async fn shutdown(self) -> Result<(), Failure> {
        // It may have ended by itself, and then says so.
        let _ = self.stop.send(());
        self.serving.await?
    }

    /// Runs until this future is done, and ends then as [`Running::shutdown`] does; or until the listener fails.
    ///
    /// # Errors
    /// As [`Running::shutdown`].
    pub async fn until(self, signal: impl Future<Output = ()>) -> Result<(), Failure> {
        let Self { stop, mut serving, .. } = self;
        tokio::select! {
            ended = &mut serving => return ended?,
            () = signal => {}
        }
        let _ = stop.send(());
        serving.await?
    }
}

/// Opens a door.
///
/// # Errors
/// If the state directory, the database or the address cannot be used, or the database does not hold the pinned vault.
pub async fn start(config: &Config, clock: Arc<dyn Clock>) -> Result<Running, Failure> {
    let (state, database) = (StateDir::new(&config.state), Arc::new(Database::open(&config.database).await?));
    let clinic = Clinic::load(state.clone(), Arc::clone(&database), Arc::clone(&clock)).await?;
    let listener = TcpListener::bind(config.listen).await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel();
    let stopped = async move {
        // A dropped sender is a stop as well.
        let _ = stopped.await;
    };
    let grace = config.grace;
    let (serving, keys): (_, Weak<dyn Any + Send + Sync>) = match config.door {
        Door::Therapist => {
            let door = Arc::new(TherapistDoor::open(clinic, &state, config, clock)?);
            let keys = Arc::downgrade(&door);
            let router = routes::therapist(door);
            (tokio::spawn(serve(listener, router, stopped, grace, || (), database)), keys)
        }
        Door::Intake => {
            let door = Arc::new(IntakeDoor::open(clinic, &state)?);
            let keys = Arc::downgrade(&door);
            (tokio::spawn(serve(listener, routes::intake(door), stopped, grace, || (), database)), keys)
        }
        Door::Glass => {
            let door = Arc::new(GlassDoor::open(clinic, &state, config, clock)?);
            let keys = Arc::downgrade(&door);
            let ticking = tokio::spawn(tick(Weak::clone(&keys)));
            // It holds the door itself: the router, which holds it too, is gone by then.
            let held = Arc::clone(&door);
            let close = move || {
                ticking.abort();
                held.close("the end of the service");
            };
            (tokio::spawn(serve(listener, routes::glass(door), stopped, grace, close, database)), keys)
        }
    };
    tracing::info!(door = ?config.door, %address, "open");
    Ok(Running { address, stop, serving, keys })
}

/// Serves until told to stop, and ends in this order: requests, keys, connections of the database.
async fn serve(
    listener: TcpListener,
    router: Router,
    stopped: impl Future<Output = ()> + Send + 'static,
    grace: Duration,
    close: impl FnOnce() + Send,
    database: Arc<Database>,
) -> Result<(), Failure> {
    let (told, telling) = oneshot::channel();
    let signal = async move {
        stopped.await;
        tracing::info!("closing");
        let _ = told.send(());
    };
    let serving = axum::serve(listener, around(router)).with_graceful_shutdown(signal);
    let ended = tokio::select! {
        ended = serving.into_future() => ended.map_err(Failure::from),
        () = async { let _ = telling.await; tokio::time::sleep(grace).await } => {
            Err("requests did not end within the time of grace".into())
        }
    };
    close();
    // A request that did not end must not keep the process.
    let _ = timeout(Duration::from_secs(1), database.close()).await;
    tracing::info!("closed");
    ended
}

/// Every second: keys and shares whose time is over are wiped, whether somebody asks or not.
async fn tick(door: Weak<GlassDoor>) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(door) = door.upgrade() else { return };
        door.settle();
    }
}

/// What is around every route and its limits, from the inside out: one form for every refusal, no caches, a line in the log.
fn around(router: Router) -> Router {
    router.layer(map_response(as_problem)).layer(map_response(uncached)).layer(from_fn(log))
}

/// Refusals that the framework made say the same in the form of all others.
async fn as_problem(response: Response) -> Response {
    let status = response.status();
    let is_problem = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == PROBLEM);
    if is_problem || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let mut problem = match status {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large("the body is too large").into_response(),
        _ => Problem::of_status(status).into_response(),
    };
    if let Some(allow) = response.headers().get(ALLOW) {
        problem.headers_mut().insert(ALLOW, allow.clone());
    }
    problem
}

/// Nothing of a clinic's belongs into a cache.
async fn uncached(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// One line for each request: the route as it is written in the document, and never the address, a header or a body.
async fn log(request: Request, next: Next) -> Response {
    let begin = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let (status, micros) = (response.status().as_u16(), begin.elapsed().as_micros());
    tracing::info!(%method, route, status, micros, "request");
    response
}
