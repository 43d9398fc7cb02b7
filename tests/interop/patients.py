"""Cards, grants and endorsements (FORMAT.md, section 6)."""

from __future__ import annotations

from dataclasses import dataclass

import ed25519
import hpke
from errors import CONFLICT, NOT_AUTHENTIC, STALE, UNTRUSTED, USAGE, Reject, ensure
from founding import ZERO, Descriptor
from hpke import Suite
from members import ACTIVE, ENROL, ERASED, READ, Roster, signed_by_member
from primitives import kdf, label, lp, tagged_hash, u32
from reader import Reader


@dataclass(frozen=True)
class Card:
    """`LKC`: a patient's public keys."""

    suite: Suite
    vault: bytes
    patient: bytes
    version: int
    hpke_key: bytes
    succession_key: bytes
    previous: bytes
    voucher: bytes | None
    id: bytes

    @classmethod
    def parse(cls, data: bytes, descriptor: Descriptor) -> Card:
        r = Reader(data, "C")
        suite, vault, patient = r.suite_of(descriptor.suite), r.take(32), r.identifier()
        version = r.at_least(4, 1, "version")
        key = hpke.import_key(suite, r.take(suite.public), "patient key")
        succession = ed25519.import_key(r.take(32), "succession key")
        previous = r.take(32)
        r.ensure((previous == ZERO) == (version == 1), "previous card")
        card_id = tagged_hash("card id", data[: r.offset])
        has_voucher = r.one_of((0, 1), "voucher") == 1
        r.ensure(not has_voucher or version > 1, "voucher of a first card")
        voucher = r.take(64) if has_voucher else None
        r.end()
        ensure(vault == descriptor.vault, USAGE, "card of another vault")
        return cls(suite, vault, patient, version, key, succession, previous, voucher, card_id)

    @property
    def derivation(self) -> bytes:
        """C of section 3."""
        return self.suite.code + self.vault + lp(self.patient) + u32(self.version)

    def kek(self, secret: bytes) -> bytes:
        return kdf(secret, "patient kek", self.derivation, 32)

    def private(self, secret: bytes) -> bytes:
        return kdf(secret, "patient hpke", self.derivation, 32)

    def matches(self, secret: bytes) -> bool:
        """Whether the public keys derived from this patient secret are the card's."""
        succession = kdf(secret, "patient succession", self.derivation, 32)
        return (
            hpke.public_key(self.suite, self.private(secret)) == self.hpke_key
            and ed25519.public_key(succession) == self.succession_key
        )


@dataclass(frozen=True)
class Grant:
    """`LKG`: a patient secret sealed to a member, or to the master key of a generation."""

    vault: bytes
    card: bytes
    generation: int | None
    recipient: bytes
    head: bytes
    sealed: bytes

    @classmethod
    def parse(cls, data: bytes, suite: Suite) -> Grant:
        r = Reader(data, "G")
        r.suite_of(suite)
        vault, card = r.take(32), r.take(32)
        kind = r.one_of((1, 2), "recipient")
        generation = r.at_least(4, 1, "generation") if kind == 1 else None
        recipient = r.take(32)
        head = data[: r.offset]
        sealed = r.take(suite.sealed)
        r.end()
        return cls(vault, card, generation, recipient, head, sealed)

    def check_master(self, card_id: bytes, descriptor: Descriptor, layer: str) -> None:
        """Whether this is a grant of the card to the pinned master key."""
        ensure(self.vault == descriptor.vault, USAGE, "grant of another vault")
        ensure(self.card == card_id, layer, "grant of another card")
        ensure(self.generation is not None, layer, "grant to a member")
        ensure(self.generation == descriptor.generation, layer, "grant to another generation")
        ensure(self.recipient == descriptor.master_fingerprint, layer, "grant to another master key")

    def check_member(self, card: Card, roster: Roster, fingerprint: bytes) -> None:
        """Whether this is a grant of the card to this member, and the member may read."""
        ensure(self.vault == card.vault and self.card == card.id, USAGE, "grant of another vault or card")
        ensure(card.id not in roster.closed, UNTRUSTED, "the card is closed")
        ensure(self.generation is None, USAGE, "grant to the master key")
        ensure(self.recipient == fingerprint, USAGE, "grant to another member")
        roster.require(fingerprint, READ, (ACTIVE,))

    def open(self, card: Card, private: bytes) -> bytes:
        """The patient secret, which must derive the card's keys."""
        secret = hpke.open_base(card.suite, private, label("grant"), self.head, self.sealed)
        ensure(len(secret) == 32 and card.matches(secret), NOT_AUTHENTIC, "keys are not the card's")
        return secret


@dataclass(frozen=True)
class Endorsement:
    """`LKE`: the word of an enroller, or of the root, for a card."""

    vault: bytes
    card: bytes
    generation: int
    master_grant: bytes
    seen: int
    endorser: bytes | None
    body: bytes
    signature: bytes

    @classmethod
    def parse(cls, data: bytes) -> Endorsement:
        r = Reader(data, "E")
        vault, card, generation = r.take(32), r.take(32), r.at_least(4, 1, "generation")
        grant, seen = r.take(32), r.number(8)
        endorser = r.take(32) if r.one_of((1, 2), "endorser") == 1 else None
        body = data[: r.offset]
        signature = r.take(64)
        r.end()
        return cls(vault, card, generation, grant, seen, endorser, body, signature)

    def verify(self, card: Card, master_grant: bytes, descriptor: Descriptor, roster: Roster) -> None:
        """Step 3."""
        ensure(self.vault == descriptor.vault, USAGE, "endorsement of another vault")
        ensure(self.card == card.id, UNTRUSTED, "endorsement of another card")
        ensure(self.generation == descriptor.generation, STALE, "endorsed for another generation")
        ensure(self.seen <= roster.version, STALE, "a newer roster was seen")
        if self.endorser is None:
            ed25519.verify(descriptor.root_key, "endorsement", self.body, self.signature)
        else:
            signed_by_member(roster, self.endorser, ENROL, self.seen, "endorsement", self.body, self.signature)
        digest = tagged_hash("master grant digest", master_grant)
        ensure(self.master_grant == digest, UNTRUSTED, "another master grant was endorsed")


def _passed_over(card: Card, cards: list[Card], roster: Roster) -> bool:
    """Step 1: a closed card that an open one replaces, or that no link over `previous` joins to an open one."""
    opened = [other for other in cards if other.id not in roster.closed]
    reason = roster.closed.get(card.id)
    if reason is None or not opened:
        return False
    linked = any(_leads_to(card, other, cards) or _leads_to(other, card, cards) for other in opened)
    return reason == ERASED or any(other.version == card.version for other in opened) or not linked


def _leads_to(newer: Card, older: Card, cards: list[Card]) -> bool:
    """Whether a card leads back to an older one over the ids of the cards before."""
    at_hand = {card.id: card for card in cards}
    wanted = newer.id
    for _ in range(len(cards) + 1):
        if wanted == older.id:
            return True
        if wanted not in at_hand:
            return False
        wanted = at_hand[wanted].previous
    return False


def _live(cards: list[Card], patient: bytes, roster: Roster) -> dict[int, Card]:
    """Step 1: the cards that are not passed over, by version."""
    live: dict[int, Card] = {}
    for card in cards:
        if _passed_over(card, cards, roster):
            continue
        ensure(card.patient == patient, USAGE, "card of another patient")
        other = live.get(card.version)
        ensure(other is None or other.id != card.id, USAGE, "a card twice")
        ensure(other is None, CONFLICT, "two cards of one version")
        live[card.version] = card
    ensure(bool(live), USAGE, "no card")
    return live


def _step_back(card: Card, live: dict[int, Card]) -> Card:
    """Step 5: the card before, named and at hand, whose succession key vouches for this one."""
    before = live.get(card.version - 1)
    if before is None or before.id != card.previous:
        raise Reject(UNTRUSTED, "the card before is not at hand")
    if card.voucher is None:
        raise Reject(UNTRUSTED, "no voucher")
    ed25519.verify(before.succession_key, "succession", card.id, card.voucher)
    return before


def _lead_back(newest: Card, accepted: bytes, live: dict[int, Card]) -> None:
    """Step 6. A newest card without a voucher that passed step 5 is endorsed by the root, which vouches for `previous`.

    That card need not be at hand if it is the accepted one, and need only be of a lower version.
    """
    card = newest
    if card.id != accepted and card.version > 1 and card.voucher is None:
        if card.previous == accepted:
            return
        before = next((c for c in live.values() if c.id == card.previous and c.version < card.version), None)
        if before is None:
            raise Reject(UNTRUSTED, "the card before is not at hand")
        card = before
    while card.id != accepted:
        card = _step_back(card, live)


def verify_patient(
    descriptor: Descriptor,
    roster: Roster,
    patient: bytes,
    cards: list[bytes],
    endorsement: bytes,
    master_grant: bytes,
    accepted: bytes | None,
) -> Card:
    """The patient's newest card, by the six steps."""
    parsed = [Card.parse(card, descriptor) for card in cards]
    live = _live(parsed, patient, roster)
    newest = live[max(live)]
    ensure(newest.id not in roster.closed, UNTRUSTED, "the newest card is closed")
    endorsed = Endorsement.parse(endorsement)
    endorsed.verify(newest, master_grant, descriptor, roster)
    Grant.parse(master_grant, descriptor.suite).check_master(newest.id, descriptor, UNTRUSTED)
    by_root = endorsed.endorser is None
    if newest.version > 1 and (not by_root or newest.voucher is not None):
        _step_back(newest, live)
    if accepted is not None:
        _lead_back(newest, accepted, live)
    return newest
