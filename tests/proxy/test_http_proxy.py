"""The proxy as an HTTP client sees it."""

from __future__ import annotations

import contextlib
import http.client
import urllib.request

import pytest
from proxy_lab import echo, read_all, read_exactly, read_head

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"


def answer(sock, origin):
    """Keep the head and what follows until the client is done or one body is there; say hi."""
    data = read_head(sock)
    if b"chunked" in data:
        while not data.endswith(b"0\r\n\r\n"):
            data += sock.recv(65536)
    elif b"content-length:" in data.lower():
        size = int(data.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        data += read_exactly(sock, size)
    origin.received.append(data)
    sock.sendall(OK)


def drained(sock, origin):
    """Keep everything that ever comes; answer at once."""
    sock.sendall(OK)
    sock.shutdown(1)
    kept(sock, origin)


def kept(sock, origin):
    """Keep everything that ever comes."""
    with contextlib.suppress(ConnectionResetError):
        while data := sock.recv(65536):
            origin.received.append(data)


def connect_to(port, host="localhost"):
    return f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()


# CONNECT


def test_a_tunnel_carries_both_ways(lab):
    port = lab.origin(echo).port
    lab.proxy(f"localhost:{port}")
    client = lab.client(connect_to(port))
    assert read_head(client).startswith(b"HTTP/1.1 200 ")
    client.sendall(b"x" * 1_000_000)
    assert read_exactly(client, 1_000_000) == b"x" * 1_000_000


def test_what_is_sent_with_the_head_is_passed_on(lab):
    port = lab.origin(echo).port
    lab.proxy("localhost")
    client = lab.client(connect_to(port) + b"early")
    read_head(client)
    assert read_exactly(client, 5) == b"early"


def test_an_address_that_is_listed_is_reached(lab):
    port = lab.origin(echo, host="::1").port
    lab.proxy(f"[::1]:{port}")
    assert read_head(lab.client(connect_to(port, "[::1]"))).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "example.org", "localhost.example.org"])
def test_another_host_is_refused_and_reported(lab, host):
    port = lab.origin(echo).port
    lab.proxy("localhost")
    reply = lab.ask(connect_to(port, host))
    assert reply.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    said = f"{host}:{port} is not among the allowed_hosts of this plugin.\n"
    assert reply.endswith(b"\r\n\r\n" + said.encode())
    assert lab.refused == [(host.strip("[]"), port)]


def test_another_port_is_refused(lab):
    listed, other = lab.origin(echo), lab.origin(echo)
    lab.proxy(f"localhost:{listed.port}")
    assert b" 403 " in lab.ask(connect_to(other.port))
    assert lab.refused == [("localhost", other.port)]
    assert not other.received


def test_each_is_reported_once_and_a_hundred_at_most(lab):
    lab.proxy()
    for port in [*range(1, 121), 1]:
        assert b" 403 " in lab.ask(connect_to(port))
    assert lab.refused == [("localhost", port) for port in range(1, 101)]


def test_a_host_that_is_not_there_is_named(lab):
    lab.proxy("localhost:1")
    reply = lab.ask(connect_to(1))
    assert reply.startswith(b"HTTP/1.1 502 ")
    assert b"localhost:1 can't be reached: " in reply


@pytest.mark.parametrize(
    "target", ["localhost", "127.1:80", "2130706433:80", "a@localhost:80", "/"]
)
def test_a_target_that_is_no_host_and_port_is_not_understood(lab, target):
    lab.proxy("localhost", "127.0.0.1")
    request = f"CONNECT {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    assert lab.ask(request).startswith(b"HTTP/1.1 400 ")


def test_a_tunnel_has_no_body(lab):
    lab.proxy("localhost:1")
    request = b"CONNECT localhost:1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
    assert b"CONNECT has no body." in lab.ask(request)


def test_the_standard_library_tunnels(lab):
    port = lab.origin(answer).port
    lab.proxy(f"localhost:{port}")
    connection = http.client.HTTPConnection(*lab.address, timeout=10)
    connection.set_tunnel("localhost", port)
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"hi"
    connection.close()


# Requests with a URL


def test_the_standard_library_gets_a_page(lab):
    origin = lab.origin(answer)
    lab.proxy(f"localhost:{origin.port}")
    proxies = urllib.request.ProxyHandler({"http": "http://{}:{}".format(*lab.address)})
    opener = urllib.request.build_opener(proxies)
    with opener.open(f"http://localhost:{origin.port}/a?b=c", timeout=10) as page:
        assert page.read() == b"hi"
    assert origin.received[0].startswith(b"GET /a?b=c HTTP/1.1\r\n")


def through(lab, request, **options):
    """What the origin gets of a request, and what the client gets back."""
    origin = lab.origin(answer)
    lab.proxy(f"localhost:{origin.port}")
    reply = lab.ask(request.replace(b"ORIGIN", b"localhost:%d" % origin.port))
    return (origin.received or [None])[0], reply, origin


def test_the_host_is_the_urls_whatever_the_header_says(lab):
    got, reply, origin = through(lab, b"GET http://ORIGIN HTTP/1.1\r\nHost: evil.example\r\n\r\n")
    assert reply == OK
    assert got.split(b"\r\n")[:2] == [b"GET / HTTP/1.1", b"Host: localhost:%d" % origin.port]
    assert b"evil" not in got


def test_headers_between_client_and_proxy_go_no_further(lab):
    got, _, _ = through(
        lab,
        b"GET http://ORIGIN/ HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, X-Mine\r\nX-Mine: 1\r\n"
        b"Proxy-Authorization: secret\r\nUpgrade: h2c\r\nX-Kept: 1\r\n\r\n",
    )
    lines = got.lower().split(b"\r\n")[2:-2]
    assert lines == [b"x-kept: 1", b"connection: close"]


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        (b"Content-Length: 5", b"hello"),
        (b"Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n"),
        (b"Connection: Content-Length\r\nContent-Length: 5", b"hello"),
    ],
)
def test_a_body_is_passed_on(lab, framing, body):
    head = b"POST http://ORIGIN/ HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n\r\n"
    got, reply, _ = through(lab, head + body)
    assert reply == OK
    assert got.endswith(b"\r\n\r\n" + body)


def test_nothing_follows_the_body(lab):
    origin = lab.origin(drained)
    lab.proxy(f"localhost:{origin.port}")
    request = b"POST http://localhost:%d/ HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"
    client = lab.client(request % origin.port + b"GET /smuggled HTTP/1.1\r\nHost: evil\r\n\r\n")
    assert read_all(client) == OK
    client.close()
    lab.close()
    got = b"".join(origin.received)
    assert got.startswith(b"POST / HTTP/1.1\r\n")
    assert b"smuggled" not in got


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET http://ORIGIN/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET http://ORIGIN/ HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: ORIGIN\r\n\r\n", 400),
        (b"GET https://ORIGIN/ HTTP/1.1\r\nHost: ORIGIN\r\n\r\n", 400),
        (b"GET http://u:p@ORIGIN/ HTTP/1.1\r\nHost: ORIGIN\r\n\r\n", 400),
        (b"GET http://evil.example\\@ORIGIN/ HTTP/1.1\r\nHost: ORIGIN\r\n\r\n", 400),
        (b"GET http://ORIGIN/#f HTTP/1.1\r\nHost: ORIGIN\r\n\r\n", 400),
        (b"GET http://ORIGIN/ HTTP/1.1\r\nHost: a\r\n b: c\r\nX : y\r\n\r\n", 400),
        (b"GET http://ORIGIN/ HTTP/1.0\r\n\r\n", 501),
        (b"GET http://evil.example/ HTTP/1.1\r\nHost: ORIGIN\r\n\r\n", 403),
        (b"GET http://ORIGIN.evil.example/ HTTP/1.1\r\nHost: ORIGIN\r\n\r\n", 400),
        (b"POST http://ORIGIN/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
         b"Content-Length: 2\r\n\r\nab", 400),
        (b"POST http://ORIGIN/ HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
         b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST http://ORIGIN/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
        (b"POST http://ORIGIN/ HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
    ],
)  # fmt: skip
def test_an_ambiguous_request_reaches_no_one(lab, request_, status):
    got, reply, _ = through(lab, request_)
    assert got is None
    assert int(reply.split()[1]) == status
    assert reply.split(b"\r\n\r\n", 1)[1].endswith(b".\n")


def test_a_bad_chunk_ends_the_request(lab):
    origin = lab.origin(kept)
    lab.proxy(f"localhost:{origin.port}")
    request = b"POST http://localhost:%d/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    client = lab.client(request % origin.port + b"zz\r\nGET /smuggled")
    read_all(client)
    lab.close()
    got = b"".join(origin.received)
    assert got.startswith(b"POST / HTTP/1.1\r\n")
    assert b"smuggled" not in got
