//! Generators that fail, repeat themselves or stick.

use std::fmt;

use lukko::rand_core::{TryCryptoRng, TryRng};
use lukko::*;

use super::clinic::{Clinic, NOTE, SUITES, TestRng, field, place, record};

/// Works for a number of calls, then fails for ever.
struct FailingRng {
    inner: TestRng,
    calls_left: usize,
}

#[derive(Debug)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken")
    }
}

impl std::error::Error for Broken {}

impl FailingRng {
    fn after(calls: usize) -> Self {
        Self { inner: TestRng::new(85), calls_left: calls }
    }

    fn spend(&mut self) -> Result<(), Broken> {
        self.calls_left = self.calls_left.checked_sub(1).ok_or(Broken)?;
        Ok(())
    }
}

impl TryRng for FailingRng {
    type Error = Broken;

    fn try_next_u32(&mut self) -> Result<u32, Broken> {
        self.spend()?;
        Ok(self.inner.try_next_u32().unwrap())
    }

    fn try_next_u64(&mut self) -> Result<u64, Broken> {
        self.spend()?;
        Ok(self.inner.try_next_u64().unwrap())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Broken> {
        self.spend()?;
        self.inner.try_fill_bytes(bytes).unwrap();
        Ok(())
    }
}

impl TryCryptoRng for FailingRng {}

/// Runs an operation with a generator that fails at call 0, 1, 2, ... until it succeeds; gives the calls it needs.
fn calls_needed<T: fmt::Debug>(mut operation: impl FnMut(&mut FailingRng) -> Result<T>) -> usize {
    for calls in 0..16 {
        let mut rng = FailingRng::after(calls);
        match operation(&mut rng) {
            Ok(_) => return calls,
            Err(error) => assert_eq!(error, Error::Randomness),
        }
    }
    panic!("more than 15 calls")
}

/// T085: for every operation and every call that it makes.
#[test]
fn t085_a_failing_generator_leaves_an_error_and_nothing_else() {
    for suite in SUITES {
        let clinic = Clinic::new(suite, 85);
        let registrar = clinic.registrar.public();
        let policy = Policy::new(3, 5).unwrap();
        assert_eq!(calls_needed(|rng| create(policy, suite, &registrar, rng)), 3);
        assert_eq!(calls_needed(RegistrarKey::generate), 1);
        assert_eq!(calls_needed(|rng| clinic.pinned.new_member(MemberId::new("x")?, rng)), 1);
        let by = || Enroller::Member(&clinic.therapist);
        assert_eq!(calls_needed(|rng| clinic.vault.enrol(by(), PatientId::new("x")?, rng)), 2);
        let to = clinic.therapist.fingerprint();
        assert_eq!(calls_needed(|rng| clinic.vault.grant(&clinic.patient.key, to, rng)), 1);
        assert_eq!(calls_needed(|rng| clinic.vault.seal(&clinic.patient.key, &place(), NOTE, rng)), 1);
        assert_eq!(calls_needed(random_id), 1);
        let (card, key, id) = (clinic.card(None).unwrap(), &clinic.patient.key, clinic.deposited());
        let (vault, front_end) = (&clinic.vault, &clinic.front_end);
        assert_eq!(calls_needed(|rng| vault.deposit(&card, front_end, field(), Padding::Padme, NOTE, rng)), 3);
        assert_eq!(calls_needed(|rng| vault.absorb(key, Place::new(id, field()), &clinic.deposit.bytes, rng)), 1);
        assert_eq!(calls_needed(|rng| vault.endorse(by(), key, rng)), 1);
        assert_eq!(calls_needed(|rng| vault.grant_to_master(key, rng)), 1);
        let second = vault.rekey(by(), key, &mut TestRng::new(3)).unwrap();
        assert_eq!(calls_needed(|rng| vault.rekey(by(), key, rng)), 2);
        assert_eq!(
            calls_needed(|rng| vault.rewrap(key, &second.key, Place::new(record(), field()), &clinic.sealed, rng)),
            1
        );
        assert_eq!(
            calls_needed(|rng| vault.reseal(key, &second.key, Place::new(record(), field()), &clinic.sealed, rng)),
            1
        );
        let draft = || vault.roster().next_generation().unwrap();
        assert_eq!(calls_needed(|rng| vault.rotate(&clinic.master, policy, &registrar, draft(), rng)), 2);
        assert_eq!(calls_needed(|rng| RecipientKey::generate(suite, rng)), 1);
        let note = StoredNote { place: Place::new(record(), field()), path: Path::Reader, bytes: &clinic.sealed };
        let court = clinic.court.public();
        assert_eq!(calls_needed(|rng| vault.disclose(key, &note, court, &clinic.therapist, rng)), 2);
    }
}

/// T088: a front end whose generator repeats itself, as in two copies of a virtual machine, draws the same record id;
/// the text goes into the draw, so two texts share neither key nor salt.
#[test]
fn t088_a_repeated_generator_is_harmless_between_deposited_texts() {
    let clinic = Clinic::new(Suite::X25519, 87);
    let card = clinic.card(None).unwrap();
    let [one, two] = [b"one", b"two"].map(|note| {
        let mut rng = TestRng::new(5);
        clinic.vault.deposit(&card, &clinic.front_end, field(), Padding::Padme, note, &mut rng).unwrap()
    });
    assert_eq!(one.record, two.record);
    // The payload is behind head, writer, roster version, sealed key and signature.
    let salt = 48 + 40 + 80 + 64..48 + 40 + 80 + 64 + 24;
    assert_ne!(one.bytes[salt.clone()], two.bytes[salt]);
}

/// T085: the caller's buffer is as it was.
#[test]
fn t085_a_failed_seal_leaves_the_buffer_unchanged() {
    let clinic = Clinic::new(Suite::X25519, 86);
    let mut out = b"before".to_vec();
    let key = &clinic.patient.key;
    let failed = clinic.vault.seal_into(key, &place(), NOTE, &mut FailingRng::after(0), &mut out);
    assert_eq!(failed.unwrap_err(), Error::Randomness);
    assert_eq!(out, b"before");
    clinic.vault.seal_into(key, &place(), NOTE, &mut FailingRng::after(1), &mut out).unwrap();
    assert_eq!(clinic.open(&out[6..]).unwrap().plaintext.as_bytes(), NOTE);
}

/// Salt, and with it key, nonce and wrap, of a record.
fn drawn(sealed: &[u8]) -> (&[u8], &[u8]) {
    (&sealed[48..72], &sealed[120..144])
}

/// T086 and T088: a generator that starts again gives unrelated values for any other place or revision.
#[test]
fn t086_t088_a_repeated_generator_is_harmless_between_places() {
    let clinic = Clinic::new(Suite::X25519, 88);
    let other = clinic
        .vault
        .enrol(Enroller::Member(&clinic.therapist), PatientId::new("p-other").unwrap(), &mut TestRng::new(9))
        .unwrap();
    let (second, title) = (RecordId::new("r-2").unwrap(), FieldLabel::new("title").unwrap());
    let contexts = [
        (&clinic.patient.key, place()),
        (&other.key, place()),
        (&clinic.patient.key, RecordContext::new(Place::new(second, field()), Revision::FIRST)),
        (&clinic.patient.key, RecordContext::new(Place::new(record(), title), Revision::FIRST)),
        (&clinic.patient.key, RecordContext::new(Place::new(record(), field()), Revision::FIRST.next().unwrap())),
        (&clinic.patient.key, place().with_padding(Padding::None)),
    ];
    let sealed: Vec<Vec<u8>> = contexts
        .iter()
        .map(|(key, context)| clinic.vault.seal(key, context, NOTE, &mut TestRng::new(1)).unwrap())
        .collect();
    for (first, one) in sealed.iter().enumerate() {
        for (second, two) in sealed.iter().enumerate().filter(|(second, _)| *second != first) {
            let (nonces, salts) = ((drawn(one).0, drawn(two).0), (drawn(one).1, drawn(two).1));
            assert!(nonces.0 != nonces.1 && salts.0 != salts.1, "contexts {first} and {second}");
        }
    }
    // The same text in the same place gives the same bytes: nothing new is said. THREATS.md names the one case that
    // remains, another text for the same record, field and revision.
    let again = clinic.vault.seal(&clinic.patient.key, &place(), NOTE, &mut TestRng::new(1)).unwrap();
    assert_eq!(again, sealed[0]);
}

/// T128: with a working generator nothing repeats.
#[test]
fn t128_the_same_note_twice_gives_unrelated_records() {
    let mut clinic = Clinic::new(Suite::X25519, 128);
    let [one, two] = [(); 2].map(|()| clinic.vault.seal(&clinic.patient.key, &place(), NOTE, &mut clinic.rng).unwrap());
    assert_ne!(drawn(&one), drawn(&two));
    for range in [72..104, 104..120, 144..176, 176..one.len()] {
        assert_ne!(one[range.clone()], two[range]);
    }
}
