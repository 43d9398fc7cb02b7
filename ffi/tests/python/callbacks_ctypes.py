"""A callback in Python (ctypes) that raises an exception, or forgets its answer, is a failure of the call."""

import ctypes
import sys
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_int32, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p

import story
from clinic import call, library, make, read

CALLBACK_OK, IO = story.constant("LUKKO_CALLBACK_OK"), story.constant("LUKKO_E_IO")
READ_AT = CFUNCTYPE(c_int32, c_void_p, c_uint64, POINTER(c_uint8), c_size_t)
WRITE = CFUNCTYPE(c_int32, c_void_p, POINTER(c_uint8), c_size_t)


class Source(Structure):
    _fields_ = [("context", c_void_p), ("length", c_uint64), ("read_at", READ_AT)]


class Sink(Structure):
    _fields_ = [("context", c_void_p), ("write", WRITE)]


def source(sealed, last=lambda: CALLBACK_OK):
    def read_at(_context, offset, out, length):
        ctypes.memmove(out, sealed[offset : offset + length], length)
        return last()

    return Source(None, len(sealed), READ_AT(read_at))


def reseal(world, into, fails=lambda parts: CALLBACK_OK):
    parts = []

    def write(_context, data, length):
        parts.append(ctypes.string_at(data, length))
        into.append(parts[-1])
        return fails(len(parts))

    sink = Sink(None, WRITE(write))
    code = library.lukko_vault_reseal_attachment_at(
        *(c_uint64(handle.raw) for handle in (world.vault, world.key, world.next_key)),
        b"r-1", c_size_t(3), b"scan", c_size_t(4), byref(source(world.sealed)), byref(sink),
    )
    return code


def disk_full(_parts):
    raise OSError("disk full")


world = story.World()
sys.unraisablehook = lambda _exception: None
whole = []
assert reseal(world, whole) == 0
moved = source(b"".join(whole))  # Lives as long as the reader.
reader = make("vault_open_attachment_at", world.vault, world.next_key, b"r-1", b"scan", moved)
assert read("reader_read", reader)[:4] == story.FILE[:4]
for at in range(1, len(whole) + 1):
    assert reseal(world, [], lambda parts: disk_full(parts) if parts == at else CALLBACK_OK) == IO, at
assert reseal(world, [], lambda parts: None) == IO, "no answer"
assert reseal(world, [], lambda parts: 0) == IO and reseal(world, [], lambda parts: 1) == IO

# A source that fails behind its work.
raw = c_uint64(7)
for answer in (lambda: None, lambda: 0, lambda: disk_full(0)):
    failing = source(world.sealed, answer)
    code = library.lukko_vault_open_attachment_at(
        c_uint64(world.vault.raw), c_uint64(world.key.raw), b"r-1", c_size_t(3), b"scan", c_size_t(4), byref(failing), byref(raw)
    )
    assert (code, raw.value) == (IO, 0), code
del reader
print("done")
