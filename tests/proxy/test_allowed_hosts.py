"""How what is asked for is held against the list."""

from __future__ import annotations

import pytest

from nebula_lab.sandbox.proxy.allowed_hosts import AllowedHosts, parse_authority


@pytest.mark.parametrize(
    ("entry", "asked"),
    [
        ("api.example.org", "api.example.org:443"),
        ("api.example.org", "API.Example.ORG.:80"),
        ("API.example.org.", "api.example.org:80"),
        ("api.example.org:443", "api.example.org:443"),
        ("*.example.org", "a.example.org:1"),
        ("*.example.org:443", "a.b.example.org:443"),
        ("bücher.example", "xn--bcher-kva.example:80"),
        ("xn--bcher-kva.example", "bücher.example:80"),
        ("127.0.0.1", "127.0.0.1:80"),
        ("[::1]:8080", "[0:0:0:0:0:0:0:1]:8080"),
        ("[2001:db8::1]", "[2001:DB8:0::1]:1"),
        ("under_score.example", "under_score.example:80"),
    ],
)
def test_it_is_allowed(entry, asked):
    assert AllowedHosts([entry]).allows(parse_authority(asked))


@pytest.mark.parametrize(
    ("entry", "asked"),
    [
        ("api.example.org:443", "api.example.org:80"),
        ("api.example.org", "example.org:443"),
        ("api.example.org", "www.api.example.org:443"),
        ("api.example.org", "api.example.org.evil.net:443"),
        ("api.example.org", "apixexample.org:443"),
        ("*.example.org", "example.org:443"),
        ("*.example.org", "evilexample.org:443"),
        ("*.example.org:443", "a.example.org:80"),
        ("localhost", "127.0.0.1:80"),
        ("localhost", "[::1]:80"),
        ("127.0.0.1", "[::ffff:127.0.0.1]:80"),
        ("127.0.0.1", "localhost:80"),
        ("10.0.0.1", "127.0.0.1:80"),
    ],
)
def test_it_is_not_allowed(entry, asked):
    assert not AllowedHosts([entry]).allows(parse_authority(asked))


def test_an_empty_list_allows_nothing():
    assert not AllowedHosts([]).allows(parse_authority("localhost:80"))


@pytest.mark.parametrize(
    "text",
    [
        "localhost",
        "localhost:0",
        "localhost:65536",
        "localhost:99999999999999",
        "localhost:8a",
        "localhost:",
        ":80",
        "",
        "a b:80",
        "user@host:80",
        "host:80:90",
        "127.1:80",
        "2130706433:80",
        "0x7f000001:80",
        "0x7f.1:80",
        "127.0.0.1.:80",
        "127.0.0.01:80",
        "::1:80",
        "[::1%lo]:80",
        "[127.0.0.1]x:80",
        "a..b:80",
        "-a.example:80",
        f"{'a' * 64}.example:80",
        f"{'a.' * 130}example:80",
        "local\x00host:80",
        "host\r\nX: y:80",
        "host/path:80",
        "*.example.org:80",
    ],
)
def test_what_is_no_host_with_a_port_is_refused(text):
    with pytest.raises(ValueError):
        parse_authority(text)


@pytest.mark.parametrize(
    "entry", ["*", "*.", "a.*.b", "*a.example", "", "http://a", "*.0.0.1", "a:x"]
)
def test_an_entry_that_is_no_host_is_refused(entry):
    with pytest.raises(ValueError, match=r"is n|no port"):
        AllowedHosts([entry])
