"""A server with a certificate of its own."""

from __future__ import annotations

import ssl
import subprocess

import httpx
import pytest
from own_certificate import own_certificate
from server_lab import archive, bearer, nebula_lab

from nebula_lab.model.discovery_strategy import Registry
from nebula_lab.registry.client.client import RegistryClient


@pytest.fixture
def own(tmp_path):
    return own_certificate(tmp_path)


def test_a_server_with_a_certificate_is_published_to_and_read_over_tls(
    serve, tokens, own, tmp_path, monkeypatch
):
    tls = ("--tls-cert", own.certificate, "--tls-key", own.key)
    server = serve("registry", "--token-file", tokens.file, *tls)
    assert server.url.startswith("https://127.0.0.1:")
    with httpx.Client(verify=ssl.create_default_context(cafile=own.certificate)) as client:
        url = f"{server.url}/upload"
        answer = client.post(url, content=archive(), headers=bearer(tokens.all), timeout=60)
    assert answer.status_code == 201
    monkeypatch.setenv("SSL_CERT_FILE", str(own.certificate))
    with RegistryClient(Registry(url=server.url), cache=tmp_path / "cache") as client:
        assert [str(one.version) for one in client.releases("counter")] == ["1.0.0"]


def test_files_that_are_no_certificate_are_an_error_before_anything_is_served(own, tmp_path):
    words = ("registry", "serve", tmp_path / "new", "--port", 0)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with nebula_lab(*words, "--tls-cert", own.key, "--tls-key", own.key, **pipes) as process:
        said, complaint = process.communicate(timeout=60)
    assert (process.returncode, said) == (2, "")
    assert "are no certificate and its key" in complaint
    assert "Traceback" not in complaint
