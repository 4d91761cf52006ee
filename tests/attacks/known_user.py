"""Runs a program on a machine where a user has a name, and users of its own below it.

    python known_user.py UID PROGRAM ARGUMENT…

That is what podman asks of whoever runs it without root. The files that say so are the program's
own; the machine's stay as they are.
"""

from __future__ import annotations

import ctypes
import os
import sys
import tempfile
from pathlib import Path

_NEWNS = 0x20000
_PRIVATE, _BIND = 0x44000, 0x1000
_libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    uid, *program = sys.argv[1:]
    name, home = f"nebula{uid}", os.environ["HOME"]
    subordinate = f"{name}:{2**30}:65536\n"
    texts = {
        "/etc/passwd": f"root:x:0:0:root:/root:/bin/sh\n{name}:x:{uid}:{uid}::{home}:/bin/sh\n",
        "/etc/group": f"root:x:0:\n{name}:x:{uid}:\n",
        "/etc/subuid": subordinate,
        "/etc/subgid": subordinate,
    }
    _require(_libc.unshare(_NEWNS))
    _require(_libc.mount(b"none", b"/", None, ctypes.c_ulong(_PRIVATE), None))
    with tempfile.TemporaryDirectory() as folder:
        for place, text in texts.items():
            file = Path(folder, Path(place).name)
            file.write_text(text)
            file.chmod(0o644)
            source, target = os.fsencode(file), os.fsencode(place)
            _require(_libc.mount(source, target, None, ctypes.c_ulong(_BIND), None))
    os.execv(program[0], program)


def _require(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


main()
