//! What is stored of a patient: cards, endorsement and master grant, also endorsed by an enroller.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lukko::{PatientId, StoredPatient};
use lukko_fuzz::{Case, forge};

fuzz_target!(|data: &[u8]| {
    let mut case = Case::new(data);
    let world = case.world;
    // The first choice of all three is one state, so that what is not altered fits together.
    let chosen = usize::from(case.input.byte() % 3);
    let states = || world.patients.iter().flat_map(|patient| &patient.states).cycle().skip(chosen).take(3);
    let cards: Vec<&[u8]> = states().map(|state| &*state.card).collect();
    let endorsements: Vec<&[u8]> = states().map(|state| &*state.endorsement).collect();
    let grants: Vec<&[u8]> = states().map(|state| &*state.master_grant).collect();
    // A stored object alone stands in its own place, and the other two are those of the first patient.
    let (card, mut endorsement, master_grant) = match data.get(..3) {
        Some(b"LKE") => (cards[0].to_vec(), data.to_vec(), grants[0].to_vec()),
        Some(b"LKG") => (cards[0].to_vec(), endorsements[0].to_vec(), data.to_vec()),
        Some(b"LKC") => (data.to_vec(), endorsements[0].to_vec(), grants[0].to_vec()),
        _ => (case.object(&cards), case.input.object(&endorsements), case.input.object(&grants)),
    };
    let how = case.input.byte();
    let patient = &world.patients[usize::from(chosen > 0) ^ usize::from(how & 1)];
    if how & 2 == 2 {
        // Voucher or not, the body is what the endorsement is about.
        let body = card.len().checked_sub(if how & 8 == 8 { 65 } else { 1 }).and_then(|end| card.get(..end));
        forge::endorsement(world, &mut endorsement, body, &master_grant);
    }
    let beside: &[usize] = [&[][..], &[0], &[1], &[0, 1]][usize::from(how >> 4 & 3)];
    let second = &world.patients[1].states;
    let all: Vec<&[u8]> =
        [card.as_slice()].into_iter().chain(beside.iter().map(|version| second[*version].card.as_slice())).collect();
    let stored = StoredPatient { cards: &all, endorsement: &endorsement, master_grant: &master_grant };
    let expect = (how & 4 == 4).then(|| patient.states[0].id);
    let Ok(card) = world.vault.card(PatientId::new(patient.id).expect("an id"), &stored, expect) else { return };
    assert_eq!(card.patient(), patient.id.as_bytes());
    if how & 2 == 0 {
        let made = patient.states.iter().find(|state| state.id == card.id()).expect("a card that was made");
        assert!(endorsement == made.endorsement && master_grant == made.master_grant && all.contains(&&*made.card));
        assert!(world.vault.break_glass(&card, &world.master).is_ok());
    }
});
