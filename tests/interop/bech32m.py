"""Bech32m (BIP 350) without its limit of 90 characters, for shares as text (FORMAT.md, section 4, Share)."""

from __future__ import annotations

from errors import MALFORMED, ensure

CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
CONSTANT = 0x2BC830A3
GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)

# White_Space of Unicode, hyphens, and marks without a shape.
PASSED_OVER = {
    *range(0x9, 0xE), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000,
    0x2D, 0xAD, *range(0x200B, 0x2010), 0x2010, 0x2011, 0x2060, 0xFEFF,
}  # fmt: skip


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(GENERATOR):
            if top >> bit & 1:
                check ^= generator
    return check


def decode(text: str, prefix: str) -> bytes:
    """The bytes of a text with this human-readable part. What FORMAT.md passes over is dropped."""
    text = "".join(c for c in text if ord(c) not in PASSED_OVER)
    ensure(text.isascii(), MALFORMED, "character")
    ensure(text[1:] == text[1:].lower() or text == text.upper(), MALFORMED, "mixed case")
    text = text.lower()
    head, separator, tail = text.rpartition("1")
    ensure(separator == "1" and head == prefix, MALFORMED, "human-readable part")
    ensure(len(tail) >= 6 and all(c in CHARSET for c in tail), MALFORMED, "character")
    values = [CHARSET.index(c) for c in tail]
    expanded = [ord(c) >> 5 for c in head] + [0] + [ord(c) & 31 for c in head]
    ensure(_polymod(expanded + values) == CONSTANT, MALFORMED, "text checksum")
    accumulator = 0
    for value in values[:-6]:
        accumulator = accumulator << 5 | value
    spare = (len(values) - 6) * 5 % 8
    ensure(spare < 5 and accumulator & ((1 << spare) - 1) == 0, MALFORMED, "spare bits")
    return (accumulator >> spare).to_bytes((len(values) - 6) * 5 // 8, "big")
