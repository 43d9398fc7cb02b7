"""The error classes of FORMAT.md, section 9."""

from __future__ import annotations

MALFORMED = "malformed"
USAGE = "usage"
UNTRUSTED = "untrusted"
STALE = "stale"
CONFLICT = "conflict"
SHARE = "share"
NOT_AUTHENTIC = "not authentic"

LAYERS = (MALFORMED, USAGE, UNTRUSTED, STALE, CONFLICT, SHARE, NOT_AUTHENTIC)


class Reject(Exception):
    """An object is refused; `layer` is its error class, `why` a remark for people."""

    def __init__(self, layer: str, why: str) -> None:
        super().__init__(f"{layer}: {why}")
        self.layer = layer
        self.why = why


def ensure(condition: bool, layer: str, why: str) -> None:
    """Refuses unless the condition holds."""
    if not condition:
        raise Reject(layer, why)
