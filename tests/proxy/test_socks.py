"""The proxy as a SOCKS5 client sees it."""

from __future__ import annotations

import ipaddress

import pytest
from proxy_lab import echo, read_all, read_exactly

GREETING = b"\x05\x01\x00"


def by_name(name, port, command=1):
    return bytes([5, command, 0, 3, len(name)]) + name + port.to_bytes(2, "big")


def by_address(address, port):
    packed = ipaddress.ip_address(address).packed
    return bytes([5, 1, 0, 1 if len(packed) == 4 else 4]) + packed + port.to_bytes(2, "big")


def greeted(lab, request):
    client = lab.client(GREETING)
    assert read_exactly(client, 2) == b"\x05\x00"
    client.sendall(request)
    return client, read_exactly(client, 10)[1]


def test_a_name_that_is_listed_is_reached(lab):
    port = lab.origin(echo).port
    lab.proxy(f"localhost:{port}")
    client, code = greeted(lab, by_name(b"LocalHost", port))
    assert code == 0
    client.sendall(b"abc")
    assert read_exactly(client, 3) == b"abc"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_an_address_that_is_listed_is_reached(lab, host):
    port = lab.origin(echo, host=host).port
    lab.proxy("127.0.0.1", "[::1]")
    assert greeted(lab, by_address(host, port))[1] == 0


def test_what_is_not_listed_is_refused_and_reported(lab):
    lab.proxy("localhost:1")
    assert greeted(lab, by_address("127.0.0.1", 1))[1] == 2
    assert greeted(lab, by_name(b"localhost", 2))[1] == 2
    assert lab.refused == [("127.0.0.1", 1), ("localhost", 2)]


def test_what_is_not_there_is_unreachable(lab):
    lab.proxy("localhost:1")
    assert greeted(lab, by_name(b"localhost", 1))[1] == 4


@pytest.mark.parametrize("command", [2, 3, 99])
def test_other_commands_are_not_offered(lab, command):
    lab.proxy("localhost")
    assert greeted(lab, by_name(b"localhost", 1, command))[1] == 7


@pytest.mark.parametrize("name", [b"", b"2130706433", b"a b", b"\xff\xfe", b"127.0.0.1\x00.org"])
def test_what_is_no_name_is_refused(lab, name):
    lab.proxy("127.0.0.1", "localhost")
    assert greeted(lab, by_name(name, 80))[1] == 1


def test_a_client_that_wants_a_password_is_told_so(lab):
    lab.proxy("localhost")
    assert read_all(lab.client(b"\x05\x01\x02")) == b"\x05\xff"


def test_there_is_no_port_0(lab):
    lab.proxy("localhost")
    assert greeted(lab, by_name(b"localhost", 0))[1] == 1
