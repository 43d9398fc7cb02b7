"""Descriptors, shares, recovery and pins (FORMAT.md, section 4)."""

from __future__ import annotations

from dataclasses import dataclass

import bech32m
import ed25519
import gf256
import hpke
from errors import SHARE, STALE, UNTRUSTED, USAGE, ensure
from hpke import Suite
from primitives import kdf, tagged_hash, u8, u32
from reader import Reader

SHARE_TEXT_PREFIX = "lukko"
ZERO = bytes(32)


@dataclass(frozen=True)
class Descriptor:
    """`LKD`: what a vault was founded with."""

    suite: Suite
    vault: bytes
    generation: int
    k: int
    n: int
    master_key: bytes
    root_key: bytes
    registrar_key: bytes
    share_digests: tuple[bytes, ...]
    fingerprint: bytes

    @classmethod
    def parse(cls, data: bytes) -> Descriptor:
        r = Reader(data, "D")
        suite, vault, generation = r.suite(), r.take(32), r.at_least(4, 1, "generation")
        k, n = r.number(1), r.number(1)
        r.ensure(2 <= k <= n, "policy")
        master = hpke.import_key(suite, r.take(suite.public), "master key")
        root = ed25519.import_key(r.take(32), "root key")
        registrar = ed25519.import_key(r.take(32), "registrar key")
        digests = tuple(r.take(32) for _ in range(n))
        r.end()
        fingerprint = tagged_hash("descriptor fingerprint", data)
        return cls(suite, vault, generation, k, n, master, root, registrar, digests, fingerprint)

    @property
    def master_fingerprint(self) -> bytes:
        return tagged_hash("master key fingerprint", self.suite.code + self.master_key)

    def master_private(self, secret: bytes) -> bytes:
        return self._derive(secret, "master hpke")

    def root_seed(self, secret: bytes) -> bytes:
        return self._derive(secret, "master root")

    def _derive(self, secret: bytes, name: str) -> bytes:
        return kdf(secret, name, self.suite.code + self.vault + u32(self.generation), 32)


def pinned_descriptor(data: bytes, fingerprint: bytes) -> Descriptor:
    """A descriptor that a client with this pinned fingerprint may use."""
    descriptor = Descriptor.parse(data)
    ensure(descriptor.fingerprint == fingerprint, UNTRUSTED, "fingerprint of the descriptor is not pinned")
    return descriptor


@dataclass(frozen=True)
class Share:
    """`LKS`: one custodian's share."""

    vault: bytes
    generation: int
    k: int
    n: int
    x: int
    y: bytes

    @classmethod
    def parse(cls, data: bytes) -> Share:
        r = Reader(data, "S")
        vault, generation = r.take(32), r.at_least(4, 1, "generation")
        k, n, x = r.number(1), r.number(1), r.number(1)
        r.ensure(2 <= k <= n and 1 <= x <= n, "policy or index")
        y = r.take(32)
        r.end()
        return cls(vault, generation, k, n, x, y)

    def check(self, descriptor: Descriptor) -> None:
        """What recovery asks of one share."""
        ensure(self.vault == descriptor.vault, SHARE, "share of another vault")
        ensure(self.generation == descriptor.generation, SHARE, "share of another generation")
        ensure((self.k, self.n) == (descriptor.k, descriptor.n), SHARE, "share of another policy")
        digest = tagged_hash("share digest", self.vault + u32(self.generation) + u8(self.x) + self.y)
        ensure(digest == descriptor.share_digests[self.x - 1], SHARE, "share digest")


def share_from_text(text: str) -> bytes:
    """The 75 bytes of a share that was typed in."""
    data = bech32m.decode(text, SHARE_TEXT_PREFIX)
    Share.parse(data)
    return data


def recover(descriptor: Descriptor, shares: list[bytes]) -> bytes:
    """The master secret of k or more shares."""
    points: dict[int, bytes] = {}
    for data in shares:
        share = Share.parse(data)
        share.check(descriptor)
        ensure(share.x not in points, SHARE, "share given twice")
        points[share.x] = share.y
    ensure(len(points) >= descriptor.k, SHARE, "too few shares")
    given = list(points.items())
    base, extra = given[: descriptor.k], given[descriptor.k :]
    for x, y in extra:
        ensure(gf256.interpolate(base, x) == y, SHARE, "share off the polynomial")
    secret = gf256.interpolate(base, 0)
    master = hpke.public_key(descriptor.suite, descriptor.master_private(secret))
    root = ed25519.public_key(descriptor.root_seed(secret))
    ensure((master, root) == (descriptor.master_key, descriptor.root_key), UNTRUSTED, "keys are not the descriptor's")
    return secret


@dataclass(frozen=True)
class Pin:
    """`LKP`: what a client holds on to."""

    fingerprint: bytes
    generation: int
    roster_version: int
    roster_digest: bytes

    @classmethod
    def parse(cls, data: bytes) -> Pin:
        r = Reader(data, "P")
        fingerprint, generation = r.take(32), r.at_least(4, 1, "generation")
        version, digest = r.number(8), r.take(32)
        r.ensure((version == 0) == (digest == ZERO), "digest without a roster, or a roster without digest")
        body = data[: r.offset]
        checksum = r.take(32)
        r.end()
        ensure(checksum == tagged_hash("pin checksum", body), UNTRUSTED, "pin checksum")
        return cls(fingerprint, generation, version, digest)

    def check(self, descriptor: Descriptor) -> None:
        """Whether this pin is of this descriptor."""
        ensure(self.fingerprint == descriptor.fingerprint, UNTRUSTED, "pin of another descriptor")
        ensure(self.generation == descriptor.generation, UNTRUSTED, "pin of another generation")


def follow(old: Descriptor, new_bytes: bytes, statement: bytes) -> tuple[Descriptor, Pin]:
    """Verifies a rotation statement `LKT` and gives what the client pins then (section 8)."""
    new = Descriptor.parse(new_bytes)
    r = Reader(statement, "T")
    vault, generation = r.take(32), r.at_least(4, 2, "generation")
    old_fingerprint, new_fingerprint = r.take(32), r.take(32)
    version, digest = r.at_least(8, 1, "roster version"), r.take(32)
    body = statement[: r.offset]
    by_old, by_new = r.take(64), r.take(64)
    r.end()
    ensure(vault == old.vault == new.vault and new.suite is old.suite, USAGE, "of another vault or suite")
    ensure(old_fingerprint == old.fingerprint, UNTRUSTED, "not from the pinned descriptor")
    ensure(new_fingerprint == new.fingerprint, UNTRUSTED, "not to this descriptor")
    ensure(generation == new.generation == old.generation + 1, STALE, "not the next generation")
    ed25519.verify(old.root_key, "rotation", body, by_old)
    ed25519.verify(new.root_key, "rotation", body, by_new)
    return new, Pin(new.fingerprint, generation, version, digest)
