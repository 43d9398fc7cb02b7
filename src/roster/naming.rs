//! Texts for people who know members by their ids and not by their keys.

use alloc::string::{String, ToString};
use core::fmt;

use super::verified::VerifiedRoster;

impl VerifiedRoster {
    /// A text, such as that of an error or of a receipt, with each member's id behind the member's key. Keys that the roster
    /// does not list stay alone. In an id, bytes that are no printable ASCII are escaped.
    #[must_use]
    pub fn with_names(&self, text: &impl fmt::Display) -> String {
        let mut named = text.to_string();
        for member in self.members() {
            let key = member.entry().fingerprint().to_string();
            if named.contains(&key) {
                let with_id = [key.as_str(), " (", &member.entry().id().escape_ascii().to_string(), ")"].concat();
                named = named.replace(&key, &with_id);
            }
        }
        named
    }
}
