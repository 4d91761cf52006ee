"""A plugin with `allowed_hosts` reaches those, by way of the manager's proxy, and nobody else."""

from __future__ import annotations

import contextlib
import http.server
import logging
import threading

import pytest

from nebula_lab.errors import ExecutionFailedError

FETCH = """
@operation
def fetch(self, url: str) -> str:
    import urllib.request
    return urllib.request.urlopen(url, timeout=10).read().decode()
@operation
def connect(self, port: int) -> str:
    socket.create_connection(("127.0.0.1", port), 5).close()
    return "connected"
@operation
def datagram(self) -> str:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
    return "made"
"""


class _Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *args): ...


@contextlib.contextmanager
def _server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def ports():
    """Of two servers: one for plugins, and another."""
    with _server() as one, _server() as other:
        yield one, other


@pytest.fixture(scope="module", params=["forked", "anew"])
def plugins(request, shared_folder, ports):
    rights = {"capabilities": ["Network"], "allowed_hosts": [f"127.0.0.1:{ports[0]}"]}
    shared_folder.plugin("it", FETCH, security=rights)
    zygote = {"enabled": request.param == "forked"}
    with shared_folder.manager(zygote=zygote) as manager:
        yield manager


def test_it_reaches_what_is_allowed(plugins, ports):
    assert plugins.execute("it", "fetch", {"url": f"http://127.0.0.1:{ports[0]}/"}) == "hello"


def test_the_proxy_refuses_what_is_not_and_the_log_says_so(plugins, ports, caplog):
    with (
        caplog.at_level(logging.WARNING, "nebula_lab"),
        pytest.raises(ExecutionFailedError, match="403"),
    ):
        plugins.execute("it", "fetch", {"url": f"http://127.0.0.1:{ports[1]}/"})
    assert f"127.0.0.1:{ports[1]}, which is not in its allowed_hosts" in caplog.text


@pytest.mark.parametrize("which", [0, 1])
def test_past_the_proxy_there_is_nobody(plugins, ports, which):
    with pytest.raises(ExecutionFailedError, match=r"Permission|refused|unreachable"):
        plugins.execute("it", "connect", {"port": ports[which]})


def test_there_are_no_datagrams(plugins):
    with pytest.raises(ExecutionFailedError, match="Permission"):
        plugins.execute("it", "datagram")


def test_a_plugin_that_is_restarted_reaches_them_again(shared_folder, ports):
    body = FETCH + "\n@operation\ndef end(self): os._exit(1)"
    rights = {"capabilities": ["Network"], "allowed_hosts": [f"127.0.0.1:{ports[0]}"]}
    shared_folder.plugin("again", body, security=rights)
    with shared_folder.manager() as plugins:
        with pytest.raises(ExecutionFailedError):
            plugins.execute("again", "end")
        url = f"http://127.0.0.1:{ports[0]}/"
        assert plugins.execute("again", "fetch", {"url": url}) == "hello"
