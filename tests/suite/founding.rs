//! What a new vault consists of, in bytes and sizes, and against other implementations.

use lukko::*;

use super::clinic::{Clinic, NOTE, SUITES, TestRng, place};

/// The lengths that the documentation states.
#[test]
fn objects_have_the_documented_lengths() {
    for (suite, key, sealed_secret) in [(Suite::XWing, 1216, 1168), (Suite::X25519, 32, 80)] {
        assert_eq!((suite.public_key_len(), suite.sealed_secret_len()), (key, sealed_secret));
        let clinic = Clinic::new(suite, 0x10);
        assert_eq!(clinic.descriptor.as_bytes().len(), 44 + key + 64 + 3 * 32);
        assert_eq!(clinic.shares()[0].to_bytes().expose().len(), 75);
        assert_eq!(clinic.therapist.entry().len(), 38 + 1 + "dr-salo".len() + key + 32 + 64);
        assert_eq!(clinic.roster.len(), 153 + 3 * 34);
        assert_eq!(clinic.patient.card.len(), 38 + 1 + "p-1ec3ca69".len() + 4 + key + 32 + 32 + 1);
        assert_eq!(clinic.patient.endorsement.len(), 4 + 32 + 32 + 4 + 32 + 8 + 1 + 32 + 64);
        assert_eq!(clinic.patient.master_grant.len(), 107 + sealed_secret);
        assert_eq!(clinic.grant.bytes.len(), 103 + sealed_secret);
        assert_eq!(clinic.sealed.len(), 256 + 192);
        assert_eq!(clinic.sealed.len(), sealed_len(NOTE.len(), Padding::Padme).unwrap());
    }
}

/// T082: the length of a record depends on nothing but the padded length; a 1 KiB note costs at most 200 bytes more.
#[test]
fn t082_only_the_padded_length_shows() {
    let mut clinic = Clinic::new(Suite::X25519, 0x82);
    for (length, expected) in [(0, 448), (1, 448), (255, 448), (256, 272 + 192), (1024, 1088 + 192), (6000, 6144 + 192)]
    {
        for filler in [0, 0x80, 0xFF] {
            let note = vec![filler; length];
            let sealed = clinic.vault.seal(&clinic.patient.key, &place(), &note, &mut clinic.rng).unwrap();
            assert_eq!(sealed.len(), expected, "{length} bytes");
            assert_eq!(sealed_len(length, Padding::Padme).unwrap(), expected);
            assert_eq!(clinic.open(&sealed).unwrap().plaintext.as_bytes(), note);
        }
    }
    assert_eq!(sealed_len(1024, Padding::None).unwrap(), 1024 + 192);
    assert!(sealed_len(usize::MAX, Padding::Padme).is_err());
    assert!(sealed_len(usize::MAX, Padding::None).is_err());
}

#[test]
fn seeds_restore_keys() {
    for suite in SUITES {
        let clinic = Clinic::new(suite, 0x5EED);
        let seed: [u8; 32] = clinic.therapist.seed().expose().try_into().unwrap();
        let restored = clinic.pinned.member_from_seed(MemberId::new("dr-salo").unwrap(), &seed).unwrap();
        assert_eq!(restored.entry(), clinic.therapist.entry());
        let key = clinic.vault.open_grant(&clinic.card(None).unwrap(), &restored, &clinic.grant.bytes).unwrap();
        assert_eq!((key.card(), key.patient()), (clinic.patient.card_id, clinic.patient.key.patient()));
        let seed: [u8; 32] = clinic.registrar.seed().expose().try_into().unwrap();
        assert_eq!(RegistrarKey::from_seed(&seed).public(), clinic.registrar.public());
    }
}

/// T012: one seed gives unrelated keys for two vaults and for two purposes.
#[test]
fn t012_one_seed_gives_unrelated_keys_elsewhere() {
    let (one, two) = (Clinic::new(Suite::X25519, 1), Clinic::new(Suite::X25519, 2));
    let id = MemberId::new("dr-salo").unwrap();
    let [first, second] = [&one, &two].map(|clinic| clinic.pinned.member_from_seed(id, &[7; 32]).unwrap());
    let keys = |entry: &[u8]| [entry[46..78].to_vec(), entry[78..110].to_vec()];
    let [hpke_one, signing_one] = keys(first.entry());
    let [hpke_two, signing_two] = keys(second.entry());
    assert_ne!(hpke_one, hpke_two);
    assert_ne!(signing_one, signing_two);
    assert_ne!(signing_one, RegistrarKey::from_seed(&[7; 32]).public().as_bytes());
}

#[test]
fn registrar_keys_of_low_order_or_not_canonical_are_refused() {
    let mut one = [0; 32];
    one[0] = 1;
    // y = p + 1 is another encoding of y = 1, the identity; y = 2 is on no point.
    let mut p_plus_one = [0xFF; 32];
    p_plus_one[0] = 0xEE;
    p_plus_one[31] = 0x7F;
    let mut two = [0; 32];
    two[0] = 2;
    for bytes in [[0; 32], one, p_plus_one, two] {
        assert_eq!(RegistrarPublicKey::from_bytes(&bytes), None);
    }
    let key = RegistrarKey::generate(&mut TestRng::new(3)).unwrap().public();
    assert_eq!(RegistrarPublicKey::from_bytes(key.as_bytes()), Some(key));
}

/// The whole path once more with the operating system's generator.
#[test]
fn the_operating_systems_generator_serves() {
    let mut clinic = Clinic::new(Suite::XWing, 0x05);
    let sealed = clinic.vault.seal(&clinic.patient.key, &place(), NOTE, &mut OsRng).unwrap();
    assert_eq!(clinic.open(&sealed).unwrap().plaintext.as_bytes(), NOTE);
    let ids: Vec<String> = (0..4).map(|_| random_id(&mut clinic.rng).unwrap()).collect();
    assert!(ids.iter().all(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())));
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[2] != ids[3]);
}
