//! A clinic with one of everything, made once by a generator with a fixed seed.

use std::io::Write;
use std::sync::OnceLock;

use lukko::*;

use crate::rng::FixedRng;

/// The text of short notes.
pub const NOTE: &[u8] = "Slept better. Ääkkösiä.".as_bytes();
/// The patient with one card.
pub const PATIENT: &str = "p-1ec3ca69";
/// The patient with two.
pub const REKEYED: &str = "p-2";
/// The record with the short note, and the one with the long text.
pub const RECORDS: [&str; 2] = ["r-00000", "r-00001"];
/// The field of all of them.
pub const FIELD: &str = "note";
/// Texts of these lengths are sealed as attachments, without padding and with it.
pub const LENGTHS: [usize; 9] = [0, 1, 255, 256, 300, 16_383, 16_384, 17_000, 50_000];

/// What is stored of a patient under one of the versions of the key.
pub struct State {
    /// The newest card.
    pub card: Vec<u8>,
    /// Its id.
    pub id: CardId,
    /// Its endorsement.
    pub endorsement: Vec<u8>,
    /// Its grant to the master key.
    pub master_grant: Vec<u8>,
}

/// A patient, from the first version of the key to the present one.
pub struct Patient {
    /// The patient's id.
    pub id: &'static str,
    /// Every version in turn.
    pub states: Vec<State>,
}

impl Patient {
    /// The card's body, without the voucher.
    #[must_use]
    pub fn body(&self, version: usize) -> &[u8] {
        let card = &self.states[version].card;
        &card[..card.len() - if version == 0 { 1 } else { 65 }]
    }
}

/// One of everything.
pub struct World {
    /// The suite of all of it.
    pub suite: Suite,
    /// The registrar.
    pub registrar: RegistrarKey,
    /// The master key.
    pub master: MasterKey,
    /// Five shares, of which three are needed.
    pub shares: Vec<Vec<u8>>,
    /// A share of another vault, and one of the next generation.
    pub strange_shares: Vec<Vec<u8>>,
    /// The pinned descriptor.
    pub pinned: PinnedDescriptor,
    /// The pin before any roster.
    pub first_pin: Pin,
    /// `dr-salo`, roles `read` and `enrol`.
    pub therapist: MemberKey,
    /// `intake`, role `deposit`.
    pub front_end: MemberKey,
    /// Entries of all members.
    pub entries: Vec<Vec<u8>>,
    /// Versions 1 and 2; the second retires a member and closes a card.
    pub rosters: [Vec<u8>; 2],
    /// The vault with roster 2.
    pub vault: Vault,
    /// [`PATIENT`] and [`REKEYED`].
    pub patients: Vec<Patient>,
    /// The key of [`PATIENT`].
    pub key: PatientKey,
    /// The card of [`PATIENT`].
    pub card: Card,
    /// Grants to the therapist: of [`PATIENT`], and of both versions of [`REKEYED`].
    pub grants: Vec<Vec<u8>>,
    /// The text of the second record.
    pub long_text: Vec<u8>,
    /// The two records, in two revisions each.
    pub sealed: [[Vec<u8>; 2]; 2],
    /// By the front end.
    pub deposit: Deposit,
    /// The same, absorbed.
    pub absorbed: Vec<u8>,
    /// Id and bytes of a deposited attachment with the long text.
    pub deposited_attachment: (String, Vec<u8>),
    /// Someone outside.
    pub court: RecipientKey,
    /// The first record, disclosed by the therapist.
    pub disclosure: Vec<u8>,
    /// To the next generation, not followed.
    pub rotation: Rotation,
}

/// Text, padding and sealed bytes.
pub type Attachment = (Vec<u8>, Padding, Vec<u8>);

/// A text that shows from where each byte is.
#[must_use]
pub fn text(len: usize) -> Vec<u8> {
    (0..len as u64).map(|at| (at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect()
}

fn field() -> FieldLabel<'static> {
    FieldLabel::new(FIELD).unwrap()
}

impl World {
    /// The world of X-Wing, or that of X25519.
    pub fn of(xwing: bool) -> &'static Self {
        static WORLDS: [OnceLock<World>; 2] = [const { OnceLock::new() }; 2];
        WORLDS[usize::from(xwing)].get_or_init(|| Self::new(if xwing { Suite::XWing } else { Suite::X25519 }))
    }

    /// The attachments, made when they are first asked for.
    pub fn attachments() -> &'static [Attachment] {
        static MADE: OnceLock<Vec<Attachment>> = OnceLock::new();
        MADE.get_or_init(|| {
            let (world, mut rng) = (Self::of(false), FixedRng(3));
            let mut made = Vec::new();
            for (len, padding) in LENGTHS.iter().flat_map(|len| [(*len, Padding::None), (*len, Padding::Padme)]) {
                let place =
                    RecordContext::new(Place::new(world.record(0), field()), Revision::FIRST).with_padding(padding);
                let mut writer = world.vault.seal_attachment(&world.key, &place, Vec::new(), &mut rng).unwrap();
                writer.write_all(&text(len)).unwrap();
                made.push((text(len), padding, writer.finish().unwrap()));
            }
            made
        })
    }

    /// The id of one of the records.
    #[must_use]
    pub fn record(&self, which: usize) -> RecordId<'static> {
        RecordId::new(RECORDS[which]).unwrap()
    }

    /// The field of all records.
    #[must_use]
    pub fn field(&self) -> FieldLabel<'static> {
        field()
    }

    /// The text of one of the records.
    #[must_use]
    pub fn text(&self, which: usize) -> &[u8] {
        if which == 0 { NOTE } else { &self.long_text }
    }

    fn new(suite: Suite) -> Self {
        let rng = &mut FixedRng(u64::from(suite.kem_id()));
        let registrar = RegistrarKey::generate(rng).unwrap();
        let dealt = create(Policy::new(3, 5).unwrap(), suite, &registrar.public(), rng).unwrap();
        let other = create(Policy::new(3, 5).unwrap(), suite, &registrar.public(), rng).unwrap();
        let NewVault { descriptor, shares, master } = dealt;
        let first_pin = Pin::new(descriptor.fingerprint(), &descriptor).unwrap();
        let pinned = first_pin.check(descriptor).unwrap();
        let ids = ["dr-salo", "dr-niemi", "intake"];
        let members = ids.map(|id| pinned.new_member(MemberId::new(id).unwrap(), rng).unwrap());
        let mut draft = RosterDraft::first(&pinned);
        for (member, roles) in members.iter().zip([Roles::READ | Roles::ENROL, Roles::READ, Roles::DEPOSIT]) {
            draft.admit(&MemberEntry::verify(member.entry(), &pinned).unwrap(), roles).unwrap();
        }
        let entries: Vec<Vec<u8>> = members.iter().map(|member| member.entry().to_vec()).collect();
        let [therapist, colleague, front_end] = members;
        let roster = draft.sign_as_registrar(&registrar, &pinned).unwrap();
        let mut vault = Vault::load(first_pin.clone(), pinned.as_bytes(), &roster, &entries).unwrap();
        let by = Enroller::Member(&therapist);
        let first = vault.enrol(by, PatientId::new(PATIENT).unwrap(), rng).unwrap();
        let second = vault.enrol(by, PatientId::new(REKEYED).unwrap(), rng).unwrap();
        let third = vault.rekey(by, &second.key, rng).unwrap();
        let erased = vault.enrol(by, PatientId::new("p-3").unwrap(), rng).unwrap();
        let grants = [&first, &second, &third]
            .map(|patient| vault.grant(&patient.key, therapist.fingerprint(), rng).unwrap().bytes);
        let mut draft = vault.roster().next().unwrap();
        draft.set_status(colleague.fingerprint(), Status::Retired).unwrap();
        draft.close(erased.card_id, ClosedReason::Erased).unwrap();
        let next = draft.sign_as_registrar(&registrar, &pinned).unwrap();
        vault.update_roster(&next, &entries).unwrap();
        let Enrolment { card, endorsement, master_grant, .. } = &first;
        let stored = StoredPatient { cards: &[card], endorsement, master_grant };
        let card = vault.card(PatientId::new(PATIENT).unwrap(), &stored, None).unwrap();
        let (first, key) = state(first);
        let patients = vec![
            Patient { id: PATIENT, states: vec![first] },
            Patient { id: REKEYED, states: [second, third].map(|enrolment| state(enrolment).0).into() },
        ];
        let long_text = text(40_000);
        let revisions = [Revision::FIRST, Revision::FIRST.next().unwrap()];
        let sealed = [(0, NOTE), (1, long_text.as_slice())].map(|(which, text)| {
            revisions.map(|revision| {
                let place = RecordContext::new(Place::new(RecordId::new(RECORDS[which]).unwrap(), field()), revision);
                vault.seal(&key, &place, text, rng).unwrap()
            })
        });
        let deposit = vault.deposit(&card, &front_end, field(), Padding::Padme, NOTE, rng).unwrap();
        let id = RecordId::new(&deposit.record).unwrap();
        let absorbed = vault.absorb(&key, Place::new(id, field()), &deposit.bytes, rng).unwrap();
        let mut writer = vault.deposit_attachment(&card, &front_end, field(), Padding::Padme, Vec::new(), rng).unwrap();
        writer.write_all(&long_text).unwrap();
        let deposited = writer.record().to_owned();
        let deposited_attachment = (deposited, writer.finish().unwrap());
        let court = RecipientKey::generate(suite, rng).unwrap();
        let note = StoredNote {
            place: Place::new(RecordId::new(RECORDS[0]).unwrap(), field()),
            path: Path::Reader,
            bytes: &sealed[0][0],
        };
        let disclosure = vault.disclose(&key, &note, court.public(), &therapist, rng).unwrap();
        let draft = vault.roster().next_generation().unwrap();
        let rotation = vault.rotate(&master, Policy::new(3, 5).unwrap(), &registrar.public(), draft, rng).unwrap();
        let bytes = |share: &Share| share.to_bytes().expose().to_vec();
        Self {
            suite,
            strange_shares: [&other.shares[0], &rotation.shares[0]].map(bytes).into(),
            shares: shares.iter().map(bytes).collect(),
            registrar,
            master,
            pinned,
            first_pin,
            therapist,
            front_end,
            entries,
            rosters: [roster, next],
            vault,
            patients,
            key,
            card,
            grants: grants.into(),
            long_text,
            sealed,
            deposit,
            absorbed,
            deposited_attachment,
            court,
            disclosure,
            rotation,
        }
    }
}

fn state(enrolment: Enrolment) -> (State, PatientKey) {
    let Enrolment { card_id: id, card, endorsement, master_grant, key } = enrolment;
    (State { card, id, endorsement, master_grant }, key)
}
