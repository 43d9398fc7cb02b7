//! Round trips, and one modification at a time, at random.

use lukko::*;
use proptest::prelude::*;

use super::clinic::{Clinic, place};

/// One thing that differs between sealing and opening.
#[derive(Debug, Clone)]
enum Tweak {
    Nothing,
    Record(Vec<u8>),
    Field(Vec<u8>),
    Patient,
    Bit(prop::sample::Index),
    Truncate(prop::sample::Index),
    Extend(u8),
}

fn identifier() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 1..=255)
}

fn tweak() -> impl Strategy<Value = Tweak> {
    prop_oneof![
        Just(Tweak::Nothing),
        identifier().prop_map(Tweak::Record),
        identifier().prop_map(Tweak::Field),
        Just(Tweak::Patient),
        any::<prop::sample::Index>().prop_map(Tweak::Bit),
        any::<prop::sample::Index>().prop_map(Tweak::Truncate),
        any::<u8>().prop_map(Tweak::Extend),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_record_opens_unless_something_differs(
        note in prop::collection::vec(any::<u8>(), 0..40_000),
        record in identifier(),
        field in identifier(),
        revision in 1..u64::MAX,
        padded in any::<bool>(),
        tweak in tweak(),
    ) {
        let mut clinic = Clinic::new(Suite::X25519, 0x70);
        let (record, field) = (RecordId::new(&record).unwrap(), FieldLabel::new(&field).unwrap());
        let padding = if padded { Padding::Padme } else { Padding::None };
        let context = RecordContext::new(Place::new(record, field), Revision::new(revision).unwrap()).with_padding(padding);
        let mut sealed = clinic.vault.seal(&clinic.patient.key, &context, &note, &mut clinic.rng).unwrap();
        prop_assert_eq!(sealed.len(), sealed_len(note.len(), padding).unwrap());
        let mut other = None;
        let (mut at_record, mut at_field) = (record, field);
        let mut changed = true;
        match &tweak {
            Tweak::Nothing => changed = false,
            Tweak::Record(id) => { at_record = RecordId::new(id).unwrap(); changed = at_record != record; }
            Tweak::Field(id) => { at_field = FieldLabel::new(id).unwrap(); changed = at_field != field; }
            Tweak::Patient => {
                let by = Enroller::Member(&clinic.therapist);
                other = Some(clinic.vault.enrol(by, PatientId::new("x").unwrap(), &mut clinic.rng).unwrap().key);
            }
            Tweak::Bit(index) => {
                let bit = index.index(sealed.len() * 8);
                sealed[bit / 8] ^= 1 << (bit % 8);
            }
            Tweak::Truncate(index) => sealed.truncate(index.index(sealed.len())),
            Tweak::Extend(byte) => sealed.push(*byte),
        }
        let key = other.as_ref().unwrap_or(&clinic.patient.key);
        match clinic.vault.open(key, Place::new(at_record, at_field), &sealed) {
            Ok(opened) => {
                prop_assert!(!changed, "opened with {:?}", tweak);
                prop_assert_eq!(opened.plaintext.as_bytes(), &note[..]);
                prop_assert_eq!(opened.revision.get(), revision);
            }
            Err(error) => {
                let expected = matches!(error, Error::NotAuthentic | Error::Malformed { .. } | Error::Usage(_));
                prop_assert!(changed && expected, "{:?}: {:?}", tweak, error);
            }
        }
    }

    #[test]
    fn any_bytes_at_all_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..3_000)) {
        let clinic = Clinic::new(Suite::X25519, 0x71);
        prop_assert!(Descriptor::parse(&bytes).is_err());
        prop_assert!(Share::from_bytes(&bytes).is_err());
        prop_assert!(Share::from_text(&String::from_utf8_lossy(&bytes)).is_err());
        prop_assert!(Pin::from_bytes(&bytes).is_err());
        prop_assert!(MemberEntry::verify(&bytes, &clinic.pinned).is_err());
        prop_assert!(clinic.card_of(&bytes, &bytes, &bytes, None).is_err());
        prop_assert!(clinic.open(&bytes).is_err());
    }
}

/// T014: lengths around every boundary, of the padding and of the chunks.
#[test]
fn t014_lengths_around_every_boundary_round_trip() {
    let mut clinic = Clinic::new(Suite::X25519, 14);
    let around = |middle: usize| middle.saturating_sub(1)..=middle + 1;
    let lengths = [0, 1, 255, 256, 1 << 10, 1 << 14, 1 << 15, 3 << 14, 1 << 16, 1 << 20].into_iter().flat_map(around);
    for length in lengths {
        let note: Vec<u8> = (0..length).map(|position| (position * 31) as u8).collect();
        for padding in [Padding::None, Padding::Padme] {
            let context = place().with_padding(padding);
            let sealed = clinic.vault.seal(&clinic.patient.key, &context, &note, &mut clinic.rng).unwrap();
            assert_eq!(clinic.open(&sealed).unwrap().plaintext.as_bytes(), note, "{length} bytes, {padding:?}");
        }
    }
}
