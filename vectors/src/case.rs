//! Cases, and the files that hold them.

use lukko::Suite;
use serde_json::{Map, Value, json};

/// Which of the error classes of section 9 must refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    Malformed,
    Usage,
    Untrusted,
    Stale,
    Conflict,
    Share,
    NotAuthentic,
}

impl Layer {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Usage => "usage",
            Self::Untrusted => "untrusted",
            Self::Stale => "stale",
            Self::Conflict => "conflict",
            Self::Share => "share",
            Self::NotAuthentic => "not authentic",
        }
    }
}

pub(crate) const fn suite_name(suite: Suite) -> &'static str {
    match suite {
        Suite::XWing => "x-wing",
        _ => "x25519",
    }
}

/// The suite as it stands in file names.
pub(crate) const fn file_suite(suite: Suite) -> &'static str {
    match suite {
        Suite::XWing => "xwing",
        _ => "x25519",
    }
}

pub(crate) fn world_file(suite: Suite) -> String {
    format!("world-{}.json", file_suite(suite))
}

/// The cases of one object in one suite: one file.
#[derive(Debug)]
pub(crate) struct Book {
    pub(crate) object: &'static str,
    pub(crate) suite: Suite,
    /// Whether the object differs by suite; if not, there is one file.
    pub(crate) by_suite: bool,
    pub(crate) cases: Vec<Value>,
}

impl Book {
    pub(crate) const fn new(object: &'static str, suite: Suite) -> Self {
        Self { object, suite, by_suite: true, cases: Vec::new() }
    }

    pub(crate) const fn without_suite(object: &'static str) -> Self {
        Self { object, suite: Suite::X25519, by_suite: false, cases: Vec::new() }
    }

    fn stem(&self) -> String {
        let object = self.object.replace('_', "-");
        if self.by_suite { format!("{object}-{}", file_suite(self.suite)) } else { object }
    }

    pub(crate) fn file(&self) -> String {
        format!("{}.json", self.stem())
    }

    pub(crate) fn ok(&mut self, comment: &str, input: Value, result: Value) {
        let (id, object) = (self.next_id(), self.object);
        self.cases.push(json!({
            "id": id, "object": object, "expect": "ok", "layer": null, "comment": comment, "input": input, "result": result
        }));
    }

    /// Adds a case, unless the same input stands there already.
    pub(crate) fn reject(&mut self, layer: Layer, comment: &str, input: Value) {
        if let Some(same) = self.cases.iter().find(|case| case["input"] == input) {
            assert_eq!(same["layer"], layer.name(), "{comment}: {same}");
            return;
        }
        let (id, object) = (self.next_id(), self.object);
        self.cases.push(json!({
            "id": id, "object": object, "expect": "reject", "layer": layer.name(), "comment": comment, "input": input
        }));
    }

    fn next_id(&self) -> String {
        format!("{}-{:04}", self.stem(), self.cases.len() + 1)
    }

    /// The file: one line for each case.
    pub(crate) fn text(&self) -> String {
        let head = format!(
            "{{\"schema\": \"lukko-vectors/1\", \"suite\": \"{}\", \"world\": \"{}\", \"cases\": [\n",
            suite_name(self.suite),
            world_file(self.suite)
        );
        let cases: Vec<String> = self.cases.iter().map(Value::to_string).collect();
        format!("{head}{}\n]}}\n", cases.join(",\n"))
    }
}

/// `value` with the entries of `more` added or replaced.
pub(crate) fn with(value: &Value, more: Value) -> Value {
    let mut all: Map<String, Value> = value.as_object().expect("an object").clone();
    all.extend(more.as_object().expect("an object").clone());
    Value::Object(all)
}

/// A number as the schema writes it: decimal text from 2^53 on.
pub(crate) fn number(value: u64) -> Value {
    if value < 1 << 53 { json!(value) } else { json!(value.to_string()) }
}

pub(crate) fn hex_of(bytes: impl AsRef<[u8]>) -> String {
    hex::encode(bytes)
}
