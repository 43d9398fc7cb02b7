//! The transitions, and what each does to the model: it changes rows and plans the calls that change them in truth.

use lukko::{ClosedReason, Roles, Status};

use crate::class::Class;
use crate::model::{Act, Actor, CardInfo, CardIx, Change, Key, KeyIx, Kind, Meta, Model, Note, NoteId, PATIENTS, Row};

/// When an older card is closed as compromised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closing {
    Never,
    /// When it holds no note any more.
    Empty,
    /// Before its notes have been moved, since somebody has the key.
    AtOnce,
}

/// One step in the life of a clinic. `who` is a member's slot, or with 4 a quorum; `limit` interrupts a loop.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Enrol { patient: usize, who: usize },
    Grant { patient: usize, who: usize, to: usize },
    Seal { patient: usize, who: usize, record: u32, field: u8 },
    Deposit { patient: usize, who: usize, field: u8 },
    Absorb { patient: usize, who: usize, nth: usize },
    Rotate { limit: usize, root: bool },
    Rekey { patient: usize, who: usize, reseal: bool, limit: usize, close: Closing },
    Move { patient: usize, reseal: bool, limit: usize, close: Closing },
    Revoke { slot: usize },
    RetireMember { slot: usize },
    Replace { slot: usize },
    Erase { patient: usize, keep_notes: bool },
    Mend { patient: usize },
    Backup,
    Restore { which: usize },
    Forget { patient: usize },
    Delete { nth: usize },
}

impl Model {
    /// A clinic some days after it opened: two patients, three readers, a note of each kind.
    pub(crate) fn opened(seed: u64) -> Self {
        let mut model = Self::new(seed);
        let mut plan = Vec::new();
        for step in [
            Step::Enrol { patient: 0, who: 0 },
            Step::Grant { patient: 0, who: 0, to: 2 },
            Step::Seal { patient: 0, who: 2, record: 0, field: 0 },
            Step::Deposit { patient: 0, who: 3, field: 0 },
            Step::Enrol { patient: 1, who: 1 },
            Step::Seal { patient: 1, who: 1, record: 0, field: 0 },
        ] {
            model.step(&step);
            plan.append(&mut model.plan);
        }
        Self { plan, ..model }
    }

    pub(crate) fn step(&mut self, step: &Step) {
        self.plan.clear();
        self.touched.clear();
        self.steps += 1;
        match *step {
            Step::Enrol { patient, who } => self.enrol(patient, who),
            Step::Grant { patient, who, to } => self.grant(patient, who, to),
            Step::Seal { patient, who, record, field } => self.seal(patient, who, NoteId { record, field }),
            Step::Deposit { patient, who, field } => self.deposit(patient, who, field),
            Step::Absorb { patient, who, nth } => self.absorb(patient, who, nth),
            Step::Rotate { limit, root } => self.rotate(limit, root),
            Step::Rekey { patient, who, reseal, limit, close } => {
                self.rekey(patient, who);
                self.move_notes(patient, reseal, limit, close);
            }
            Step::Move { patient, reseal, limit, close } => self.move_notes(patient, reseal, limit, close),
            Step::Revoke { slot } => self.set_status(slot, Status::Revoked),
            Step::RetireMember { slot } => self.set_status(slot, Status::Retired),
            Step::Replace { slot } => self.replace(slot),
            Step::Erase { patient, keep_notes } => self.erase(patient, keep_notes),
            Step::Mend { patient } => (0..self.views.len()).for_each(|view| self.mend(view, patient)),
            Step::Backup => self.back_up(),
            Step::Restore { which } => self.restore(which),
            Step::Forget { patient } => self.forget(patient),
            Step::Delete { nth } => self.delete(nth),
        }
    }

    /// Plans a call and says whether it succeeds.
    pub(crate) fn plan(&mut self, act: Act, gives: Result<(), Class>) -> bool {
        self.plan.push((act, gives));
        gives.is_ok()
    }

    pub(crate) fn publish(&mut self, change: Change) {
        self.views.iter_mut().for_each(|view| view.version += 1);
        self.touched.extend(0..PATIENTS);
        self.plan(Act::Publish(change), Ok(()));
    }

    fn enrol(&mut self, patient: usize, who: usize) {
        let open = |card: &CardIx| !self.closed.contains_key(card);
        if self.stored_cards(patient).iter().any(open) {
            return; // a service looks first
        }
        let (by, gives) = self.signer(who);
        let grant_to = match self.actor(who) {
            Actor::Member(key) => Some(key),
            Actor::Quorum => None,
        };
        self.touched.insert(patient);
        if self.plan(Act::Enrol { by, patient, grant_to }, gives) {
            let card = self.new_card(patient, self.views.len() - 1, by, None);
            self.truth.retain(|(owner, _), _| *owner != patient);
            self.granted.retain(|(owner, _)| *owner != patient);
            grant_to.into_iter().for_each(|key| self.add_grant(patient, card, key));
        }
    }

    pub(crate) fn add_grant(&mut self, patient: usize, card: CardIx, key: KeyIx) {
        self.store.insert(Row::Grant(card, key), Meta::Plain);
        self.granted.insert((patient, key));
    }

    /// A new card with its rows.
    pub(crate) fn new_card(
        &mut self,
        patient: usize,
        view: usize,
        by: crate::model::Signer,
        previous: Option<CardIx>,
    ) -> CardIx {
        let card = CardIx(self.cards.len());
        let version = previous.map_or(1, |previous| self.cards[previous.0].version + 1);
        self.cards.push(CardInfo { patient, version, previous });
        self.store.insert(Row::Card(patient, card), Meta::Plain);
        self.put_endorsed(view, patient, card, by);
        self.memory[patient] = Some(card);
        card
    }

    fn grant(&mut self, patient: usize, who: usize, to: usize) {
        let (view, opener, to) = (self.view_for(patient), self.actor(who), self.key_of(to));
        let opened = self.key(view, patient, None, opener);
        let gives = opened.and_then(|card| self.active(to, Roles::READ).map(|()| card));
        self.touched.insert(patient);
        self.plan(Act::Grant { view, patient, opener, to }, gives.map(drop));
        gives.into_iter().for_each(|card| self.add_grant(patient, card, to));
    }

    fn seal(&mut self, patient: usize, who: usize, id: NoteId) {
        let (view, opener) = (self.view_for(patient), self.actor(who));
        let gives = self.key(view, patient, None, opener);
        let (revision, text) = (self.next_revision(patient, id), self.next_text());
        self.touched.insert(patient);
        self.plan(Act::Seal { view, patient, opener, id, revision, text }, gives.map(drop));
        if let Ok(card) = gives {
            self.write(patient, id, Note { card, revision, text, kind: Kind::Reader });
        }
    }

    pub(crate) fn next_revision(&self, patient: usize, id: NoteId) -> u64 {
        self.revisions.get(&(patient, id)).map_or(1, |revision| revision + 1)
    }

    fn next_text(&mut self) -> u32 {
        self.texts += 1;
        self.texts
    }

    pub(crate) fn write(&mut self, patient: usize, id: NoteId, note: Note) {
        self.store.insert(Row::Note(patient, id), Meta::Note(note));
        self.revisions.insert((patient, id), note.revision);
        self.truth.insert((patient, id), note.text);
    }

    fn deposit(&mut self, patient: usize, who: usize, field: u8) {
        let (view, writer, text) = (self.view_for(patient), self.key_of(who), self.next_text());
        let id = NoteId { record: NoteId::DEPOSITS + self.deposits, field };
        self.deposits += 1;
        let card = self.card(view, patient, self.memory[patient]);
        let gives = card.and_then(|card| self.active(writer, Roles::DEPOSIT).map(|()| card));
        self.touched.insert(patient);
        self.plan(Act::Deposit { view, patient, writer, id, text }, gives.map(drop));
        if let Ok(card) = gives {
            let kind = Kind::Deposit { writer, seen: self.views[view].version };
            self.write(patient, id, Note { card, revision: 0, text, kind });
        }
    }

    fn absorb(&mut self, patient: usize, who: usize, nth: usize) {
        let mut deposits = self.notes(patient);
        deposits.retain(|(_, note)| matches!(note.kind, Kind::Deposit { .. }));
        let Some((id, note)) = deposits.get(nth % deposits.len().max(1)).copied() else { return };
        let Kind::Deposit { writer, seen } = note.kind else { return };
        let (view, opener) = (self.view_for(patient), self.actor(who));
        let gives = self.read(view, patient, id, opener).map(drop);
        self.touched.insert(patient);
        if self.plan(Act::Absorb { view, patient, opener, id, card: note.card }, gives) {
            self.write(patient, id, Note { kind: Kind::Absorbed { writer, seen }, ..note });
        }
    }

    fn set_status(&mut self, slot: usize, status: Status) {
        let key = self.key_of(slot);
        if self.keys[key.0].status < status {
            self.keys[key.0].status = status;
            self.publish(Change::Status(key, status));
        }
    }

    fn replace(&mut self, slot: usize) {
        let lost = Some(self.key_of(slot)).filter(|key| self.keys[key.0].status != Status::Revoked);
        lost.into_iter().for_each(|key| self.keys[key.0].status = Status::Revoked);
        self.keys.push(Key { slot, status: Status::Active });
        self.publish(Change::Key { slot, lost });
    }

    fn erase(&mut self, patient: usize, keep_notes: bool) {
        let mut cards = self.stored_cards(patient);
        let gives = if cards.is_empty() { Err(Class::NoCard) } else { Ok(()) };
        // A card that another names as the one before it, or a grant as its own, is closed too, though its row is lost.
        let grants: Vec<(Row, CardIx)> = self.store.iter().filter_map(|(row, meta)| of_card(row, meta)).collect();
        let grants: Vec<_> = grants.into_iter().filter(|(_, card)| self.cards[card.0].patient == patient).collect();
        let previous = cards.iter().filter_map(|card| self.cards[card.0].previous);
        let named: Vec<CardIx> = previous.chain(grants.iter().map(|(_, card)| *card)).collect();
        for card in named {
            if !cards.contains(&card) {
                cards.push(card);
            }
        }
        let grants = grants.into_iter().map(|(row, _)| row).collect();
        self.touched.insert(patient);
        if !self.plan(Act::Erase { patient, cards: cards.clone(), grants, keep_notes }, gives) {
            return;
        }
        self.views.iter_mut().for_each(|view| view.version += 1);
        for card in &cards {
            self.closed.insert(*card, ClosedReason::Erased);
        }
        self.store.retain(|row, _| !erased(row, patient, &cards, keep_notes));
        self.memory[patient] = None;
        self.granted.retain(|(owner, _)| *owner != patient);
        self.truth.retain(|(owner, _), _| *owner != patient);
    }

    fn back_up(&mut self) {
        self.backups.push(self.store.clone());
        self.plan(Act::Backup, Ok(()));
    }

    fn restore(&mut self, which: usize) {
        let which = which % self.backups.len();
        self.store = self.backups[which].clone();
        self.damaged = true;
        self.touched.extend(0..PATIENTS);
        self.plan(Act::Restore(which), Ok(()));
    }

    /// A person decides that what is stored counts, whatever the client accepted before.
    fn forget(&mut self, patient: usize) {
        let card = self.history(patient).last().copied();
        self.memory[patient] = card;
        self.touched.insert(patient);
        self.plan(Act::Remember { patient, card }, Ok(()));
    }

    fn delete(&mut self, nth: usize) {
        let Some(row) = self.store.keys().nth(nth % self.store.len().max(1)).copied() else { return };
        self.store.remove(&row);
        self.damaged = true;
        self.touched.extend(0..PATIENTS);
        self.plan(Act::Delete(row), Ok(()));
    }
}

/// The card that a stored grant names.
fn of_card(row: &Row, meta: &Meta) -> Option<(Row, CardIx)> {
    match (row, meta) {
        (Row::Grant(card, _) | Row::OlderGrant(card, _), _) | (Row::MasterGrant(..), Meta::Master(card)) => {
            Some((*row, *card))
        }
        _ => None,
    }
}

/// What an erasure deletes.
pub(crate) fn erased(row: &Row, patient: usize, cards: &[CardIx], keep_notes: bool) -> bool {
    match row {
        Row::Card(owner, _) | Row::Endorsement(owner, _) | Row::MasterGrant(owner, _) => *owner == patient,
        Row::OlderGrant(card, _) | Row::Grant(card, _) => cards.contains(card),
        Row::Note(owner, _) => *owner == patient && !keep_notes,
    }
}
