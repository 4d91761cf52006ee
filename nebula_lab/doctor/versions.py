"""What runs here: the kernel, Python, the user, and what plugins' kernels are made of."""

from __future__ import annotations

import os
import platform
import pwd
import sys
from importlib.metadata import PackageNotFoundError, version

from nebula_lab import __version__
from nebula_lab.confine.system_calls import MACHINES
from nebula_lab.doctor.finding import Finding, Verdict

_PACKAGES = ("ipykernel", "jupyter_client")


def versions() -> tuple[Finding, ...]:
    """One finding for each."""
    return (
        Finding("nebula_lab", Verdict.FINE, __version__),
        Finding("Python", Verdict.FINE, f"{platform.python_version()}, {sys.executable}"),
        *map(_package, _PACKAGES),
        Finding("kernel", Verdict.FINE, f"{platform.system()} {platform.release()}"),
        _architecture(),
        Finding("user", Verdict.FINE, _user()),
    )


def _package(name: str) -> Finding:
    try:
        return Finding(name, Verdict.FINE, version(name))
    except PackageNotFoundError:
        cure = f"Install it beside nebula_lab: {sys.executable} -m pip install {name}"
        return Finding(name, Verdict.GAP, "is not installed", cure)


def _architecture() -> Finding:
    machine = platform.machine()
    if machine in MACHINES:
        return Finding("architecture", Verdict.FINE, machine)
    return Finding(
        "architecture",
        Verdict.NOTE,
        f"{machine}, whose system calls can't be filtered",
        f"Those of {' and '.join(MACHINES)} can.",
    )


def _user() -> str:
    user = os.geteuid()
    if user == 0:
        return "root; plugins are confined all the same"
    try:
        return f"{pwd.getpwuid(user).pw_name} ({user})"
    except KeyError:  # a container's user may have no name
        return f"number {user}"
