//! A share's text, as someone types it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lukko::Share;

fuzz_target!(|text: &str| {
    let Ok(share) = Share::from_text(text) else { return };
    let typed: String = text.chars().filter(|typed| !typed.is_ascii_whitespace()).collect();
    assert_eq!(share.to_text().expose(), typed.to_ascii_lowercase());
    assert!(typed == typed.to_ascii_lowercase() || typed == typed.to_ascii_uppercase());
});
