//! A share as text: Bech32m (BIP 350) with the prefix `lukko`, for paper and for typing.
//!
//! Custodians type what they see: white space, hyphens and marks that nobody sees are passed over. Capitals are accepted if
//! all letters are capitals (BIP 173), and the first letter alone may be one, as phones write it. Bech32m detects up to three
//! wrong characters at this length, so every wrong character and every transposition; where one of them explains the
//! whole error, its place is named.

use alloc::string::String;

use bech32::primitives::decode::CheckedHrpstring;
use bech32::primitives::iter::{ByteIterExt, Fe32IterExt};
use bech32::{Bech32m, Hrp};
use zeroize::Zeroizing;

use super::share::SHARE_LEN;
use crate::error::{Error, Object, Result};

/// The human-readable part and the separator.
const PREFIX: &[u8] = b"lukko1";
/// The characters of Bech32, by value (BIP 173).
const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
/// Prefix, 120 characters of data, six of checksum.
pub(crate) const TEXT_LEN: usize = 132;

/// One character's text, lower case, without white space; wiped on drop.
type Text = Zeroizing<[u8; TEXT_LEN]>;

/// Writes a share's bytes as 132 lower-case characters.
pub(crate) fn encode(share: &[u8; SHARE_LEN]) -> String {
    let mut text = String::with_capacity(TEXT_LEN);
    let prefix = Hrp::parse_unchecked("lukko");
    text.extend(share.iter().copied().bytes_to_fes().with_checksum::<Bech32m>(&prefix).chars());
    text
}

/// Reads a share's bytes from text into memory that the caller wipes.
///
/// # Errors
/// [`Error::ShareCharacter`] for the first character that no share has; [`Error::Malformed`] with the position of the first
/// character that cannot stand there, or of the one wrong character or transposition that explains a failed checksum;
/// `checksum` with offset 0 where more are wrong; `length` with the number of characters.
pub(crate) fn decode_into(text: &str, share: &mut [u8; SHARE_LEN]) -> Result<()> {
    let text = normalise(text)?;
    check_characters(&text)?;
    if !is_valid(&text) {
        return Err(locate(&text));
    }
    read_data(&text, share).ok_or_else(|| refuse("checksum", 0))
}

const fn refuse(field: &'static str, position: usize) -> Error {
    Error::malformed(Object::ShareText, field, position)
}

/// Characters between those of a share: white space, hyphens, and marks without a shape.
const fn is_passed_over(met: char) -> bool {
    met.is_whitespace()
        || matches!(met, '-' | '\u{2010}' | '\u{2011}' | '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}')
}

/// Drops what is passed over, requires letters of one case and the exact length, gives lower case.
fn normalise(text: &str) -> Result<Text> {
    let mut normal = Zeroizing::new([0; TEXT_LEN]);
    let mut slots = normal.iter_mut();
    let (mut lower, mut upper) = (false, false);
    let (mut characters, mut wrong_case) = (0, None);
    for (position, met) in text.chars().filter(|met| !is_passed_over(*met)).enumerate() {
        let byte = u8::try_from(met).ok().filter(u8::is_ascii_alphanumeric);
        let byte = byte.ok_or(Error::ShareCharacter { met, position })?;
        lower |= byte.is_ascii_lowercase();
        // The first letter alone may be a capital.
        upper |= byte.is_ascii_uppercase() && position > 0;
        if lower && upper && wrong_case.is_none() {
            wrong_case = Some(position);
        }
        if let Some(slot) = slots.next() {
            *slot = byte.to_ascii_lowercase();
        }
        characters = position.saturating_add(1);
    }
    match wrong_case {
        Some(position) => Err(refuse("letter case", position)),
        None if characters == TEXT_LEN => Ok(normal),
        None => Err(refuse("length", characters)),
    }
}

/// The prefix, then only characters of the alphabet.
fn check_characters(text: &Text) -> Result<()> {
    let (prefix, data) = text.split_at_checked(PREFIX.len()).unwrap_or((&[], &[]));
    if let Some(position) = prefix.iter().zip(PREFIX).position(|(met, expected)| met != expected) {
        return Err(refuse("prefix", position));
    }
    match data.iter().enumerate().find(|(_, byte)| !ALPHABET.contains(byte)) {
        Some((position, byte)) => {
            let position = position.saturating_add(PREFIX.len());
            Err(Error::ShareCharacter { met: char::from(*byte), position })
        }
        None => Ok(()),
    }
}

fn checked(text: &Text) -> Option<CheckedHrpstring<'_>> {
    CheckedHrpstring::new::<Bech32m>(core::str::from_utf8(text.as_slice()).ok()?).ok()
}

fn is_valid(text: &Text) -> bool {
    checked(text).is_some()
}

fn read_data(text: &Text, share: &mut [u8; SHARE_LEN]) -> Option<()> {
    let checked = checked(text)?;
    let mut bytes = checked.fe32_iter().fes_to_bytes();
    for slot in share.iter_mut() {
        *slot = bytes.next()?;
    }
    bytes.next().is_none().then_some(())
}

/// Looks for the one wrong character, or the one transposition, that makes the checksum right.
fn locate(text: &Text) -> Error {
    let mut trial = text.clone();
    for position in PREFIX.len()..TEXT_LEN {
        if corrects_at(&mut trial, text, position) {
            return refuse("character", position);
        }
        if swaps_at(&mut trial, text, position) {
            return refuse("transposition", position);
        }
    }
    refuse("checksum", 0)
}

/// Whether some other character at this position makes the text valid; restores `trial`.
fn corrects_at(trial: &mut Text, text: &Text, position: usize) -> bool {
    let found = ALPHABET.iter().any(|character| {
        if let Some(slot) = trial.get_mut(position) {
            *slot = *character;
        }
        is_valid(trial)
    });
    trial.copy_from_slice(text.as_slice());
    found
}

/// Whether exchanging the characters at this position and the next makes the text valid; restores `trial`.
fn swaps_at(trial: &mut Text, text: &Text, position: usize) -> bool {
    let next = position.saturating_add(1);
    let found = next < TEXT_LEN && {
        trial.swap(position, next);
        is_valid(trial)
    };
    trial.copy_from_slice(text.as_slice());
    found
}
