//! T109: nothing that is printed shows a secret.

use std::fmt::Debug;

use lukko::*;

use super::clinic::{Clinic, NOTE, SUITES};

/// The ways in which bytes get into a log: as text, hexadecimal in both cases, a decimal list.
fn renderings(secret: &[u8]) -> Vec<String> {
    let windows = secret.windows(8.min(secret.len()));
    windows
        .flat_map(|window| {
            let list = format!("{window:?}");
            [
                String::from_utf8_lossy(window).into_owned(),
                hex::encode(window),
                hex::encode_upper(window),
                list.trim_matches(['[', ']']).to_owned(),
            ]
        })
        .collect()
}

fn shows(printed: &str, secret: &[u8]) -> bool {
    renderings(secret).iter().any(|rendering| printed.contains(rendering.as_str()))
}

#[test]
fn the_search_finds_what_is_shown() {
    let secret = b"sixteen secrets!";
    for printed in [format!("{:?}", secret), format!("{:x?}", hex::encode(secret)), "..sixteen secrets!..".to_owned()] {
        assert!(shows(&printed, secret), "{printed}");
    }
}

#[test]
fn t109_debug_shows_no_secret() {
    for suite in SUITES {
        let clinic = Clinic::new(suite, 109);
        let shares = clinic.shares();
        let (bytes, text) = (shares[0].to_bytes(), shares[0].to_text());
        let mut recovery = Recovery::new(&clinic.pinned);
        recovery.add(clinic.shares().remove(0)).unwrap();
        let opened = clinic.open(&clinic.sealed).unwrap();
        let seeds = [clinic.therapist.seed(), clinic.registrar.seed(), clinic.court.seed()];
        let deposited = clinic.open_deposit(&clinic.deposit.bytes).unwrap();
        let (key, id) = (&clinic.patient.key, clinic.deposited());
        let triage =
            clinic.vault.open_unattributed(key, Place::new(id, super::clinic::field()), &clinic.deposit.bytes).unwrap();
        let disclosed = clinic.vault.open_disclosure(&clinic.court, &clinic.disclosure).unwrap();
        let printable: [&dyn Debug; 20] = [
            &shares,
            &bytes,
            &text,
            &recovery,
            &opened,
            &seeds,
            &clinic.therapist,
            &clinic.registrar,
            &clinic.master,
            &clinic.patient.key,
            &clinic.vault,
            &clinic.pinned,
            &opened.plaintext,
            &Enroller::Member(&clinic.therapist),
            &clinic.court,
            &clinic.rotation,
            &deposited,
            &triage,
            &disclosed,
            &GrantKey::Master { key: &clinic.master, grant: &clinic.grant.bytes },
        ];
        let new_share = clinic.rotation.shares[0].to_bytes();
        let seeds = seeds.each_ref().map(SecretBytes::expose);
        let shares = [&bytes.expose()[43..], &new_share.expose()[43..], text.expose().as_bytes()];
        let secrets = [[NOTE].as_slice(), &shares, &seeds].concat();
        for value in printable {
            for printed in [format!("{value:?}"), format!("{value:#?}")] {
                assert!(!secrets.iter().any(|secret| shows(&printed, secret)), "{printed}");
            }
        }
    }
}

/// No error quotes a secret or a plaintext, nor the text of a share that was mistyped.
#[test]
fn t109_errors_show_no_secret() {
    let clinic = Clinic::new(Suite::X25519, 110);
    let text = &clinic.share_texts[0];
    let mut mistyped = text.clone();
    mistyped.replace_range(50..51, if &text[50..51] == "q" { "p" } else { "q" });
    let mut bytes = clinic.shares()[0].to_bytes().expose().to_vec();
    bytes[50] ^= 1;
    let mut record = clinic.sealed.clone();
    *record.last_mut().unwrap() ^= 1;
    let errors = [
        Share::from_text(&mistyped).unwrap_err(),
        clinic.pinned.check_share(&Share::from_bytes(&bytes).unwrap()).unwrap_err(),
        clinic.open(&record).unwrap_err(),
        Recovery::new(&clinic.pinned).finish().unwrap_err(),
    ];
    for error in errors {
        for printed in [format!("{error:?}"), error.to_string()] {
            for secret in [NOTE, &bytes[43..], text.as_bytes()] {
                assert!(!shows(&printed, secret), "{printed}");
            }
        }
    }
}

/// What people read says what to do.
#[test]
fn errors_speak_to_the_person_who_can_act() {
    let texts = [
        (Error::NotEnoughShares { have: 1, need: 3 }, "1 of 3 needed shares; 2 more"),
        (Error::Randomness, "the random number generator failed; nothing was made, try again"),
        (Error::NotAuthentic, "not authentic: wrong key, wrong place or altered bytes"),
    ];
    for (error, text) in texts {
        assert_eq!(error.to_string(), text);
    }
}
