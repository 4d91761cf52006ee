"""Where a host lives."""

from __future__ import annotations

import msgspec


class Places(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A host's own folders.

    Attributes:
        ipc: the kernel's connection file and sockets.
        plugin: the plugin's files, which come later.
        home: where it may write.
        root: an empty folder to build its tree of files in.
    """

    ipc: str
    plugin: str
    home: str
    root: str

    @property
    def scratch(self) -> str:
        return f"{self.home}/scratch"

    @property
    def ipython(self) -> str:
        return f"{self.home}/.ipython"

    @property
    def temporary(self) -> str:
        return f"{self.home}/tmp"  # noqa: S108 - its own
