"""The clinic's story in short, in Python over ctypes and nothing else: see clinic.c.

LUKKO_LIBRARY is the path of the shared library; without it the system's is used.
"""

import ctypes
import os
from ctypes import Structure, byref, c_char_p, c_int32, c_size_t, c_uint32, c_uint64, c_void_p

library = ctypes.CDLL(os.environ.get("LUKKO_LIBRARY", "liblukko.so"))
library.lukko_strerror.restype = c_char_p
library.lukko_version.restype = c_char_p

OK, TOO_SMALL, NOT_AUTHENTIC = 0, 103, 701
MAJORITY, X_WING, PADME, READ, ENROL = 1, 0x647A, 1, 1, 4


class Refused(Exception):
    def __init__(self, code):
        super().__init__(library.lukko_strerror(c_int32(code)).decode())
        self.code = code


class Handle:
    """Owns one handle, and frees it at the end of its life."""

    def __init__(self, raw):
        self.raw = raw

    def __del__(self):
        library.lukko_free(c_uint64(self.raw))


def arguments(values):
    """Handles, bytes (as pointer and length), lists of bytes (packed, and the length of each), structures, numbers."""
    for value in values:
        if isinstance(value, Handle):
            yield c_uint64(value.raw)
        elif isinstance(value, bytes):
            yield c_char_p(value)
            yield c_size_t(len(value))
        elif isinstance(value, list):
            yield from arguments([b"".join(value)])
            yield (c_size_t * len(value))(*map(len, value))
            yield c_size_t(len(value))
        elif isinstance(value, Structure):
            yield byref(value)
        elif value is None:
            yield c_void_p(None)
        else:
            yield value


def call(name, *values):
    code = getattr(library, "lukko_" + name)(*arguments(values))
    if code != OK:
        raise Refused(code)


def make(name, *values):
    """Calls a function whose last parameter gives out a handle."""
    raw = c_uint64()
    call(name, *values, byref(raw))
    return Handle(raw.value)


def read(name, *values):
    """Calls a function that ends in out, out_capacity, out_written and makes nothing."""
    out, written = ctypes.create_string_buffer(8192), c_size_t()
    call(name, *values, out, c_size_t(len(out)), byref(written))
    return out.raw[: written.value]


def seal(vault, key, record, revision, note):
    """Seals a note. Arguments live as long as the call: so it is _at and _packed here, and never a structure."""
    return read("vault_seal_at", vault, key, record, b"note", c_uint64(revision), c_uint32(PADME), note)


def founding_day():
    registrar = make("registrar_generate")
    registrar_key = read("registrar_public_key", registrar)
    made = make("create", c_uint32(2), c_uint32(3), c_uint32(MAJORITY), c_uint32(X_WING), registrar_key)
    store = {"paper": [read("share_text", make("new_vault_share", made, c_size_t(at))) for at in range(2)]}
    descriptor = make("new_vault_descriptor", made)
    store["descriptor"] = read("descriptor_bytes", descriptor)
    del made  # Nobody has the master key any more.

    pin = make("pin_new", read("descriptor_fingerprint", descriptor), descriptor)
    pinned = make("pin_check", pin, descriptor)
    therapist = make("pinned_new_member", pinned, b"dr-salo")
    store["entry"] = read("member_entry", therapist)
    draft = make("draft_first", pinned)
    call("draft_admit", draft, make("pinned_verify_entry", pinned, store["entry"]), c_uint32(READ | ENROL))
    store["roster"] = read("buffer_read", make("draft_sign_as_registrar", draft, registrar, pinned))

    vault = make("vault_load_packed", pin, store["descriptor"], store["roster"], [store["entry"]])
    store["pin"] = read("pin_bytes", make("vault_pin", vault))
    enrolment = make("vault_enrol", vault, therapist, b"p-1")
    for name in ["card", "endorsement", "master_grant"]:
        store[name] = read("enrolment_" + name, enrolment)
    key = make("enrolment_key", enrolment)
    store["sealed"] = seal(vault, key, b"r-1", 1, b"slept better")
    return store


def break_glass(store):
    pin = make("pin_from_bytes", store["pin"])
    vault = make("vault_load_packed", pin, store["descriptor"], store["roster"], [store["entry"]])
    recovery = make("recovery_new", make("vault_pinned", vault))
    for paper in store["paper"]:
        raw = c_uint64()
        call("share_from_text", paper, byref(raw), None)
        call("recovery_add", recovery, Handle(raw.value), None)
    master = make("recovery_finish", recovery)
    card = make("vault_card_packed", vault, b"p-1", [store["card"]], store["endorsement"], store["master_grant"], b"")
    key = make("vault_break_glass", vault, card, master)
    opened = make("vault_open_at", vault, key, b"r-1", b"note", store["sealed"])
    print("ok     the quorum reads:", read("opened_plaintext", opened).decode())
    try:
        make("vault_open_at", vault, key, b"r-1", b"note", store["sealed"][:-1] + bytes([store["sealed"][-1] ^ 1]))
        raise SystemExit("an altered note was opened")
    except Refused as refused:
        assert refused.code == NOT_AUTHENTIC
        print("ok     one altered bit:", refused)


if __name__ == "__main__":
    print("lukko", library.lukko_version().decode())
    break_glass(founding_day())
    alive = c_size_t()
    call("live_handles", byref(alive))
    print("ok     handles left:", alive.value)
    raise SystemExit(alive.value != 0)
