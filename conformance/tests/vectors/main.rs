//! Published vectors through lukko's own rooms. Each test asserts how many cases it ran; `README.md` has the table.

mod aead;
mod ed25519;
mod hkdf;
mod hpke;
mod kat;
mod mlkem;
mod oracle;
mod tamper;
mod x25519;
mod xwing;
