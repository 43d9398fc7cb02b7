"""Strict Ed25519 (FORMAT.md, section 1, Keys on import).

The checks of encodings and orders are done here; the cofactorless equation [S]B - [h]A = R is left to `cryptography`,
which compares the encoding of the left side with R as it stands.
"""

from __future__ import annotations

from functools import cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from errors import MALFORMED, UNTRUSTED, ensure
from primitives import label

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_MINUS_ONE = pow(2, (P - 1) // 4, P)

Point = tuple[int, int]


def decode(encoding: bytes) -> Point | None:
    """The affine point of a canonical encoding (RFC 8032, 5.1.3)."""
    if len(encoding) != 32:
        return None
    number = int.from_bytes(encoding, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * SQRT_MINUS_ONE % P
    if x * x % P != square or (x == 0 and sign):
        return None
    return (P - x if x & 1 != sign else x, y)


def double(point: Point) -> Point:
    """The point added to itself; the curve's addition is complete."""
    x, y = point
    t = D * x * x * y * y % P
    return (2 * x * y * pow(1 + t, -1, P) % P, (y * y + x * x) * pow(1 - t, -1, P) % P)


@cache
def acceptable(encoding: bytes) -> bool:
    """Whether this is the canonical encoding of a point that is not of low order."""
    point = decode(encoding)
    return point is not None and double(double(double(point))) != (0, 1)


def import_key(encoding: bytes, what: str = "signing key") -> bytes:
    """The key, if a client may use it."""
    ensure(acceptable(encoding), MALFORMED, what)
    return encoding


@cache
def public_key(seed: bytes) -> bytes:
    """The public key of a seed."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(seed: bytes, name: str, data: bytes) -> bytes:
    """`Sign(k, label, x)`."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(label(name) + data)


@cache
def _valid(key: bytes, message: bytes, signature: bytes) -> bool:
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    if s >= L or not acceptable(r) or not acceptable(key):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def verify(key: bytes, name: str, data: bytes, signature: bytes, layer: str = UNTRUSTED) -> None:
    """Refuses unless the signature is `Sign(key, label, data)`."""
    ensure(_valid(key, label(name) + data, signature), layer, f"signature of a {name}")
