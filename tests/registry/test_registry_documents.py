"""What a client makes of the documents that a registry gives, and of what is none."""

from __future__ import annotations

import time

import httpx
import pytest
from msgspec.structs import replace
from registry_world import IMPATIENT, serving

from nebula_lab.errors import (
    ConfigError,
    RegistryAnswerError,
    RegistryDownError,
    RegistryError,
    RegistryRefusedError,
)
from nebula_lab.model.discovery_strategy import Registry
from nebula_lab.registry.client.documents import _kept

ONCE = replace(IMPATIENT, attempts=1)


def test_the_index_says_what_there_is(served, client_of):
    client = client_of(served.registry())
    assert client.index().name == "Test plugins"
    assert [(one.id, one.latest) for one in client.index().plugins] == [
        ("adder", "0.3.0"),
        ("counter", "1.1.0"),
        ("words", "2.0.0"),
    ]


def test_releases_say_what_choosing_needs(served, client_of):
    [release] = client_of(served.registry()).releases("adder")
    assert str(release.version) == "0.3.0"
    assert [str(one.version_req) for one in release.dependencies] == [">=1.1"]
    assert release.place == served.url()
    assert len(release.digest) == len(release.archive) == 64


def test_releases_come_newest_first(served, client_of):
    found = client_of(served.registry()).releases("counter")
    assert [str(one.version) for one in found] == ["1.1.0", "1.0.0"]


def test_a_plugin_that_is_not_there_has_no_releases(served, client_of):
    assert client_of(served.registry()).releases("nobody") == ()


def test_search_takes_every_word_and_puts_the_best_first(served, client_of):
    client = client_of(served.registry())
    assert [one.id for one in client.search("count")] == ["counter"]
    assert [one.id for one in client.search("things numbers")] == ["counter"]
    assert client.search("things nowhere") == ()
    assert len(client.search()) == 3


def test_what_has_not_changed_is_not_sent_again(served, client_of):
    client_of(served.registry("plain")).index()
    client_of(served.registry("plain")).index()
    assert served.asked("plain", "index.json")[-1]["if-none-match"].startswith('"')


def test_documents_that_the_index_says_are_unchanged_are_not_asked_for(served, client_of):
    client = client_of(served.registry())
    first = client.plugins(client.index().plugins)
    asked = len(served.asked("plain", "plugins/"))
    again = client_of(served.registry())
    assert again.plugins(again.index().plugins) == first
    assert len(served.asked("plain", "plugins/")) == asked


def test_a_registry_that_is_down_is_said_to_be(nobody, client_of):
    with pytest.raises(RegistryDownError, match="can't be reached") as caught:
        client_of(nobody).index()
    assert nobody.url in str(caught.value)


def test_what_a_registry_said_stands_for_it_while_it_is_down(built, client_of):
    with serving(built) as server:
        said = client_of(server.registry()).releases("counter")
        registry = server.registry()
    client = client_of(registry)
    assert client.releases("counter") == said
    assert "can't be reached" in client.offline
    assert time.strftime("%Y-%m-") in client.offline


def test_a_registry_that_is_down_is_not_asked_for_each_document(built, client_of):
    with serving(built) as server:
        registry = server.registry("busy-0-0")
        client_of(registry).plugin("counter")
        client_of(registry).plugin("adder")
    client = client_of(registry, ONCE)
    assert client.plugin("counter")
    with pytest.raises(RegistryDownError):
        client.plugin("words")
    assert client.plugin("adder")


def test_a_registry_that_answers_is_not_offline(served, client_of):
    client = client_of(served.registry())
    client.index()
    assert client.offline is None


@pytest.mark.parametrize(
    ("mode", "error", "said"),
    [
        ("html", RegistryAnswerError, "web page"),
        ("huge", RegistryAnswerError, "longer than the"),
        ("large", RegistryAnswerError, "longer than the"),
        ("loop", RegistryAnswerError, "redirects more than 5 times"),
        ("moved-ftp", RegistryAnswerError, "no web address"),
        ("token", RegistryRefusedError, "asks for a secret"),
        ("status-403", RegistryRefusedError, "asks for a secret"),
        ("status-404", RegistryAnswerError, "no index.json"),
        ("status-204", RegistryAnswerError, "answers 204"),
        ("status-206", RegistryAnswerError, "answers 206"),
        ("status-304", RegistryAnswerError, "answers 304"),
        ("status-418", RegistryAnswerError, "answers 418"),
        ("status-500", RegistryDownError, "can't answer at present"),
        ("gzip", RegistryAnswerError, "compressed form"),
        ("garbage", RegistryDownError, "ended the connection|speak HTTP"),
        ("nothing", RegistryDownError, "ended the connection"),
    ],
)
def test_an_answer_that_is_none_is_explained(served, client_of, mode, error, said):
    with pytest.raises(error, match=said) as caught:
        client_of(served.registry(mode)).index()
    assert f"127.0.0.1:{served.port}" in str(caught.value)
    assert client_of(served.registry()).index().plugins, "the next try works"


def test_an_index_of_a_gigabyte_is_not_read(served, client_of):
    with pytest.raises(RegistryAnswerError):
        client_of(served.registry("huge")).index()
    sent = [one["megabytes"] for one in served.requests() if "megabytes" in one]
    assert max(sent) < 512


def test_a_registry_that_says_nothing_is_given_up(served, client_of):
    patience = replace(ONCE, silence=0.2)
    with pytest.raises(RegistryDownError, match="stopped answering"):
        client_of(served.registry("silent"), patience).index()


def test_a_registry_that_never_comes_to_an_end_is_given_up(served, client_of):
    patience = replace(ONCE, document=0.3)
    with pytest.raises(RegistryDownError, match=r"within 0\.3 s"):
        client_of(served.registry("drip"), patience).index()


def test_a_registry_whose_headers_never_end_is_given_up(served, client_of):
    patience = replace(ONCE, document=0.3)
    client = client_of(served.registry("endless"), patience)
    with pytest.raises(RegistryDownError, match=r"did not begin to answer within 0\.3 s"):
        client.index()


def test_a_busy_registry_is_asked_again(served, client_of):
    assert client_of(served.registry("busy-2-0")).index().plugins


def test_a_registry_is_not_asked_more_often_than_was_said(served, client_of):
    with pytest.raises(RegistryDownError):
        client_of(served.registry("busy-3-0")).plugin("counter")
    assert len(served.asked("busy-3-0", "counter.json")) == 3


def test_a_registry_that_wants_to_be_left_alone_for_long_is(served, client_of):
    with pytest.raises(RegistryDownError, match="503"):
        client_of(served.registry("busy-9-86400")).index()
    assert len(served.asked("busy-9-86400")) == 1


def test_what_a_registry_says_wrongly_is_not_asked_for_again(served, client_of):
    with pytest.raises(RegistryError):
        client_of(served.registry("html")).plugin("counter")
    assert len(served.asked("html", "counter.json")) == 1


def test_a_page_never_stands_for_a_document(built, client_of):
    with serving(built) as server:
        client_of(server.registry()).index()
        page = server.registry("html")
        with pytest.raises(RegistryAnswerError):
            client_of(page).index()
    with pytest.raises(RegistryDownError):
        client_of(page, ONCE).index()


def test_a_damaged_cache_is_as_good_as_none(served, client_of, tmp_path):
    client_of(served.registry()).index()
    for file in (tmp_path / "cache").rglob("index.json"):
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2])
    assert client_of(served.registry()).index().plugins


def test_a_cache_that_cannot_be_written_is_none(served, client_of, tmp_path):
    (tmp_path / "cache").write_text("a file")
    assert client_of(served.registry()).index().plugins


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("plugins.example.org", "begins with https://"),
        ("ftp://plugins.example.org/", "begins with https://"),
        ("https:///index.json", "begins with https://"),
        ("https://h:99999/", "begins with https://"),
        ("http://plugins.example.org/", "without TLS"),
        ("https://me:hidden@plugins.example.org/", "a name or password"),
        ("https://plugins.example.org/?key=hidden", "a \\? or #"),
    ],
)
def test_an_address_that_will_not_do_is_refused(client_of, url, said):
    with pytest.raises(ConfigError, match=said) as caught:
        client_of(Registry(url=url))
    assert "hidden" not in str(caught.value)


def test_a_registry_without_tls_is_asked_only_if_the_user_says_so(client_of):
    client_of(Registry(url="http://plugins.example.org/", insecure=True))


def test_the_proxy_of_the_environment_is_used(served, client_of, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{served.port}")
    registry = Registry(url="http://plugins.invalid/plain/", insecure=True)
    assert client_of(registry).index().plugins
    assert served.requests()[-1]["path"] == "http://plugins.invalid/plain/index.json"


def test_a_name_that_no_proxy_is_for_is_asked_directly(served, client_of, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert client_of(served.registry()).index().plugins


@pytest.mark.parametrize("tag", ['"é"', '"a\x7fb"'])
def test_a_name_that_no_header_can_carry_is_not_kept(tag):
    headers = httpx.Headers([(b"ETag", tag.encode("latin-1"))])
    assert _kept(b"{}", httpx.Response(200, headers=headers)).etag == ""
