"""Sealing with given randomness (FORMAT.md, sections 6 to 8), with every value on the way.

Each function gives a dictionary of the values in the order in which they arise; the last one is the whole object.
"""

from __future__ import annotations

import ed25519
import hpke
from members import member_signing
from primitives import (
    chunk_keys,
    chunk_nonce,
    chunked_seal,
    kdf,
    label,
    lp,
    pad,
    tagged_hash,
    u8,
    u32,
    u64,
    xchacha_seal,
)
from world import Json, World, unhex

Values = dict[str, bytes]


def seal(world: World, given: Json) -> bytes:
    """The object of a case of known answers."""
    return list(steps(world, given).values())[-1]


def steps(world: World, given: Json) -> Values:
    """Every value of a case of known answers."""
    kind = given["kind"]
    if kind in ("grant", "master grant"):
        return _grant(world, kind, unhex(given["coins"]))
    place = _Place(world, given)
    if kind == "record":
        return _record(place, unhex(given["r"]))
    if kind == "absorbed":
        return _absorbed(place, unhex(given["r"]), unhex(given["deposit"]))
    if kind == "disclosure":
        return _disclosure(place, unhex(given["r"]), unhex(given["coins"]))
    return _deposit(place, 2 if kind == "deposit" else 4, unhex(given["r"]), unhex(given["coins"]))


class _Place:
    """Where a note stands, and its payload context id."""

    def __init__(self, world: World, given: Json) -> None:
        self.world = world
        self.record, self.field, self.note = (unhex(given[name]) for name in ("record_id", "field", "note"))
        self.revision, self.padding = int(given["revision"]), given["padding"]
        ids = lp(unhex(world.data["patient"]["id"])) + lp(self.record) + lp(self.field)
        context = world.descriptor.vault + ids + u64(self.revision) + u8(self.padding)
        self.context = tagged_hash("payload context", context)

    def head(self, path: int) -> bytes:
        start = b"LKN\x01" + self.world.suite.code + u8(path) + self.world.card.id
        return start + u64(self.revision) + u8(self.padding)

    def wrap_context(self, name: str, path: int) -> bytes:
        return label(name) + u8(path) + self.world.card.id + self.context


def _member(world: World, name: str) -> tuple[bytes, bytes]:
    """Fingerprint and Ed25519 seed of a member."""
    member = world.data["members"][name]
    seed = member_signing(unhex(member["seed"]), world.suite, world.descriptor.vault, unhex(member["id"]))
    return unhex(member["fingerprint"]), seed


def _hpke(values: Values, sealed: hpke.Sealed) -> bytes:
    """Notes the values of SealBase, and gives the sealed secret."""
    values["ephemeral X25519 private key"] = sealed.ephemeral
    values["encapsulation"] = sealed.encapsulation
    values["shared secret"] = sealed.shared_secret
    values["HPKE key"], values["HPKE nonce"] = sealed.key, sealed.nonce
    values["ciphertext and tag"] = sealed.ciphertext
    return sealed.encapsulation + sealed.ciphertext


def _payload(values: Values, key: bytes, salt: bytes, context: bytes, padded: bytes) -> bytes:
    """Notes the values of a payload of one chunk, and gives the payload."""
    chunk_key, base, commitment = chunk_keys(key, context, salt)
    payload = chunked_seal(key, context, salt, padded)
    values["padded text"] = padded
    values["payload key"], values["base nonce"], values["commitment"] = chunk_key, base, commitment
    values["nonce of chunk 0"] = chunk_nonce(base, 0)
    values["payload"] = payload
    return payload


def _grant(world: World, kind: str, coins: bytes) -> Values:
    to_master = kind == "master grant"
    descriptor, (therapist, _) = world.descriptor, _member(world, "therapist")
    recipient = u8(1) + u32(descriptor.generation) + descriptor.master_fingerprint if to_master else u8(2) + therapist
    key = descriptor.master_key if to_master else world.roster.members[therapist].hpke_key
    head = b"LKG\x01" + world.suite.code + descriptor.vault + world.card.id + recipient
    values = {"patient secret": world.secret, "head": head, "info": label("grant"), "coins": coins}
    sealed = _hpke(values, hpke.seal_base(world.suite, key, label("grant"), head, world.secret, coins))
    values["grant"] = head + sealed
    return values


def _record(place: _Place, r: bytes) -> Values:
    world = place.world
    kek, draw = world.card.kek(world.secret), kdf(r, "record draw", place.context, 80)
    key, salt, nonce = draw[:32], draw[32:56], draw[56:]
    values = {"patient secret": world.secret, "C": world.card.derivation, "patient KEK": kek, "payload context id": place.context, "r": r}
    values |= {"record key": key, "salt": salt, "wrap nonce": nonce}
    context = place.wrap_context("reader wrap", 1)
    wrapped = xchacha_seal(kek, nonce, context, key)
    values |= {"wrap context": context, "wrapped key and tag": wrapped}
    payload = _payload(values, key, salt, place.context, pad(place.padding, place.note))
    values["record"] = place.head(1) + nonce + wrapped + payload
    return values


def _deposit(place: _Place, path: int, r: bytes, coins: bytes) -> Values:
    world = place.world
    writer, seed = _member(world, "intake")
    text = tagged_hash("text digest", place.note)
    name, data = ("deposit draw", text) if path == 2 else ("deposited attachment draw", b"")
    draw = kdf(r, name, place.context + data, 56)
    key, salt = draw[:32], draw[32:]
    values = {"payload context id": place.context, "text digest": text, "r": r, "record key": key, "salt": salt}
    payload = _payload(values, key, salt, place.context, pad(place.padding, place.note))
    digest = tagged_hash("payload digest", payload)
    context = place.wrap_context("deposit wrap", path)
    info = context + writer + (digest if path == 2 else b"")
    values |= {"payload digest": digest, "wrap context": context, "info": info, "coins": coins}
    sealed = _hpke(values, hpke.seal_base(world.suite, world.card.hpke_key, info, b"", key, coins))
    sealed_digest, seen = tagged_hash("sealed key digest", sealed), u64(world.roster.version)
    statement = context + writer + sealed_digest + digest + seen
    signature = ed25519.sign(seed, "deposit", statement)
    values |= {"sealed key digest": sealed_digest, "statement": statement, "signature": signature}
    front = place.head(path) + writer + seen + sealed
    values["record"] = front + (signature + payload if path == 2 else payload + digest + signature)
    return values


def _absorbed(place: _Place, r: bytes, deposit: bytes) -> Values:
    world, front = place.world, 48 + 40 + place.world.suite.sealed + 64
    author, sealed, signature = deposit[48:88], deposit[88 : front - 64], deposit[front - 64 : front]
    payload = deposit[front:]
    origin = world.card.id + author + tagged_hash("sealed key digest", sealed) + signature
    digest = tagged_hash("payload digest", payload)
    info = place.wrap_context("deposit wrap", 2) + author[:32] + digest
    key = hpke.open_base(world.suite, world.card.private(world.secret), info, b"", sealed)
    context = place.wrap_context("absorbed wrap", 3) + origin + digest
    nonce = kdf(r, "wrap nonce", context, 24)
    wrapped = xchacha_seal(world.card.kek(world.secret), nonce, context, key)
    return {"record": place.head(3) + origin + nonce + wrapped + payload}


def _disclosure(place: _Place, r: bytes, coins: bytes) -> Values:
    world, suite = place.world, place.world.suite
    signer, seed = _member(world, "therapist")
    public = hpke.public_key(suite, kdf(unhex(world.data["recipient_seed"]), "recipient hpke", suite.code, 32))
    recipient = tagged_hash("recipient key fingerprint", suite.code + public)
    context = tagged_hash("disclosure context", suite.code + world.descriptor.vault + recipient + signer)
    ids = lp(world.card.patient) + lp(place.record) + lp(place.field)
    text = b"LKI\x01" + ids + u64(place.revision) + u8(0) + place.note
    draw = kdf(r, "disclosure draw", context + tagged_hash("text digest", text), 56)
    payload = chunked_seal(draw[:32], context, draw[32:], pad(1, text))
    digest = tagged_hash("payload digest", payload)
    info = label("disclosure wrap") + context + digest
    one = hpke.seal_base(suite, public, info, b"", draw[:32], coins)
    sealed, seen = one.encapsulation + one.ciphertext, u64(world.roster.version)
    signed = context + tagged_hash("sealed key digest", sealed) + digest + seen
    start = b"LKX\x01" + suite.code + world.descriptor.vault + recipient + signer + seen
    return {"disclosure": start + sealed + ed25519.sign(seed, "disclosure", signed) + payload}
