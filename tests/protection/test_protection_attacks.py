"""A bad registry, or somebody on the way to a good one."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from registry_lab import Lab, offer

from nebula_lab.errors import RegistryError, RegistryTrustError

PLUGIN = "plugins/counter.json"


def versions(session, path=PLUGIN):
    return [one["version"] for one in json.loads(session.read(path))["versions"]]


def test_what_was_signed_is_read(lab):
    session = lab.session()
    assert versions(session) == ["1.0.0", "1.1.0"]
    assert json.loads(session.read("index.json"))["plugins"] == [{"id": "counter"}]


def test_what_was_not_signed_is_not_there(lab):
    offer(lab.root, "late", "1.0.0")
    assert lab.session().read("plugins/late.json") is None


def test_a_change_is_seen_once_it_is_signed(lab):
    assert versions(lab.session()) == ["1.0.0", "1.1.0"]
    offer(lab.root, "counter", "1.0.0", "1.1.0", "2.0.0")
    assert versions(lab.session()) == ["1.0.0", "1.1.0"]
    lab.sign()
    assert versions(lab.session()) == ["1.0.0", "1.1.0", "2.0.0"]


def test_an_old_index_cannot_be_replayed(lab):
    old = lab.copy("old")
    offer(lab.root, "counter", "1.0.0", "1.1.0", "1.1.1")
    lab.sign()
    lab.session()
    lab.transport.folder = old
    with pytest.raises(RegistryTrustError, match="older than it did before"):
        lab.session()


def test_a_frozen_registry_is_noticed_when_it_expires(tmp_path):
    lab = Lab(tmp_path)
    offer(lab.root, "counter", "1.0.0")
    lab.init(now=datetime.now(UTC) - timedelta(days=8))
    with pytest.raises(RegistryTrustError, match=r"expired.*timestamp") as caught:
        lab.session()
    assert "registry refresh" in caught.value.hint
    lab.sign("timestamp")
    assert lab.session().read(PLUGIN) is not None


@pytest.mark.parametrize("role", ["targets", "snapshot"])
def test_files_of_different_states_cannot_be_mixed(lab, role):
    offer(lab.root, "counter", "1.0.0", "1.1.0", "1.1.1")
    lab.sign()
    old, new = (lab.root / f"metadata/{version}.{role}.json" for version in (1, 2))
    shutil.copy(old, new)
    with pytest.raises(RegistryTrustError):
        lab.session()


def test_a_document_of_another_state_is_refused(lab):
    [old] = (lab.root / "signed/plugins").iterdir()
    offer(lab.root, "counter", "1.0.0", "1.1.0", "1.1.1")
    lab.sign()
    [new] = set((lab.root / "signed/plugins").iterdir()) - {old}
    shutil.copy(old, new)
    with pytest.raises(RegistryTrustError, match="not the one that was signed"):
        lab.session().read(PLUGIN)


def test_a_document_that_is_longer_than_signed_is_refused(lab):
    [copy] = (lab.root / "signed/plugins").iterdir()
    copy.write_bytes(copy.read_bytes() + b" " * 10_000)
    with pytest.raises(RegistryTrustError, match="longer than"):
        lab.session().read(PLUGIN)


def test_another_registry_in_its_place_is_refused(lab, tmp_path):
    other = Lab(tmp_path / "other")
    offer(other.root, "counter", "1.0.0", "9.9.9")
    other.init()
    lab.transport.folder = other.root
    with pytest.raises(RegistryTrustError, match="not signed by the keys"):
        lab.session()


def test_a_registry_without_its_signatures_is_refused(lab):
    shutil.rmtree(lab.root / "metadata")
    with pytest.raises(RegistryTrustError, match="not there"):
        lab.session()


@pytest.mark.parametrize("content", [b"", b"<html>", b"[" * 100_000, b'{"signed": 1}', b"\xff"])
@pytest.mark.parametrize("name", ["timestamp", "2.root", "1.snapshot", "1.targets"])
def test_rubbish_in_place_of_a_statement_is_an_error(lab, name, content):
    (lab.root / f"metadata/{name}.json").write_bytes(content)
    with pytest.raises(RegistryError):
        lab.session()


def test_a_version_cannot_vanish(lab):
    lab.session().read(PLUGIN)
    resign_without_history(lab, "counter", "1.1.0")
    with pytest.raises(RegistryTrustError, match=r"counter: 1\.0\.0 has vanished") as caught:
        lab.session().read(PLUGIN)
    assert "stays as it is" in caught.value.hint


def test_a_whole_plugin_cannot_vanish(lab):
    lab.session().read(PLUGIN)
    forget_what_was_signed(lab)
    (lab.root / PLUGIN).unlink()
    lab.sign()
    for path in (PLUGIN, "index.json"):
        with pytest.raises(RegistryTrustError, match=r"counter: 1\.0\.0, 1\.1\.0 have vanished"):
            lab.session().read(path)


def test_a_version_that_was_yanked_before_may_go(lab):
    offer(lab.root, "counter", "1.0.0", "1.1.0", yanked=("1.0.0",))
    lab.sign()
    lab.session().read(PLUGIN)
    resign_without_history(lab, "counter", "1.1.0")
    assert versions(lab.session()) == ["1.1.0"]


def test_a_version_cannot_get_other_files(lab):
    lab.session().read(PLUGIN)
    document = json.loads((lab.root / PLUGIN).read_text())
    document["versions"][1]["archive"]["sha256"] = "0" * 64
    forget_what_was_signed(lab)
    (lab.root / PLUGIN).write_text(json.dumps(document))
    lab.sign()
    with pytest.raises(RegistryTrustError, match=r"1\.1\.0 has other files now"):
        lab.session().read(PLUGIN)


def test_whoever_signs_is_kept_from_losing_a_version(lab):
    offer(lab.root, "counter", "1.1.0")
    with pytest.raises(RegistryTrustError, match=r"1\.0\.0 has vanished") as caught:
        lab.sign()
    assert "yank" in caught.value.hint
    assert not (lab.root / "metadata/2.targets.json").exists()


def forget_what_was_signed(lab):
    """As somebody would who has the keys and means harm: nothing is left to compare with."""
    shutil.rmtree(lab.root / "signed")


def resign_without_history(lab, plugin_id, *versions):
    forget_what_was_signed(lab)
    offer(lab.root, plugin_id, *versions)
    lab.sign()
