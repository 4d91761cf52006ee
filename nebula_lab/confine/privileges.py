"""Giving up, for good, what a process may do beyond its user's rights; see capabilities(7)."""

from __future__ import annotations

import contextlib
import ctypes
import errno

from nebula_lab.confine import system

_SET_NO_NEW_PRIVS = 38
_CAPBSET_READ, _CAPBSET_DROP = 23, 24
_CAP_AMBIENT, _CAP_AMBIENT_CLEAR_ALL = 47, 4
_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def forbid_gaining() -> None:
    """From now on no program that is started here has more rights than its starter."""
    system.libc("prctl", _SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def drop_all() -> None:
    """Give up all capabilities, also those that a program started as root would get."""
    for capability in range(64):
        try:
            if system.libc("prctl", _CAPBSET_READ, capability, 0, 0, 0):
                # Only with CAP_SETPCAP; without it, `forbid_gaining` does the same.
                with contextlib.suppress(PermissionError):
                    system.libc("prctl", _CAPBSET_DROP, capability, 0, 0, 0)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            break  # it was the kernel's last
    system.libc("prctl", _CAP_AMBIENT, _CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header = _Header(_VERSION_3, 0)
    system.call("capset", ctypes.byref(header), ctypes.byref((_Sets * 2)()))
