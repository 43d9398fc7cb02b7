//! The cases, one module for each kind of object.

mod chunks;
mod custody;
mod deposit;
mod deposit_forged;
mod deposited;
mod disclosure;
mod disclosure_inner;
mod grant;
mod member;
mod patient;
mod patient_chain;
mod public;
mod record;
mod roster;
mod rotation;
mod sealing;
mod share_text;
mod shares;

use lukko::Suite;
use serde_json::{Value, json};

use crate::case::{Book, hex_of};
use crate::make::objects::{Roster, roster_digest};
use crate::make::points::{ed_is_valid, hpke_is_valid};
use crate::make::prim::array;
use crate::make::record::Place;
use crate::rng::Seeded;
use crate::world::{PATIENT, World};

/// What the cases of one suite are made from.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) world: World,
    /// Another vault of the same suite.
    pub(crate) foreign: World,
    /// Another vault, of the other suite.
    pub(crate) other: World,
    pub(crate) rng: Seeded,
}

impl Desk {
    pub(crate) fn new(suite: Suite, seed: &[u8]) -> Self {
        let mut rng = Seeded::new(&[seed, &suite.kem_id().to_be_bytes()].concat());
        let other = if suite == Suite::XWing { Suite::X25519 } else { Suite::XWing };
        Self {
            world: World::new(suite, &mut rng),
            foreign: World::new(suite, &mut rng),
            other: World::new(other, &mut rng),
            rng,
        }
    }

    pub(crate) const fn suite(&self) -> Suite {
        self.world.suite
    }

    pub(crate) fn is_x_wing(&self) -> bool {
        self.suite() == Suite::XWing
    }

    /// The world's roster as it was before signing, as version 2.
    pub(crate) fn next_roster(&self) -> Roster {
        let World { id, people, roster, .. } = &self.world;
        let lines = people.iter().map(|person| (person.fingerprint, person.roles, 1)).collect();
        let (generation, previous) = (1, roster_digest(roster));
        Roster { vault: *id, generation, version: 2, previous, signer: 1, lines, closed: Vec::new() }.sorted()
    }

    /// The input that puts a roster, signed by the registrar, in place of the world's.
    pub(crate) fn under(&self, change: impl FnOnce(&mut Roster)) -> Value {
        self.under_with("intake", change)
    }

    /// The same with the entries of the therapist, of `intake` and of one more member.
    fn under_with(&self, name: &str, change: impl FnOnce(&mut Roster)) -> Value {
        let mut roster = self.next_roster();
        change(&mut roster);
        let roster = roster.sorted().signed(&self.world.registrar_signing());
        let needed = self.world.people.iter().filter(|person| ["therapist", "intake", name].contains(&person.name));
        let entries: Vec<String> = needed.map(|person| hex_of(&person.entry)).collect();
        json!({"roster": hex_of(roster), "entries": entries})
    }

    /// The same with another status of one member.
    pub(crate) fn with_status(&self, name: &str, status: u8) -> Value {
        let key = self.world.person(name).fingerprint;
        self.under_with(name, |roster| {
            roster.lines.iter_mut().filter(|line| line.0 == key).for_each(|line| line.2 = status)
        })
    }

    /// The same with other roles of one member.
    pub(crate) fn with_roles(&self, name: &str, roles: u8) -> Value {
        let key = self.world.person(name).fingerprint;
        self.under_with(name, |roster| {
            roster.lines.iter_mut().filter(|line| line.0 == key).for_each(|line| line.1 = roles)
        })
    }

    /// The same with the world's card closed.
    pub(crate) fn with_closed(&self, reason: u8) -> Value {
        let card = self.world.stored.card_id;
        self.under(|roster| roster.closed.push((card, reason)))
    }

    /// A place of the world's patient.
    pub(crate) fn place(&self, record: &str, revision: u64, padding: u8) -> Place {
        place_in(&self.world, record, revision, padding)
    }
}

pub(crate) fn place_in(world: &World, record: &str, revision: u64, padding: u8) -> Place {
    Place {
        suite: world.suite,
        vault: world.id,
        card: world.stored.card_id,
        patient: PATIENT.to_vec(),
        record: record.as_bytes().to_vec(),
        field: b"note".to_vec(),
        revision,
        padding,
    }
}

/// The world's public keys, as they stand on the card.
pub(crate) fn card_key(world: &World) -> &[u8] {
    &world.patient.public.0
}

/// Whether a damaged field is still a key, if it is one.
pub(crate) fn stays_a_key(suite: Suite) -> impl Fn(&str, &[u8]) -> bool {
    move |name, bytes| match name {
        "hpke key" | "master key" => hpke_is_valid(suite, bytes),
        "signing key" | "succession key" | "root key" | "registrar key" => ed_is_valid(bytes),
        _ => true,
    }
}

/// The first eight bytes of a vault id and so on, for comments.
pub(crate) fn flipped(bytes: &[u8], at: usize, mask: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= mask;
    bytes
}

pub(crate) fn signature_of(object: &[u8]) -> [u8; 64] {
    array(&object[object.len() - 64..])
}

/// All cases of both suites.
pub(crate) fn all(x25519: &mut Desk, x_wing: &mut Desk) -> Vec<Book> {
    let mut books = vec![share_text::book(x25519), public::signing_keys(x25519)];
    for desk in [x25519, x_wing] {
        books.extend([custody::descriptors(desk), custody::pins(desk), shares::shares(desk), shares::recoveries(desk)]);
        books.extend([member::book(desk), roster::book(desk), patient::book(desk), grant::grants(desk)]);
        books.extend([grant::master_grants(desk), record::book(desk), chunks::book(desk), deposit::book(desk)]);
        books.extend([deposited::book(desk), rotation::book(desk), disclosure::book(desk), public::hpke_keys(desk)]);
        books.push(sealing::book(desk));
    }
    books
}
