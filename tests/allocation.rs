//! T075, T076: no parser allocates more than its input and 64 KiB, whatever the length fields say.
//!
//! In a binary of its own, with one test, because it counts all allocations of the process.

use lukko::*;
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const ALLOWANCE: usize = 64 * 1024;

/// The peak of memory above what was in use before, in bytes.
fn peak_of(operation: impl FnOnce()) -> usize {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    operation();
    ALLOCATOR.peak_usage() - before
}

/// Each object's bytes with every 1-, 2-, 4- and 8-byte field at every offset set to all ones and to its sign bit.
fn with_huge_fields(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (4..bytes.len()).flat_map(move |offset| {
        [1, 2, 4, 8].into_iter().filter(move |width| offset + width <= bytes.len()).flat_map(move |width| {
            [0xFF, 0x7F, 0x80].into_iter().map(move |first| {
                let mut changed = bytes.to_vec();
                changed[offset..offset + width].fill(if first == 0x80 { 0 } else { 0xFF });
                changed[offset] = first;
                changed
            })
        })
    })
}

type Parser<'a> = Box<dyn Fn(&[u8]) + 'a>;

#[test]
fn t075_t076_no_length_field_makes_a_parser_allocate() {
    assert!(peak_of(|| drop(vec![0_u8; 1 << 20])) >= 1 << 20, "the counter counts");

    let rng = &mut OsRng;
    let registrar = RegistrarKey::generate(rng).unwrap();
    let vault = create(Policy::new(2, 3).unwrap(), Suite::X25519, &registrar.public(), rng).unwrap();
    let descriptor = vault.descriptor;
    let pin = Pin::new(descriptor.fingerprint(), &descriptor).unwrap();
    let pinned = pin.check(descriptor.clone()).unwrap();
    let member = pinned.new_member(MemberId::new("m").unwrap(), rng).unwrap();
    let mut draft = RosterDraft::first(&pinned);
    draft
        .admit(&MemberEntry::verify(member.entry(), &pinned).unwrap(), Roles::READ | Roles::ENROL | Roles::DEPOSIT)
        .unwrap();
    let roster = draft.sign_as_registrar(&registrar, &pinned).unwrap();
    let door = Vault::load(pin.clone(), descriptor.as_bytes(), &roster, [member.entry()]).unwrap();
    let patient = door.enrol(Enroller::Member(&member), PatientId::new("p").unwrap(), rng).unwrap();
    let grant = door.grant(&patient.key, member.fingerprint(), rng).unwrap().bytes;
    let (record, field) = (RecordId::new("r").unwrap(), FieldLabel::new("f").unwrap());
    let context = RecordContext::new(Place::new(record, field), Revision::FIRST);
    let sealed = door.seal(&patient.key, &context, b"note", rng).unwrap();
    let card = |card: &[u8], endorsement: &[u8], grant: &[u8]| {
        door.card(
            PatientId::new("p").unwrap(),
            &StoredPatient { cards: &[card], endorsement, master_grant: grant },
            None,
        )
    };
    let verified = card(&patient.card, &patient.endorsement, &patient.master_grant).unwrap();
    let share = vault.shares[0].to_bytes();

    let deposit = door.deposit(&verified, &member, field, Padding::Padme, b"note", rng).unwrap();
    let id = RecordId::new(&deposit.record).unwrap();
    let absorbed = door.absorb(&patient.key, Place::new(id, field), &deposit.bytes, rng).unwrap();
    let outside = RecipientKey::generate(Suite::X25519, rng).unwrap();
    let note = StoredNote { place: Place::new(record, field), path: Path::Reader, bytes: &sealed };
    let disclosure = door.disclose(&patient.key, &note, outside.public(), &member, rng).unwrap();
    let draft = door.roster().next_generation().unwrap();
    let rotation = door.rotate(&vault.master, Policy::new(2, 3).unwrap(), &registrar.public(), draft, rng).unwrap();
    let open_deposit = |bytes: &[u8]| drop(door.open_deposit(&patient.key, Place::new(id, field), bytes));

    let parsers: [(&str, &[u8], Parser<'_>); 13] = [
        ("deposit", &deposit.bytes, Box::new(open_deposit)),
        ("absorbed", &absorbed, Box::new(open_deposit)),
        ("disclosure", &disclosure, Box::new(|bytes| drop(door.open_disclosure(&outside, bytes)))),
        (
            "rotation",
            &rotation.statement,
            Box::new(|bytes| drop(pinned.successor([(rotation.descriptor.as_bytes(), bytes)]))),
        ),
        ("descriptor", descriptor.as_bytes(), Box::new(|bytes| drop(Descriptor::parse(bytes)))),
        ("share", share.expose(), Box::new(|bytes| drop(Share::from_bytes(bytes)))),
        ("pin", &pin.to_bytes(), Box::new(|bytes| drop(Pin::from_bytes(bytes)))),
        ("entry", member.entry(), Box::new(|bytes| drop(MemberEntry::verify(bytes, &pinned)))),
        ("roster", &roster, Box::new(|bytes| drop(door.clone().update_roster(bytes, [member.entry()])))),
        ("card", &patient.card, Box::new(|bytes| drop(card(bytes, &patient.endorsement, &patient.master_grant)))),
        (
            "endorsement",
            &patient.endorsement,
            Box::new(|bytes| drop(card(&patient.card, bytes, &patient.master_grant))),
        ),
        ("grant", &grant, Box::new(|bytes| drop(door.open_grant(&verified, &member, bytes)))),
        ("record", &sealed, Box::new(|bytes| drop(door.open(&patient.key, Place::new(record, field), bytes)))),
    ];
    for (name, bytes, parse) in &parsers {
        for changed in with_huge_fields(bytes) {
            let peak = peak_of(|| parse(&changed));
            assert!(peak <= changed.len() + ALLOWANCE, "{name}: {peak} bytes for {}", changed.len());
        }
    }
    let text = "lukko1".to_owned() + &"q".repeat(1 << 20);
    assert!(peak_of(|| drop(Share::from_text(&text))) <= text.len() + ALLOWANCE);
}
