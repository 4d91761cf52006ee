"""Which modules are a kernel's own, so that its debugger steps over them and a reset leaves them.

ipykernel takes all that have been imported when it boots. In a fork that would be wrong and dear:
modules that were preloaded for plugins are no part of the kernel, and to look at each module's file
writes a reference count next to it, which copied 5 of a forked kernel's 16 MB. Another 1.5 MB were
copied for IPython's list of their names, which `%reset -s aggressive` goes by.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from types import SimpleNamespace
from typing import Any, Self

from ipykernel import ipkernel


class _Modules:
    """As much of `sys.modules` as ipykernel looks at; in one piece of memory."""

    def __init__(self, files: Iterable[str]) -> None:
        self._files = "\0".join(files)

    def copy(self) -> Self:
        return self

    def values(self) -> Iterator[SimpleNamespace]:
        return (SimpleNamespace(__file__=file) for file in self._files.split("\0"))


class _KernelSys:
    """`sys` as ipykernel's kernel class sees it: with the modules of one moment."""

    def __init__(self) -> None:
        files = (getattr(module, "__file__", None) for module in sys.modules.values())
        self.modules = _Modules(filter(None, files))

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)


class ImportedBefore:
    """The names of the modules of one moment, to be taken from a set of later ones.

    Args:
        earlier: some of them, which are not looked at again.
    """

    count: int

    def __init__(self, earlier: ImportedBefore | None = None) -> None:
        self._earlier = earlier
        known = 0 if earlier is None else earlier.count
        self.count = len(sys.modules)
        # The newest are at the end.
        self._names = "\0".join(islice(reversed(sys.modules), max(0, self.count - known)))

    def __rsub__(self, names: set[str]) -> set[str]:
        rest = names if self._earlier is None else names - self._earlier
        return rest - {*self._names.split("\0")}


class _Names:
    """The modules of a zygote, as its forks have them."""

    of_zygote: ImportedBefore | None = None


def remember_names() -> None:
    """Take the names of what has been imported until now, for the forks to come."""
    _Names.of_zygote = ImportedBefore()


def imported_until_now() -> ImportedBefore:
    """The names of all modules; in a fork, only those are looked at that came after it."""
    return ImportedBefore(_Names.of_zygote)


def remember() -> None:
    """Take what has been imported until now for a kernel's own modules."""
    ipkernel.sys = _KernelSys()
