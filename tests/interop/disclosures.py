"""Disclosures to someone outside (FORMAT.md, section 8)."""

from __future__ import annotations

from dataclasses import dataclass

import hpke
from errors import NOT_AUTHENTIC, USAGE, ensure
from founding import Descriptor
from members import READ, Roster, signed_by_member
from primitives import chunked_open, kdf, label, payload_length_possible, tagged_hash, u64, unpad
from reader import Reader


@dataclass(frozen=True)
class Disclosed:
    """A note and where it came from."""

    plaintext: bytes
    patient: bytes
    record: bytes
    field: bytes
    revision: int
    writer: bytes | None
    signer: bytes


def open_disclosure(data: bytes, seed: bytes, descriptor: Descriptor, roster: Roster) -> Disclosed:
    """Opens `LKX` with the recipient's seed, under a vault's descriptor and roster."""
    r = Reader(data, "X")
    suite = r.suite_of(descriptor.suite)
    vault, recipient, signer, seen = r.take(32), r.take(32), r.take(32), r.number(8)
    sealed, signature = r.take(suite.sealed), r.take(64)
    r.ensure(payload_length_possible(r.rest()), "length of the payload")
    payload = r.take(r.rest())
    private = kdf(seed, "recipient hpke", suite.code, 32)
    own = tagged_hash("recipient key fingerprint", suite.code + hpke.public_key(suite, private))
    ensure(vault == descriptor.vault, USAGE, "disclosure of another vault")
    context = tagged_hash("disclosure context", suite.code + vault + recipient + signer)
    payload_digest = tagged_hash("payload digest", payload)
    signed = context + tagged_hash("sealed key digest", sealed) + payload_digest + u64(seen)
    signed_by_member(roster, signer, READ, seen, "disclosure", signed, signature)
    ensure(recipient == own, USAGE, "disclosure to someone else")
    key = hpke.open_base(suite, private, label("disclosure wrap") + context + payload_digest, b"", sealed)
    return _parse_text(unpad(1, chunked_open(key, context, payload)), signer)


def _parse_text(text: bytes, signer: bytes) -> Disclosed:
    """`LKI` and the note behind it; after the key was used, a flaw is not authentic (section 9)."""
    r = Reader(text, "I", layer=NOT_AUTHENTIC)
    patient, record, field = r.identifier(), r.identifier(), r.identifier()
    revision = r.number(8)
    r.ensure(revision <= 2**64 - 2, "revision")
    writer = r.take(32) if r.one_of((0, 1), "writer") == 1 else None
    return Disclosed(r.take(r.rest()), patient, record, field, revision, writer, signer)
