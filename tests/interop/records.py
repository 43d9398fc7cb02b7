"""Records of the paths 1 to 4 (FORMAT.md, section 7)."""

from __future__ import annotations

from dataclasses import dataclass

import hpke
from errors import MALFORMED, NOT_AUTHENTIC, UNTRUSTED, USAGE, ensure
from founding import Descriptor
from hpke import Suite
from members import DEPOSIT, Roster, signed_by_member
from patients import Card
from primitives import (
    PAYLOAD_MIN,
    chunked_open,
    label,
    lp,
    payload_length_possible,
    tagged_hash,
    u8,
    u64,
    unpad,
    xchacha_open,
)
from reader import Reader

READER, DEPOSITED, ABSORBED, ATTACHMENT = 1, 2, 3, 4
SIGNED = (DEPOSITED, ABSORBED, ATTACHMENT)
TRAILER = 96


@dataclass(frozen=True)
class Authorship:
    """What the writer left: with the key on path 2, in the origin on path 3, with the key and behind it on path 4."""

    card: bytes
    writer: bytes
    seen: int
    sealed_digest: bytes
    payload_digest: bytes
    signature: bytes


@dataclass(frozen=True)
class Record:
    """`LKN`: front, payload, and on path 4 a trailer."""

    suite: Suite
    path: int
    card: bytes
    revision: int
    padding: int
    wrap: bytes
    sealed: bytes
    origin: bytes
    authorship: Authorship | None
    payload: bytes

    @classmethod
    def parse(cls, data: bytes) -> Record:
        r = Reader(data, "N")
        suite, path, card = r.suite(), r.one_of((1, 2, 3, 4), "path"), r.take(32)
        revision = r.number(8)
        r.ensure(1 <= revision <= 2**64 - 2 if path == READER else revision == 0, "revision")
        padding = r.one_of((0, 1), "padding")
        wrap = sealed = origin = writer = signature = sealed_digest = b""
        seen = 0
        if path in (DEPOSITED, ATTACHMENT):
            writer, seen, sealed = r.take(32), r.number(8), r.take(suite.sealed)
            sealed_digest = tagged_hash("sealed key digest", sealed)
            signature = r.take(64) if path == DEPOSITED else b""
        elif path == ABSORBED:
            origin = r.take(168)
            writer, seen = origin[32:64], int.from_bytes(origin[64:72], "big")
            sealed_digest, signature = origin[72:104], origin[104:]
        if path in (READER, ABSORBED):
            wrap = r.take(72)
        length = r.rest() - (TRAILER if path == ATTACHMENT else 0)
        r.ensure(length >= PAYLOAD_MIN, "length of the payload")
        payload = r.take(length)
        digest = tagged_hash("payload digest", payload)
        if path == ATTACHMENT:
            digest, signature = r.take(32), r.take(64)
        author_card = origin[:32] if path == ABSORBED else card
        authorship = Authorship(author_card, writer, seen, sealed_digest, digest, signature) if path in SIGNED else None
        return cls(suite, path, card, revision, padding, wrap, sealed, origin, authorship, payload)


@dataclass(frozen=True)
class Opened:
    """A note, with its revision, padding rule, path and, of deposits, writer."""

    plaintext: bytes
    revision: int
    padding: int
    path: int
    writer: bytes | None


class Opener:
    """Opens the records of one patient."""

    def __init__(self, descriptor: Descriptor, roster: Roster, card: Card, secret: bytes) -> None:
        self.descriptor = descriptor
        self.roster = roster
        self.card = card
        self.secret = secret

    def open(self, data: bytes, record_id: bytes, field: bytes, paths: tuple[int, ...]) -> Opened:
        """The note, if its path is one of those that the caller asked for."""
        ensure(1 <= len(record_id) <= 255 and 1 <= len(field) <= 255, USAGE, "identifier")
        ensure(self.card.id not in self.roster.closed, UNTRUSTED, "the card is closed")
        record = Record.parse(data)
        ensure(record.suite is self.descriptor.suite, USAGE, "record of another suite")
        ensure(record.path in paths, USAGE, "record of another path")
        ensure(record.card == self.card.id, USAGE, "record of another card")
        ensure(payload_length_possible(len(record.payload)), MALFORMED, "length of the payload")
        place = lp(self.card.patient) + lp(record_id) + lp(field)
        context = tagged_hash(
            "payload context", self.descriptor.vault + place + u64(record.revision) + u8(record.padding)
        )
        if record.authorship is not None:
            self._verify_author(record, record.authorship, context)
        key = self._record_key(record, context)
        padded = chunked_open(key, context, record.payload)
        if record.authorship is not None:
            digest = tagged_hash("payload digest", record.payload)
            ensure(digest == record.authorship.payload_digest, NOT_AUTHENTIC, "payload digest")
        writer = record.authorship.writer if record.authorship else None
        return Opened(unpad(record.padding, padded), record.revision, record.padding, record.path, writer)

    def _verify_author(self, record: Record, author: Authorship, context: bytes) -> None:
        path = DEPOSITED if record.path == ABSORBED else record.path
        signed = (
            label("deposit wrap")
            + u8(path)
            + author.card
            + context
            + author.writer
            + author.sealed_digest
            + author.payload_digest
            + u64(author.seen)
        )
        signed_by_member(
            self.roster,
            author.writer,
            DEPOSIT,
            author.seen,
            "deposit",
            signed,
            author.signature,
            revoked=record.path == ABSORBED,
        )

    def _record_key(self, record: Record, context: bytes) -> bytes:
        tail = u8(record.path) + record.card + context
        author = record.authorship
        if author is None:
            return self._unwrap(record, label("reader wrap") + tail)
        if record.path == ABSORBED:
            return self._unwrap(record, label("absorbed wrap") + tail + record.origin + author.payload_digest)
        info = label("deposit wrap") + tail + author.writer
        if record.path == DEPOSITED:
            info += author.payload_digest
        return hpke.open_base(record.suite, self.card.private(self.secret), info, b"", record.sealed)

    def _unwrap(self, record: Record, context: bytes) -> bytes:
        return xchacha_open(self.card.kek(self.secret), record.wrap[:24], context, record.wrap[24:])
