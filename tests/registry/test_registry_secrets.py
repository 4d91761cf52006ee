"""Where the secret of a registry comes from, whom it is told, and that nothing shows it."""

from __future__ import annotations

import copy
import logging
import pickle
import sys
import traceback

import keyring
import keyring.backend
import keyring.backends.fail
import pytest
from msgspec.structs import replace
from registry_world import IMPATIENT, serving

from nebula_lab.errors import ConfigError, PluginError, RegistryRefusedError
from nebula_lab.model import PluginConfig
from nebula_lab.model.discovery_strategy import Registry
from nebula_lab.registry.client.address import RegistryAddress
from nebula_lab.registry.client.auth import authorization_for
from nebula_lab.registry.client.client import RegistryClient

TOKEN = "canary-0123456789-token"  # the one that the server takes


class KeyringOfThisTest(keyring.backend.KeyringBackend):
    """In memory, and never the desktop's."""

    priority = 0

    def __init__(self):
        super().__init__()
        self.kept = {}

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password


ONCE = replace(IMPATIENT, attempts=1, silence=0.5, document=1)


def test_a_token_is_sent(served, client_of):
    assert client_of(served.registry("token", auth=f"token:{TOKEN}")).index().plugins


def test_a_name_and_password_are_sent(served, client_of):
    assert client_of(served.registry("basic", auth="basic:ada:pw:canary")).index().plugins


@pytest.mark.parametrize("value", [TOKEN, f"token:{TOKEN}", f" {TOKEN}\n"])
def test_a_token_may_be_in_the_environment(served, client_of, monkeypatch, value):
    monkeypatch.setenv("REGISTRY_SECRET", value)
    assert client_of(served.registry("token", auth="env:REGISTRY_SECRET")).index().plugins


def test_a_password_may_be_in_the_environment(served, client_of, monkeypatch):
    monkeypatch.setenv("REGISTRY_SECRET", "basic:ada:pw:canary")
    assert client_of(served.registry("basic", auth="env:REGISTRY_SECRET")).index().plugins


def test_a_password_may_be_in_netrc(served, client_of, tmp_path):
    file = tmp_path / "netrc"
    file.write_text("machine 127.0.0.1 login ada password pw:canary\n")
    file.chmod(0o600)
    assert client_of(served.registry("basic", auth=f"netrc:{file}")).index().plugins


def test_netrc_is_where_it_usually_is(served, client_of, tmp_path, monkeypatch):
    file = tmp_path / "elsewhere"
    file.write_text("machine 127.0.0.1 login ada password pw:canary\n")
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))
    assert client_of(served.registry("basic", auth="netrc")).index().plugins


def test_a_secret_may_be_in_the_keyring(served, client_of, monkeypatch):
    monkeypatch.setattr(keyring.core, "_keyring_backend", KeyringOfThisTest())
    keyring.set_password("plugins", "token", TOKEN)
    keyring.set_password("plugins", "ada", "pw:canary")
    assert client_of(served.registry("token", auth="keyring:plugins")).index().plugins
    assert client_of(served.registry("basic", auth="keyring:plugins:ada")).index().plugins
    with pytest.raises(RegistryRefusedError, match="keyring set other token"):
        client_of(served.registry("token", auth="keyring:other"))


def test_no_secret_is_sent_where_none_is_configured(served, client_of):
    client_of(served.registry()).index()
    assert "authorization" not in served.asked("plain")[-1]


@pytest.mark.parametrize("mode", ["token", "basic"])
def test_a_secret_that_is_not_taken_is_said_to_be(served, client_of, mode):
    with pytest.raises(RegistryRefusedError, match="refuses the secret") as caught:
        client_of(served.registry(mode, auth="token:canary-of-last-year")).index()
    assert "canary" not in str(caught.value)


def test_a_refused_secret_is_not_tried_again(served, client_of):
    with pytest.raises(RegistryRefusedError):
        client_of(served.registry("token", auth="token:other-canary")).plugin("counter")
    assert len(served.asked("token", "counter.json")) == 1


def test_what_was_said_before_does_not_stand_for_a_registry_that_refuses(served, client_of):
    client_of(served.registry("token", auth=f"token:{TOKEN}")).index()
    with pytest.raises(RegistryRefusedError):
        client_of(served.registry("token", auth="token:other-canary")).index()


def test_a_secret_does_not_follow_to_another_port(built, served, client_of):
    with serving(built) as other:
        registry = served.registry(f"moved-{other.port}-plain", auth="token:canary")
        assert client_of(registry).index().plugins
        assert "authorization" not in other.asked("plain")[-1]
    assert any(
        one["headers"].get("authorization") == "Bearer canary"
        for one in served.requests()
        if one["path"].startswith("/moved-")
    )


def test_a_secret_does_not_follow_to_another_name(served, client_of):
    assert client_of(served.registry("named", auth="token:canary")).index().plugins
    assert "authorization" not in served.asked("plain")[-1]


def test_a_secret_follows_within_the_registry(served, client_of):
    mode = f"moved-{served.port}-token"
    assert client_of(served.registry(mode, auth=f"token:{TOKEN}")).index().plugins


@pytest.mark.parametrize(
    ("auth", "error", "said"),
    [
        ("canary-alone", ConfigError, "token:TEXT"),
        ("token:", ConfigError, "token:TEXT"),
        ("bearer:canary", ConfigError, "token:TEXT"),
        ("basic:canary", ConfigError, "basic:USER:PASSWORD"),
        ("env:NOT_SET_HERE", RegistryRefusedError, "NOT_SET_HERE is not set"),
        ("netrc:/nowhere/netrc", RegistryRefusedError, "can't be read"),
        ("token:canary\r\nX: y", RegistryRefusedError, "characters that can't be sent"),
        ("token:canary-ü", RegistryRefusedError, "characters that can't be sent"),
        ("basic:ada:canary\nb", RegistryRefusedError, "characters that can't be sent"),
        ("keyring:plugins", RegistryRefusedError, "keyring"),
    ],
)
def test_auth_that_will_not_do_is_explained_without_it(client_of, monkeypatch, auth, error, said):
    monkeypatch.setitem(sys.modules, "keyring", None)  # as where it is not installed
    with pytest.raises(error, match=said) as caught:
        client_of(Registry(url="https://plugins.example.org/", auth=auth))
    assert "canary" not in "".join(traceback.format_exception(caught.value))


def test_a_netrc_that_is_no_netrc_is_not_quoted(client_of, tmp_path):
    file = tmp_path / "netrc"
    file.write_text("machine h login me passwort canary\n")
    file.chmod(0o600)
    with pytest.raises(RegistryRefusedError, match="not written as it should be") as caught:
        client_of(Registry(url="https://plugins.example.org/", auth=f"netrc:{file}"))
    assert "canary" not in "".join(traceback.format_exception(caught.value))


def test_a_keyring_that_is_locked_is_explained(client_of, monkeypatch):
    monkeypatch.setattr(keyring.core, "_keyring_backend", keyring.backends.fail.Keyring())
    with pytest.raises(RegistryRefusedError, match="can't be asked"):
        client_of(Registry(url="https://plugins.example.org/", auth="keyring:plugins"))


BAD_MODES = [
    "html",
    "large",
    "loop",
    "moved-ftp",
    "token",
    "status-403",
    "status-407",
    "status-404",
    "status-418",
    "status-503",
    "gzip",
    "garbage",
    "nothing",
    "silent",
    "drip",
    "mirror",
]


@pytest.mark.parametrize("mode", BAD_MODES)
def test_no_error_and_no_log_has_the_secret(served, client_of, mode, caplog):
    caplog.set_level(logging.DEBUG)
    client = client_of(served.registry(mode, auth="token:canary-in-the-mine"), ONCE)
    with pytest.raises(PluginError) as caught:
        client.index()
    error = caught.value
    shown = [*traceback.format_exception(error), repr(error), repr(vars(error)), repr(client)]
    assert "canary" not in "".join(shown)
    assert "canary" not in caplog.text


def test_no_view_of_a_secret_has_it(tmp_path):
    address = RegistryAddress.parse("https://plugins.example.org/")
    secret = authorization_for("token:canary", address)
    assert "canary" not in f"{secret!r} {secret}"
    for view in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            view(secret)
    registry = Registry(url="https://plugins.example.org/", auth="token:canary")
    config = PluginConfig(discovery=registry)
    assert "canary" not in f"{registry!r} {registry} {config!r}"
    with RegistryClient(registry, cache=tmp_path) as client:
        assert "canary" not in repr(client) + client.place


def test_the_cache_does_not_have_the_secret(served, client_of, tmp_path):
    client_of(served.registry("token", auth=f"token:{TOKEN}")).index()
    kept = [file.read_bytes() for file in (tmp_path / "cache").rglob("*") if file.is_file()]
    assert kept
    assert not any(TOKEN.encode() in content for content in kept)
