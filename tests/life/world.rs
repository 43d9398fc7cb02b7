//! The system under test: the library over a store of bytes, with the keys of everybody who lives there.

use std::collections::BTreeMap;

use lukko::rand_core::TryCryptoRng;
use lukko::*;

use crate::clinic::TestRng;
use crate::model::{Actor, CardIx, KeyIx, Note, NoteId, PATIENTS, Row, SLOTS, Signer, roles};

/// What a clinic's database holds, and a thief may copy.
#[derive(Debug, Clone, Default)]
pub(crate) struct Store {
    pub(crate) rows: BTreeMap<Row, Vec<u8>>,
    pub(crate) public: Public,
}

/// The rows that every client loads: by generation, and the members' entries.
#[derive(Debug, Clone, Default)]
pub(crate) struct Public {
    pub(crate) descriptors: BTreeMap<u32, Vec<u8>>,
    pub(crate) statements: BTreeMap<u32, Vec<u8>>,
    pub(crate) rosters: BTreeMap<u32, Vec<u8>>,
    pub(crate) entries: Vec<Vec<u8>>,
}

/// A generation that was retired, in the hands of someone who kept its master key and its last state.
#[derive(Debug)]
pub(crate) struct OldGeneration {
    pub(crate) vault: Vault,
    pub(crate) master: MasterKey,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) backups: Vec<Store>,
    pub(crate) registrar: RegistrarKey,
    pub(crate) keys: Vec<MemberKey>,
    /// A key that the registrar never admitted.
    pub(crate) stranger: MemberKey,
    pub(crate) first_pin: Pin,
    /// The clients: one generation, or two while a rotation is under way.
    pub(crate) vaults: Vec<Vault>,
    /// The shares that custodians still have, as text, by generation.
    pub(crate) shares: BTreeMap<u32, Vec<String>>,
    pub(crate) retired: Vec<OldGeneration>,
    /// The ids of all cards, in the order in which they were made.
    pub(crate) cards: Vec<CardId>,
    /// The card of each patient that the clients accepted last.
    pub(crate) memory: [Option<CardId>; PATIENTS],
    /// The records of deposits, by the model's names.
    pub(crate) names: BTreeMap<NoteId, String>,
}

const NAMES: [&str; PATIENTS] = ["p-1ec3ca69", "p-7d", "p-\u{e4}"];

pub(crate) fn patient_id(patient: usize) -> PatientId<'static> {
    PatientId::new(NAMES[patient]).unwrap()
}

/// The text of a note: of every length from nothing to some hundred bytes.
pub(crate) fn text(number: u32) -> Vec<u8> {
    format!("Note {number}. Ääkkösiä. ").repeat(number as usize * 7 % 30).into_bytes()
}

pub(crate) fn policy() -> Policy {
    Policy::new(2, 3).unwrap()
}

pub(crate) fn share_texts(shares: &[Share]) -> Vec<String> {
    shares.iter().map(|share| share.to_text().expose().to_owned()).collect()
}

impl World {
    /// A vault of 2 of 3 with four members and no patient.
    pub(crate) fn found(rng: &mut TestRng) -> Self {
        let registrar = RegistrarKey::generate(rng).unwrap();
        let NewVault { descriptor, shares, .. } = create(policy(), Suite::X25519, &registrar.public(), rng).unwrap();
        let first_pin = Pin::new(descriptor.fingerprint(), &descriptor).unwrap();
        let pinned = first_pin.check(descriptor.clone()).unwrap();
        let keys: Vec<MemberKey> = (0..SLOTS).map(|slot| new_member(&pinned, slot, rng)).collect();
        let stranger = new_member(&pinned, SLOTS, rng);
        let mut draft = RosterDraft::first(&pinned);
        for (slot, key) in keys.iter().enumerate() {
            draft.admit(&MemberEntry::verify(key.entry(), &pinned).unwrap(), roles(slot)).unwrap();
        }
        let roster = draft.sign_as_registrar(&registrar, &pinned).unwrap();
        let public = Public {
            descriptors: [(1, descriptor.as_bytes().to_vec())].into(),
            statements: BTreeMap::new(),
            rosters: [(1, roster.clone())].into(),
            entries: keys.iter().map(|key| key.entry().to_vec()).collect(),
        };
        let vault = Vault::load(first_pin.clone(), descriptor.as_bytes(), &roster, &public.entries).unwrap();
        Self {
            store: Store { rows: BTreeMap::new(), public },
            backups: Vec::new(),
            registrar,
            keys,
            stranger,
            first_pin,
            vaults: vec![vault],
            shares: [(1, share_texts(&shares))].into(),
            retired: Vec::new(),
            cards: Vec::new(),
            memory: [None; PATIENTS],
            names: BTreeMap::new(),
        }
    }

    pub(crate) fn row(&self, row: Row) -> Option<&[u8]> {
        self.store.rows.get(&row).map(Vec::as_slice)
    }

    pub(crate) fn generation(&self, view: usize) -> u32 {
        self.vaults[view].descriptor().generation()
    }

    /// All stored cards of a patient.
    pub(crate) fn card_rows(&self, patient: usize) -> Vec<&[u8]> {
        let of_patient =
            |(row, bytes): (&Row, _)| matches!(row, Row::Card(owner, _) if *owner == patient).then_some(bytes);
        self.store.rows.iter().filter_map(of_patient).map(Vec::as_slice).collect()
    }

    /// The current endorsement and master grant of a generation, or what there is of an endorsement, or nothing.
    pub(crate) fn endorsed_rows(&self, patient: usize, generation: u32) -> (&[u8], &[u8]) {
        let any = || {
            let endorsement = |row: &&Row| matches!(row, Row::Endorsement(owner, _) if *owner == patient);
            self.store.rows.keys().rfind(endorsement).and_then(|row| self.row(*row))
        };
        let endorsement = self.row(Row::Endorsement(patient, generation)).or_else(any);
        let master_grant = self.row(Row::MasterGrant(patient, generation));
        (endorsement.unwrap_or_default(), master_grant.unwrap_or_default())
    }

    /// The patient's current card, for the clients of one view.
    pub(crate) fn card(&self, view: usize, patient: usize) -> Result<Card> {
        let (endorsement, master_grant) = self.endorsed_rows(patient, self.generation(view));
        let stored = StoredPatient { cards: &self.card_rows(patient), endorsement, master_grant };
        self.vaults[view].card(patient_id(patient), &stored, self.memory[patient])
    }

    /// The key of the current card, or of the older one that is wanted, as the service opens it.
    pub(crate) fn key(&self, view: usize, patient: usize, wanted: Option<CardIx>, actor: Actor) -> Result<PatientKey> {
        let card = self.card(view, patient)?;
        let Some(older) = wanted.filter(|wanted| self.cards[wanted.0] != card.id()) else {
            return self.current_key(view, patient, &card, actor);
        };
        let (endorsement, master_grant) = self.endorsed_rows(patient, self.generation(view));
        let stored = StoredPatient { cards: &self.card_rows(patient), endorsement, master_grant };
        let (vault, memory) = (&self.vaults[view], self.memory[patient]);
        self.with_grant(view, patient, older, actor, |with| {
            vault.open_older(patient_id(patient), &stored, memory, self.cards[older.0], with)
        })
    }

    fn current_key(&self, view: usize, patient: usize, card: &Card, actor: Actor) -> Result<PatientKey> {
        match actor {
            Actor::Member(key) => {
                let at = CardIx(self.cards.iter().position(|id| *id == card.id()).unwrap());
                self.vaults[view].open_grant(card, &self.keys[key.0], self.grant_row(view, patient, at, actor))
            }
            Actor::Quorum => self.vaults[view].break_glass(card, &self.master(view)),
        }
    }

    /// The actor's grant of a card, or else the patient's master grant, or nothing.
    fn grant_row(&self, view: usize, patient: usize, card: CardIx, actor: Actor) -> &[u8] {
        let generation = self.generation(view);
        let own = match actor {
            Actor::Member(key) => Row::Grant(card, key),
            Actor::Quorum => Row::OlderGrant(card, generation),
        };
        self.row(own).or_else(|| self.row(Row::MasterGrant(patient, generation))).unwrap_or_default()
    }

    pub(crate) fn with_grant<T>(
        &self,
        view: usize,
        patient: usize,
        card: CardIx,
        actor: Actor,
        with: impl FnOnce(&GrantKey<'_>) -> T,
    ) -> T {
        let grant = self.grant_row(view, patient, card, actor);
        match actor {
            Actor::Member(key) => with(&GrantKey::Member { key: &self.keys[key.0], grant }),
            Actor::Quorum => with(&GrantKey::Master { key: &self.master(view), grant }),
        }
    }

    /// Two of the three custodians of a generation meet, a different pair each time that the number of cards changes.
    pub(crate) fn master(&self, view: usize) -> MasterKey {
        let descriptor = self.vaults[view].descriptor();
        let mut recovery = Recovery::new(descriptor);
        for at in [self.cards.len(), self.cards.len() + 1] {
            let text = &self.shares[&descriptor.generation()][at % 3];
            recovery.add(Share::from_text(text).unwrap()).unwrap();
        }
        recovery.finish().unwrap()
    }

    /// Calls with the enroller that is meant, for which a quorum may have to meet.
    pub(crate) fn with_enroller<T>(&self, view: usize, by: Signer, call: impl FnOnce(Enroller<'_>) -> T) -> T {
        match by {
            Signer::Member(KeyIx(key)) => call(Enroller::Member(&self.keys[key])),
            Signer::Root => call(Enroller::Root(&self.master(view))),
        }
    }

    pub(crate) fn record<'a>(&'a self, id: &NoteId) -> (String, FieldLabel<'a>) {
        let record = self.names.get(id).cloned().unwrap_or_else(|| format!("r-{}", id.record));
        (record, FieldLabel::new(["note", "plan"][usize::from(id.field)]).unwrap())
    }

    /// Opens a stored note with the call that its path names.
    pub(crate) fn open(&self, view: usize, key: &PatientKey, patient: usize, id: &NoteId) -> Result<Opened> {
        let (record, field) = self.record(id);
        let (record, bytes) = (RecordId::new(&record)?, self.row(Row::Note(patient, *id)).unwrap());
        match path_of(bytes)? {
            Path::Reader => self.vaults[view].open(key, Place::new(record, field), bytes),
            _ => self.vaults[view].open_deposit(key, Place::new(record, field), bytes),
        }
    }

    /// Opens the note of a writer who was revoked.
    pub(crate) fn open_unattributed(
        &self,
        view: usize,
        key: &PatientKey,
        patient: usize,
        id: &NoteId,
    ) -> Result<Unattributed<Opened>> {
        let (record, field) = self.record(id);
        let bytes = self.row(Row::Note(patient, *id)).unwrap();
        self.vaults[view].open_unattributed(key, Place::new(RecordId::new(&record)?, field), bytes)
    }

    pub(crate) fn seal(
        &self,
        view: usize,
        key: &PatientKey,
        id: &NoteId,
        (revision, text): (u64, &[u8]),
        rng: &mut impl TryCryptoRng,
    ) -> Result<Vec<u8>> {
        let (record, field) = self.record(id);
        let place = RecordContext::new(Place::new(RecordId::new(&record)?, field), Revision::new(revision)?);
        self.vaults[view].seal(key, &place, text, rng)
    }

    /// That the note is the one that the model expects, byte for byte.
    pub(crate) fn assert_note(&self, opened: &Opened, note: &Note, status: impl Fn(KeyIx) -> Status) {
        use crate::model::Kind;
        assert_eq!(opened.plaintext.as_bytes(), text(note.text), "another text than {note:?}");
        assert_eq!(opened.revision.get(), note.revision, "another revision than {note:?}");
        let fingerprint = |key: KeyIx| self.keys[key.0].fingerprint();
        let origin = match note.kind {
            Kind::Reader => Origin::Reader,
            Kind::Deposit { writer, .. } => Origin::Deposit { writer: fingerprint(writer) },
            Kind::Absorbed { writer, .. } => Origin::Absorbed { writer: fingerprint(writer), status: status(writer) },
        };
        assert_eq!(opened.origin, origin, "another origin than {note:?}");
    }
}

/// Member ids repeat when a key is replaced, as they do in life.
pub(crate) fn new_member(descriptor: &PinnedDescriptor, slot: usize, rng: &mut TestRng) -> MemberKey {
    let id = format!("member-{slot}");
    descriptor.new_member(MemberId::new(&id).unwrap(), rng).unwrap()
}
