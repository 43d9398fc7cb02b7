"""A cursor over the bytes of an object (FORMAT.md, section 1, Parsing)."""

from __future__ import annotations

from errors import MALFORMED, USAGE, ensure
from hpke import SUITES, Suite


class Reader:
    """Reads fields in order; refuses what is short, unlisted or left over."""

    def __init__(self, data: bytes, letter: str, layer: str = MALFORMED) -> None:
        self.data = data
        self.offset = 0
        self.layer = layer
        self.letter = letter
        self.ensure(self.take(4) == b"LK" + letter.encode() + b"\x01", "magic")

    def ensure(self, condition: bool, why: str) -> None:
        ensure(condition, self.layer, f"LK{self.letter}, offset {self.offset}: {why}")

    def take(self, length: int) -> bytes:
        self.ensure(self.offset + length <= len(self.data), "too short")
        self.offset += length
        return self.data[self.offset - length : self.offset]

    def number(self, length: int) -> int:
        return int.from_bytes(self.take(length), "big")

    def at_least(self, length: int, minimum: int, what: str) -> int:
        value = self.number(length)
        self.ensure(value >= minimum, what)
        return value

    def one_of(self, values: tuple[int, ...], what: str) -> int:
        value = self.number(1)
        self.ensure(value in values, what)
        return value

    def identifier(self) -> bytes:
        return self.take(self.at_least(1, 1, "empty identifier"))

    def suite(self) -> Suite:
        value = self.number(2)
        self.ensure(value in SUITES, "suite")
        return SUITES[value]

    def suite_of(self, expected: Suite) -> Suite:
        """A suite which must be the vault's; only then are the lengths of the later fields known."""
        suite = self.suite()
        ensure(suite is expected, USAGE, "of another suite")
        return suite

    def rest(self) -> int:
        return len(self.data) - self.offset

    def end(self) -> None:
        self.ensure(self.rest() == 0, "bytes after the last field")
