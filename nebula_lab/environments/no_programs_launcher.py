"""Runs a program that can start no other: the kernel denies it.

uv builds what has no wheel when it wants to know what that depends on, which runs its code. It can
be asked not to, but then it does not look at sources at all. So it may look, and can't run them.
"""

from __future__ import annotations

import glob
import os
import sys
from typing import NoReturn

from nebula_lab.confine import landlock, privileges

# Without this, a process that Landlock holds can't move files from one folder to another.
_LEAST = landlock.REFER_SINCE
# The program's own loader, where it has one.
_LOADERS = "/lib*/ld-*.so*"


def main(standard_path: list[str], arguments: list[str]) -> NoReturn:
    """Become the program.

    Args:
        standard_path: of no use here.
        arguments: the program's path, and its own.
    """
    program = arguments[0]
    if landlock.version() < _LEAST:
        sys.exit(
            "uv can't be kept from starting programs: this kernel has no Landlock of Linux 5.19"
        )
    privileges.forbid_gaining()
    started = [program, *glob.glob(_LOADERS)]  # noqa: PTH207 - Path has none from the root
    landlock.restrict(
        [
            ("/", landlock.WITHOUT_PROGRAMS),
            *((path, landlock.READ) for path in started),
        ],
        network=True,
        others=True,
    )
    os.execv(program, arguments)  # noqa: S606 - no shell
