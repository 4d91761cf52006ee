"""A registry on disk, a server of it, and clients."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

import pytest
from msgspec.structs import replace
from registry_world import IMPATIENT, Served, serving, write_package, write_plugin

from nebula_lab.model import SecurityConfig
from nebula_lab.model.discovery_strategy import Registry
from nebula_lab.registry.building.build import build
from nebula_lab.registry.client.client import RegistryClient
from nebula_lab.registry.client.patience import Patience
from nebula_lab.registry.format.coding import encoded, read_plugin
from nebula_lab.registry.installing.install import Installation
from nebula_lab.registry.installing.wanted import read_wanted


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
def nobody():
    """A port of this machine where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield Registry(url=f"http://127.0.0.1:{taken.getsockname()[1]}/")


@pytest.fixture
def client_of(tmp_path):
    """Makes a client with a cache of this test's own; closed at its end."""
    with contextlib.ExitStack() as stack:

        def make(registry: Registry, patience: Patience = IMPATIENT) -> RegistryClient:
            client = RegistryClient(registry, cache=tmp_path / "cache", patience=patience)
            return stack.enter_context(client)

        yield make


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("NEBULA_LAB_HOME", str(tmp_path / "home"))


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "mine"


@pytest.fixture
def install(served, folder):
    """Installs from the usual registry into the folder; gives ids and versions of what is new."""

    def act(*words, registries=None, mode="plain", **more):
        if registries is None:
            registries = (served.registry(mode),)
        more.setdefault("security", SecurityConfig())
        report = Installation(folder, registries, **more).install(list(map(read_wanted, words)))
        return [(one.id, one.version) for one in report.arrivals]

    return act


@pytest.fixture(scope="session")
def serving_all(tmp_path_factory):
    """One server of whatever tests make: to start one takes as long as most tests."""
    with serving(tmp_path_factory.getbasetemp()) as server:
        yield server


@pytest.fixture
def growing(tmp_path, serving_all):
    """A registry of this test's own, to which more can be added while it is served."""
    plugins, out = tmp_path / "plugins", tmp_path / "out"

    class Growing:
        def add(self, *arguments, package=False, **more):
            (write_package if package else write_plugin)(plugins, *arguments, **more)
            build(plugins, out)

        def change(self, plugin_id, change):
            path = out / "plugins" / f"{plugin_id}.json"
            document = read_plugin(path.read_bytes(), plugin_id, "")
            first, *others = document.versions
            path.write_bytes(encoded(replace(document, versions=(change(first), *others))))

    growing = Growing()
    growing.plugins = plugins
    growing.add("counter", "1.0.0")
    within = f"{out.relative_to(serving_all.folder).as_posix()}/"
    growing.served = Served(out, serving_all.port, within)
    growing.registry = growing.served.registry()
    return growing
