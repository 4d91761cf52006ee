"""What a zygote imports for its hosts, and whether it can still fork after that."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from nebula_lab.agent import kernel_modules, memory_holes
from nebula_lab.agent.hot_code import Functions

# What a kernel imports while it boots and at its first cell, besides what its modules import.
KERNEL_MODULES = (
    "nebula_lab.agent.kernel",
    "nebula_lab.agent.host",
    "nebula_lab.agent.forks",
    "nebula_lab.agent.streams",
    "nebula_lab.agent.concurrent",
    "nebula_lab.agent.source",
    "nebula_lab.plugin.binding",
    "nebula_lab.plugin.json_schema",
    "nebula_lab.plugin.refinement",
    "nebula_lab.plugin.scalars",
    "ipykernel.debugger",
    "pdb",
    "site",
    "sqlite3",
    "tempfile",
    "unicodedata",
    "IPython.core.debugger",
    "IPython.core.oinspect",
    "IPython.core.completerlib",
    "IPython.extensions.storemagic",
    "tornado.platform.asyncio",
)
# Python 3.13 has another name for it, and a warning for the old one.
_CLEAR: Callable[[], None] = getattr(sys, "_clear_internal_caches", None) or sys._clear_type_cache
# Modules that are of little use without another one, which their users would each import.
_COMPANIONS = {"numpy": ("numpy.random",)}


def import_module(name: str) -> None:
    """Import a module and what usually follows it.

    Raises:
        BaseException: whatever it raises.
    """
    for one in (name, *_COMPANIONS.get(name, ())):
        importlib.import_module(one)


def threads_left() -> list[str]:
    """The names of this process's threads besides the main one, once they had a reason to end.

    A library that is ready for forks, as OpenBLAS is, ends its threads when one comes and starts
    them again where they are needed. So a fork that does nothing comes before the count.
    """
    if len(_other_threads()) > 0:
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
    return _other_threads()


def _other_threads() -> list[str]:
    main = str(os.getpid())
    names = []
    for task in Path("/proc/self/task").iterdir():
        if task.name != main:
            try:
                names.append((task / "comm").read_text().strip())
            except OSError:
                continue  # it has ended meanwhile
    return names


_functions = Functions()


def settle() -> None:
    """Let forks share what is in memory now: the collector is not to write into its headers.

    Nor are forks to put what they make into the holes between it: each would copy a page.
    """
    gc.collect()
    kernel_modules.remember_names()
    _functions.add_new()
    _close()


def gather(places: Iterable[int]) -> None:
    """Have the code that forks run in one place; see `nebula_lab.agent.hot_code`.

    Args:
        places: where it is now.
    """
    _functions.gather(places)
    _close()


def _close() -> None:
    _CLEAR()  # the cache of attributes refers to names, each of which a fork would write to
    memory_holes.fill()
    gc.freeze()
