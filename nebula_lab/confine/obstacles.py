"""What keeps ordinary users from namespaces on this machine, as far as it can be read."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

_SETTINGS = Path("/proc/sys")
_OBSTACLES: tuple[tuple[str, Callable[[str], bool], str], ...] = (
    (
        "user/max_user_namespaces",
        lambda value: value == "0",
        "Let there be user namespaces: sysctl user.max_user_namespaces=10000.",
    ),
    (
        "kernel/unprivileged_userns_clone",
        lambda value: value == "0",
        "Let ordinary users make user namespaces: sysctl kernel.unprivileged_userns_clone=1.",
    ),
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        lambda value: value not in ("", "0"),
        "Let ordinary users make user namespaces: sysctl "
        "kernel.apparmor_restrict_unprivileged_userns=0, or a profile of AppArmor's for this "
        "Python that has «userns».",
    ),
)
_FILTERED = (
    "A filter of system calls is on this process already, as in a container: allow unshare, mount, "
    "pivot_root and the like in its seccomp profile."
)


def obstacles(settings: Path = _SETTINGS, status: Path = Path("/proc/self/status")) -> str:
    """What to do about each that there is; empty where none is known.

    Args:
        settings: where sysctl's settings are.
        status: what the kernel says of this process.
    """
    found = [cure for name, blocks, cure in _OBSTACLES if blocks(_read(settings / name))]
    if "Seccomp:\t2" in _read(status):
        found.append(_FILTERED)
    return " ".join(found)


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:  # this kernel has no such setting, or a container hides it
        return ""


def explained(error: BaseException) -> str:
    """An error of trying a mechanism, in words that are not about disks."""
    if not isinstance(error, OSError) or error.errno is None or error.filename:
        return str(error)
    if error.errno == errno.ENOSPC:
        return "no more user namespaces may be made"
    return error.strerror or str(error)
