//! The document and the router say the same.

use std::collections::BTreeSet;

use lukko_service::Door;

use crate::world::World;

/// Every route of every door, and whether it asks for a token.
const ROUTES: [(Door, &str, &str, bool); 24] = [
    (Door::Therapist, "GET", "/patients", true),
    (Door::Therapist, "POST", "/patients", true),
    (Door::Therapist, "PUT", "/patients/{patient}/readers/{member}", true),
    (Door::Therapist, "GET", "/patients/{patient}/notes", true),
    (Door::Therapist, "GET", "/patients/{patient}/notes/{record}", true),
    (Door::Therapist, "PUT", "/patients/{patient}/notes/{record}", true),
    (Door::Therapist, "DELETE", "/patients/{patient}/notes/{record}", true),
    (Door::Therapist, "GET", "/patients/{patient}/deposits/{record}", true),
    (Door::Therapist, "POST", "/patients/{patient}/deposits/{record}/take-over", true),
    (Door::Therapist, "GET", "/patients/{patient}/attachments/{record}", true),
    (Door::Therapist, "PUT", "/patients/{patient}/attachments/{record}", true),
    (Door::Therapist, "GET", "/healthz", false),
    (Door::Therapist, "GET", "/readyz", false),
    (Door::Intake, "POST", "/patients/{patient}/deposits", true),
    (Door::Intake, "GET", "/healthz", false),
    (Door::Intake, "GET", "/readyz", false),
    (Door::Glass, "GET", "/glass", true),
    (Door::Glass, "DELETE", "/glass", true),
    (Door::Glass, "POST", "/glass/shares", true),
    (Door::Glass, "GET", "/glass/patients/{patient}", true),
    (Door::Glass, "GET", "/glass/patients/{patient}/{kind}/{record}", true),
    (Door::Glass, "GET", "/healthz", false),
    (Door::Glass, "GET", "/readyz", false),
    (Door::Glass, "GET", "/openapi.json", false),
];

#[tokio::test]
async fn every_route_is_in_the_document_and_answers() {
    let world = World::on_sqlite().await;
    for door in [Door::Therapist, Door::Intake, Door::Glass] {
        let site = world.open(door).await;
        let document = site.caller.get("/openapi.json", "").await;
        assert_eq!(document.status, 200);
        let mut described = BTreeSet::new();
        for (path, item) in document.body["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                assert!(operation["responses"].as_object().is_some_and(|responses| !responses.is_empty()), "{path}");
                assert_eq!(operation["security"].is_array(), !path.ends_with('z'), "{method} {path}");
                described.insert((method.to_uppercase(), path.clone()));
            }
        }
        let routes = ROUTES.iter().filter(|route| route.0 == door && route.2 != "/openapi.json");
        let expected: BTreeSet<_> =
            routes.map(|(_, method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
        assert_eq!(described, expected, "{door:?}: in the document (left) and in the table (right)");

        // What the table says is routed, and without a token nothing is given away: 401, and neither 404 nor 405.
        for (_, method, path, asks) in ROUTES.iter().filter(|route| route.0 == door) {
            let path = path.replace("{kind}", "notes").replace(['{', '}'], "");
            let reply = site.caller.send(method, &path, "", &[], None).await;
            assert_eq!(reply.status == 401, *asks, "{method} {path}: {reply:?}");
            assert!(*asks || reply.status < 300, "{method} {path}: {reply:?}");
        }
        site.shutdown().await;
    }
}

#[test]
fn every_route_is_in_the_readme() {
    let readme = include_str!("../../README.md");
    for (_, method, path, asks) in ROUTES.iter().filter(|route| route.2 != "/openapi.json") {
        let (line, cell) = (format!("`{method} {path}`"), if *asks { "| `" } else { "| all | `" });
        assert!(readme.lines().any(|row| row.contains(&line) && row.contains(cell)), "{line}");
    }
}
