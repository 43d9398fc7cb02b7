"""Hashes, key derivation and AEADs in the notation of FORMAT.md, section 1, and the chunked payload of section 7."""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from errors import NOT_AUTHENTIC, Reject, ensure

TABLES = json.loads((Path(__file__).parents[2] / "docs" / "format.json").read_text())
PREFIX = TABLES["prefix"].encode()
LABELS = {name for row in TABLES["labels"] for name in row["names"]}

CHUNK = 16 * 1024
TAG = 16
SALT = 24
COMMITMENT = 32
#: A payload of no text: salt, commitment and one empty chunk.
PAYLOAD_MIN = SALT + COMMITMENT + TAG


def u8(value: int) -> bytes:
    return struct.pack(">B", value)


def u16(value: int) -> bytes:
    return struct.pack(">H", value)


def u32(value: int) -> bytes:
    return struct.pack(">I", value)


def u64(value: int) -> bytes:
    return struct.pack(">Q", value)


def lp(value: bytes) -> bytes:
    """Length-prefixed bytes, 1 to 255 of them."""
    if not 1 <= len(value) <= 255:
        raise ValueError("lp takes 1 to 255 bytes")
    return u8(len(value)) + value


def label(name: str) -> bytes:
    """The length-prefixed label with the prefix that section 2 leaves out. Only what `docs/format.json` lists is one."""
    if name not in LABELS:
        raise ValueError(f"no such label: {name}")
    return lp(PREFIX + name.encode())


def tagged_hash(name: str, data: bytes) -> bytes:
    """`H(label, x)`."""
    return hashlib.sha256(label(name) + data).digest()


def hkdf_extract(salt: bytes, ikm: bytes) -> bytes:
    """RFC 5869, 2.2, with SHA-256."""
    return hmac.digest(salt or bytes(32), ikm, "sha256")


def hkdf_expand(prk: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869, 2.3, with SHA-256."""
    out, block, counter = b"", b"", 1
    while len(out) < length:
        block = hmac.digest(prk, block + info + u8(counter), "sha256")
        out += block
        counter += 1
    return out[:length]


def kdf(key: bytes, name: str, data: bytes, length: int) -> bytes:
    """`KDF(k, label, x, n)`."""
    return hkdf_expand(key, label(name) + data, length)


def aead_open(key: bytes, nonce: bytes, aad: bytes, sealed: bytes) -> bytes:
    """ChaCha20-Poly1305 (RFC 8439); every failure is the one error of section 9."""
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, sealed, aad)
    except (InvalidTag, ValueError) as error:
        raise Reject(NOT_AUTHENTIC, "tag") from error


def aead_seal(key: bytes, nonce: bytes, aad: bytes, text: bytes) -> bytes:
    """ChaCha20-Poly1305 (RFC 8439): ciphertext and tag."""
    return ChaCha20Poly1305(key).encrypt(nonce, text, aad)


def _rotl(value: int, bits: int) -> int:
    return ((value << bits) & 0xFFFFFFFF) | (value >> (32 - bits))


def _quarter(s: list[int], a: int, b: int, c: int, d: int) -> None:
    for first, second, third, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        s[first] = (s[first] + s[second]) & 0xFFFFFFFF
        s[third] = _rotl(s[third] ^ s[first], bits)


def hchacha20(key: bytes, nonce: bytes) -> bytes:
    """draft-irtf-cfrg-xchacha-03, 2.2: the subkey for the first 16 bytes of an XChaCha nonce."""
    state = list(struct.unpack("<4I", b"expand 32-byte k") + struct.unpack("<8I", key) + struct.unpack("<4I", nonce))
    for _ in range(10):
        for column in range(4):
            _quarter(state, column, column + 4, column + 8, column + 12)
        for i in range(4):
            _quarter(state, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack("<8I", *state[:4], *state[12:])


def xchacha_open(key: bytes, nonce: bytes, aad: bytes, sealed: bytes) -> bytes:
    """XChaCha20-Poly1305 with a nonce of 24 bytes."""
    return aead_open(hchacha20(key, nonce[:16]), bytes(4) + nonce[16:], aad, sealed)


def xchacha_seal(key: bytes, nonce: bytes, aad: bytes, text: bytes) -> bytes:
    """XChaCha20-Poly1305 with a nonce of 24 bytes."""
    return aead_seal(hchacha20(key, nonce[:16]), bytes(4) + nonce[16:], aad, text)


def payload_length_possible(length: int) -> bool:
    """Whether chunks can end there: the last one is always short, and has at least its tag."""
    return length >= PAYLOAD_MIN and (length - SALT - COMMITMENT) % (CHUNK + TAG) >= TAG


def chunk_keys(input_key: bytes, context: bytes, salt: bytes) -> tuple[bytes, bytes, bytes]:
    """Key, base nonce and commitment of a payload (section 7, Payload)."""
    info = b"c2sp.org/chunked-encryption@v1+AEAD_CHACHA20_POLY1305\x00" + salt + context
    derived = hkdf_expand(input_key, info, 76)
    return derived[:32], derived[32:44], derived[44:]


def chunk_nonce(base: bytes, index: int) -> bytes:
    """The nonce of a chunk: the base nonce XOR its number."""
    return (int.from_bytes(base, "big") ^ index).to_bytes(12, "big")


def chunked_seal(input_key: bytes, context: bytes, salt: bytes, padded: bytes) -> bytes:
    """The payload of a padded text; its last chunk is short, possibly empty."""
    key, base, commitment = chunk_keys(input_key, context, salt)
    chunks = [padded[start : start + CHUNK] for start in range(0, len(padded) + 1, CHUNK)]
    sealed = [aead_seal(key, chunk_nonce(base, index), b"", chunk) for index, chunk in enumerate(chunks)]
    return salt + commitment + b"".join(sealed)


def chunked_open(input_key: bytes, context: bytes, payload: bytes) -> bytes:
    """The padded text of a payload: commitment first, then the chunks."""
    salt, commitment, chunks = payload[:SALT], payload[SALT : SALT + COMMITMENT], payload[SALT + COMMITMENT :]
    key, base, expected = chunk_keys(input_key, context, salt)
    ensure(hmac.compare_digest(expected, commitment), NOT_AUTHENTIC, "commitment")
    out = []
    for counter, start in enumerate(range(0, len(chunks), CHUNK + TAG)):
        nonce = chunk_nonce(base, counter)
        out.append(aead_open(key, nonce, b"", chunks[start : start + CHUNK + TAG]))
    ensure(len(out[-1]) < CHUNK, NOT_AUTHENTIC, "no last chunk")
    return b"".join(out)


def padded_length(length: int) -> int:
    """`P(L)` of section 7."""
    if length <= 256:
        return 256
    e = length.bit_length() - 1
    s = e.bit_length()
    step = 1 << (e - s)
    return -(-length // step) * step


def pad(rule: int, note: bytes) -> bytes:
    """The padded text of a note."""
    return note if rule == 0 else (note + b"\x80").ljust(padded_length(len(note) + 1), b"\x00")


def unpad(rule: int, padded: bytes) -> bytes:
    """The note in a padded text; the padding must be exactly the one of its length."""
    if rule == 0:
        return padded
    body = padded.rstrip(b"\x00")
    ensure(body.endswith(b"\x80"), NOT_AUTHENTIC, "padding")
    ensure(len(padded) == padded_length(len(body)), NOT_AUTHENTIC, "padding length")
    return body[:-1]
