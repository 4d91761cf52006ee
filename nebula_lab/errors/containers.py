"""Errors about containers. They are a part of the tree of `nebula_lab.errors`."""

from __future__ import annotations

from nebula_lab.plugin.errors import PluginError


class ContainerRuntimeError(PluginError):
    """A program that runs containers, and does not: it is missing, stopped, too old, or refuses.

    Attributes:
        runtime: the program, as the configuration names it.
        said: the end of what it wrote; it may be hostile text no more than any program's.
    """

    def __init__(self, message: str, *, runtime: str, hint: str = "", said: str = "") -> None:
        super().__init__(message, hint=hint)
        self.runtime = runtime
        self.said = said


class ImageError(ContainerRuntimeError):
    """The image that containers are made of can't be had."""
