"""A registry on disk, a server of it, and clients."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from registry_world import IMPATIENT, serving, write_package, write_plugin

from nebula_lab.model.discovery_strategy import Registry
from nebula_lab.registry.building.build import build
from nebula_lab.registry.client.client import RegistryClient
from nebula_lab.registry.client.patience import Patience


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A registry with a few plugins."""
    plugins, out = tmp_path_factory.mktemp("plugins"), tmp_path_factory.mktemp("registry")
    write_plugin(plugins, "counter", "1.0.0", description="Counts.", tags=["numbers"])
    build(plugins, out, name="Test plugins")
    write_plugin(plugins, "counter", "1.1.0", description="Counts things.", tags=["numbers"])
    write_plugin(plugins, "adder", "0.3.0", dependencies=["counter >=1.1"])
    write_package(plugins, "words", "2.0.0", table="WORDS = 1\n")
    build(plugins, out)
    return out


@pytest.fixture(scope="module")
def served(built):
    with serving(built) as server:
        yield server


@pytest.fixture
def client_of(tmp_path):
    """Makes a client with a cache of this test's own; closed at its end."""
    with contextlib.ExitStack() as stack:

        def make(registry: Registry, patience: Patience = IMPATIENT) -> RegistryClient:
            client = RegistryClient(registry, cache=tmp_path / "cache", patience=patience)
            return stack.enter_context(client)

        yield make
