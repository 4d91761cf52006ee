"""Which modules are a kernel's own, so that its debugger steps over them.

ipykernel takes all that have been imported when it boots. In a fork that would be wrong and dear:
modules that were preloaded for plugins are no part of the kernel, and to look at each module's file
writes a reference count next to it, which copied 5 of a forked kernel's 16 MB.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
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


def remember() -> None:
    """Take what has been imported until now for a kernel's own modules."""
    ipkernel.sys = _KernelSys()
