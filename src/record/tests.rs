//! Deposits against people who hold keys: what each can build, and what becomes of it.

use alloc::vec::Vec;

use getrandom::SysRng;

use super::context::{RecordContext, payload_context};
use super::deposit::sealed_key_info;
use super::locate::Located;
use super::seal::seal_payload;
use super::statement::{Statement, payload_digest, sealed_key_digest};
use crate::choice::{Padding, Path, Roles, Status, Suite};
use crate::custody::{NewVault, Pin, Policy, create};
use crate::digest::KeyFingerprint;
use crate::error::{Error, Untrusted, Usage};
use crate::ident::{FieldLabel, MemberId, PatientId, Place, RecordId, Revision, Scope};
use crate::keys::member::MemberKey;
use crate::keys::record::RecordSecrets;
use crate::keys::registrar::RegistrarKey;
use crate::patient::{Card, Enroller, Enrolment, StoredPatient};
use crate::prim::hpke::{Coins, open_secret, seal_secret};
use crate::record::{Deposit, Origin};
use crate::roster::{MemberEntry, RosterDraft};
use crate::vault::Vault;
use crate::wire::record::{Front, Head, Record, SealedKey, Wrap};

const NOTE: &[u8] = b"I would like an appointment.";
const OTHER: &[u8] = b"Please cancel everything.";

/// A vault with an enrolling reader, two depositors, and one patient.
struct World {
    vault: Vault,
    registrar: RegistrarKey,
    members: [MemberKey; 3],
    patient: Enrolment,
}

impl World {
    fn new(suite: Suite) -> Self {
        let rng = &mut SysRng;
        let registrar = RegistrarKey::generate(rng).unwrap();
        let NewVault { descriptor, .. } = create(Policy::new(2, 3).unwrap(), suite, &registrar.public(), rng).unwrap();
        let pin = Pin::new(descriptor.fingerprint(), &descriptor).unwrap();
        let pinned = pin.check(descriptor.clone()).unwrap();
        let members =
            ["reader", "intake", "other"].map(|id| pinned.new_member(MemberId::new(id).unwrap(), rng).unwrap());
        let mut draft = RosterDraft::first(&pinned);
        for (member, roles) in members.iter().zip([Roles::READ | Roles::ENROL, Roles::DEPOSIT, Roles::DEPOSIT]) {
            draft.admit(&MemberEntry::verify(member.entry(), &pinned).unwrap(), roles).unwrap();
        }
        let roster = draft.sign_as_registrar(&registrar, &pinned).unwrap();
        let entries = members.each_ref().map(MemberKey::entry);
        let vault = Vault::load(pin, descriptor.as_bytes(), &roster, entries).unwrap();
        let patient = vault.enrol(Enroller::Member(&members[0]), PatientId::new("p").unwrap(), rng).unwrap();
        Self { vault, registrar, members, patient }
    }

    fn card(&self) -> Card {
        let Enrolment { card, endorsement, master_grant, .. } = &self.patient;
        let stored = StoredPatient { cards: &[card], endorsement, master_grant };
        self.vault.card(PatientId::new("p").unwrap(), &stored, None).unwrap()
    }

    fn deposit(&self, note: &[u8]) -> Deposit {
        self.vault.deposit(&self.card(), &self.members[1], field(), Padding::Padme, note, &mut SysRng).unwrap()
    }

    fn open(&self, record: &str, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        let record = RecordId::new(record).unwrap();
        let opened = self.vault.open_deposit(&self.patient.key, Place::new(record, field()), bytes)?;
        Ok(opened.plaintext.to_vec())
    }

    fn locate<'a>(&self, record: &str, bytes: &'a [u8]) -> Located<'a> {
        let paths = [Path::Deposit, Path::Absorbed];
        Located::read(&self.patient.key, Place::new(RecordId::new(record).unwrap(), field()), bytes, &paths).unwrap()
    }

    /// The record key of a deposit, which its writer knew and every reader can take out.
    fn record_key(&self, record: &str, bytes: &[u8]) -> [u8; 32] {
        let located = self.locate(record, bytes);
        let Wrap::Deposit { key, .. } = located.front.wrap else { panic!("a deposit") };
        let card = self.patient.card_id;
        let digest = located.payload_digest();
        let info = sealed_key_info(Path::Deposit, card, located.context, key.writer, Some(digest));
        *open_secret(&self.patient.key.hpke().unwrap(), &info, &[], key.sealed).unwrap().expose()
    }

    /// A deposit by whoever signs, with any record id, revision 0, and any record key, named writer and sealed key.
    fn forge(&self, record: &str, note: &[u8], signer: &MemberKey, named: KeyFingerprint) -> Vec<u8> {
        self.forge_with(record, note, signer, named, |_| {})
    }

    /// The same with a change of the payload, which the signature covers.
    fn forge_with(
        &self,
        record: &str,
        note: &[u8],
        signer: &MemberKey,
        named: KeyFingerprint,
        change: impl FnOnce(&mut Vec<u8>),
    ) -> Vec<u8> {
        let Scope { suite, vault } = self.patient.key.scope();
        let place = RecordContext::of_deposit(Place::new(RecordId::new(record).unwrap(), field()), Padding::Padme);
        let context = payload_context(vault, PatientId::new("p").unwrap(), &place);
        let mut payload = Vec::new();
        seal_payload(&RecordSecrets::of(&[9; 32], [8; 24]), context, note, Padding::Padme, &mut payload).unwrap();
        change(&mut payload);
        let digest = payload_digest(&payload);
        let card = self.patient.card_id;
        let info = sealed_key_info(Path::Deposit, card, context, named, Some(digest));
        let sealed = {
            let coins = Coins::draw(suite, &mut SysRng).unwrap();
            seal_secret(self.card().hpke_key(), &info, &[], &[9; 32], &coins).unwrap()
        };
        let key = SealedKey { writer: named, roster_seen: 1, sealed: &sealed };
        let signature = Statement::of_deposit(Path::Deposit, card, context, &key, digest).sign(&signer.signing);
        let head = Head { suite, card, revision: Revision::DEPOSIT, padding: Padding::Padme };
        let mut out = Vec::new();
        Front { head, wrap: Wrap::Deposit { key, signature } }.put(&mut out);
        [out, payload].concat()
    }
}

fn field() -> FieldLabel<'static> {
    FieldLabel::new("intake").unwrap()
}

/// The same front with another payload.
fn with_payload(bytes: &[u8], payload: &[u8]) -> Vec<u8> {
    let front = bytes.len() - Record::parse(bytes).unwrap().payload.value.len();
    [&bytes[..front], payload].concat()
}

#[test]
fn t022_only_a_depositor_on_the_roster_deposits() {
    for suite in [Suite::XWing, Suite::X25519] {
        let world = World::new(suite);
        let [reader, intake, other] = &world.members;
        // The forgery itself is sound: signed by a depositor, in its own name, it is a deposit like any other.
        let honest = world.forge("r", NOTE, intake, intake.fingerprint());
        assert_eq!(world.open("r", &honest).unwrap(), NOTE);
        // Someone with every public key, and a key pair of his own.
        let stranger = world.vault.descriptor().new_member(MemberId::new("x").unwrap(), &mut SysRng).unwrap();
        let refused = world.open("r", &world.forge("r", OTHER, &stranger, stranger.fingerprint()));
        assert_eq!(refused, Err(Untrusted::UnknownMember(stranger.fingerprint()).into()));
        // A reader, who has a key on the roster, but not for this.
        let refused = world.open("r", &world.forge("r", OTHER, reader, reader.fingerprint()));
        assert_eq!(refused, Err(Untrusted::Role(reader.fingerprint()).into()));
        // Each of them in the name of the front end.
        for signer in [&stranger, reader, other] {
            let refused = world.open("r", &world.forge("r", OTHER, signer, intake.fingerprint()));
            assert_eq!(refused, Err(Untrusted::DepositSignature(intake.fingerprint()).into()));
        }
    }
}

#[test]
fn t022_another_depositor_cannot_claim_a_deposit() {
    let world = World::new(Suite::X25519);
    let other = &world.members[2];
    let Deposit { record, bytes } = world.deposit(NOTE);
    let located = world.locate(&record, &bytes);
    let Wrap::Deposit { key, .. } = located.front.wrap else { panic!("a deposit") };
    let key = SealedKey { writer: other.fingerprint(), ..key };
    let card = world.patient.card_id;
    let statement = Statement::of_deposit(Path::Deposit, card, located.context, &key, located.payload_digest());
    let signature = statement.sign(&other.signing);
    let claimed = located.with_front(&Front { wrap: Wrap::Deposit { key, signature }, ..located.front }).unwrap();
    // The signature is good; the record key was sealed with the true writer's name.
    assert_eq!(world.open(&record, &claimed), Err(Error::NotAuthentic));
}

#[test]
fn t022_a_reader_cannot_rewrite_a_deposit_under_its_writers_signature() {
    let world = World::new(Suite::X25519);
    let Deposit { record, bytes } = world.deposit(NOTE);
    let record_key = world.record_key(&record, &bytes);
    let context = world.locate(&record, &bytes).context;
    let salt = Record::parse(&bytes).unwrap().payload.value[..24].try_into().unwrap();
    let mut payload = Vec::new();
    seal_payload(&RecordSecrets::of(&record_key, salt), context, OTHER, Padding::Padme, &mut payload).unwrap();
    let rewritten = with_payload(&bytes, &payload);
    let writer = world.members[1].fingerprint();
    assert_eq!(world.open(&record, &rewritten), Err(Untrusted::DepositSignature(writer).into()));
}

#[test]
fn t022_an_absorbed_deposit_is_out_of_its_writers_reach() {
    for suite in [Suite::XWing, Suite::X25519] {
        let world = World::new(suite);
        let writer = &world.members[1];
        let Deposit { record, bytes } = world.deposit(NOTE);
        let record_key = world.record_key(&record, &bytes);
        let id = RecordId::new(&record).unwrap();
        let absorbed = world.vault.absorb(&world.patient.key, Place::new(id, field()), &bytes, &mut SysRng).unwrap();
        let opened = world.vault.open_deposit(&world.patient.key, Place::new(id, field()), &absorbed).unwrap();
        assert_eq!(opened.plaintext.as_bytes(), NOTE);
        assert_eq!(opened.origin, Origin::Absorbed { writer: writer.fingerprint(), status: Status::Active });
        // The writer kept the record key, encrypts another text, and signs that.
        let located = world.locate(&record, &absorbed);
        let mut payload = Vec::new();
        let salt = Record::parse(&absorbed).unwrap().payload.value[..24].try_into().unwrap();
        seal_payload(&RecordSecrets::of(&record_key, salt), located.context, OTHER, Padding::Padme, &mut payload)
            .unwrap();
        let Wrap::Absorbed { mut origin, key } = located.front.wrap else { panic!("absorbed") };
        let digest = payload_digest(&payload);
        origin.signature = Statement::of_origin(&origin, located.context, digest).sign(&writer.signing);
        let mut front = Vec::new();
        Front { wrap: Wrap::Absorbed { origin, key }, ..located.front }.put(&mut front);
        assert_eq!(world.open(&record, &[front, payload.clone()].concat()), Err(Error::NotAuthentic));
        // Without a new signature it fails before.
        let refused = world.open(&record, &with_payload(&absorbed, &payload));
        assert_eq!(refused, Err(Untrusted::DepositSignature(writer.fingerprint()).into()));
    }
}

#[test]
fn a_reader_cannot_absorb_what_nobody_signed() {
    let world = World::new(Suite::X25519);
    let Deposit { record, bytes } = world.deposit(NOTE);
    let id = RecordId::new(&record).unwrap();
    let absorbed = world.vault.absorb(&world.patient.key, Place::new(id, field()), &bytes, &mut SysRng).unwrap();
    let located = world.locate(&record, &absorbed);
    let Wrap::Absorbed { mut origin, key } = located.front.wrap else { panic!("absorbed") };
    // It names another writer, whose signature it does not have.
    origin.writer = world.members[2].fingerprint();
    let forged = located.with_front(&Front { wrap: Wrap::Absorbed { origin, key }, ..located.front }).unwrap();
    let refused = world.open(&record, &forged);
    assert_eq!(refused, Err(Untrusted::DepositSignature(world.members[2].fingerprint()).into()));
}

#[test]
fn t022_a_deposit_does_not_take_a_records_place() {
    let world = World::new(Suite::X25519);
    let place = RecordContext::new(Place::new(RecordId::new("r").unwrap(), field()), Revision::FIRST);
    world.vault.seal(&world.patient.key, &place, NOTE, &mut SysRng).unwrap();
    // A depositor who builds by hand chooses the id of an existing record.
    let writer = &world.members[1];
    let forged = world.forge("r", OTHER, writer, writer.fingerprint());
    let refused = world.vault.open(&world.patient.key, Place::new(RecordId::new("r").unwrap(), field()), &forged);
    assert_eq!(refused.unwrap_err(), Usage::WrongPath { met: Path::Deposit }.into());
    // Who asks for a deposit is told that it is one, of revision 0.
    let opened = world
        .vault
        .open_deposit(&world.patient.key, Place::new(RecordId::new("r").unwrap(), field()), &forged)
        .unwrap();
    assert_eq!(opened.origin, Origin::Deposit { writer: writer.fingerprint() });
    assert_eq!(opened.revision, Revision::DEPOSIT);
}

#[test]
fn the_statement_of_an_absorbed_deposit_is_the_deposits() {
    let world = World::new(Suite::X25519);
    let Deposit { record, bytes } = world.deposit(NOTE);
    let id = RecordId::new(&record).unwrap();
    let absorbed = world.vault.absorb(&world.patient.key, Place::new(id, field()), &bytes, &mut SysRng).unwrap();
    let Wrap::Deposit { key, signature } = world.locate(&record, &bytes).front.wrap else { panic!("a deposit") };
    let Wrap::Absorbed { origin, .. } = world.locate(&record, &absorbed).front.wrap else { panic!("absorbed") };
    assert_eq!(origin.signature, signature);
    assert_eq!(origin.sealed_key_digest, sealed_key_digest(key.sealed));
    assert_eq!((origin.writer, origin.card), (key.writer, world.patient.card_id));
}

#[test]
fn a_revoked_writer_is_refused_before_any_secret_is_touched() {
    let mut world = World::new(Suite::X25519);
    let writer = world.members[1].fingerprint();
    let Deposit { record, bytes } = world.deposit(NOTE);
    let mut draft = world.vault.roster().next().unwrap();
    draft.set_status(writer, Status::Revoked).unwrap();
    let roster = draft.sign_as_registrar(&world.registrar, world.vault.descriptor()).unwrap();
    let entries = world.members.each_ref().map(MemberKey::entry);
    world.vault.update_roster(&roster, entries).unwrap();
    assert_eq!(world.open(&record, &bytes), Err(Untrusted::Revoked(writer).into()));
    // The sealed key is garbage now, and the refusal is the same: it was not looked at. The signature is.
    let mut garbage = bytes.clone();
    let sealed_at = 48 + 40;
    garbage[sealed_at..sealed_at + 80].fill(0);
    assert_eq!(world.open(&record, &garbage), Err(Untrusted::DepositSignature(writer).into()));
}

/// A depositor signs a payload that does not open. It is refused before it is taken over, by whichever call: afterwards
/// nobody could tell a flaw of the deposit from damage.
#[test]
fn what_does_not_open_is_not_absorbed() {
    let world = World::new(Suite::X25519);
    let intake = &world.members[1];
    let damaged = |payload: &mut Vec<u8>| *payload.last_mut().unwrap() ^= 1;
    let bytes = world.forge_with("r", NOTE, intake, intake.fingerprint(), damaged);
    let (record, key) = (RecordId::new("r").unwrap(), &world.patient.key);
    assert_eq!(world.open("r", &bytes), Err(Error::NotAuthentic));
    let absorbed = world.vault.absorb(key, Place::new(record, field()), &bytes, &mut SysRng);
    assert_eq!(absorbed.unwrap_err(), Error::NotAuthentic);
    let second = world.vault.rekey(Enroller::Member(&world.members[0]), key, &mut SysRng).unwrap();
    for moved in [
        world.vault.rewrap(key, &second.key, Place::new(record, field()), &bytes, &mut SysRng),
        world.vault.reseal(key, &second.key, Place::new(record, field()), &bytes, &mut SysRng),
    ] {
        assert_eq!(moved.unwrap_err(), Error::NotAuthentic);
    }
}
