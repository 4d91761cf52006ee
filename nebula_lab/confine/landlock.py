"""Landlock: which files and ports a process may use, and whom it may reach; see landlock(7)."""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterable

from nebula_lab.confine import system
from nebula_lab.confine.grants import Grant

_CREATE_VERSION = 1
_PATH_BENEATH, _NETWORK_PORT = 1, 2
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_MAKE_SOCK = 1 << 9
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_BIND_TCP, _CONNECT_TCP = 1 << 0, 1 << 1
_SCOPE_ABSTRACT_SOCKETS, _SCOPE_SIGNALS = 1 << 0, 1 << 1
# Which rights over files a version of the interface knows, by the first version that has them.
_ALL_FILES = (
    (1, (1 << 13) - 1),
    (2, _REFER),
    (3, _TRUNCATE),
    (5, _IOCTL_DEV),
)
REFER_SINCE = 2
_NETWORK_SINCE = 4
SCOPES_SINCE = 6
# Before that it lets anyone empty any file of the same user.
TRUNCATION_SINCE = 3

READ = _EXECUTE | _READ_FILE | _READ_DIR
LIST = _READ_DIR
WRITE = ~0
WITHOUT_PROGRAMS = ~_EXECUTE
DEVICE = _READ_FILE | _WRITE_FILE | _IOCTL_DEV
SOCKETS = _READ_FILE | _READ_DIR | _MAKE_SOCK


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


class _NetworkPort(ctypes.Structure):
    _fields_ = (("allowed", ctypes.c_uint64), ("port", ctypes.c_uint64))


def version() -> int:
    """Of the kernel's interface; 0 where there is none."""
    try:
        return system.call("landlock_create_ruleset", None, 0, _CREATE_VERSION)
    except OSError:
        return 0


def restrict(
    paths: Iterable[tuple[str | Grant, int]] | None,
    *,
    network: bool,
    ports: Iterable[int] = (),
    others: bool = False,
    abi: int | None = None,
) -> None:
    """Restrict this thread, and all that it starts, for ever.

    Args:
        paths: what may be used below each path, of READ, LIST, WRITE, DEVICE, SOCKETS and
            WITHOUT_PROGRAMS; nothing else can be. None leaves files alone.
        network: whether TCP ports may be bound and connected to.
        ports: those that may be connected to all the same.
        others: whether processes outside may be signalled, and abstract sockets outside be used.
        abi: the version of the interface to use; the kernel's own if none is named.

    Raises:
        OSError: the kernel does not have it, or this process has not given up gaining rights.
    """
    abi = version() if abi is None else abi
    known = sum(rights for since, rights in _ALL_FILES if abi >= since)
    ruleset = _Ruleset(
        known if paths is not None else 0,
        0 if network or abi < _NETWORK_SINCE else _BIND_TCP | _CONNECT_TCP,
        0 if others or abi < SCOPES_SINCE else _SCOPE_ABSTRACT_SOCKETS | _SCOPE_SIGNALS,
    )
    if not (ruleset.files or ruleset.network or ruleset.scoped):
        # Something has to be handled for there to be a domain, which keeps others from being
        # traced or their /proc from being read. Moving files between folders is what any domain
        # has to be told to leave alone.
        if abi < REFER_SINCE:
            return  # a domain would keep it from moving files between folders
        ruleset.files = _REFER
        paths = [("/", _REFER)]
    descriptor = system.call(
        "landlock_create_ruleset", ctypes.byref(ruleset), ctypes.sizeof(ruleset), 0
    )
    try:
        for path, rights in paths or ():
            _allow(descriptor, path, rights & known)
        for port in ports if ruleset.network else ():
            rule = _NetworkPort(_CONNECT_TCP, port)
            system.call("landlock_add_rule", descriptor, _NETWORK_PORT, ctypes.byref(rule), 0)
        system.call("landlock_restrict_self", descriptor, 0)
    finally:
        os.close(descriptor)


def _allow(ruleset: int, path: str | Grant, rights: int) -> None:
    parent = _opened(path)
    try:
        if not stat.S_ISDIR(os.fstat(parent).st_mode):
            rights &= _OF_FILES
        rule = _PathBeneath(rights, parent)
        system.call("landlock_add_rule", ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(parent)


def _opened(path: str | Grant) -> int:
    if isinstance(path, Grant):
        return path.opened()
    return os.open(path, os.O_PATH | os.O_CLOEXEC)
