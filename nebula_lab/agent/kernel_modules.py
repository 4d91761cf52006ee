"""Which modules are a kernel's own, so that its debugger steps over them.

ipykernel takes all that have been imported when it boots. In a fork that would be wrong and dear:
modules that were preloaded for plugins are no part of the kernel, and to look at each module's file
writes a reference count next to it, which copied 5 of a forked kernel's 16 MB.
"""

from __future__ import annotations

import sys
from typing import Any

from ipykernel import ipkernel


class _Module:
    """As much of a module as ipykernel looks at."""

    def __init__(self, file: str) -> None:
        self.__file__ = file


class _KernelSys:
    """`sys` as ipykernel's kernel class sees it: with the modules of one moment."""

    def __init__(self) -> None:
        files = [getattr(module, "__file__", None) for module in sys.modules.values()]
        # Copies, which lie side by side in memory.
        copies = [file.encode().decode() for file in files if file]
        self.modules = {file: _Module(file) for file in copies}

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)


def remember() -> None:
    """Take what has been imported until now for a kernel's own modules."""
    ipkernel.sys = _KernelSys()
