//! Tables, ratios and charts of what was measured.

use std::path::Path;

use crate::work::Outcome;

mod chart;
mod charts;
mod document;
mod ratios;
mod samples;
mod tables;

use samples::Samples;

/// Prints the tables and the lines `RATIO NAME VALUE`, and writes the documents below `write`, the root of the
/// repository.
///
/// # Errors
/// A line that is no measurement; that of a file.
pub fn report(measured: &str, about: &[String], write: Option<&Path>) -> Outcome {
    let samples = Samples::read(measured)?;
    let tables = tables::all(&samples);
    let ratios = ratios::measured(&samples);
    let table = ratios::table(&ratios);
    println!("{tables}\n{table}");
    print!("{}", ratios::lines(&ratios));
    let Some(root) = write else { return Ok(()) };
    let docs = root.join("docs");
    let section = format!("{}\n{tables}\n{table}", document::about(about, samples.rounds()));
    document::update(&docs.join("BENCHMARKS.md"), &section)?;
    std::fs::write(docs.join("benchmarks.svg"), charts::everything(&samples))?;
    std::fs::write(docs.join("seal-open.svg"), charts::seal_open(&samples))?;
    Ok(())
}
