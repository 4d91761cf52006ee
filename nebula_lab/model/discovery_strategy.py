"""Where plugins are looked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints

from nebula_lab.model.complaints import Location
from nebula_lab.model.descriptor import PluginDescriptor, SourceLocation
from nebula_lab.model.frozen import Flag, FrozenModel
from nebula_lab.model.variants import OneOf

__all__ = [
    "DiscoveryStrategy",
    "FileSystem",
    "Manifest",
    "Registry",
    "Explicit",
    "EntryPoints",
    "Discovery",
]

_Text = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class DiscoveryStrategy(FrozenModel):
    """One of the five ways to find plugins, each a class below and an attribute here."""

    FileSystem: ClassVar[type[_FileSystem]]
    Manifest: ClassVar[type[_Manifest]]
    Registry: ClassVar[type[_Registry]]
    Explicit: ClassVar[type[_Explicit]]
    EntryPoints: ClassVar[type[_EntryPoints]]

    def relative_to(self, folder: Path) -> Self:
        """The same strategy, with relative paths taken from `folder`."""
        return self

    def located(self, place: Callable[[Location], SourceLocation]) -> Self:
        """The same strategy, with a place for each plugin that it describes by itself.

        Args:
            place: where the element of a document is, counted from the strategy's own table.
        """
        return self


class FileSystem(DiscoveryStrategy):
    """Plugins in `plugin_dir` whose file name matches the glob `pattern`."""

    type: Literal["FileSystem"] = Field(default="FileSystem", repr=False)
    pattern: _Text = "*"
    recursive: Flag = False


class Manifest(DiscoveryStrategy):
    """Plugins that one file lists."""

    type: Literal["Manifest"] = Field(default="Manifest", repr=False)
    path: Path

    def relative_to(self, folder: Path) -> Self:
        return self.model_copy(update={"path": folder / self.path.expanduser()})


class Registry(DiscoveryStrategy):
    """Plugins that a registry offers; docs/registry.md says more.

    Attributes:
        url: the address of the folder with its `index.json`.
        auth: where the secret for it is, or the secret itself; it stays out of texts.
        insecure: ask it without TLS although it is on another machine.
        root: the file with the signed root whose keys are trusted for it; without, the one that
            `nebula-lab registry trust` has remembered.
    """

    type: Literal["Registry"] = Field(default="Registry", repr=False)
    url: _Text
    auth: _Text | None = Field(default=None, repr=False)
    insecure: Flag = False
    root: Path | None = None

    def relative_to(self, folder: Path) -> Self:
        if self.root is None:
            return self
        return self.model_copy(update={"root": folder / self.root.expanduser()})


class Explicit(DiscoveryStrategy):
    """Exactly these plugins."""

    type: Literal["Explicit"] = Field(default="Explicit", repr=False)
    plugins: tuple[PluginDescriptor, ...]

    def relative_to(self, folder: Path) -> Self:
        moved = tuple(
            plugin.model_copy(update={"path": folder / plugin.path.expanduser()})
            for plugin in self.plugins
        )
        return self.model_copy(update={"plugins": moved})

    def located(self, place: Callable[[Location], SourceLocation]) -> Self:
        found = tuple(
            # "Explicit" is a step of the document in serde's form only; others pass over it.
            _located(plugin, ("Explicit", "plugins", index), place)
            for index, plugin in enumerate(self.plugins)
        )
        return self.model_copy(update={"plugins": found})


def _located(
    plugin: PluginDescriptor, at: Location, place: Callable[[Location], SourceLocation]
) -> PluginDescriptor:
    dependencies = tuple(
        dependency.model_copy(update={"declared_in": place((*at, "dependencies", index))})
        for index, dependency in enumerate(plugin.dependencies)
    )
    return plugin.model_copy(update={"declared_in": place(at), "dependencies": dependencies})


class EntryPoints(DiscoveryStrategy):
    """Plugins that installed distributions announce in the entry point `group`."""

    type: Literal["EntryPoints"] = Field(default="EntryPoints", repr=False)
    group: _Text = "nebula_lab.plugins"


# The attributes of DiscoveryStrategy have the names of the classes, so their types need others.
_FileSystem = FileSystem
_Manifest = Manifest
_Registry = Registry
_Explicit = Explicit
_EntryPoints = EntryPoints

DiscoveryStrategy.FileSystem = FileSystem
DiscoveryStrategy.Manifest = Manifest
DiscoveryStrategy.Registry = Registry
DiscoveryStrategy.Explicit = Explicit
DiscoveryStrategy.EntryPoints = EntryPoints

Discovery = Annotated[
    FileSystem | Manifest | Registry | Explicit | EntryPoints,
    OneOf(
        "discovery strategy",
        {
            "FileSystem": FileSystem,
            "Manifest": Manifest,
            "Registry": Registry,
            "Explicit": Explicit,
            "EntryPoints": EntryPoints,
        },
    ),
]
