"""Servers, shared by a module's tests where these do not get in each other's way."""

from __future__ import annotations

import pytest
from server_lab import Server, Tokens, archive


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    return Tokens(tmp_path_factory.mktemp("tokens"))


@pytest.fixture(scope="module")
def shared(tmp_path_factory, tokens):
    """A server of an unsigned registry for a whole module; each test has plugins of its own."""
    base = tmp_path_factory.mktemp("shared")
    server = Server(base / "registry", base / "log", "--token-file", tokens.file)
    # The first upload starts the processes, and opens the connection, that the others use too.
    assert server.upload(archive("warm"), tokens.all).status_code == 201
    yield server
    server.stop()


@pytest.fixture
def serve(tmp_path):
    """Starts servers of folders below the test's own."""
    servers = []

    def start(name, *options):
        servers.append(Server(tmp_path / name, tmp_path / "log", *options))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
