"""How a process that was forked from a zygote becomes like one that was started anew."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import site
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nebula_lab.agent import marking
from nebula_lab.agent.hot_code import CodeRecorder
from nebula_lab.agent.zygote_messages import Fork
from nebula_lab.confine import cgroups

# PYTHON* variables that are heeded here, or are read when they are needed. Python reads the others
# when it starts, so a process that has one of them is started anew.
_HEEDED = frozenset(
    {
        "PYTHONASYNCIODEBUG",
        "PYTHONBREAKPOINT",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONFAULTHANDLER",
        "PYTHONNOUSERSITE",
        "PYTHONPATH",
        "PYTHONSAFEPATH",
        "PYTHONSTARTUP",
        "PYTHONUNBUFFERED",
    }
)


@dataclass(frozen=True)
class Birth:
    """A host that is to be: what the manager ordered, and the descriptors that came with it.

    Where the zygote wants to know what code a boot runs, there is a recorder.
    """

    order: Fork
    channel: int
    owner: int
    output: int
    stacks: int
    folder: int
    proxy: int = -1
    entrances: tuple[int, ...] = ()
    recorder: CodeRecorder | None = None

    @classmethod
    def of(cls, order: Fork, descriptors: list[int]) -> Birth:
        channel, owner, output, stacks, folder, *more = descriptors
        proxy = more.pop(0) if order.has_proxy else -1
        return cls(order, channel, owner, output, stacks, folder, proxy, tuple(more))


@dataclass(frozen=True)
class Start:
    """What a zygote was started with, before it imported anything.

    Attributes:
        standard_path: `sys.path` as far as it is the standard library's.
        variables: its environment.
    """

    standard_path: list[str]
    variables: dict[str, str]


def become_host(birth: Birth, start: Start) -> None:
    """Make this process, which was just forked, what `python -m nebula_lab.agent` would be.

    It does not return where only a real start will do.

    Args:
        birth: what the manager ordered.
        start: of the zygote.
    """
    _separate(birth)
    cgroups.join(birth.entrances)  # before anything can be forked here
    _take_surroundings(birth, start.variables)
    confined = birth.order.confined
    if confined.command:
        confined.enter(birth.proxy, birth.owner)
        confined.become((birth.channel, birth.owner, birth.stacks), birth.order.arguments)
    if _needs_real_start():
        _start_anew(birth)
    confined.enter(birth.proxy, birth.owner)
    _process_site(start.standard_path)
    _reseed()
    gc.enable()


def _separate(birth: Birth) -> None:
    """Share no session, no descriptor, no signal handler and no mark with the zygote."""
    os.setsid()
    for descriptor in (1, 2):
        os.dup2(birth.output, descriptor)
    os.close(birth.output)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    marking.set_mark(birth.order.mark)
    marking.set_title(birth.order.title)


def _take_surroundings(birth: Birth, before: dict[str, str]) -> None:
    # Modules leave notes to themselves among the variables when they are imported.
    added = {name: os.environ[name] for name in os.environ.keys() - before.keys()}
    os.environ.clear()
    os.environ.update(added)
    for variable in birth.order.variables:
        name, _, value = variable.partition(b"=")
        os.environb[name] = value
    os.fchdir(birth.folder)
    os.close(birth.folder)
    os.umask(birth.order.umask)
    birth.order.limits.apply()
    time.tzset()
    tempfile.tempdir = None


def _needs_real_start() -> bool:
    if any(name.startswith("PYTHON") and name not in _HEEDED for name in os.environ):
        return True
    return any(map(_hides_a_module, _python_path()))


def _python_path() -> list[str]:
    given = os.environ.get("PYTHONPATH", "")
    return list(map(_absolute, given.split(os.pathsep))) if given else []


def _absolute(entry: str) -> str:
    try:
        return os.path.abspath(entry)  # noqa: PTH100 - as Python itself does, with its `..`
    except OSError:  # there is no working folder any more
        return entry


def _hides_a_module(folder: str) -> bool:
    """Whether PYTHONPATH has a module of a name that has been imported from elsewhere."""
    try:
        entries = os.listdir(folder)  # noqa: PTH208 - only their names, and there may be many
    except OSError:
        return False
    for entry in entries:
        module = sys.modules.get(entry.partition(".")[0])
        if module is not None and _is_elsewhere(module, folder):
            return True
    return False


def _is_elsewhere(module: Any, folder: str) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and not Path(file).is_relative_to(folder)


def _start_anew(birth: Birth) -> None:
    """Replace this process's image; its pid and its descriptors stay."""
    descriptors = (birth.channel, birth.owner, birth.stacks, birth.proxy)
    for descriptor in descriptors:
        if descriptor >= 0:
            os.set_inheritable(descriptor, True)
    program = [sys.executable, "-P", "-m", "nebula_lab.agent", *map(str, descriptors)]
    no_entrances = ""  # it is in its group already
    arguments = [no_entrances, birth.order.confined.to_text(), *birth.order.arguments]
    os.execv(sys.executable, [*program, *arguments])  # noqa: S606 - no shell is meant


def _process_site(standard_path: list[str]) -> None:
    """Do what Python does at its start and was told not to: `.pth` files, `sitecustomize`."""
    ours = sys.path[-1]
    no_user_site = bool(os.environ.get("PYTHONNOUSERSITE"))
    # As `python -P` has them; what a plugin starts with `multiprocessing` gets them passed on.
    _set_flags(
        isolated=0,
        ignore_environment=0,
        no_site=0,
        no_user_site=int(no_user_site),
        dont_write_bytecode=int(bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))),
    )
    sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)
    sys.path[:] = _python_path() + standard_path
    sys.argv = ["nebula_lab"]
    site.main()
    if ours not in sys.path:
        sys.path.append(ours)


def _set_flags(**values: int) -> None:
    """Change `sys.flags` in place: it has no other way, and everyone looks there."""
    names = type(sys.flags).__match_args__
    for name, value in values.items():
        reference = ctypes.py_object(value)
        ctypes.pythonapi.Py_IncRef(reference)
        ctypes.pythonapi.PyStructSequence_SetItem(
            ctypes.py_object(sys.flags), ctypes.c_ssize_t(names.index(name)), reference
        )


def _reseed() -> None:
    """Give random generators that the zygote imported a state of their own.

    `random` does that by itself after each fork; keys and ids come from the system each time.
    """
    for name, reseed in _GENERATORS.items():
        module = sys.modules.get(name)
        if module is not None:
            reseed(module)


_GENERATORS: dict[str, Callable[[Any], object]] = {"numpy.random": lambda module: module.seed()}
