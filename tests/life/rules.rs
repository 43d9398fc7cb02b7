//! Who reads what, told from the rows, the roster and what clients remember.

use lukko::{ClosedReason, Roles, Status};

use crate::class::Class;
use crate::model::{Actor, CardIx, KeyIx, Kind, Meta, Model, Note, NoteId, Row, Signer};

impl Model {
    /// The cards of a patient by version, without those that an open card replaces.
    pub(crate) fn history(&self, patient: usize) -> Vec<CardIx> {
        let mut cards = self.stored_cards(patient);
        cards.sort_by_key(|card| self.cards[card.0].version);
        let version = |card: CardIx| self.cards[card.0].version;
        let stored = cards.clone();
        let open: Vec<CardIx> = cards.iter().filter(|card| !self.closed.contains_key(card)).copied().collect();
        let linked = |card: CardIx| {
            open.iter().any(|open| self.descends(card, *open, &stored) || self.descends(*open, card, &stored))
        };
        cards.retain(|card| match self.closed.get(card) {
            None => true,
            Some(_) if open.is_empty() => true,
            Some(ClosedReason::Erased) => false,
            Some(ClosedReason::Compromised) => {
                linked(*card) && !open.iter().any(|open| version(*open) == version(*card))
            }
        });
        cards
    }

    /// Whether a card leads back to an older one over cards that are stored.
    fn descends(&self, newer: CardIx, older: CardIx, stored: &[CardIx]) -> bool {
        let mut card = Some(newer);
        while let Some(at) = card.filter(|at| *at != older) {
            card = self.cards[at.0].previous.filter(|previous| *previous == older || stored.contains(previous));
        }
        card.is_some()
    }

    pub(crate) fn stored_cards(&self, patient: usize) -> Vec<CardIx> {
        let card = |row: &Row| match row {
            Row::Card(owner, card) if *owner == patient => Some(*card),
            _ => None,
        };
        self.store.keys().filter_map(card).collect()
    }

    pub(crate) fn require_open(&self, card: CardIx) -> Result<(), Class> {
        match self.closed.get(&card) {
            None => Ok(()),
            Some(ClosedReason::Erased) => Err(Class::CardErased),
            Some(ClosedReason::Compromised) => Err(Class::CardCompromised),
        }
    }

    pub(crate) fn require_not_erased(&self, card: CardIx) -> Result<(), Class> {
        self.require_open(card).or_else(|class| if class == Class::CardErased { Err(class) } else { Ok(()) })
    }

    /// The current card of a patient, as a client of this view accepts it that expects this card or a later one.
    pub(crate) fn card(&self, view: usize, patient: usize, expect: Option<CardIx>) -> Result<CardIx, Class> {
        let history = self.history(patient);
        if history.windows(2).any(|pair| self.cards[pair[0].0].version == self.cards[pair[1].0].version) {
            return Err(Class::TwoCards);
        }
        let current = *history.last().ok_or(Class::NoCard)?;
        self.require_open(current)?;
        self.endorsed(view, patient, current)?;
        let previous = |card: CardIx| self.cards[card.0].previous;
        if previous(current).is_some_and(|previous| !history.contains(&previous)) {
            return Err(Class::Succession);
        }
        let mut card = Some(current);
        while expect.is_some() && card != expect {
            card = card.and_then(previous).filter(|card| history.contains(card));
            if card.is_none() {
                return Err(Class::UnexpectedCard);
            }
        }
        Ok(current)
    }

    /// The endorsement that a client finds: of its generation, or else the latest one that there is.
    fn endorsed(&self, view: usize, patient: usize, current: CardIx) -> Result<(), Class> {
        let generation = self.views[view].generation;
        let row = self.endorsement_row(patient, generation).ok_or(Class::MalformedEndorsement)?;
        let Meta::Endorsed { card, by } = self.store[&row] else { unreachable!("an endorsement") };
        if card != current {
            return Err(Class::EndorsedCard);
        }
        if row != Row::Endorsement(patient, generation) {
            return Err(Class::StaleGeneration);
        }
        if let Signer::Member(key) = by {
            self.unrevoked(key, Roles::ENROL)?;
        }
        if self.store.contains_key(&Row::MasterGrant(patient, generation)) { Ok(()) } else { Err(Class::MasterGrant) }
    }

    /// The card that the endorsement of this view's own generation holds for, newest or not.
    pub(crate) fn endorsed_card(&self, view: usize, patient: usize) -> Option<CardIx> {
        let row = Row::Endorsement(patient, self.views[view].generation);
        let Meta::Endorsed { card, .. } = self.store.get(&row)? else { unreachable!("an endorsement") };
        self.endorsed(view, patient, *card).is_ok().then_some(*card)
    }

    pub(crate) fn endorsement_row(&self, patient: usize, generation: u32) -> Option<Row> {
        let exact = Row::Endorsement(patient, generation);
        let any = || self.store.keys().rfind(|row| matches!(row, Row::Endorsement(owner, _) if *owner == patient));
        if self.store.contains_key(&exact) { Some(exact) } else { any().copied() }
    }

    fn unrevoked(&self, key: KeyIx, role: Roles) -> Result<(), Class> {
        let key = self.keys[key.0];
        if key.status == Status::Revoked {
            return Err(Class::Revoked);
        }
        if crate::model::roles(key.slot).contains(role) { Ok(()) } else { Err(Class::Role) }
    }

    /// Whether a key may do something new in this role.
    pub(crate) fn active(&self, key: KeyIx, role: Roles) -> Result<(), Class> {
        self.unrevoked(key, role)?;
        if self.keys[key.0].status == Status::Active { Ok(()) } else { Err(Class::Retired) }
    }

    /// The key of the current card, or of the older one that is wanted.
    pub(crate) fn key(
        &self,
        view: usize,
        patient: usize,
        wanted: Option<CardIx>,
        actor: Actor,
    ) -> Result<CardIx, Class> {
        self.key_expecting(view, patient, wanted, actor, self.memory[patient])
    }

    pub(crate) fn key_expecting(
        &self,
        view: usize,
        patient: usize,
        wanted: Option<CardIx>,
        actor: Actor,
        expect: Option<CardIx>,
    ) -> Result<CardIx, Class> {
        let current = self.card(view, patient, expect)?;
        let wanted = wanted.unwrap_or(current);
        if !self.leads_back(patient, current, wanted) {
            return Err(Class::UnexpectedCard);
        }
        self.opens(view, patient, wanted, actor)?;
        Ok(wanted)
    }

    fn leads_back(&self, patient: usize, current: CardIx, wanted: CardIx) -> bool {
        let history = self.history(patient);
        let mut card = Some(current);
        while let Some(at) = card.filter(|at| *at != wanted) {
            card = self.cards[at.0].previous.filter(|previous| history.contains(previous));
        }
        card.is_some()
    }

    /// Whether a grant of this card to the actor is stored. Who finds none tries the patient's master grant.
    pub(crate) fn opens(&self, view: usize, patient: usize, card: CardIx, actor: Actor) -> Result<(), Class> {
        let generation = self.views[view].generation;
        let master = match self.store.get(&Row::MasterGrant(patient, generation)) {
            Some(Meta::Master(card)) => Some(*card),
            _ => None,
        };
        match actor {
            Actor::Member(key) => {
                self.active(key, Roles::READ)?;
                match master {
                    _ if self.store.contains_key(&Row::Grant(card, key)) => Ok(()),
                    Some(other) if other != card => Err(Class::WrongCard),
                    Some(_) => Err(Class::WrongRecipient),
                    None => Err(Class::MalformedGrant),
                }
            }
            Actor::Quorum => match master {
                _ if self.store.contains_key(&Row::OlderGrant(card, generation)) => Ok(()),
                Some(of) if of == card => Ok(()),
                Some(_) => Err(Class::WrongCard),
                None => Err(Class::MalformedGrant),
            },
        }
    }

    /// What an actor reads in a place: the row's note, or why not.
    pub(crate) fn read(&self, view: usize, patient: usize, id: NoteId, actor: Actor) -> Result<Note, Class> {
        let Some(Meta::Note(note)) = self.store.get(&Row::Note(patient, id)) else { unreachable!("a stored note") };
        self.key(view, patient, Some(note.card), actor)?;
        self.opens_note(view, note)?;
        Ok(*note)
    }

    pub(crate) fn opens_note(&self, view: usize, note: &Note) -> Result<(), Class> {
        self.require_open(note.card)?;
        self.attributed(view, note)
    }

    /// Whether the writer of a deposit stands behind it.
    pub(crate) fn attributed(&self, view: usize, note: &Note) -> Result<(), Class> {
        let (Kind::Deposit { writer, seen } | Kind::Absorbed { writer, seen }) = note.kind else { return Ok(()) };
        if seen > self.views[view].version {
            return Err(Class::StaleRoster);
        }
        let revoked = self.keys[writer.0].status == Status::Revoked;
        if revoked && matches!(note.kind, Kind::Deposit { .. }) { Err(Class::Revoked) } else { Ok(()) }
    }

    /// The view that a client uses for a patient: the newest in which the patient's card is good.
    pub(crate) fn view_for(&self, patient: usize) -> usize {
        let good = |view: &usize| self.card(*view, patient, self.memory[patient]).is_ok();
        (0..self.views.len()).rev().find(good).unwrap_or(self.views.len() - 1)
    }

    /// Somebody who can open the patient's keys of all these cards.
    pub(crate) fn opener(&self, view: usize, patient: usize, cards: &[CardIx]) -> Option<Actor> {
        let opens = |actor: &Actor| cards.iter().all(|card| self.key(view, patient, Some(*card), *actor).is_ok());
        self.actors().into_iter().find(opens)
    }

    /// An active enroller, or the root.
    pub(crate) fn enroller(&self) -> Signer {
        let active = |key: &KeyIx| self.active(*key, Roles::ENROL).is_ok();
        (0..self.keys.len()).map(KeyIx).find(active).map_or(Signer::Root, Signer::Member)
    }
}
