//! One of everything that handles a secret or a note, with the error paths.

use std::io::{Cursor, Read, Seek, SeekFrom, Write};

use lukko::*;
use zeroize::Zeroizing;

use super::draws::Draws;
use super::needles::{Kind, register};

pub(crate) struct World {
    rng: Draws,
    pinned: PinnedDescriptor,
    pub(crate) vault: Vault,
    therapist: MemberKey,
    intake: MemberKey,
    pub(crate) patient: Enrolment,
    /// The same patient after a re-keying.
    next: Enrolment,
    card: Card,
    grant: Vec<u8>,
}

const LENGTHS: [usize; 4] = [16, 40, 1_000, 20_000];

fn field() -> FieldLabel<'static> {
    FieldLabel::new("note").unwrap()
}

fn place(record: RecordId<'_>) -> RecordContext<'_> {
    RecordContext::new(Place::new(record, field()), Revision::FIRST)
}

fn note(rng: &mut Draws, length: usize) -> Zeroizing<Vec<u8>> {
    let mut note = Zeroizing::new(vec![0; length]);
    rng.note(&mut note);
    note
}

/// A world, and what its founding gave to others: shares, master key and registrar.
pub(crate) fn found(suite: Suite) -> (World, Vec<Share>, MasterKey, RegistrarKey) {
    let mut rng = Draws::new(suite);
    let registrar = RegistrarKey::generate(&mut rng).unwrap();
    let policy = Policy::new(2, 3).unwrap();
    let NewVault { descriptor, shares, master } = create(policy, suite, &registrar.public(), rng.founding()).unwrap();
    shares.iter().for_each(know);
    let pin = Pin::new(descriptor.fingerprint(), &descriptor).unwrap();
    let pinned = pin.check(descriptor.clone()).unwrap();
    let [therapist, intake] =
        ["dr-salo", "intake"].map(|id| pinned.new_member(MemberId::new(id).unwrap(), &mut rng).unwrap());
    let mut draft = RosterDraft::first(&pinned);
    for (member, roles) in [(&therapist, Roles::READ | Roles::ENROL), (&intake, Roles::DEPOSIT)] {
        draft.admit(&MemberEntry::verify(member.entry(), &pinned).unwrap(), roles).unwrap();
    }
    let roster = draft.sign_as_registrar(&registrar, &pinned).unwrap();
    let entries = [therapist.entry(), intake.entry()];
    let vault = Vault::load(pin, descriptor.as_bytes(), &roster, entries).unwrap();
    let id = PatientId::new("p-1").unwrap();
    let patient = vault.enrol(Enroller::Member(&therapist), id, &mut rng).unwrap();
    let grant = vault.grant(&patient.key, therapist.fingerprint(), &mut rng).unwrap().bytes;
    let Enrolment { card, endorsement, master_grant, .. } = &patient;
    let card = vault.card(id, &StoredPatient { cards: &[card], endorsement, master_grant }, None).unwrap();
    let next = vault.rekey(Enroller::Root(&master), &patient.key, &mut rng).unwrap();
    (World { rng, pinned, vault, therapist, intake, patient, next, card, grant }, shares, master, registrar)
}

pub(crate) fn whole(suite: Suite) {
    let (mut world, shares, master, registrar) = found(suite);
    grants(&mut world);
    records(&mut world);
    deposits(&mut world);
    attachments(&mut world);
    disclosures(&mut world, suite);
    recovery(&world, shares);
    rotation(&mut world, &master, &registrar);
}

/// Registers what is secret about a share: the value, at the end of its bytes, and its characters in the text.
fn know(share: &Share) {
    register(Kind::ShareValue, &share.to_bytes().expose()[43..]);
    register(Kind::ShareText, &share.to_text().expose().as_bytes()[75..126]);
}

fn grants(world: &mut World) {
    let World { rng, pinned, vault, therapist, card, grant, next, patient, .. } = world;
    drop(vault.open_grant(card, therapist, grant).unwrap());
    for at in [grant.len() - 100, grant.len() - 40, grant.len() - 1] {
        let mut altered = grant.clone();
        altered[at] ^= 1;
        assert!(vault.open_grant(card, therapist, &altered).is_err());
    }
    vault.grant_to_master(&patient.key, rng).unwrap();
    vault.endorse(Enroller::Member(therapist), &patient.key, rng).unwrap();
    let Enrolment { card: second, endorsement, master_grant, .. } = next;
    let cards = [patient.card.as_slice(), second];
    let stored = StoredPatient { cards: &cards, endorsement, master_grant };
    let with = GrantKey::Member { key: therapist, grant };
    drop(vault.open_older(PatientId::new("p-1").unwrap(), &stored, None, patient.card_id, &with).unwrap());
    // A member's seed goes to storage and comes back.
    let seed = therapist.seed();
    drop(pinned.member_from_seed(MemberId::new("dr-salo").unwrap(), seed.expose().try_into().unwrap()).unwrap());
}

fn records(world: &mut World) {
    let World { rng, vault, patient, next, .. } = world;
    let record = RecordId::new("r-1").unwrap();
    for length in LENGTHS {
        for padding in [Padding::None, Padding::Padme] {
            let note = note(rng, length);
            let mut sealed = vault.seal(&patient.key, &place(record).with_padding(padding), &note, rng).unwrap();
            assert_eq!(vault.open(&patient.key, Place::new(record, field()), &sealed).unwrap().plaintext.len(), length);
            let moved =
                vault.rewrap(&patient.key, &next.key, Place::new(record, field()), &sealed, rng).unwrap().unwrap();
            drop(vault.open(&next.key, Place::new(record, field()), &moved).unwrap());
            vault.reseal(&patient.key, &next.key, Place::new(record, field()), &sealed, rng).unwrap().unwrap();
            // The wrap, the commitment, the first chunk, the last tag.
            for at in [80, 150, 180, sealed.len() - 1] {
                sealed[at] ^= 1;
                assert!(vault.open(&patient.key, Place::new(record, field()), &sealed).is_err());
                assert!(
                    vault.rewrap(&patient.key, &next.key, Place::new(record, field()), &sealed, rng).is_err()
                        || at >= 120
                );
                assert!(vault.reseal(&patient.key, &next.key, Place::new(record, field()), &sealed, rng).is_err());
                sealed[at] ^= 1;
            }
            // Records behind one another in one buffer, which moves.
            let mut buffer = Vec::new();
            for _ in 0..3 {
                vault.seal_into(&patient.key, &place(record), &note, rng, &mut buffer).unwrap();
            }
        }
    }
}

fn deposits(world: &mut World) {
    let World { rng, vault, intake, card, patient, next, .. } = world;
    for length in LENGTHS {
        let note = note(rng, length);
        let Deposit { record, mut bytes } = vault.deposit(card, intake, field(), Padding::Padme, &note, rng).unwrap();
        let record = RecordId::new(&record).unwrap();
        drop(vault.open_deposit(&patient.key, Place::new(record, field()), &bytes).unwrap());
        drop(vault.open_unattributed(&patient.key, Place::new(record, field()), &bytes).unwrap().into_inner());
        let absorbed = vault.absorb(&patient.key, Place::new(record, field()), &bytes, rng).unwrap();
        drop(vault.open_deposit(&patient.key, Place::new(record, field()), &absorbed).unwrap());
        for from in [&bytes, &absorbed] {
            vault.rewrap(&patient.key, &next.key, Place::new(record, field()), from, rng).unwrap().unwrap();
        }
        for at in [70, bytes.len() - 40, bytes.len() - 1] {
            bytes[at] ^= 1;
            assert!(vault.open_deposit(&patient.key, Place::new(record, field()), &bytes).is_err());
            assert!(vault.absorb(&patient.key, Place::new(record, field()), &bytes, rng).is_err());
            bytes[at] ^= 1;
        }
    }
}

fn read_all(mut reader: impl Read) -> bool {
    let mut buffer = Zeroizing::new(vec![0; 3_000]);
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

fn attachments(world: &mut World) {
    let World { rng, vault, intake, card, patient, next, .. } = world;
    let record = RecordId::new("a-1").unwrap();
    for length in LENGTHS {
        let note = note(rng, length);
        let mut writer = vault.seal_attachment(&patient.key, &place(record), Vec::new(), rng).unwrap();
        note.chunks(7_000).for_each(|piece| writer.write_all(piece).unwrap());
        let mut sealed = writer.finish().unwrap();
        let open = |sealed: &[u8]| {
            vault.open_attachment(&patient.key, Place::new(record, field()), Cursor::new(sealed.to_vec()))
        };
        let mut reader = open(&sealed).unwrap();
        assert_eq!(reader.plaintext_len().unwrap(), length as u64);
        reader.seek(SeekFrom::Start(length as u64 / 2)).unwrap();
        assert!(read_all(reader));
        let stored = StoredAttachment { place: Place::new(record, field()), source: Cursor::new(&sealed) };
        vault.reseal_attachment(&patient.key, &next.key, stored, Vec::new(), rng).unwrap();
        let last = sealed.len() - 1;
        sealed[last] ^= 1;
        assert!(!open(&sealed).is_ok_and(read_all));
        // Dropped before it is finished.
        let mut writer = vault.seal_attachment(&patient.key, &place(record), Vec::new(), rng).unwrap();
        writer.write_all(&note).unwrap();
        drop(writer);

        let mut writer = vault.deposit_attachment(card, intake, field(), Padding::Padme, Vec::new(), rng).unwrap();
        let deposited = writer.record().to_owned();
        let deposited = RecordId::new(&deposited).unwrap();
        writer.write_all(&note).unwrap();
        let mut bytes = writer.finish().unwrap();
        let open = |bytes: &[u8]| {
            vault.open_deposited_attachment(&patient.key, Place::new(deposited, field()), Cursor::new(bytes.to_vec()))
        };
        assert!(read_all(open(&bytes).unwrap()));
        assert!(read_all(open(&bytes).unwrap().verify_authorship().unwrap()));
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
        assert!(!open(&bytes).is_ok_and(read_all));
    }
}

fn disclosures(world: &mut World, suite: Suite) {
    let World { rng, vault, therapist, patient, .. } = world;
    let court = RecipientKey::generate(suite, rng).unwrap();
    let record = RecordId::new("r-2").unwrap();
    for length in LENGTHS {
        let note = note(rng, length);
        let sealed = vault.seal(&patient.key, &place(record), &note, rng).unwrap();
        let stored = StoredNote { place: Place::new(record, field()), path: Path::Reader, bytes: &sealed };
        let mut disclosure = vault.disclose(&patient.key, &stored, court.public(), therapist, rng).unwrap();
        assert_eq!(vault.open_disclosure(&court, &disclosure).unwrap().plaintext.len(), length);
        for at in [120, disclosure.len() - 1] {
            disclosure[at] ^= 1;
            assert!(vault.open_disclosure(&court, &disclosure).is_err());
            disclosure[at] ^= 1;
        }
    }
}

fn recovery(world: &World, shares: Vec<Share>) {
    let World { pinned, vault, card, .. } = world;
    let mut recovery = Recovery::new(pinned);
    for share in shares {
        let (bytes, text) = (share.to_bytes(), share.to_text());
        recovery.add(Share::from_text(text.expose()).unwrap()).unwrap();
        assert!(recovery.add(Share::from_bytes(bytes.expose()).unwrap()).is_err());
        assert!(Share::from_text(&text.expose()[..131]).is_err());
        // A misprint, which is located.
        let mut misprint = Zeroizing::new(text.expose().to_owned());
        let other = if misprint.as_bytes()[80] == b'q' { "p" } else { "q" };
        misprint.replace_range(80..81, other);
        assert!(Share::from_text(&misprint).is_err());
    }
    drop(vault.break_glass(card, &recovery.finish().unwrap()).unwrap());
}

fn rotation(world: &mut World, master: &MasterKey, registrar: &RegistrarKey) {
    let World { rng, pinned, vault, therapist, intake, patient, .. } = world;
    let draft = vault.roster().next_generation().unwrap();
    let rotation = vault.rotate(master, Policy::new(3, 5).unwrap(), &registrar.public(), draft, rng).unwrap();
    rotation.shares.iter().for_each(know);
    let successor = pinned.successor([(rotation.descriptor.as_bytes(), rotation.statement.as_slice())]).unwrap();
    let to = vault.follow(successor, &rotation.roster, [therapist.entry(), intake.entry()]).unwrap();
    let by = Enroller::Root(&rotation.master);
    let moving = PatientRotation { from: vault, master, to: &to, by };
    let Enrolment { card, endorsement, master_grant, .. } = patient;
    let stored = StoredPatient { cards: &[card], endorsement, master_grant };
    moving.patient(PatientId::new("p-1").unwrap(), &stored, None, rng).unwrap().unwrap();
    let mut recovery = Recovery::new(to.descriptor());
    rotation.shares.into_iter().take(4).for_each(|share| assert!(recovery.add(share).is_ok()));
    drop(recovery.finish().unwrap());
}
