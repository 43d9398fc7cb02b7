//! Programs in other languages, built and run. `LUKKO_FFI_CHECK=valgrind` or `asan` runs those in C and C++ under a checker.

use std::fs;
use std::process::Command;

#[path = "support/shared.rs"]
mod support;

use support::{build, folder, mode, prepared, root, shared_library, succeed};

/// T120: the header by itself, in each language and standard.
#[test]
fn t120_the_header_compiles_everywhere() {
    for (compiler, language, standard) in [
        ("cc", "c", "c99"),
        ("cc", "c", "c11"),
        ("cc", "c", "c17"),
        ("c++", "c++", "c++11"),
        ("c++", "c++", "c++17"),
        ("c++", "c++", "c++20"),
    ] {
        let mut command = Command::new(compiler);
        command.args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-x", language]);
        succeed(command.arg(format!("-std={standard}")).arg(root().join("include/lukko.h")));
    }
}

#[test]
fn the_example_in_c_runs() {
    for standard in ["c99", "c11"] {
        let program = build(&root().join("examples/clinic.c"), standard);
        let printed = succeed(&mut prepared(&program));
        assert!(printed.contains("the quorum reads: slept better") && printed.contains("handles left: 0"), "{printed}");
    }
}

#[test]
fn the_example_in_cpp_runs() {
    let program = build(&root().join("examples/clinic.cpp"), "c++17");
    let printed = succeed(&mut prepared(&program));
    assert!(printed.contains("the quorum reads: slept better") && printed.contains("handles left: 0"), "{printed}");
}

#[test]
fn the_example_in_python_runs() {
    let mut command = Command::new("python3");
    command.arg("-B").arg(root().join("examples/clinic.py")).env("LUKKO_LIBRARY", shared_library());
    let printed = succeed(&mut command);
    assert!(printed.contains("the quorum reads: slept better") && printed.contains("handles left: 0"), "{printed}");
}

/// T113, T115.
#[test]
fn t115_threads_callbacks_and_overlapping_buffers() {
    let program = build(&root().join("tests/c/threads.c"), "c99");
    let printed = succeed(&mut prepared(&program));
    assert!(printed.ends_with("done\n"), "{printed}");
}

/// T113: only `LUKKO_CALLBACK_OK` is success, streams at capacity 0, and what a call that failed leaves behind.
#[test]
fn t113_callbacks_failures_and_sizes_in_c() {
    let program = build(&root().join("tests/c/callbacks.c"), "c99");
    let printed = succeed(&mut prepared(&program));
    assert!(printed.ends_with("done\n"), "{printed}");
}

/// What a person takes back or brings later: shares, destructions, cards and grants.
#[test]
fn endings_of_patients_and_generations() {
    for (source, standard) in [("endings.c", "c99"), ("endings.cpp", "c++17")] {
        let program = build(&root().join("tests/c").join(source), standard);
        let printed = succeed(&mut prepared(&program));
        assert!(printed.ends_with("done\n"), "{printed}");
    }
}

#[test]
fn callbacks_that_throw_in_cpp() {
    let program = build(&root().join("tests/c/callbacks.cpp"), "c++17");
    let printed = succeed(&mut prepared(&program));
    assert!(printed.ends_with("done\n"), "{printed}");
}

#[test]
fn callbacks_that_raise_in_python() {
    let printed = succeed(&mut python("callbacks_ctypes.py"));
    assert!(printed.ends_with("done\n"), "{printed}");
    if Command::new("python3").args(["-c", "import cffi"]).output().is_ok_and(|output| output.status.success()) {
        let printed = succeed(&mut python("callbacks_cffi.py"));
        assert!(printed.ends_with("done\n"), "{printed}");
    } else {
        println!("NOT SHOWN: Python has no cffi here; ffi/check installs it");
    }
}

/// T122: no child of a fork hangs, whatever other threads were doing.
#[test]
fn t122_children_of_a_fork_get_their_answers() {
    let program = build(&root().join("tests/c/fork.c"), "c99");
    let forks = if mode() == "plain" { "500" } else { "20" };
    let printed = succeed(prepared(&program).arg(forks));
    assert!(printed.ends_with("done\n"), "{printed}");
}

/// T122, under multiprocessing and under a server that forks its workers.
#[test]
fn t122_services_in_python_that_fork() {
    let printed = succeed(&mut python("fork.py"));
    assert!(printed.ends_with("done\n"), "{printed}");
}

/// A compiler says where a code is ignored, except that of freeing and wiping.
#[test]
fn an_ignored_code_is_a_warning() {
    for (name, compiler, standard) in [("ignored.c", "cc", "c99"), ("ignored.cpp", "c++", "c++17")] {
        let source = folder("ignored").join(name);
        for (call, warns) in [
            ("lukko_live_handles(&n)", true),
            ("lukko_strerror(0)", true),
            ("lukko_free(0)", false),
            ("lukko_wipe(&n, 1)", false),
        ] {
            fs::write(
                &source,
                format!("#include <lukko.h>\nvoid f(void);\nvoid f(void) {{ size_t n = 0; (void)n; {call}; }}\n"),
            )
            .expect("a source");
            let mut command = Command::new(compiler);
            command
                .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-c", "-o", "/dev/null", "-I"])
                .arg(root().join("include"));
            let output = command.arg(format!("-std={standard}")).arg(&source).output().expect("a compiler");
            let faults = String::from_utf8_lossy(&output.stderr);
            assert_eq!(!output.status.success(), warns, "{name}: {call}: {faults}");
            assert!(!warns || faults.contains("-Werror=unused-result"), "{name}: {call}: {faults}");
        }
    }
}

fn python(name: &str) -> Command {
    let mut command = Command::new("python3");
    command.arg("-B").arg(root().join("tests/python").join(name)).env("LUKKO_LIBRARY", shared_library());
    command
}

/// T122. The libraries are loaded by path, so that it is the same program in every mode.
#[test]
fn t122_two_copies_fork_and_unloading() {
    let copy = folder("twice").join("liblukko_copy.so");
    fs::copy(shared_library(), &copy).expect("a second library");
    let program = build(&root().join("tests/c/twice.c"), "c99");
    let printed = succeed(support::prepared_to_lose_memory(&program).arg(shared_library()).arg(&copy));
    assert!(printed.ends_with("done\n"), "{printed}");
}

/// The checkers are seen to find what they must.
#[test]
fn a_planted_overflow_is_found() {
    let program = build(&root().join("tests/c/planted.c"), "c99");
    if mode() == "plain" {
        return;
    }
    let output = prepared(&program).arg("overflow").output().expect("the program");
    let faults = String::from_utf8_lossy(&output.stderr);
    let noticed = faults.contains("heap-buffer-overflow") || faults.contains("Invalid write");
    assert!(noticed && !output.status.success(), "{} did not notice: {faults}", mode());
}
