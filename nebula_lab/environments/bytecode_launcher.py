"""Confines a process and has it compile packages; see `bytecode_script`.

A compiler reads what strangers wrote. Should one of them find a hole in it, the process can write
to the environment that it compiles and to the store of bytecode, reach nobody, and take no more
memory than a large module needs.
"""

from __future__ import annotations

import os
import resource
from typing import NoReturn

from nebula_lab.confine import landlock, privileges

_MEMORY = 4 * 2**30  # bytes of address space
_SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/localtime", "/dev/urandom")


def main(standard_path: list[str], arguments: list[str]) -> NoReturn:
    """Become the compiler.

    Args:
        standard_path: of no use here.
        arguments: interpreter, script, packages, store, and the folders of the interpreter.
    """
    program, script, packages, store, *bases = arguments
    privileges.forbid_gaining()
    if landlock.version():
        read = [*_SYSTEM, *bases, script]
        landlock.restrict(
            [
                *((path, landlock.READ) for path in read if os.path.exists(path)),  # noqa: PTH110
                *((path, landlock.WRITE) for path in (packages, store)),
                ("/dev/null", landlock.DEVICE),
            ],
            network=False,
        )
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.execv(program, [program, "-I", "-S", script, packages, store])  # noqa: S606 - no shell
