"""The world of a vector file: an ordinary vault, with its parts verified once."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import ed25519
import hpke
from errors import UNTRUSTED, USAGE, ensure
from founding import Descriptor, Pin, pinned_descriptor
from members import ERASED, Roster, member_private, verify_roster
from patients import Card, Grant, verify_patient
from primitives import kdf
from records import Opener

WORLD_SCHEMA = "lukko-vectors/1 world"
Json = dict[str, Any]


def unhex(value: str) -> bytes:
    """Bytes in lower-case hexadecimal."""
    data = bytes.fromhex(value)
    if data.hex() != value:
        raise ValueError("not lower-case hexadecimal")
    return data


def unhex_all(values: list[str]) -> list[bytes]:
    return [unhex(value) for value in values]


class World:
    """All that a client and the holders of keys have; a case may bring its own descriptor or roster."""

    def __init__(self, data: Json, given: Json | None = None, base: World | None = None) -> None:
        if data["schema"] != WORLD_SCHEMA:
            raise ValueError("schema of the world")
        self.data = data
        self.suite = hpke.BY_NAME[data["suite"]]
        self.given = given or {}
        self.base = base

    @classmethod
    def load(cls, path: Path) -> World:
        """The world of a file, whose registrar is the descriptor's."""
        world = cls(json.loads(path.read_text()))
        seed = kdf(unhex(world.data["registrar_seed"]), "registrar signing", b"", 32)
        if ed25519.public_key(seed) != world.descriptor.registrar_key:
            raise ValueError("registrar of the world")
        return world

    def with_input(self, given: Json) -> World:
        """This world, or one with what the case brings in its place."""
        own: Json = {key: given[key] for key in ("roster", "entries", "descriptor", "fingerprint") if key in given}
        return World(self.data, own, self) if own else self

    def _get(self, name: str) -> Any:
        return self.given.get(name, self.data[name])

    @cached_property
    def fingerprint(self) -> bytes:
        return unhex(self._get("fingerprint"))

    @cached_property
    def descriptor(self) -> Descriptor:
        return pinned_descriptor(unhex(self._get("descriptor")), self.fingerprint)

    @cached_property
    def pin(self) -> Pin:
        return Pin.parse(unhex(self.data["pin"]))

    @cached_property
    def roster(self) -> Roster:
        return self.verify_roster(unhex(self._get("roster")), unhex_all(self._get("entries")), self.pin)

    def verify_roster(self, roster: bytes, entries: list[bytes], pin: Pin) -> Roster:
        pin.check(self.descriptor)
        return verify_roster(roster, entries, self.descriptor, pin)

    @cached_property
    def card(self) -> Card:
        """The world's patient's card, verified under the world's own roster."""
        if self.base is not None:
            return self.base.card
        return self.verify_cards(self.data["patient"])

    def verify_cards(self, given: Json) -> Card:
        """The newest of these cards of the world's patient."""
        return verify_patient(
            self.descriptor,
            self.roster,
            unhex(self.data["patient"]["id"]),
            unhex_all(given["cards"]),
            unhex(given["endorsement"]),
            unhex(given["master_grant"]),
            None,
        )

    def open_grant(self, grant: bytes, card: Card) -> bytes:
        """The patient secret in a grant to the therapist."""
        member = self.data["members"]["therapist"]
        parsed = Grant.parse(grant, self.suite)
        parsed.check_member(card, self.roster, unhex(member["fingerprint"]))
        vault, name = self.descriptor.vault, unhex(member["id"])
        return parsed.open(card, member_private(unhex(member["seed"]), self.suite, vault, name))

    def open_master_grant(self, grant: bytes) -> bytes:
        """The patient secret in a grant to the master key."""
        ensure(self.roster.closed.get(self.card.id) != ERASED, UNTRUSTED, "the card is erased")
        parsed = Grant.parse(grant, self.suite)
        parsed.check_master(self.card.id, self.descriptor, USAGE)
        return parsed.open(self.card, self.descriptor.master_private(unhex(self.data["master_secret"])))

    @cached_property
    def secret(self) -> bytes:
        """The patient secret, by the grant to the therapist in the world."""
        if self.base is not None:
            return self.base.secret
        return self.open_grant(unhex(self.data["patient"]["grant"]), self.card)

    @cached_property
    def opener(self) -> Opener:
        return Opener(self.descriptor, self.roster, self.card, self.secret)
