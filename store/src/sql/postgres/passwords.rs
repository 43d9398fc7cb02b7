//! The file in which PostgreSQL's own programs look for passwords: `PGPASSFILE`, or `.pgpass` in the user's directory.

use std::path::PathBuf;

/// The password of a host, port, database and user.
pub(crate) fn find(of: [&str; 4]) -> Option<String> {
    let own = std::env::var_os("PGPASSFILE").map(PathBuf::from);
    let general = std::env::home_dir().map(|home| home.join(".pgpass"));
    own.into_iter().chain(general).find_map(|file| in_text(&read(file)?, of))
}

/// A file that others may read is passed over, as PostgreSQL's own programs do.
fn read(file: PathBuf) -> Option<String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if std::fs::metadata(&file).ok()?.permissions().mode() & 0o77 != 0 {
            return None;
        }
    }
    std::fs::read_to_string(file).ok()
}

/// The first line whose four fields fit; `*` fits everything.
fn in_text(text: &str, of: [&str; 4]) -> Option<String> {
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = fields(line);
        let (given, password) = fields.split_at_checked(4)?;
        let fits = given.iter().zip(of).all(|(given, of)| given == "*" || given == of);
        password.first().filter(|_| fits).cloned()
    })
}

/// What colons separate. A backslash takes away the meaning of what follows; in the password, the fifth, colons have none.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let last = fields.len() == 5;
        let next = match character {
            ':' if !last => {
                fields.push(String::new());
                continue;
            }
            '\\' => characters.next(),
            other => Some(other),
        };
        if let Some(field) = fields.last_mut() {
            field.extend(next);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::in_text;

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        let text = "# a comment\nother:5432:clinic:anna:no\ndb:5432:clinic:anna:p:w\\\\\\x\n*:*:*:*:general\nshort:1\n";
        assert_eq!(in_text(text, ["db", "5432", "clinic", "anna"]).as_deref(), Some("p:w\\x"));
        assert_eq!(in_text(text, ["db", "5433", "clinic", "anna"]).as_deref(), Some("general"));
        assert_eq!(in_text("d\\:b:1:c:u:word", ["d:b", "1", "c", "u"]).as_deref(), Some("word"));
        assert_eq!(in_text("db:1:c:u:word", ["db", "1", "c", "v"]), None);
        assert_eq!(in_text("db:1:c", ["db", "1", "c", "u"]), None);
    }
}
