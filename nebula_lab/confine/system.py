"""System calls that Python has no function for, with errors as OSError."""

from __future__ import annotations

import ctypes
import os
import platform
from typing import Any

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

# From 424 on a number is the same on every architecture.
_EVERYWHERE = {
    "openat2": 437,
    "open_tree": 428,
    "move_mount": 429,
    "mount_setattr": 442,
    "landlock_create_ruleset": 444,
    "landlock_add_rule": 445,
    "landlock_restrict_self": 446,
}
_BY_MACHINE = {
    "x86_64": {"pivot_root": 155, "capset": 126},
    "aarch64": {"pivot_root": 41, "capset": 91},
}
NUMBERS = {**_EVERYWHERE, **_BY_MACHINE.get(platform.machine(), {})}


def call(name: str, *arguments: Any) -> int:
    """Make a system call by its number.

    Raises:
        OSError: it failed; or this machine's processor is none that we know the number for.
    """
    number = NUMBERS.get(name)
    if number is None:
        raise OSError(f"{name}: its number on {platform.machine()} is not known")
    return _checked(name, _libc.syscall(ctypes.c_long(number), *map(_wide, arguments)))


def libc(name: str, *arguments: Any) -> int:
    """Call a function of the C library.

    Raises:
        OSError: it failed.
    """
    return _checked(name, getattr(_libc, name)(*map(_wide, arguments)))


def _wide(argument: Any) -> Any:
    # A bare int would be passed as 32 bits, and the rest of the register be whatever it was.
    return ctypes.c_long(argument) if isinstance(argument, int) else argument


def _checked(name: str, result: int) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result
