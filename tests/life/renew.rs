//! The long transitions of the model: rotation, re-key, and what puts a patient in order again.

use lukko::{ClosedReason, Roles, Status};

use crate::class::Class;
use crate::model::{Act, Actor, CardIx, Change, KeyIx, Kind, Meta, Model, Note, NoteId, PATIENTS, Row, Signer, View};
use crate::steps::Closing;

impl Model {
    /// Who endorses, and whether that is allowed.
    pub(crate) fn signer(&self, who: usize) -> (Signer, Result<(), Class>) {
        match self.actor(who) {
            Actor::Member(key) => (Signer::Member(key), self.active(key, Roles::ENROL)),
            Actor::Quorum => (Signer::Root, Ok(())),
        }
    }

    /// A new endorsement with its master grant, in place of the ones of this generation.
    pub(crate) fn put_endorsed(&mut self, view: usize, patient: usize, card: CardIx, by: Signer) {
        let generation = self.views[view].generation;
        self.store.insert(Row::Endorsement(patient, generation), Meta::Endorsed { card, by });
        self.store.insert(Row::MasterGrant(patient, generation), Meta::Master(card));
    }

    /// Starts a rotation or resumes it. With a limit that reaches every patient it is brought to its end.
    pub(crate) fn rotate(&mut self, limit: usize, root: bool) {
        self.touched.extend(0..PATIENTS);
        if let [view] = self.views[..] {
            self.views.push(View { generation: view.generation + 1, version: view.version + 1 });
            self.plan(Act::StartRotation, Ok(()));
        }
        let by = if root { Signer::Root } else { self.enroller() };
        for patient in 0..limit.min(PATIENTS) {
            if limit >= PATIENTS {
                self.mend(0, patient);
            }
            self.rotate_patient(patient, by);
        }
        if limit >= PATIENTS {
            self.retire();
        }
    }

    fn rotate_patient(&mut self, patient: usize, by: Signer) {
        // Done is the card that the old generation endorses, or one that follows from it.
        let done = self.endorsed_card(0, patient).is_some_and(|old| self.card(1, patient, Some(old)).is_ok());
        let old = self.card(0, patient, None);
        let gives = if done { Ok(()) } else { old.map(drop) };
        if self.plan(Act::RotatePatient { patient, by, fresh: !done }, gives)
            && let (false, Ok(card)) = (done, old)
        {
            self.put_endorsed(1, patient, card, by);
        }
        let (from, to) = (self.views[0].generation, self.views[1].generation);
        for card in self.history(patient) {
            if old == Ok(card) || self.has_master(patient, card, to) || !self.has_master(patient, card, from) {
                continue;
            }
            let gives = self.key_expecting(0, patient, Some(card), Actor::Quorum, None).map(drop);
            if self.plan(Act::RotateOlder { patient, by, card }, gives) {
                self.store.insert(Row::OlderGrant(card, to), Meta::Plain);
            }
        }
    }

    /// Whether a quorum of the generation has a grant of this card.
    fn has_master(&self, patient: usize, card: CardIx, generation: u32) -> bool {
        let current = self.store.get(&Row::MasterGrant(patient, generation));
        matches!(current, Some(Meta::Master(of)) if *of == card)
            || self.store.contains_key(&Row::OlderGrant(card, generation))
    }

    fn retire(&mut self) {
        let [old, new] = [self.views[0].generation, self.views[1].generation];
        let cards = (0..self.cards.len()).map(CardIx);
        let wrapped = cards.filter(|card| self.has_master(self.cards[card.0].patient, *card, old));
        let (done, failed): (Vec<_>, Vec<_>) =
            wrapped.partition(|card| self.has_master(self.cards[card.0].patient, *card, new));
        assert!(self.damaged || failed.is_empty(), "nothing was damaged, yet a rotation leaves {failed:?} behind");
        self.plan(Act::Retire { done, failed }, Ok(()));
        self.store.retain(|row, _| !of_generation(row, old));
        self.views.remove(0);
    }

    pub(crate) fn rekey(&mut self, patient: usize, who: usize) {
        let (view, opener, by) = (self.view_for(patient), self.actor(who), self.enroller());
        let gives = self.key(view, patient, None, opener);
        let grant_to: Vec<KeyIx> = match gives {
            Ok(card) => (0..self.keys.len()).map(KeyIx).filter(|key| self.may_follow(card, *key)).collect(),
            Err(_) => Vec::new(),
        };
        self.touched.insert(patient);
        self.plan(Act::Rekey { view, patient, opener, by, grant_to: grant_to.clone() }, gives.map(drop));
        if let Ok(old) = gives {
            self.store.insert(Row::OlderGrant(old, self.views[view].generation), Meta::Plain);
            let card = self.new_card(patient, view, by, Some(old));
            grant_to.into_iter().for_each(|key| self.add_grant(patient, card, key));
        }
    }

    /// An active reader with a grant of the card.
    fn may_follow(&self, card: CardIx, key: KeyIx) -> bool {
        self.store.contains_key(&Row::Grant(card, key)) && self.active(key, Roles::READ).is_ok()
    }

    /// Moves notes to the current card, and closes older ones.
    pub(crate) fn move_notes(&mut self, patient: usize, reseal: bool, limit: usize, close: Closing) {
        let view = self.view_for(patient);
        let Ok(current) = self.card(view, patient, self.memory[patient]) else { return };
        let older: Vec<CardIx> = self.history(patient).into_iter().filter(|card| *card != current).collect();
        let mut notes = self.notes(patient);
        notes.retain(|(_, note)| older.contains(&note.card));
        self.touched.insert(patient);
        if close == Closing::AtOnce {
            self.close(older.clone());
        }
        for (id, note) in notes.into_iter().take(limit) {
            if let Some(opener) = self.opener(view, patient, &[note.card, current]) {
                self.move_note(view, patient, opener, (id, note), current, reseal);
            }
        }
        if close != Closing::Never {
            self.close_empty(patient, older);
        }
    }

    fn close_empty(&mut self, patient: usize, mut cards: Vec<CardIx>) {
        cards.retain(|card| self.notes(patient).iter().all(|(_, note)| note.card != *card));
        self.close(cards);
    }

    fn close(&mut self, cards: Vec<CardIx>) {
        for card in cards {
            if self.closed.insert(card, ClosedReason::Compromised).is_none() {
                self.publish(Change::Close(card));
            }
        }
    }

    fn move_note(
        &mut self,
        view: usize,
        patient: usize,
        opener: Actor,
        (id, note): (NoteId, Note),
        to: CardIx,
        reseal: bool,
    ) {
        let gives = self.attributed(view, &note);
        if self.plan(Act::Move { view, patient, opener, id, from: note.card, reseal }, gives) {
            let kind = match note.kind {
                Kind::Deposit { writer, seen } => Kind::Absorbed { writer, seen },
                kind => kind,
            };
            self.write(patient, id, Note { card: to, kind, ..note });
        } else if gives == Err(Class::Revoked) {
            // Nobody vouches for the writer: a person reads it, and seals what is worth it in a reader's name.
            let gives = self.require_not_erased(note.card);
            let revision = self.next_revision(patient, id);
            if self.plan(Act::Triage { view, patient, opener, id, from: note.card, revision }, gives) {
                self.write(patient, id, Note { card: to, revision, kind: Kind::Reader, ..note });
            }
        }
    }

    /// Endorses the remembered card anew where its endorsement does not count, and lets the quorum have older cards.
    pub(crate) fn mend(&mut self, view: usize, patient: usize) {
        self.touched.insert(patient);
        self.mend_current(view, patient);
        let Ok(current) = self.card(view, patient, self.memory[patient]) else { return };
        let generation = self.views[view].generation;
        for card in self.history(patient) {
            let opener = self.opener(view, patient, &[card]);
            if card != current
                && !self.has_master(patient, card, generation)
                && let Some(opener) = opener
            {
                self.plan(Act::OlderGrant { view, patient, opener, card }, Ok(()));
                self.store.insert(Row::OlderGrant(card, generation), Meta::Plain);
            }
        }
    }

    fn mend_current(&mut self, view: usize, patient: usize) {
        let Some(card) = self.memory[patient].filter(|card| self.history(patient).last() == Some(card)) else { return };
        if self.card(view, patient, None).is_ok() || self.closed.contains_key(&card) {
            return;
        }
        let generation = self.views[view].generation;
        let opens = |actor: &Actor| match actor {
            Actor::Quorum => self.has_master(patient, card, generation),
            Actor::Member(key) => self.may_follow(card, *key),
        };
        let by = self.enroller();
        if let Some(opener) = self.actors().into_iter().find(opens) {
            self.plan(Act::Mend { view, patient, opener, by, card }, Ok(()));
            self.put_endorsed(view, patient, card, by);
        }
    }

    /// Everything that a careful clinic does in the end: the rotation is finished, patients and notes are in order.
    pub(crate) fn settle(&mut self) {
        self.plan.clear();
        if self.views.len() == 2 {
            self.rotate(PATIENTS, true);
        }
        for patient in 0..PATIENTS {
            self.mend(0, patient);
            self.move_notes(patient, false, usize::MAX, Closing::Never);
        }
    }

    /// Whether the intent lets this actor read this note, with nothing damaged and everything settled.
    pub(crate) fn should_read(&self, patient: usize, note: &Note, actor: Actor) -> bool {
        let revoked = |key: KeyIx| self.keys[key.0].status == Status::Revoked;
        let attributed = !matches!(note.kind, Kind::Deposit { writer, .. } if revoked(writer));
        let reader = match actor {
            Actor::Quorum => true,
            Actor::Member(key) => self.granted.contains(&(patient, key)) && self.keys[key.0].status == Status::Active,
        };
        attributed && reader
    }
}

/// Rows that the retirement of a generation deletes, with those of generations before it.
pub(crate) fn of_generation(row: &Row, retired: u32) -> bool {
    match row {
        Row::Endorsement(_, generation) | Row::MasterGrant(_, generation) | Row::OlderGrant(_, generation) => {
            *generation <= retired
        }
        _ => false,
    }
}
