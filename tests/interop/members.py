"""Member entries and rosters (FORMAT.md, section 5)."""

from __future__ import annotations

from dataclasses import dataclass

import ed25519
import hpke
from errors import CONFLICT, STALE, UNTRUSTED, USAGE, ensure
from founding import ZERO, Descriptor, Pin
from hpke import Suite
from primitives import kdf, lp, tagged_hash
from reader import Reader

READ, DEPOSIT, ENROL = 1, 2, 4
ACTIVE, RETIRED, REVOKED = 1, 2, 3
ERASED, COMPROMISED = 1, 2


@dataclass(frozen=True)
class Member:
    """`LKM`: a member's public keys, signed by itself."""

    id: bytes
    hpke_key: bytes
    signing_key: bytes
    fingerprint: bytes

    @classmethod
    def verify(cls, data: bytes, descriptor: Descriptor) -> Member:
        r = Reader(data, "M")
        suite = r.suite_of(descriptor.suite)
        vault, name = r.take(32), r.identifier()
        key = hpke.import_key(suite, r.take(suite.public), "member key")
        signing = ed25519.import_key(r.take(32))
        body = data[: r.offset]
        signature = r.take(64)
        r.end()
        ensure(vault == descriptor.vault, USAGE, "member of another vault")
        ed25519.verify(signing, "member entry", body, signature)
        return cls(name, key, signing, tagged_hash("member key fingerprint", body))


def entry_fingerprint(entry: bytes) -> bytes:
    """What a roster would call this entry, by its bytes alone. Entries that no roster names are passed over unread."""
    return tagged_hash("member key fingerprint", entry[:-64])


def member_private(seed: bytes, suite: Suite, vault: bytes, name: bytes) -> bytes:
    """The HPKE private key of a member (section 3)."""
    return kdf(seed, "member hpke", suite.code + vault + lp(name), 32)


def member_signing(seed: bytes, suite: Suite, vault: bytes, name: bytes) -> bytes:
    """The Ed25519 seed of a member (section 3)."""
    return kdf(seed, "member signing", suite.code + vault + lp(name), 32)


@dataclass(frozen=True)
class Roster:
    """`LKR`: who has which roles, and which cards are closed; `members` are the entries at hand."""

    version: int
    digest: bytes
    keys: dict[bytes, tuple[int, int]]
    closed: dict[bytes, int]
    members: dict[bytes, Member]

    def require(self, fingerprint: bytes, role: int, statuses: tuple[int, ...]) -> Member:
        """The member with this key, if it has the role and one of the statuses."""
        ensure(fingerprint in self.keys and fingerprint in self.members, UNTRUSTED, "key is not on the roster")
        roles, status = self.keys[fingerprint]
        ensure(bool(roles & role), UNTRUSTED, "member without the role")
        ensure(status in statuses, UNTRUSTED, "status of the member")
        return self.members[fingerprint]


def _parse(data: bytes) -> tuple[Roster, bytes, int, bytes, int, bytes, bytes]:
    r = Reader(data, "R")
    vault, generation, version = r.take(32), r.at_least(4, 1, "generation"), r.at_least(8, 1, "version")
    previous = r.take(32)
    r.ensure((previous == ZERO) == (version == 1), "previous")
    signer = r.one_of((1, 2), "signer")
    keys: dict[bytes, tuple[int, int]] = {}
    last = b""
    for _ in range(r.number(4)):
        fingerprint, roles = r.take(32), r.one_of(tuple(range(1, 8)), "roles")
        status = r.one_of((ACTIVE, RETIRED, REVOKED), "status")
        r.ensure(fingerprint > last, "order of keys")
        keys[fingerprint], last = (roles, status), fingerprint
    closed: dict[bytes, int] = {}
    last = b""
    for _ in range(r.number(4)):
        card, reason = r.take(32), r.one_of((ERASED, COMPROMISED), "reason")
        r.ensure(card > last, "order of cards")
        closed[card], last = reason, card
    body = data[: r.offset]
    signature = r.take(64)
    r.end()
    roster = Roster(version, tagged_hash("roster digest", data), keys, closed, {})
    return roster, vault, generation, previous, signer, body, signature


def verify_roster(data: bytes, entries: list[bytes], descriptor: Descriptor, pin: Pin) -> Roster:
    """A roster that a client with this pin accepts."""
    roster, vault, generation, previous, signer, body, signature = _parse(data)
    ensure(vault == descriptor.vault, USAGE, "roster of another vault")
    ensure(generation == descriptor.generation, STALE, "roster of another generation")
    key = descriptor.registrar_key if signer == 1 else descriptor.root_key
    ed25519.verify(key, "roster", body, signature)
    ensure(roster.version >= pin.roster_version, STALE, "roster older than the pinned one")
    if roster.version == pin.roster_version:
        ensure(roster.digest == pin.roster_digest, CONFLICT, "another roster of the pinned version")
    elif roster.version == pin.roster_version + 1:
        ensure(previous == pin.roster_digest, UNTRUSTED, "roster does not follow the pinned one")
    for entry in entries:
        if entry_fingerprint(entry) in roster.keys:
            member = Member.verify(entry, descriptor)
            roster.members[member.fingerprint] = member
    return roster


def signed_by_member(
    roster: Roster,
    fingerprint: bytes,
    role: int,
    seen: int,
    name: str,
    data: bytes,
    signature: bytes,
    revoked: bool = False,
) -> None:
    """Refuses unless a member with this role, not revoked, signed, and saw no newer roster than the client."""
    statuses = (ACTIVE, RETIRED, REVOKED) if revoked else (ACTIVE, RETIRED)
    member = roster.require(fingerprint, role, statuses)
    ensure(seen <= roster.version, STALE, "a newer roster was seen")
    ed25519.verify(member.signing_key, name, data, signature)
