//! What the tests share: the header's functions, and how C programs are built and run.
#![allow(dead_code, unreachable_pub, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// A function of the header: its name, and type and name of each parameter.
#[derive(Debug)]
pub struct Function {
    pub name: String,
    pub parameters: Vec<(String, String)>,
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub fn header() -> String {
    fs::read_to_string(root().join("include/lukko.h")).expect("include/lukko.h")
}

/// Every function of the header that returns a code.
pub fn functions(header: &str) -> Vec<Function> {
    let text = without_comments(header);
    let mut functions = Vec::new();
    for part in text.split("int32_t lukko_").skip(1) {
        let (name, rest) = part.split_once('(').expect("a parameter list");
        let (list, _) = rest.split_once(");").expect("an end");
        let parameters = list.split(',').map(parameter).filter(|(kind, _)| !kind.is_empty() && kind != "void");
        functions.push(Function { name: format!("lukko_{name}"), parameters: parameters.collect() });
    }
    functions
}

/// Names of all functions, also of those that return a text.
pub fn symbols(header: &str) -> Vec<String> {
    let mut names: Vec<String> = functions(header).into_iter().map(|function| function.name).collect();
    for part in without_comments(header).split("const char *lukko_").skip(1) {
        names.push(format!("lukko_{}", part.split('(').next().expect("a name")));
    }
    names.sort();
    names
}

fn without_comments(text: &str) -> String {
    let mut code = String::new();
    for part in text.split("/*") {
        code.push_str(part.split_once("*/").map_or(part, |(_, after)| after));
    }
    code
}

fn parameter(text: &str) -> (String, String) {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let at = text.rfind([' ', '*']).map_or(0, |at| at + 1);
    (text[..at].trim().to_owned(), text[at..].to_owned())
}

/// The folder where cargo has put this crate's libraries: that of the running test.
fn libraries() -> PathBuf {
    env::current_exe().expect("a test").parent().expect("a folder").to_owned()
}

pub fn static_library() -> PathBuf {
    libraries().join("liblukko_ffi.a")
}

pub fn shared_library() -> PathBuf {
    libraries().join("liblukko_ffi.so")
}

/// A folder of its own for one test, inside of cargo's.
pub fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Runs a command and gives what it printed; fails the test if it fails.
pub fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let faults = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{text}{faults}", output.status);
    text
}

/// How programs are run: `plain`, `valgrind` or `asan`, from the environment variable `LUKKO_FFI_CHECK`.
pub fn mode() -> String {
    env::var("LUKKO_FFI_CHECK").unwrap_or_else(|_| "plain".to_owned())
}

/// Builds a C or C++ program against the static library, every warning an error.
pub fn build(source: &Path, standard: &str) -> PathBuf {
    let cpp = source.extension().is_some_and(|extension| extension == "cpp");
    let (name, compiler) = (source.file_stem().expect("a name"), if cpp { "c++" } else { "cc" });
    let program = folder("programs").join(format!("{}-{standard}-{}", name.display(), mode()));
    let mut command = Command::new(compiler);
    command.arg(format!("-std={standard}")).args(["-g", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]);
    if mode() == "asan" {
        command.args(["-fsanitize=address", "-fno-omit-frame-pointer"]);
    }
    command.arg("-I").arg(root().join("include")).arg("-I").arg(root().join("tests/c")).arg(source);
    command.arg(static_library()).args(["-lpthread", "-lm", "-ldl", "-o"]).arg(&program);
    succeed(&mut command);
    program
}

/// The same for a program that unloads a library: the table of objects is lost with it.
pub fn prepared_to_lose_memory(program: &Path) -> Command {
    if mode() == "valgrind" {
        let mut command = Command::new("valgrind");
        command.args(["-q", "--error-exitcode=99"]).arg(program);
        return command;
    }
    let mut command = Command::new(program);
    command.env("ASAN_OPTIONS", "detect_leaks=0");
    command
}

/// A program, ready to run in the mode that is asked for.
pub fn prepared(program: &Path) -> Command {
    if mode() != "valgrind" {
        return Command::new(program);
    }
    let mut command = Command::new("valgrind");
    command.args([
        "-q",
        "--error-exitcode=99",
        "--leak-check=full",
        "--errors-for-leak-kinds=definite",
        "--fair-sched=yes",
    ]);
    command.arg(program);
    command
}
