"""What the programs in Python share: constants of the header, and a vault with a sealed file in it."""

import os
import re
import sys
from ctypes import c_size_t, c_uint32, c_uint64

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../examples"))

from clinic import MAJORITY, PADME, call, make, read, seal  # noqa: E402

HEADER = open(os.path.join(HERE, "../../include/lukko.h"), encoding="utf-8").read()
FILE = bytes(range(250)) * 400


def constant(name):
    return int(re.search(rf"^#define {name} (\d+)$", HEADER, re.MULTILINE).group(1))


class World:
    """A vault whose root enrols one patient, the key before and behind a re-key, a note and a file."""

    def __init__(self):
        registrar = make("registrar_generate")
        public = read("registrar_public_key", registrar)
        new = make("create", c_uint32(2), c_uint32(3), c_uint32(MAJORITY), c_uint32(constant("LUKKO_SUITE_X25519")), public)
        descriptor, master = make("new_vault_descriptor", new), make("new_vault_master", new)
        pin = make("pin_new", read("descriptor_fingerprint", descriptor), descriptor)
        draft = make("draft_first", make("pin_check", pin, descriptor))
        roster = read("buffer_read", make("draft_sign_as_root", draft, master, make("pin_check", pin, descriptor)))
        self.vault = make("vault_load_packed", pin, read("descriptor_bytes", descriptor), roster, [])
        self.key = make("enrolment_key", make("vault_enrol", self.vault, master, b"p-1"))
        self.next_key = make("enrolment_key", make("vault_rekey", self.vault, master, self.key))
        self.note = seal(self.vault, self.key, b"r-1", 1, b"slept better")
        self.sealed = self.seal_file()

    def seal_file(self):
        writer = make(
            "vault_seal_attachment_at", self.vault, self.key, b"r-1", b"scan", c_uint64(1), c_uint32(PADME)
        )
        call("writer_write", writer, FILE)
        call("writer_finish", writer)
        parts = iter(lambda: read("writer_take", writer), b"")
        return b"".join(parts)

    def open_note(self):
        return read("opened_plaintext", make("vault_open_at", self.vault, self.key, b"r-1", b"note", self.note))


def churn():
    """Makes and frees handles until the process ends, for a thread."""
    while True:
        make("registrar_generate")
