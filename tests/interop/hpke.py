"""HPKE SealBase in reverse (RFC 9180) with both KEMs of FORMAT.md, section 1: DHKEM(X25519, HKDF-SHA256) and X-Wing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from kyber_py.ml_kem import ML_KEM_768

from errors import MALFORMED, NOT_AUTHENTIC, Reject, ensure
from primitives import aead_open, aead_seal, hkdf_expand, hkdf_extract, u16

P = 2**255 - 19
Q = 3329
ML_KEM_PUBLIC = 1184
ML_KEM_CIPHERTEXT = 1088
XWING_LABEL = b"\\.//^\\"
#: The u-coordinates of low order below p: 0, 1, p - 1 and the two of order 8.
LOW_ORDER = (
    0,
    1,
    P - 1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
)


@dataclass(frozen=True)
class Suite:
    """A row of the table of suites."""

    id: int
    public: int
    encapsulation: int

    @property
    def sealed(self) -> int:
        """Length of a sealed secret: encapsulation, 32 bytes, tag."""
        return self.encapsulation + 48

    @property
    def code(self) -> bytes:
        return u16(self.id)


X25519 = Suite(0x0020, 32, 32)
XWING = Suite(0x647A, 1216, 1120)
SUITES = {suite.id: suite for suite in (X25519, XWING)}
BY_NAME = {"x25519": X25519, "x-wing": XWING}


@cache
def _acceptable(suite: Suite, key: bytes) -> bool:
    if len(key) != suite.public:
        return False
    u = int.from_bytes(key[-32:], "little")
    if u >= P or u in LOW_ORDER:
        return False
    if suite is XWING:
        coefficients = int.from_bytes(key[: ML_KEM_PUBLIC - 32], "little")
        return all(c < Q for c in _twelve_bits(coefficients, 768))
    return True


def _twelve_bits(number: int, count: int) -> list[int]:
    data = number.to_bytes(count * 12 // 8, "little")
    out = []
    for place in range(0, len(data), 3):
        a, b, c = data[place : place + 3]
        out += [a | (b & 15) << 8, b >> 4 | c << 4]
    return out


def import_key(suite: Suite, key: bytes, what: str = "HPKE key") -> bytes:
    """The public key, if a client may use it (section 1, Keys on import)."""
    ensure(_acceptable(suite, key), MALFORMED, what)
    return key


@cache
def _xwing_expand(seed: bytes) -> tuple[bytes, bytes, bytes]:
    """ML-KEM encapsulation and decapsulation key, and X25519 scalar, of an X-Wing seed."""
    expanded = hashlib.shake_256(seed).digest(96)
    encapsulation, decapsulation = ML_KEM_768.key_derive(expanded[:64])
    return encapsulation, decapsulation, expanded[64:]


def _x25519_public(scalar: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(scalar).public_key().public_bytes_raw()


@cache
def public_key(suite: Suite, private: bytes) -> bytes:
    """The public key of a private key of 32 bytes."""
    if suite is X25519:
        return _x25519_public(private)
    encapsulation, _, scalar = _xwing_expand(private)
    return encapsulation + _x25519_public(scalar)


def _dh(scalar: bytes, point: bytes) -> bytes:
    """X25519; an all-zero result is refused (RFC 9180, 7.1.4)."""
    try:
        return X25519PrivateKey.from_private_bytes(scalar).exchange(X25519PublicKey.from_public_bytes(point))
    except ValueError as error:
        raise Reject(NOT_AUTHENTIC, "low order encapsulation") from error


def _labeled_extract(suite_id: bytes, salt: bytes, name: bytes, ikm: bytes) -> bytes:
    return hkdf_extract(salt, b"HPKE-v1" + suite_id + name + ikm)


def _labeled_expand(suite_id: bytes, prk: bytes, name: bytes, info: bytes, length: int) -> bytes:
    return hkdf_expand(prk, u16(length) + b"HPKE-v1" + suite_id + name + info, length)


def _dhkem_decapsulate(private: bytes, encapsulation: bytes) -> bytes:
    suite_id = b"KEM" + X25519.code
    prk = _labeled_extract(suite_id, b"", b"eae_prk", _dh(private, encapsulation))
    context = encapsulation + _x25519_public(private)
    return _labeled_expand(suite_id, prk, b"shared_secret", context, 32)


def _xwing_decapsulate(private: bytes, encapsulation: bytes) -> bytes:
    """draft-connolly-cfrg-xwing-kem; its X25519 does not refuse an all-zero result."""
    _, decapsulation, scalar = _xwing_expand(private)
    ct_m, ct_x = encapsulation[:ML_KEM_CIPHERTEXT], encapsulation[ML_KEM_CIPHERTEXT:]
    ss_m = ML_KEM_768.decaps(decapsulation, ct_m)
    try:
        ss_x = _dh(scalar, ct_x)
    except Reject:
        ss_x = bytes(32)
    return hashlib.sha3_256(ss_m + ss_x + ct_x + _x25519_public(scalar) + XWING_LABEL).digest()


@cache
def _decapsulate(suite: Suite, private: bytes, encapsulation: bytes) -> bytes:
    return (_dhkem_decapsulate if suite is X25519 else _xwing_decapsulate)(private, encapsulation)


@dataclass(frozen=True)
class Sealed:
    """What SealBase goes through, in order."""

    ephemeral: bytes
    encapsulation: bytes
    shared_secret: bytes
    key: bytes
    nonce: bytes
    ciphertext: bytes


def derive_key_pair(coins: bytes) -> bytes:
    """DeriveKeyPair of DHKEM(X25519, HKDF-SHA256) (RFC 9180, 7.1.3): the private key."""
    suite_id = b"KEM" + X25519.code
    return _labeled_expand(suite_id, _labeled_extract(suite_id, b"", b"dkp_prk", coins), b"sk", b"", 32)


def _encapsulate(suite: Suite, public: bytes, coins: bytes) -> tuple[bytes, bytes, bytes]:
    """Ephemeral X25519 key, encapsulation and shared secret, from 32 or 64 bytes of randomness."""
    point = public[-32:]
    if suite is X25519:
        ephemeral = derive_key_pair(coins)
        enc = _x25519_public(ephemeral)
        suite_id = b"KEM" + X25519.code
        prk = _labeled_extract(suite_id, b"", b"eae_prk", _dh(ephemeral, point))
        return ephemeral, enc, _labeled_expand(suite_id, prk, b"shared_secret", enc + point, 32)
    ephemeral = coins[32:]
    ss_m, ct_m = ML_KEM_768._encaps_internal(public[:ML_KEM_PUBLIC], coins[:32])
    ct_x = _x25519_public(ephemeral)
    shared = hashlib.sha3_256(ss_m + _dh(ephemeral, point) + ct_x + point + XWING_LABEL).digest()
    return ephemeral, ct_m + ct_x, shared


def seal_base(suite: Suite, public: bytes, info: bytes, aad: bytes, text: bytes, coins: bytes) -> Sealed:
    """HPKE SealBase, single shot, with the encapsulation's randomness as an argument."""
    ephemeral, encapsulation, shared = _encapsulate(suite, public, coins)
    key, nonce = _key_schedule(suite, shared, info)
    return Sealed(ephemeral, encapsulation, shared, key, nonce, aead_seal(key, nonce, aad, text))


def open_base(suite: Suite, private: bytes, info: bytes, aad: bytes, sealed: bytes) -> bytes:
    """HPKE OpenBase, single shot, of `encapsulation || ciphertext || tag`."""
    encapsulation, ciphertext = sealed[: suite.encapsulation], sealed[suite.encapsulation :]
    key, nonce = _key_schedule(suite, _decapsulate(suite, private, encapsulation), info)
    return aead_open(key, nonce, aad, ciphertext)


def _key_schedule(suite: Suite, shared: bytes, info: bytes) -> tuple[bytes, bytes]:
    """Key and nonce of the one message (RFC 9180, 5.1, mode Base)."""
    suite_id = b"HPKE" + suite.code + u16(0x0001) + u16(0x0003)
    context = (
        b"\x00"
        + _labeled_extract(suite_id, b"", b"psk_id_hash", b"")
        + _labeled_extract(suite_id, b"", b"info_hash", info)
    )
    secret = _labeled_extract(suite_id, shared, b"secret", b"")
    key = _labeled_expand(suite_id, secret, b"key", context, 32)
    return key, _labeled_expand(suite_id, secret, b"base_nonce", context, 12)
