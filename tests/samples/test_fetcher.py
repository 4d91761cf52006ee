"""The async fetcher, on files, data: addresses and a web server on this machine."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from nebula_lab.plugin import PluginError


@pytest.fixture
def fetcher(house):
    house.load("fetcher", per_second=1000)
    return house


@pytest.fixture
def folder(tmp_path):
    for number in range(5):
        (tmp_path / f"{number}.txt").write_text(f"file {number}")
    return tmp_path


class SilentHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        """Nobody reads it."""


@pytest.fixture
def server(folder):
    handler = partial(SilentHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_file_is_fetched(fetcher, folder):
    assert fetcher.call("fetcher", "fetch", url=(folder / "1.txt").as_uri()) == b"file 1"


def test_a_page_is_fetched_from_a_web_server(fetcher, server):
    assert fetcher.call("fetcher", "fetch", url=f"{server}/2.txt") == b"file 2"


def test_a_data_address_is_fetched(fetcher):
    assert fetcher.call("fetcher", "fetch", url="data:text/plain;base64,aGVsbG8=") == b"hello"


def test_each_page_is_reported_with_its_size_and_digest(fetcher, folder):
    urls = [(folder / f"{number}.txt").as_uri() for number in range(5)]
    pages = fetcher.call("fetcher", "check", urls=urls)
    digests = {page["url"]: (page["size"], page["sha256"]) for page in pages}
    expected = {
        url: (6, hashlib.sha256(f"file {number}".encode()).hexdigest())
        for number, url in enumerate(urls)
    }
    assert digests == expected


def test_a_page_that_fails_is_reported_and_the_others_are_fetched(fetcher, folder):
    missing = (folder / "missing.txt").as_uri()
    pages = fetcher.call("fetcher", "check", urls=[missing, "data:,ok"])
    errors = {page["url"]: page["error"] for page in pages}
    assert errors["data:,ok"] == ""
    assert "missing.txt" in errors[missing]


def test_progress_says_how_many_pages_are_there(fetcher):
    fetcher.call("fetcher", "check", urls=[f"data:,{number}" for number in range(3)])
    assert [(done, total) for done, total, _ in fetcher.progress] == [(1, 3), (2, 3), (3, 3)]


def test_no_more_start_in_a_second_than_allowed(house):
    house.load("fetcher", per_second=50)
    pages = house.call("fetcher", "check", urls=[f"data:,{number}" for number in range(6)])
    # The sixth starts five intervals after the first, less the moment that lay between the calls.
    assert max(page["seconds"] for page in pages) > 4.5 / 50


def test_calls_at_once_count_together(fetcher):
    resource = fetcher.resource("fetcher")

    async def both():
        await asyncio.gather(*(resource.execute("fetch", {"url": "data:,x"}) for _ in range(8)))
        return await resource.execute("fetched", {})

    assert asyncio.run(both()) == 8


@pytest.mark.parametrize("url", ["ftp://example.org/x", "/etc/passwd", "javascript:0"])
def test_an_address_of_another_kind_is_refused(fetcher, url):
    with pytest.raises(PluginError, match="is no address"):
        fetcher.call("fetcher", "fetch", url=url)


def test_an_answer_that_is_too_large_is_refused(house):
    house.load("fetcher", max_bytes=10)
    with pytest.raises(PluginError, match="more than 10 bytes"):
        house.call("fetcher", "fetch", url="data:,01234567890")
