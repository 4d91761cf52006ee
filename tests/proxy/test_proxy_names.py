"""Names that lead to the machine itself."""

from __future__ import annotations

import asyncio
import socket

import pytest

from nebula_lab.sandbox.proxy.allowed_hosts import Destination
from nebula_lab.sandbox.proxy.names import looked_up


def addresses(monkeypatch, host: str, *answers: str) -> list[str]:
    """What is made of a resolver's answers."""

    def resolve(name, port, *args, **more):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in answers]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asyncio.run(looked_up(Destination(host, 443)))


@pytest.mark.parametrize("ours", ["127.0.0.1", "127.8.9.1", "::1", "0.0.0.0", "169.254.169.254"])
def test_a_name_does_not_lead_to_the_machine_itself(monkeypatch, ours):
    assert addresses(monkeypatch, "api.example.org", ours) == []


def test_its_other_addresses_are_taken(monkeypatch):
    assert addresses(monkeypatch, "api.example.org", "::1", "192.0.2.7") == ["192.0.2.7"]


def test_an_address_in_another_form_is_seen_through(monkeypatch):
    assert addresses(monkeypatch, "api.example.org", "::ffff:127.0.0.1") == []


def test_localhost_is_what_it_says(monkeypatch):
    assert addresses(monkeypatch, "localhost", "127.0.0.1", "::1") == ["127.0.0.1", "::1"]


def test_an_address_is_what_it_is(monkeypatch):
    assert addresses(monkeypatch, "127.0.0.1", "192.0.2.7") == ["127.0.0.1"]
