"""What a plugin can do to its proxy: nothing that outlasts its connections."""

from __future__ import annotations

import select
import socket
import struct
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from proxy_lab import Lab, echo, read_all, read_exactly, read_head

from nebula_lab.sandbox.host_proxy import HostProxy, ProxyLimits


def connect_to(port):
    return f"CONNECT localhost:{port} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def tunnel(lab, port):
    client = lab.client(connect_to(port))
    assert b" 200 " in read_head(client)
    return client


def test_a_giant_head_is_cut_short(lab):
    lab.proxy("localhost")
    client = lab.client(b"GET http://localhost/ HTTP/1.1\r\nX: " + b"x" * 100_000)
    assert read_all(client).startswith(b"HTTP/1.1 431 ")


def test_many_headers_are_cut_short(lab):
    lab.proxy("localhost")
    assert b" 431 " in lab.ask(b"GET http://localhost/ HTTP/1.1\r\n" + b"X: y\r\n" * 10_000)


@pytest.mark.parametrize("first", [b"", b"G", b"CONNECT localhost:1 HTTP/1.1\r\nHost: x\r\n"])
def test_a_head_that_never_ends_is_given_up(lab, first):
    lab.proxy("localhost:1", limits=ProxyLimits(head=0.2))
    assert lab.ask(first).startswith(b"HTTP/1.1 408 ")


def test_drops_do_not_keep_a_slow_head_alive(lab):
    lab.proxy("localhost:1", limits=ProxyLimits(head=0.3))
    client = lab.client(b"GET http://localhost:1/ HTTP/1.1\r\n")
    while not select.select([client], [], [], 0.02)[0]:
        client.sendall(b"X: y\r\n")
    assert client.recv(100).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("first", [b"\x05", b"\x05\x01\x00", b"\x05\x01\x00\x05\x01\x00\x03\xff"])
def test_a_slow_greeting_is_given_up(lab, first):
    lab.proxy("localhost", limits=ProxyLimits(head=0.2))
    assert read_all(lab.client(first))[-9:] == b"\x01\x00\x01" + b"\x00" * 6


def test_an_idle_tunnel_is_given_up(lab, wait_until):
    origin = lab.origin(echo)
    lab.proxy("localhost", limits=ProxyLimits(idle=0.2))
    assert read_all(tunnel(lab, origin.port)) == b""
    wait_until(lambda: origin.received, "the end of the other side")


def test_a_busy_tunnel_is_ended_at_last(lab):
    origin = lab.origin(echo)
    lab.proxy("localhost", limits=ProxyLimits(idle=5, total=1.0))
    client = tunnel(lab, origin.port)
    with pytest.raises((AssertionError, OSError)):
        while True:
            client.sendall(b"x")
            read_exactly(client, 1)


def test_a_client_that_does_not_read_is_sent_no_more(lab):
    sent = []
    blocked = threading.Event()

    def pour(sock, _):
        sock.settimeout(1)
        try:
            while True:
                sent.append(sock.send(b"x" * 65536))
        except OSError:
            blocked.set()

    origin = lab.origin(pour)
    lab.proxy("localhost")
    client = tunnel(lab, origin.port)
    assert blocked.wait(30)
    assert sum(sent) < 64 * 2**20
    client.close()


def test_a_client_may_end_its_half_first(lab):
    origin = lab.origin(echo)
    lab.proxy("localhost")
    client = tunnel(lab, origin.port)
    client.sendall(b"x" * 300_000)
    client.shutdown(socket.SHUT_WR)
    assert read_all(client) == b"x" * 300_000
    assert origin.received == ["ended"]


def test_a_server_may_end_its_half_first(lab):
    def last_words(sock, origin):
        sock.sendall(b"bye")
        sock.shutdown(socket.SHUT_WR)
        origin.received.append(read_all(sock))

    origin = lab.origin(last_words)
    lab.proxy("localhost")
    client = tunnel(lab, origin.port)
    assert read_all(client) == b"bye"
    client.sendall(b"still here")
    client.close()
    lab.close()
    assert origin.received == [b"still here"]


def test_a_client_that_breaks_off_ends_the_other_side(lab, wait_until):
    origin = lab.origin(echo)
    lab.proxy("localhost")
    client = tunnel(lab, origin.port)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    wait_until(lambda: origin.received, "the end of the other side")


def test_a_hundred_connections_are_served_a_few_at_a_time(lab):
    origin = lab.origin(echo)
    lab.proxy("localhost", limits=ProxyLimits(connections=64))
    waiting = [lab.client(connect_to(origin.port)) for _ in range(100)]
    served = 0
    while waiting:
        ready, _, _ = select.select(waiting, [], [], 10)
        assert ready
        for client in ready:
            assert b" 200 " in read_head(client)
            waiting.remove(client)
            served += 1
            if served > 30:  # else the first 64 would keep the rest waiting
                client.close()
    assert served == 100


def test_who_has_all_places_keeps_others_waiting(lab):
    origin = lab.origin(echo)
    lab.proxy("localhost", limits=ProxyLimits(connections=2))
    first, _ = tunnel(lab, origin.port), tunnel(lab, origin.port)
    third = lab.client(connect_to(origin.port))
    assert not select.select([third], [], [], 0.3)[0]
    first.close()
    assert b" 200 " in read_head(third)


@pytest.fixture(scope="module")
def shared_lab():
    lab = Lab()
    lab.proxy("localhost:1", limits=ProxyLimits(head=5))
    yield lab
    lab.close()


@settings(max_examples=150)
@given(
    st.binary(max_size=200) | st.binary(max_size=50).map(lambda b: b"CONNECT " + b + b"\r\n\r\n")
)
def test_garbage_gets_an_answer_or_an_end(shared_lab, garbage):
    client = socket.create_connection(shared_lab.address, 10)
    client.sendall(garbage)
    client.shutdown(socket.SHUT_WR)
    reply = read_all(client)
    client.close()
    assert reply[:9] in (b"", b"HTTP/1.1 ") or reply[0] == 5


# The end


def test_to_close_ends_everything(lab):
    origin = lab.origin(echo)
    proxy = lab.proxy("localhost")
    clients = [tunnel(lab, origin.port) for _ in range(5)]
    clients.append(lab.client(b"GET http://half"))
    threads = threading.active_count()
    proxy.close()
    for client in clients:
        with pytest.raises((AssertionError, OSError)):
            read_exactly(client, 1)
    with pytest.raises(OSError):
        socket.create_connection(lab.address, 1)
    assert threading.active_count() < threads
    proxy.close()


def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


def test_its_descriptors_are_closed(lab):
    before = descriptors()
    origin = lab.origin(echo)
    proxy = lab.proxy("localhost")
    clients = [tunnel(lab, origin.port) for _ in range(5)]
    proxy.close()
    for client in clients:
        client.close()
    origin.close()
    assert descriptors() <= before


def test_a_list_that_makes_no_sense_leaves_the_listener_alone():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with pytest.raises(ValueError, match="not a host"):
            HostProxy(listener, ["http://example.org"], lambda host, port: None)
        assert listener.fileno() >= 0
