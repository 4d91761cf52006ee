"""Registries are asked over TLS, by servers that somebody vouches for."""

from __future__ import annotations

import contextlib
import socket

import httpx
import pytest
from msgspec.structs import replace
from own_certificate import own_certificate
from registry_world import IMPATIENT, serving

from nebula_lab.errors import RegistryAnswerError, RegistryDownError
from nebula_lab.model.discovery_strategy import Registry
from nebula_lab.registry.client.explaining import failure

ONCE = replace(IMPATIENT, attempts=1)


@pytest.fixture(scope="module")
def vouched(tmp_path_factory):
    return own_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def tls(built, vouched):
    """The same registry, with a certificate for 127.0.0.1 that nobody vouches for by default."""
    with serving(built, vouched.certificate, vouched.key) as server:
        yield server


@pytest.fixture
def trusting(vouched, monkeypatch):
    """The user says who vouches for it."""
    monkeypatch.setenv("SSL_CERT_FILE", str(vouched.certificate))


def test_a_registry_is_read_over_tls(tls, client_of, trusting):
    client = client_of(tls.registry("plain", auth="token:canary"))
    assert client.releases("counter")
    assert tls.asked("plain", "counter")[-1]["authorization"] == "Bearer canary"


def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent(tls, client_of):
    before = len(tls.requests())
    client = client_of(tls.registry("plain", auth="token:canary"), ONCE)
    with pytest.raises(RegistryDownError, match="certificate") as caught:
        client.index()
    assert "self-signed" in caught.value.message
    assert "SSL_CERT_FILE" in caught.value.hint
    assert len(tls.requests()) == before


def test_a_certificate_for_another_name_is_refused(tls, client_of, trusting):
    client = client_of(Registry(url=f"https://localhost:{tls.port}/plain/"), ONCE)
    with pytest.raises(RegistryDownError, match="not valid for 'localhost'"):
        client.index()


def test_a_way_from_tls_to_none_is_not_followed(tls, served, client_of, trusting):
    mode = f"moved-{served.port}-afterwards"
    with pytest.raises(RegistryAnswerError, match=r"leads to 127\.0\.0\.1 without TLS"):
        client_of(tls.registry(mode, auth="token:canary")).index()
    assert not served.asked("afterwards")


def test_a_server_without_tls_is_not_asked_by_https(served, client_of):
    with pytest.raises(RegistryDownError, match="TLS"):
        client_of(Registry(url=f"https://127.0.0.1:{served.port}/plain/"), ONCE).index()


def test_that_nothing_listens_is_said(nobody, client_of):
    with pytest.raises(RegistryDownError, match="nothing listens there"):
        client_of(nobody, ONCE).index()


def test_that_a_name_has_no_address_is_said():
    url = "https://no-such-host.example/index.json"
    with pytest.raises(httpx.ConnectError) as caught, translated():
        # Without a question to anybody: what is looked up is the number of a service.
        socket.getaddrinfo("127.0.0.1", "no-such-service")
    error = failure(caught.value, url)
    assert error.message == "it can't be reached: no address is known for no-such-host.example"


@contextlib.contextmanager
def translated():
    """As httpx does."""
    try:
        yield
    except OSError as error:
        raise httpx.ConnectError(str(error)) from error
