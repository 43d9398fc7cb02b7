//! The tables of docs/FORMAT.md, from docs/format.json: the page, the code and the vectors are held to one file.

use std::fs;
use std::path::Path;

use serde_json::Value;

const TABLES: &str = include_str!("../../docs/format.json");
const START: &str = "<!-- ";
const END: &str = "<!-- end -->\n";

/// The file of tables.
pub(crate) fn tables() -> Value {
    serde_json::from_str(TABLES).expect("JSON")
}

/// Writes the tables of docs/format.json into the page, each behind its mark.
pub(crate) fn write_page(file: &Path) -> Result<String, String> {
    let page = fs::read_to_string(file).map_err(|error| error.to_string())?;
    fs::write(file, rewritten(&page)?).map_err(|error| error.to_string())?;
    Ok(format!("written: {}", file.display()))
}

/// The page, with each table between `<!-- name -->` and `<!-- end -->` made anew.
fn rewritten(page: &str) -> Result<String, String> {
    let (mut out, mut rest) = (String::new(), page);
    while let Some((before, behind)) = rest.split_once(START) {
        let (mark, behind) = behind.split_once(" -->\n").ok_or("a mark without its end")?;
        let (_, behind) = behind.split_once(END).ok_or_else(|| format!("no end: {mark}"))?;
        let table = table(mark).ok_or_else(|| format!("no table: {mark}"))?;
        out += &format!("{before}{START}{mark} -->\n{table}{END}");
        rest = behind;
    }
    Ok(out + rest)
}

fn table(mark: &str) -> Option<String> {
    let tables = tables();
    let (kind, name) = mark.split_once(' ').unwrap_or((mark, ""));
    let rows =
        |list: &Value, row: fn(&Value) -> String| list.as_array().map(|list| list.iter().map(row).collect::<String>());
    let (head, body) = match kind {
        "suites" => (
            "| suite | `suite` (u16) | KEM | public key | encapsulation | sealed secret |\n|---|---|---|---|---|---|\n",
            rows(&tables["suites"], suite_row)?,
        ),
        "labels" => ("| use | labels |\n|---|---|\n", rows(&tables["labels"], label_row)?),
        "fields" => ("| field | bytes | |\n|---|---|---|\n", rows(&tables["objects"][name], field_row)?),
        "classes" => ("| class | when |\n|---|---|\n", rows(&tables["classes"], class_row)?),
        "checks" => {
            let checks = tables["checks"][name].as_array()?;
            let row = |(check, place): (&Value, usize)| {
                format!("| {place} | {} | {} |\n", text(check, "check"), text(check, "class"))
            };
            ("| | checks, in order | class |\n|---|---|---|\n", checks.iter().zip(1..).map(row).collect())
        }
        _ => return None,
    };
    Some(format!("{head}{body}"))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// A number with commas, or a text.
fn size(value: &Value) -> String {
    match value.as_u64() {
        Some(number) if number > 999 => format!("{},{:03}", number / 1000, number % 1000),
        Some(number) => number.to_string(),
        None => value.as_str().unwrap_or_default().to_owned(),
    }
}

fn suite_row(suite: &Value) -> String {
    let default = if suite["default"] == true { " (default)" } else { "" };
    let [public, encapsulation, sealed] =
        ["public key", "encapsulation", "sealed secret"].map(|name| size(&suite[name]));
    let (name, id, kem) = (text(suite, "name"), text(suite, "id"), text(suite, "kem"));
    format!("| {name}{default} | {id} | {kem} | {public} | {encapsulation} | {sealed} |\n")
}

fn label_row(row: &Value) -> String {
    let (name, labels) = (text(row, "use"), row["names"].as_array().into_iter().flatten());
    let labels: Vec<String> = labels.map(|label| format!("`{}`", label.as_str().unwrap_or_default())).collect();
    let name = if name.contains(' ') { name.to_owned() } else { format!("`{name}`") };
    format!("| {name} | {} |\n", labels.join(", "))
}

fn field_row(field: &Value) -> String {
    let condition = field["if"].as_array().map(|condition| {
        let values: Vec<String> = condition.iter().skip(1).map(size).collect();
        format!("if {} is {}", condition[0].as_str().unwrap_or_default(), values.join(" or "))
    });
    let parts = [condition.unwrap_or_default(), text(field, "value").to_owned()];
    let value: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("| {} | {} | {} |\n", text(field, "name"), size(&field["bytes"]), value.join(": "))
}

fn class_row(class: &Value) -> String {
    format!("| {} | {} |\n", text(class, "name"), text(class, "when"))
}

#[cfg(test)]
mod musts;
#[cfg(test)]
mod tests;
