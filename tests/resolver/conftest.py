"""Plugins for the resolver's tests, written as lines of text."""

from __future__ import annotations

from pathlib import Path

import pytest

from nebula_lab.model.descriptor import PluginDependency, PluginDescriptor, SourceLocation
from nebula_lab.resolver import PluginRegistry


def _dependency(text, file, line):
    """`other`, `other ^1.0`, or either with a `?` after the id when it is optional."""
    plugin_id, _, requirement = text.strip().partition(" ")
    return PluginDependency(
        plugin_id=plugin_id.removesuffix("?"),
        version_req=requirement or "*",
        optional=plugin_id.endswith("?"),
        declared_in=SourceLocation(file, line),
    )


def _descriptor(text, **metadata):
    """`a 1.2.0: b ^1.0; c?` is plugin a; its dependencies stand in lines 10, 11, … of a.toml."""
    head, _, needs = text.partition(":")
    plugin_id, _, version = head.strip().partition(" ")
    file = Path(f"/plugins/{plugin_id}.toml")
    entries = [entry for entry in needs.split(";") if entry.strip()]
    return PluginDescriptor(
        id=plugin_id,
        version=version or "1.0.0",
        path=file.with_suffix(".py"),
        dependencies=tuple(
            _dependency(entry, file, 10 + number) for number, entry in enumerate(entries)
        ),
        declared_in=SourceLocation(file, 1),
        **metadata,
    )


@pytest.fixture
def descriptor():
    return _descriptor


@pytest.fixture
def registry():
    """A registry of plugins written as text, or given as descriptors."""

    def build(*plugins, **host):
        registry = PluginRegistry(**host)
        for plugin in plugins:
            registry.register(_descriptor(plugin) if isinstance(plugin, str) else plugin)
        return registry

    return build


@pytest.fixture
def resolve(registry):
    return lambda *plugins, **host: registry(*plugins, **host).resolve_dependencies()
