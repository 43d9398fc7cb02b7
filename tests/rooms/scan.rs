//! Rust as far as the test of the rooms needs it: tokens, and the paths in them. Comments and strings are dropped, items
//! under `#[cfg(test)]` too; `use` groups are expanded; macros are not.

// Paths in a stream of tokens.

#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) segments: Vec<String>,
    /// The name that a `use` brings into scope.
    pub(crate) binds: Option<String>,
    /// The modules written out in the file around it.
    pub(crate) inline: Vec<String>,
    pub(crate) line: usize,
}

impl Found {
    pub(crate) fn is_internal(&self) -> bool {
        matches!(self.segments[0].as_str(), "crate" | "self" | "super")
    }
}

pub(crate) fn paths(tokens: &[Token]) -> Vec<Found> {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let (mut found, mut open, mut depth, mut at) = (Vec::new(), Vec::<(String, usize)>::new(), 0, 0);
    while at < tokens.len() {
        let start = found.len();
        match text(at) {
            "mod" if text(at + 2) == "{" => open.push((text(at + 1).to_owned(), depth)),
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                open.retain(|(_, outside)| *outside < depth);
            }
            "use" if text(at + 1) != "<" => {
                at += 1;
                use_tree(tokens, &mut at, &[], &mut found);
            }
            name if starts(tokens, at) && text(at + 1) == "::" => {
                let line = tokens[at].line;
                let mut segments = vec![name.to_owned()];
                while text(at + 1) == "::" && is_name(text(at + 2)) {
                    segments.push(text(at + 2).to_owned());
                    at += 2;
                }
                found.push(Found { segments, binds: None, inline: Vec::new(), line });
            }
            _ => {}
        }
        for path in &mut found[start..] {
            path.inline = open.iter().map(|(name, _)| name.clone()).collect();
        }
        at += 1;
    }
    found
}

/// Whether a path may start at `at`: there is a name, and it is not a later segment of a path, a field or a method.
fn starts(tokens: &[Token], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).map_or("", |at| tokens[at].text.as_str());
    let name = |text: &str| is_name(text) && !KEYWORDS.contains(&text);
    let later = before(1) == "." || before(1) == "::" && (before(2) == ">" || name(before(2)));
    name(&tokens[at].text) && !later
}

/// Reads one tree of a `use` and leaves `at` on the `,`, `}` or `;` after it.
fn use_tree(tokens: &[Token], at: &mut usize, prefix: &[String], found: &mut Vec<Found>) {
    let text = |at: usize| tokens.get(at).map_or(";", |token| token.text.as_str());
    let (mut segments, line) = (prefix.to_vec(), tokens.get(*at).map_or(0, |token| token.line));
    let mut binds = None;
    loop {
        match text(*at) {
            "{" => {
                while !matches!(text(*at), "}" | ";") {
                    *at += 1;
                    use_tree(tokens, at, &segments, found);
                }
                *at += 1;
                return;
            }
            "," | "}" | ";" => break,
            "as" => {
                binds = Some(text(*at + 1).to_owned());
                *at += 1;
            }
            "::" | "$" => {}
            name => segments.push(name.to_owned()),
        }
        *at += 1;
    }
    if segments.len() > prefix.len() {
        let binds = binds.or_else(|| segments.iter().rfind(|name| *name != "self").cloned());
        found.push(Found { segments, binds, inline: Vec::new(), line });
    }
}

/// Drops every item under `#[cfg(test)]` or `#[cfg(all(test, ..))]`.
pub(crate) fn without_tests(tokens: Vec<Token>) -> Vec<Token> {
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        let head: String = tokens[at..].iter().take(6).map(|token| token.text.as_str()).collect();
        let all_test = head == "#[cfg(all(" && tokens.get(at + 6).is_some_and(|token| token.text == "test");
        if head == "#[cfg(test)" || all_test {
            while tokens.get(at).is_some_and(|token| token.text == "#") {
                at = after_item(&tokens, at + 1);
            }
            at = after_item(&tokens, at);
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

/// The first token after an item: past its `;`, past the brace that closes it, or at the brace that closes its parent.
/// From the bracket of an attribute: past that bracket.
fn after_item(tokens: &[Token], start: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(start) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" if depth == 0 => return at,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        let attribute = token.text == "]" && tokens[start].text == "[";
        if depth == 0 && (attribute || matches!(token.text.as_str(), "}" | ";")) {
            return at + 1;
        }
    }
    tokens.len()
}

// Rust, as far as tokens.

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// Keywords that may stand before a path that starts with `::`.
const KEYWORDS: [&str; 11] = ["as", "dyn", "else", "for", "if", "impl", "in", "match", "mut", "return", "where"];

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The names, `::` and single signs of a source. Comments vanish; a literal is the token `"`; a lifetime vanishes.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let (mut out, mut rest, mut line) = (Vec::new(), source, 1);
    while let Some(c) = rest.chars().next() {
        let (text, length) = next_token(rest, c);
        if !text.is_empty() {
            out.push(Token { text: text.to_owned(), line });
        }
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    out
}

/// The token at the start of `rest`, and how many bytes it takes.
fn next_token(rest: &str, c: char) -> (&str, usize) {
    let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    if rest.starts_with("//") {
        ("", rest.find('\n').unwrap_or(rest.len()))
    } else if rest.starts_with("/*") {
        ("", block_comment(rest))
    } else if let Some(length) = raw_string(rest) {
        ("\"", length)
    } else if c == '"' {
        ("\"", quoted(rest, '"'))
    } else if c == '\'' {
        let second = rest[1..].chars().next().map_or(1, char::len_utf8);
        let literal = rest[1..].starts_with('\\') || rest[1 + second..].starts_with('\'');
        let lifetime = rest[1..].find(|c: char| !c.is_alphanumeric() && c != '_').map_or(rest.len(), |at| at + 1);
        if literal { ("\"", quoted(rest, '\'')) } else { ("", lifetime) }
    } else if c.is_ascii_digit() {
        ("\"", word)
    } else if rest.starts_with("r#") {
        ("", 2)
    } else if is_name(rest) {
        (&rest[..word], word)
    } else if rest.starts_with("::") {
        ("::", 2)
    } else if c.is_whitespace() {
        ("", c.len_utf8())
    } else {
        (&rest[..c.len_utf8()], c.len_utf8())
    }
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match rest.as_bytes()[at..] {
            [b'/', b'*', ..] => depth += 1,
            [b'*', b'/', ..] => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            break;
        }
    }
    at
}

fn raw_string(rest: &str) -> Option<usize> {
    let body = ["r", "br", "cr"].iter().find_map(|prefix| rest.strip_prefix(prefix))?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    let text = body[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(rest.len() - text.len() + text.find(&end).map_or(text.len(), |at| at + end.len()))
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if !escaped && c == quote {
            return at + 1;
        }
        escaped = !escaped && c == '\\';
    }
    rest.len()
}
