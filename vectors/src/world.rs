//! A whole, valid vault, made by the library from a seeded generator, with every secret that the cases need.

use lukko::*;
use serde_json::{Value, json};

use crate::case::{hex_of, suite_name};
use crate::make::keys::{Master, Member as MemberSecrets, Patient};
use crate::make::prim::{array, label};
use crate::make::{hpke, keys, objects, shamir};
use crate::rng::Seeded;

pub(crate) const PATIENT: &[u8] = b"p-1ec3ca69";
pub(crate) const MEMBERS: [(&str, &str, u8); 4] = [
    ("therapist", "dr-salo", 5),
    ("colleague", "dr-elo0", 1),
    ("intake", "intake1", 2),
    ("other_intake", "intake2", 2),
];

/// A member, with all that is secret of it.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) name: &'static str,
    pub(crate) id: &'static str,
    pub(crate) roles: u8,
    pub(crate) seed: [u8; 32],
    pub(crate) fingerprint: [u8; 32],
    pub(crate) entry: Vec<u8>,
    pub(crate) secrets: MemberSecrets,
    pub(crate) key: MemberKey,
}

/// What is stored of a patient.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) card: Vec<u8>,
    pub(crate) card_id: [u8; 32],
    pub(crate) endorsement: Vec<u8>,
    pub(crate) master_grant: Vec<u8>,
}

/// One generation: descriptor, shares and what they recover.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) descriptor: Vec<u8>,
    pub(crate) shares: Vec<Vec<u8>>,
    pub(crate) secret: [u8; 32],
    pub(crate) keys: Master,
    pub(crate) master: MasterKey,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) suite: Suite,
    pub(crate) id: [u8; 32],
    pub(crate) registrar: RegistrarKey,
    pub(crate) registrar_seed: [u8; 32],
    pub(crate) first: Generation,
    pub(crate) next: Generation,
    pub(crate) statement: Vec<u8>,
    pub(crate) next_roster: Vec<u8>,
    pub(crate) fingerprint: [u8; 32],
    pub(crate) pin: Vec<u8>,
    pub(crate) roster: Vec<u8>,
    pub(crate) people: Vec<Person>,
    pub(crate) vault: Vault,
    pub(crate) stored: Stored,
    pub(crate) grant: Vec<u8>,
    pub(crate) patient: Patient,
    pub(crate) patient_key: PatientKey,
    pub(crate) recipient: RecipientKey,
    pub(crate) recipient_seed: [u8; 32],
}

impl World {
    pub(crate) fn new(suite: Suite, rng: &mut Seeded) -> Self {
        let registrar_seed = rng.array();
        let registrar = RegistrarKey::from_seed(&registrar_seed);
        let made = create(Policy::new(3, 5).unwrap(), suite, &registrar.public(), rng).unwrap();
        let pin = Pin::new(made.descriptor.fingerprint(), &made.descriptor).unwrap();
        let pinned = pin.check(made.descriptor.clone()).unwrap();
        let people: Vec<Person> = MEMBERS.iter().map(|member| Person::new(&pinned, member, rng)).collect();
        let roster = first_roster(&pinned, &people, &registrar);
        let vault = Vault::load(pin.clone(), pinned.as_bytes(), &roster, people.iter().map(|p| &p.entry)).unwrap();
        let first = Generation::new(made.descriptor, &made.shares, made.master);
        let enrolled = vault.enrol(Enroller::Member(&people[0].key), patient_id(), rng).unwrap();
        let grant = vault.grant(&enrolled.key, people[0].key.fingerprint(), rng).unwrap().bytes;
        let draft = vault.roster().next_generation().unwrap();
        let next = vault.rotate(&first.master, Policy::new(2, 3).unwrap(), &registrar.public(), draft, rng).unwrap();
        let recipient_seed = rng.array();
        let id = *pinned.vault().as_bytes();
        let secret = open_grant(suite, &first.keys.hpke, &enrolled.master_grant);
        Self {
            suite,
            id,
            registrar,
            registrar_seed,
            fingerprint: *pinned.fingerprint().as_bytes(),
            pin: pin.to_bytes(),
            roster,
            people,
            vault,
            patient: Patient::derive(suite, &id, PATIENT, 1, &secret),
            stored: Stored::of(&enrolled),
            grant,
            patient_key: enrolled.key,
            first,
            statement: next.statement,
            next_roster: next.roster,
            next: Generation::new(next.descriptor, &next.shares, next.master),
            recipient: RecipientKey::from_seed(suite, &recipient_seed).unwrap(),
            recipient_seed,
        }
    }

    pub(crate) fn person(&self, name: &str) -> &Person {
        self.people.iter().find(|person| person.name == name).expect("a member of the world")
    }

    pub(crate) fn entries(&self) -> Vec<String> {
        self.people.iter().map(|person| hex_of(&person.entry)).collect()
    }

    pub(crate) fn recipient_private(&self) -> [u8; 32] {
        keys::recipient(self.suite, &self.recipient_seed)
    }

    pub(crate) fn registrar_signing(&self) -> [u8; 32] {
        keys::registrar(&self.registrar_seed)
    }

    /// The patient's card as the library verifies it.
    pub(crate) fn card(&self) -> Card {
        let cards: [&[u8]; 1] = [&self.stored.card];
        let Stored { endorsement, master_grant, .. } = &self.stored;
        self.vault.card(patient_id(), &StoredPatient { cards: &cards, endorsement, master_grant }, None).unwrap()
    }

    pub(crate) fn to_json(&self) -> Value {
        let members = self.people.iter().map(|person| {
            let Person { id, seed, fingerprint, .. } = person;
            (
                person.name.to_owned(),
                json!({"id": hex_of(id), "seed": hex_of(seed), "fingerprint": hex_of(fingerprint)}),
            )
        });
        let shares = |generation: &Generation| generation.shares.iter().map(hex_of).collect::<Vec<_>>();
        json!({
            "schema": "lukko-vectors/1 world",
            "suite": suite_name(self.suite),
            "descriptor": hex_of(&self.first.descriptor),
            "fingerprint": hex_of(self.fingerprint),
            "pin": hex_of(&self.pin),
            "roster": hex_of(&self.roster),
            "entries": self.entries(),
            "registrar_seed": hex_of(self.registrar_seed),
            "members": members.collect::<serde_json::Map<_, _>>(),
            "shares": shares(&self.first),
            "master_secret": hex_of(self.first.secret),
            "patient": {
                "id": hex_of(PATIENT), "cards": [hex_of(&self.stored.card)], "endorsement": hex_of(&self.stored.endorsement),
                "master_grant": hex_of(&self.stored.master_grant), "grant": hex_of(&self.grant)
            },
            "recipient_seed": hex_of(self.recipient_seed),
            "next": {
                "descriptor": hex_of(&self.next.descriptor), "statement": hex_of(&self.statement),
                "roster": hex_of(&self.next_roster), "shares": shares(&self.next),
                "master_secret": hex_of(self.next.secret)
            }
        })
    }
}

pub(crate) fn patient_id() -> PatientId<'static> {
    PatientId::new(PATIENT).unwrap()
}

impl Stored {
    pub(crate) fn of(enrolled: &Enrolment) -> Self {
        Self {
            card: enrolled.card.clone(),
            card_id: *enrolled.card_id.as_bytes(),
            endorsement: enrolled.endorsement.clone(),
            master_grant: enrolled.master_grant.clone(),
        }
    }
}

impl Generation {
    pub(crate) fn new(descriptor: Descriptor, shares: &[Share], master: MasterKey) -> Self {
        let shares: Vec<Vec<u8>> = shares.iter().map(|share| share.to_bytes().expose().to_vec()).collect();
        let points: Vec<_> = shares.iter().map(|share| (share[42], array(&share[43..]))).collect();
        let secret = shamir::interpolate(&points[..usize::from(descriptor.k())], 0);
        let keys = Master::derive(descriptor.suite(), descriptor.vault().as_bytes(), descriptor.generation(), &secret);
        Self { descriptor: descriptor.as_bytes().to_vec(), shares, secret, keys, master }
    }
}

impl Person {
    fn new(pinned: &PinnedDescriptor, (name, id, roles): &(&'static str, &'static str, u8), rng: &mut Seeded) -> Self {
        let seed = rng.array();
        let key = pinned.member_from_seed(MemberId::new(*id).unwrap(), &seed).unwrap();
        let secrets = MemberSecrets::derive(pinned.suite(), pinned.vault().as_bytes(), id.as_bytes(), &seed);
        let (fingerprint, entry) = (*key.fingerprint().as_bytes(), key.entry().to_vec());
        Self { name, id, roles: *roles, seed, fingerprint, entry, secrets, key }
    }
}

fn first_roster(pinned: &PinnedDescriptor, people: &[Person], registrar: &RegistrarKey) -> Vec<u8> {
    let mut draft = RosterDraft::first(pinned);
    for person in people {
        let roles = match person.roles {
            5 => Roles::READ | Roles::ENROL,
            1 => Roles::READ,
            _ => Roles::DEPOSIT,
        };
        draft.admit(&MemberEntry::verify(&person.entry, pinned).unwrap(), roles).unwrap();
    }
    draft.sign_as_registrar(registrar, pinned).unwrap()
}

/// The patient secret in a grant to this private key.
pub(crate) fn open_grant(suite: Suite, private: &[u8; 32], grant: &[u8]) -> [u8; 32] {
    let (head, sealed) = grant.split_at(grant.len() - suite.encapsulation_len() - 48);
    hpke::open(suite, private, &label("grant"), head, sealed)
}

/// Whether the builder, from the specification, makes what the library made.
pub(crate) fn agrees_with_builder(world: &World) -> Result<(), String> {
    let World { suite, id, first, .. } = world;
    let digests: Vec<u8> = first.shares.iter().flat_map(|s| objects::share_digest(id, 1, s[42], &s[43..])).collect();
    let registrar = crate::make::prim::ed_public(&world.registrar_signing());
    let (suite, vault, master) = (*suite, *id, &first.keys);
    let descriptor = objects::Descriptor { suite, vault, generation: 1, k: 3, n: 5, master, registrar, digests };
    let lines = world.people.iter().map(|p| (p.fingerprint, p.roles, 1)).collect();
    let roster =
        objects::Roster { vault, generation: 1, version: 1, previous: [0; 32], signer: 1, lines, closed: Vec::new() };
    let body = objects::card_body(suite, id, PATIENT, 1, &world.patient, &[0; 32]);
    let mut pairs = vec![
        ("descriptor", descriptor.bytes(), first.descriptor.clone()),
        ("roster", roster.sorted().signed(&world.registrar_signing()), world.roster.clone()),
        ("pin", objects::pin(&world.fingerprint, 1, 0, &[0; 32]), world.pin.clone()),
        ("card", [body, vec![0]].concat(), world.stored.card.clone()),
    ];
    for person in &world.people {
        pairs.push(("entry", objects::entry(suite, id, person.id.as_bytes(), &person.secrets), person.entry.clone()));
    }
    let differ = pairs.iter().find(|(_, built, library)| built != library);
    differ.map_or(Ok(()), |(what, ..)| Err(format!("builder and library differ: {what}")))
}
