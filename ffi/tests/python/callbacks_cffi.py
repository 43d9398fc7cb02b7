"""The same over cffi: an exception in a callback is answered with 0, which is a failure."""

import os
import re

import cffi

import story

text = re.sub(r"/\*.*?\*/", "", story.HEADER, flags=re.DOTALL)
kept = [
    line
    for line in text.replace("LUKKO_MUST_USE", "").splitlines()
    if re.match(r"#define \w+ \d+$", line) or not line.startswith(("#", 'extern "C"', '}  //', "} //"))
]
ffi = cffi.FFI()
ffi.cdef("\n".join(line for line in kept if line.strip() not in ('extern "C" {', '}  // extern "C"', '} // extern "C"')))
lib = ffi.dlopen(os.environ["LUKKO_LIBRARY"])
world = story.World()


@ffi.callback("int32_t(void *, uint64_t, uint8_t *, size_t)")
def read_at(_context, offset, out, length):
    ffi.memmove(out, world.sealed[offset : offset + length], length)
    return lib.LUKKO_CALLBACK_OK


def reseal(write):
    source = ffi.new("lukko_source *", {"length": len(world.sealed), "read_at": read_at})
    sink = ffi.new("lukko_sink *", {"write": write})
    keys = world.vault.raw, world.key.raw, world.next_key.raw
    return lib.lukko_vault_reseal_attachment_at(*keys, b"r-1", 3, b"scan", 4, source, sink)


def sink(fails):
    parts = []

    # Without `onerror`, cffi prints the exception and answers 0.
    @ffi.callback("int32_t(void *, const uint8_t *, size_t)", onerror=lambda *_: None)
    def write(_context, data, length):
        parts.append(ffi.buffer(data, length)[:])
        if len(parts) == fails:
            raise OSError("disk full")
        return lib.LUKKO_CALLBACK_OK

    return parts, write


parts, write = sink(0)
assert reseal(write) == lib.LUKKO_OK
assert len(parts) > 5
for at in range(1, len(parts) + 1):
    assert reseal(sink(at)[1]) == lib.LUKKO_E_IO, at

# A temporary that is collected before the call cannot get into an argument: the note opens in its place.
out, written = ffi.new("uint8_t[]", 4096), ffi.new("size_t *")
code = lib.lukko_vault_seal_at(
    world.vault.raw, world.key.raw, ffi.from_buffer(bytes(b"r-" + b"9" * 200)), 202, ffi.from_buffer(bytes(b"note")), 4, 2,
    lib.LUKKO_PADDING_PADME, ffi.from_buffer(bytes(b"slept worse")), 11, out, 4096, written,
)
assert code == lib.LUKKO_OK
sealed = ffi.buffer(out, written[0])[:]
opened = story.make("vault_open_at", world.vault, world.key, b"r-" + b"9" * 200, b"note", sealed)
assert story.read("opened_plaintext", opened) == b"slept worse"
del opened
print("done")
