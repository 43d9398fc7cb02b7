//! Shares from outside: every quorum, every refusal, every typing error.

use lukko::error::{Object, ShareFault};
use lukko::*;

use super::clinic::{Clinic, SUITES, TestRng};

fn vault_of(policy: Policy, suite: Suite, rng: &mut TestRng) -> (PinnedDescriptor, Vec<Vec<u8>>) {
    let registrar = RegistrarKey::generate(rng).unwrap();
    let NewVault { descriptor, shares, .. } = create(policy, suite, &registrar.public(), rng).unwrap();
    let pinned = Pin::new(descriptor.fingerprint(), &descriptor).unwrap().check(descriptor).unwrap();
    (pinned, shares.iter().map(|share| share.to_bytes().expose().to_vec()).collect())
}

fn recover<'a>(descriptor: &PinnedDescriptor, shares: impl IntoIterator<Item = &'a Vec<u8>>) -> Result<MasterKey> {
    let mut recovery = Recovery::new(descriptor);
    for bytes in shares {
        recovery.add(Share::from_bytes(bytes)?)?;
    }
    recovery.finish()
}

fn fault(error: Error) -> (u8, ShareFault) {
    match error {
        Error::Share { index, reason } => (index, reason),
        other => panic!("{other:?}"),
    }
}

/// T056 and T057: every subset of every policy with n <= 8.
#[test]
fn t056_t057_every_subset_recovers_or_says_how_many_are_missing() {
    let mut rng = TestRng::new(0x56);
    let all = (2..=8_u8).flat_map(|n| (2..=n).map(move |k| (k, n)));
    for (k, n) in all {
        let policy = Policy::new(k, n).or(Policy::minority(k, n)).or(Policy::unanimous(n)).unwrap();
        assert_eq!((policy.k(), policy.n()), (k, n));
        let (descriptor, shares) = vault_of(policy, Suite::X25519, &mut rng);
        for subset in 0..1_u32 << n {
            let chosen = (0..n).filter(|x| subset >> x & 1 == 1).map(|x| &shares[usize::from(x)]);
            let have = subset.count_ones() as u8;
            match recover(&descriptor, chosen) {
                Ok(master) => {
                    assert!(have >= k);
                    assert_eq!(master.fingerprint(), descriptor.master_fingerprint());
                }
                Err(error) => {
                    assert!(have < k, "{have} of {k}: {error:?}");
                    assert_eq!(error, Error::NotEnoughShares { have, need: k });
                }
            }
        }
    }
}

#[test]
fn the_largest_policies_recover() {
    let mut rng = TestRng::new(0xFF);
    for policy in [Policy::new(128, 255), Policy::unanimous(255), Policy::minority(2, 255)].map(Result::unwrap) {
        let (descriptor, shares) = vault_of(policy, Suite::X25519, &mut rng);
        let master = recover(&descriptor, shares.iter().rev().take(usize::from(policy.k()))).unwrap();
        assert_eq!((master.vault(), master.generation()), (descriptor.vault(), 1));
        assert!(recover(&descriptor, &shares).is_ok());
    }
}

/// T067: the limits, exactly.
#[test]
fn t067_policies_have_exact_limits() {
    use lukko::error::Usage::{PolicyMinority, PolicyRange, PolicyUnanimous};
    for k in 0..=255_u8 {
        for n in 0..=255_u8 {
            let expected = match (k, n) {
                _ if k < 2 || k > n => Err(Error::Usage(PolicyRange)),
                _ if k == n => Err(Error::Usage(PolicyUnanimous)),
                _ if u16::from(k) * 2 <= u16::from(n) => Err(Error::Usage(PolicyMinority)),
                _ => Ok((k, n)),
            };
            assert_eq!(Policy::new(k, n).map(|policy| (policy.k(), policy.n())), expected);
            let minority = k >= 2 && u16::from(k) * 2 <= u16::from(n);
            assert_eq!(Policy::minority(k, n).is_ok(), minority, "{k} of {n}");
        }
        assert_eq!(Policy::unanimous(k).is_ok(), k >= 2);
    }
}

#[test]
fn t058_t059_a_share_given_twice_is_named() {
    let clinic = Clinic::new(Suite::X25519, 58);
    let mut recovery = Recovery::new(&clinic.pinned);
    let progress = recovery.add(clinic.shares().remove(0)).unwrap();
    assert_eq!(progress, Progress { have: 1, need: 2 });
    let refused = recovery.add(clinic.shares().remove(0)).unwrap_err();
    assert_eq!(fault(refused), (1, ShareFault::Duplicate));
    // The same index with another value is not even a share of this vault.
    let mut altered = clinic.shares()[0].to_bytes().expose().to_vec();
    altered[74] ^= 1;
    let refused = recovery.add(Share::from_bytes(&altered).unwrap()).unwrap_err();
    assert_eq!(fault(refused), (1, ShareFault::Value));
    // What was refused changed nothing.
    assert_eq!(recovery.finish().unwrap_err(), Error::NotEnoughShares { have: 1, need: 2 });
    recovery.add(clinic.shares().remove(2)).unwrap();
    assert!(recovery.finish().is_ok());
    assert_eq!(recovery.progress(), Progress { have: 0, need: 2 });
}

/// T060 and T061: x = 0 is the secret itself. No share has it, no parser lets it in.
#[test]
fn t060_t061_index_zero_and_above_n_are_refused() {
    let clinic = Clinic::new(Suite::X25519, 60);
    assert_eq!(clinic.shares().iter().map(Share::index).collect::<Vec<_>>(), [1, 2, 3]);
    let bytes = clinic.shares()[0].to_bytes().expose().to_vec();
    for x in (0..=255_u8).filter(|x| !(1..=3).contains(x)) {
        let mut moved = bytes.clone();
        moved[42] = x;
        let refused = Share::from_bytes(&moved).unwrap_err();
        assert_eq!(refused, Error::Malformed { object: Object::Share, field: "x", offset: 42 });
    }
    // Moved to another index that exists, it is not the share that was dealt there.
    let mut moved = bytes;
    moved[42] = 2;
    let refused = clinic.pinned.check_share(&Share::from_bytes(&moved).unwrap()).unwrap_err();
    assert_eq!(fault(refused), (2, ShareFault::Value));
}

#[test]
fn t062_t063_t066_shares_of_elsewhere_are_named() {
    let (clinic, other) = (Clinic::new(Suite::X25519, 62), Clinic::new(Suite::X25519, 63));
    let refused = clinic.pinned.check_share(&other.shares()[1]).unwrap_err();
    assert_eq!(fault(refused), (2, ShareFault::Vault));
    let bytes = clinic.shares()[1].to_bytes().expose().to_vec();
    let changed = |offset: usize, value: u8| {
        let mut bytes = bytes.clone();
        bytes[offset] = value;
        Share::from_bytes(&bytes).and_then(|share| clinic.pinned.check_share(&share)).unwrap_err()
    };
    assert_eq!(fault(changed(39, 2)), (2, ShareFault::Generation));
    assert_eq!(fault(changed(40, 3)), (2, ShareFault::Threshold));
    assert_eq!(fault(changed(41, 4)), (2, ShareFault::Count));
    for (offset, value, field) in [(40, 0, "k"), (40, 1, "k"), (40, 4, "k"), (41, 1, "k"), (39, 0, "generation")] {
        assert!(matches!(changed(offset, value), Error::Malformed { field: met, .. } if met == field));
    }
    // A share that claims the true vault id, and so passes that check, still has the wrong value.
    let mut claimed = other.shares()[1].to_bytes().expose().to_vec();
    claimed[4..36].copy_from_slice(clinic.descriptor.vault().as_bytes());
    let refused = clinic.pinned.check_share(&Share::from_bytes(&claimed).unwrap()).unwrap_err();
    assert_eq!(fault(refused), (2, ShareFault::Value));
}

/// T064: every bit of every share.
#[test]
fn t064_every_flipped_bit_of_every_share_is_refused() {
    let clinic = Clinic::new(Suite::X25519, 64);
    for share in clinic.shares() {
        let mut bytes = share.to_bytes().expose().to_vec();
        for position in 0..bytes.len() * 8 {
            bytes[position / 8] ^= 1 << (position % 8);
            let refused = Share::from_bytes(&bytes).and_then(|share| clinic.pinned.check_share(&share));
            let public = matches!(refused, Err(Error::Malformed { .. } | Error::Share { .. }));
            assert!(public, "share {} with bit {position} flipped", share.index());
            bytes[position / 8] ^= 1 << (position % 8);
        }
    }
}

#[test]
fn share_texts_round_trip() {
    for suite in SUITES {
        let clinic = Clinic::new(suite, 74);
        for (share, text) in clinic.shares().iter().zip(&clinic.share_texts) {
            assert_eq!(text.len(), 132);
            assert!(text.starts_with("lukko1"));
            let spaced: String =
                text.as_bytes().chunks(11).map(|group| format!(" {}\n", str::from_utf8(group).unwrap())).collect();
            for typed in [text.clone(), text.to_ascii_uppercase(), spaced] {
                let read = Share::from_text(&typed).unwrap();
                assert_eq!(read.to_bytes().expose(), share.to_bytes().expose());
            }
        }
    }
}

const ALPHABET: &str = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

fn text_fault(text: &str) -> (&'static str, usize) {
    match Share::from_text(text) {
        Err(Error::ShareCharacter { met, position }) => {
            assert!(!ALPHABET.contains(met), "{met:?} can be part of a share");
            ("no share has it", position)
        }
        Err(Error::Malformed { object: Object::ShareText, field, offset }) => (field, offset),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("accepted"),
    }
}

/// T074: every other ASCII character at every place of one share; the place is named.
#[test]
fn t074_every_wrong_character_is_detected_and_located() {
    let clinic = Clinic::new(Suite::X25519, 75);
    let text = &clinic.share_texts[0];
    for position in 0..text.len() {
        for typed in (0x21..0x7F_u8).filter(|typed| *typed != text.as_bytes()[position]) {
            let mut wrong = text.clone().into_bytes();
            wrong[position] = typed;
            if (typed, position) == (b'L', 0) {
                continue; // The first letter may be a capital.
            }
            let met = text_fault(str::from_utf8(&wrong).unwrap());
            let expected = match typed {
                b'-' => ("length", 131),
                _ if !typed.is_ascii_alphanumeric() => ("no share has it", position),
                // The first letter in the other case is at this place, or right behind it.
                _ if typed.is_ascii_uppercase() && position > 0 => ("letter case", position),
                _ if position < 6 => ("prefix", position),
                _ if !ALPHABET.contains(char::from(typed)) => ("no share has it", position),
                _ => ("character", position),
            };
            assert_eq!(met, expected, "character {typed:#x} at {position}");
        }
    }
}

/// T074: what people see and paste, in the forms that others have met: every one is read, or refused by name and place.
#[test]
fn t074_a_share_is_read_as_people_type_and_paste_it() {
    let clinic = Clinic::new(Suite::X25519, 78);
    let text = &clinic.share_texts[0];
    let groups = |size: usize, between: &str| {
        text.as_bytes().chunks(size).map(|group| str::from_utf8(group).unwrap()).collect::<Vec<_>>().join(between)
    };
    let capital = text[..1].to_uppercase() + &text[1..];
    let mut good = vec![capital.clone(), text.to_uppercase(), format!("\u{feff}{text}\u{200b}"), groups(66, "-\n")];
    good.push(capital.replace("ukko1", "-u-k-k-o-1"));
    // The property White_Space of Unicode (PropList.txt), and what stands between groups without being seen.
    let white = [
        0x9, 0xA, 0xB, 0xC, 0xD, 0x20, 0x85, 0xA0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006,
        0x2007, 0x2008, 0x2009, 0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000,
    ];
    let marks = [0x2D, 0xAD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2010, 0x2011, 0x2060, 0xFEFF];
    for passed in white.into_iter().chain(marks) {
        let passed = char::from_u32(passed).unwrap();
        good.push(groups(4, &passed.to_string()));
        good.push(format!("{passed}{text}{passed}"));
    }
    for typed in good {
        let read = Share::from_text(&typed).unwrap_or_else(|error| panic!("{typed:?}: {error}"));
        assert_eq!(read.to_bytes().expose(), clinic.shares()[0].to_bytes().expose());
    }
    let at = |position: usize, typed: &str| [&text[..position], typed, &text[position + 1..]].concat();
    let two = (at(20, if &text[20..21] == "q" { "p" } else { "q" }), if &text[50..51] == "q" { "p" } else { "q" });
    let two = [&two.0[..50], two.1, &two.0[51..]].concat();
    let bad = [
        (format!("\"{text}\""), "a character that no share has (U+0022) at 0"),
        (format!("\u{201c}{text}\u{201d}"), "a character that no share has (U+201C) at 0"),
        (format!("{text}."), "a character that no share has (U+002E) at 132"),
        (format!("Share 1: {text}"), "a character that no share has (U+003A) at 6"),
        (at(5, "\u{ff11}"), "a character that no share has (U+FF11) at 5"),
        (at(40, "\u{430}"), "a character that no share has (U+0430) at 40"),
        (at(40, "O").to_lowercase(), "a character that no share has (U+006F) at 40"),
        (at(41, "1"), "a character that no share has (U+0031) at 41"),
        (at(41, "\u{2013}"), "a character that no share has (U+2013) at 41"),
        (at(41, "\u{0}"), "a character that no share has (U+0000) at 41"),
        ([&text[..60], &text[61..]].concat(), "131 characters, and a share has 132"),
        ([&text[..60], &text[59..]].concat(), "133 characters, and a share has 132"),
        (text.repeat(2), "264 characters, and a share has 132"),
        (String::new(), "0 characters, and a share has 132"),
        (two, "more than one character is wrong"),
        (at(0, "m"), "a share begins with `lukko1`, and has another character at 0"),
        (text[..5].to_uppercase() + &text[5..], "small letters and capitals are mixed"),
    ];
    for (typed, expected) in bad {
        let said = Share::from_text(&typed).unwrap_err().to_string();
        assert!(said.starts_with(&format!("malformed share text: {expected}")), "{said}");
        // Nothing of the share is in it.
        assert!((0..text.len() - 8).all(|at| at == 0 || !said.contains(&text[at..at + 8])), "{said}");
    }
}

#[test]
fn t074_every_transposition_is_detected() {
    let clinic = Clinic::new(Suite::X25519, 76);
    let text = clinic.share_texts[0].as_bytes();
    for position in (0..131).filter(|position| text[*position] != text[*position + 1]) {
        let mut swapped = text.to_vec();
        swapped.swap(position, position + 1);
        let (field, met) = text_fault(str::from_utf8(&swapped).unwrap());
        if position >= 6 {
            assert_eq!((field, met), ("transposition", position));
        }
    }
}

#[test]
fn t074_missing_extra_and_doubled_text_is_detected() {
    let clinic = Clinic::new(Suite::X25519, 77);
    let text = &clinic.share_texts[0];
    for position in 0..=text.len() {
        let (head, tail) = text.split_at(position);
        if !tail.is_empty() {
            assert_eq!(text_fault(&format!("{head}{}", &tail[1..])), ("length", 131));
        }
        for extra in ALPHABET.chars() {
            assert_eq!(text_fault(&format!("{head}{extra}{tail}")).0, "length");
        }
    }
    assert_eq!(text_fault(&text.repeat(2)), ("length", 264));
    assert_eq!(text_fault(""), ("length", 0));
    assert_eq!(text_fault("lukko1ä"), ("no share has it", 6));
    // Three wrong characters: detected by the code's distance, but there is no single place to name.
    let mut wrong = text.clone().into_bytes();
    for position in [20, 60, 100] {
        wrong[position] = if wrong[position] == b'q' { b'p' } else { b'q' };
    }
    assert_eq!(text_fault(str::from_utf8(&wrong).unwrap()), ("checksum", 0));
}

/// Decoding a share of another program: Bech32m of another length or with another prefix.
#[test]
fn foreign_bech32m_is_refused() {
    // BIP 350, test vectors: valid Bech32m, not a share.
    assert_eq!(text_fault("abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx").0, "length");
    assert_eq!(text_fault("?1v759aa"), ("no share has it", 0));
}
