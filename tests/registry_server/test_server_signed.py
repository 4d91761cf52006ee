"""A signed registry behind a real server, read by the real client."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta

import pytest
from server_lab import SOURCE, archive

from nebula_lab.errors import InstallError, RegistryRefusedError, RegistryTrustError
from nebula_lab.model import SecurityConfig
from nebula_lab.model.discovery_strategy import Registry
from nebula_lab.registry.client.client import RegistryClient
from nebula_lab.registry.client.patience import Patience
from nebula_lab.registry.installing.install import Installation
from nebula_lab.registry.installing.wanted import read_wanted
from nebula_lab.registry.protection.keys import public_key_from, signer_from
from nebula_lab.registry.protection.roles import ONLINE, USUAL_DAYS, Role
from nebula_lab.registry.protection.signing import initialise, sign
from nebula_lab.registry.publishing.folder import RegistryFolder
from nebula_lab.trust.key_making import make_key


@pytest.fixture
def keys(tmp_path, monkeypatch):
    """Key files of the roles; what is remembered of registries is forgotten after the test."""
    monkeypatch.setenv("NEBULA_LAB_HOME", str(tmp_path / "home"))
    folder = tmp_path / "keys"
    folder.mkdir()
    for name in ("root", "targets", "online"):
        make_key(folder / name, comment=name)
    return folder


def signers(keys, *names):
    return [signer_from(keys / name, lambda: "") for name in names]


@pytest.fixture
def registry(tmp_path, keys):
    """An empty signed registry."""
    return begin(RegistryFolder(tmp_path / "registry"), keys)


def begin(folder, keys, now=None):
    folder.begin()
    public = {
        role: [public_key_from(keys / f"{'online' if role in ONLINE else role}.pub")]
        for role in Role
    }
    initialise(folder, public, signers(keys, "root", "targets", "online"), now=now)
    return folder


def client(server, registry, **patience):
    """A client that trusts the registry's first root."""
    root = registry.root / "metadata/1.root.json"
    url = server if isinstance(server, str) else server.url
    return RegistryClient(Registry(url=url, root=root), patience=Patience(attempts=1, **patience))


def releases(server, registry):
    with client(server, registry) as asked:
        return [str(one.version) for one in asked.releases("counter")]


def test_with_the_key_of_targets_an_upload_is_signed_at_once(serve, tokens, keys, registry):
    options = ("--key", keys / "online", "--key", keys / "targets")
    server = serve("registry", "--token-file", tokens.file, *options)
    assert server.upload(archive(), tokens.all).json()["state"] == "published"
    assert releases(server, registry) == ["1.0.0"]
    server.change("yank", tokens.all, id="counter", version="1.0.0", reason="bad")
    with client(server, registry) as asked:
        [release] = asked.releases("counter")
        assert release.yanked == "bad"
        assert asked.search("counter")[0].latest is None


def test_what_was_published_is_what_a_client_gets(serve, tokens, keys, registry, tmp_path):
    options = ("--key", keys / "online", "--key", keys / "targets")
    server = serve("registry", "--token-file", tokens.file, *options)
    server.upload(archive(description="Counts once"), tokens.all)
    with client(server, registry) as asked:
        [version] = asked.plugin("counter").versions
        [files] = asked.fetch([("counter", version)], tmp_path)
    assert files.contents["counter/__init__.py"] == SOURCE.encode()
    assert b"Counts once" in files.contents["counter/plugin.toml"]


def test_a_private_registry_is_read_by_a_client_with_a_token(serve, tokens, registry):
    server = serve("registry", "--token-file", tokens.file, "--private")
    root = registry.root / "metadata/1.root.json"
    auth = f"token:{tokens.reader}"
    with RegistryClient(Registry(url=server.url, root=root, auth=auth)) as asked:
        assert asked.search() == ()
    with client(server, registry) as asked, pytest.raises(RegistryRefusedError):
        asked.search()


def test_without_it_an_upload_waits_for_whoever_has_it(serve, tokens, keys, registry, tmp_path):
    server = serve("registry", "--token-file", tokens.file, "--key", keys / "online")
    answer = server.upload(archive(), tokens.all).json()
    assert answer["state"] == "waiting"
    assert "SHA256:" in answer["waiting"]["targets"]
    assert releases(server, registry) == []
    root = registry.root / "metadata/1.root.json"
    act = Installation(tmp_path / "mine", (Registry(url=server.url, root=root),), SecurityConfig())
    with pytest.raises(InstallError, match="nobody whose keys are trusted has signed it"):
        act.install([read_wanted("counter")])
    sign(registry, signers(keys, "targets", "online"))
    assert releases(server, registry) == ["1.0.0"]
    assert [one.id for one in act.install([read_wanted("counter")]).arrivals] == ["counter"]


def test_a_server_signs_anew_what_would_expire(serve, keys, tmp_path, wait_until):
    expired = datetime.now(UTC) - timedelta(days=USUAL_DAYS[Role.TIMESTAMP] + 1)
    registry = begin(RegistryFolder(tmp_path / "registry"), keys, expired)
    timestamp = registry.root / "metadata/timestamp.json"
    before = timestamp.read_bytes()
    server = serve("registry", "--key", keys / "online")
    wait_until(lambda: timestamp.read_bytes() != before, "no new timestamp", 30)
    assert releases(server, registry) == []


def test_without_a_key_what_has_expired_is_refused(serve, keys, tmp_path):
    expired = datetime.now(UTC) - timedelta(days=USUAL_DAYS[Role.TIMESTAMP] + 1)
    registry = begin(RegistryFolder(tmp_path / "registry"), keys, expired)
    with pytest.raises(RegistryTrustError, match="has expired"):
        releases(serve("registry"), registry)


def test_an_old_state_behind_the_same_address_is_refused(serve, tokens, keys, registry, tmp_path):
    shutil.copytree(registry.root, tmp_path / "old")
    options = ("--key", keys / "online", "--key", keys / "targets")
    server = serve("registry", "--token-file", tokens.file, *options)
    server.upload(archive(), tokens.all)
    assert releases(server, registry) == ["1.0.0"]
    port = server.url.rpartition(":")[2]
    server.stop()
    again = serve("old", "--port", port)
    assert again.url == server.url
    with pytest.raises(RegistryTrustError, match="older than it did before"):
        releases(again, registry)


def test_what_was_signed_holds_while_the_server_is_down(serve, tokens, keys, registry):
    options = ("--key", keys / "online", "--key", keys / "targets")
    server = serve("registry", "--token-file", tokens.file, *options)
    server.upload(archive(), tokens.all)
    assert releases(server, registry) == ["1.0.0"]
    server.stop()
    with client(server, registry) as asked:
        assert [str(one.version) for one in asked.releases("counter")] == ["1.0.0"]
        assert "stands for it" in asked.offline


def test_a_version_that_another_vanished_from_is_not_signed(serve, tokens, keys, registry):
    options = ("--key", keys / "online", "--key", keys / "targets")
    server = serve("registry", "--token-file", tokens.file, *options)
    server.upload(archive(), tokens.all)
    (registry.root / "plugins/counter.json").write_text('{"format": 1, "id": "counter"}')
    answer = server.upload(archive(version="1.1.0"), tokens.all)
    assert (answer.status_code, answer.json()["error"]) == (409, "unsigned")
    assert "1.0.0 has vanished" in answer.json()["message"]
    assert server.versions() == []
