//! A share's text, as someone types it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lukko::Share;

fuzz_target!(|text: &str| {
    let Ok(share) = Share::from_text(text) else { return };
    let passed_over = |typed: &char| {
        typed.is_whitespace()
            || "-\u{2010}\u{2011}\u{ad}\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{2060}\u{feff}".contains(*typed)
    };
    let typed: String = text.chars().filter(|typed| !passed_over(typed)).collect();
    assert_eq!(share.to_text().expose(), typed.to_ascii_lowercase());
    // The first letter may be a capital; the others are of one case.
    let rest = &typed[1..];
    let small = rest == rest.to_ascii_lowercase();
    assert!(small || typed == typed.to_ascii_uppercase());
});
