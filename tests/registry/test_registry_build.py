"""A registry made from a folder of plugins, and what its documents say."""

from __future__ import annotations

import json

import msgspec
import pytest
from registry_world import write_package, write_plugin

from nebula_lab.discovery import read_descriptor
from nebula_lab.errors import PublishingError, RegistryAnswerError
from nebula_lab.registry.building.build import build
from nebula_lab.registry.building.version import packed
from nebula_lab.registry.format.coding import encoded, read_index, read_plugin
from nebula_lab.registry.format.documents import PluginDocument
from nebula_lab.registry.format.schema import SCHEMAS, schema_text, shipped
from nebula_lab.registry.format.values import descriptor_of, release_of

RICH = {
    "name": "Rich",
    "dependencies": ["counter >=1, <2", {"plugin_id": "other", "optional": True}],
    "author": "Ada",
    "description": "Has everything.\n\nAnd more of it.",
    "license": "MIT",
    "homepage": "https://example.org/",
    "tags": ["demo", "priority:3"],
    "min_nebula_version": "0.1.0",
    "max_nebula_version": "9.0.0",
    "security": {
        "capabilities": ["Network", "FileSystem"],
        "allowed_hosts": ["api.example.org:443"],
        "allowed_paths": ["data", "out:rw"],
        "allowed_variables": ["HOME"],
    },
    "runtime": {"concurrency": 4, "replicas": 2},
}


def built_files(out) -> dict[str, bytes]:
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file() and ".registry" not in path.parts
    }


def versions_in(out, plugin_id="counter") -> list[str]:
    content = (out / "plugins" / f"{plugin_id}.json").read_bytes()
    return [one.version for one in read_plugin(content, plugin_id, "").versions]


def test_the_same_plugins_make_the_same_registry(tmp_path):
    for name in ("one", "other"):
        write_plugin(tmp_path / name, "counter")
        write_package(tmp_path / name, "words", table="WORDS = 1\n")
        build(tmp_path / name, tmp_path / f"{name}-out", name="Ours")
    assert built_files(tmp_path / "one-out") == built_files(tmp_path / "other-out")


def test_building_again_changes_nothing(tmp_path):
    write_plugin(tmp_path / "plugins", "counter")
    build(tmp_path / "plugins", tmp_path / "out", name="Ours")
    before = built_files(tmp_path / "out")
    report = build(tmp_path / "plugins", tmp_path / "out")
    assert (report.added, report.unchanged) == ((), (("counter", "1.0.0"),))
    assert built_files(tmp_path / "out") == before


def test_versions_that_were_built_before_stay(tmp_path):
    for version in ("1.9.0", "1.10.0", "2.0.0-rc.1"):
        write_plugin(tmp_path / "plugins", "counter", version)
        build(tmp_path / "plugins", tmp_path / "out")
    assert versions_in(tmp_path / "out") == ["2.0.0-rc.1", "1.10.0", "1.9.0"]
    [entry] = read_index((tmp_path / "out" / "index.json").read_bytes(), "").plugins
    assert entry.latest == "1.10.0"


def test_several_versions_may_be_in_one_folder(tmp_path):
    for version in ("1.0.0", "2.0.0"):
        write_plugin(tmp_path / "plugins" / version, "counter", version)
    build(tmp_path / "plugins", tmp_path / "out", recursive=True)
    assert versions_in(tmp_path / "out") == ["2.0.0", "1.0.0"]


def test_a_version_never_changes(tmp_path):
    path = write_plugin(tmp_path / "plugins", "counter")
    build(tmp_path / "plugins", tmp_path / "out")
    before = built_files(tmp_path / "out")
    path.write_text(path.read_text() + "# changed\n")
    with pytest.raises(PublishingError, match=r"version 1\.0\.0 is published already"):
        build(tmp_path / "plugins", tmp_path / "out")
    assert built_files(tmp_path / "out") == before


def test_one_bad_plugin_keeps_the_others_out_too(tmp_path):
    write_plugin(tmp_path / "plugins", "counter")
    (tmp_path / "plugins" / "bad.py").write_text("PLUGIN_METADATA = {'id': 'bad'}\n")
    with pytest.raises(PublishingError, match="version"):
        build(tmp_path / "plugins", tmp_path / "out")
    assert built_files(tmp_path / "out") == {}


def test_ids_that_differ_in_case_alone_are_refused(tmp_path):
    write_plugin(tmp_path / "plugins", "counter")
    write_plugin(tmp_path / "plugins", "Counter")
    with pytest.raises(PublishingError, match="case of names"):
        build(tmp_path / "plugins", tmp_path / "out")


def test_a_signature_that_does_not_hold_is_refused(tmp_path):
    write_plugin(tmp_path / "plugins", "counter")
    (tmp_path / "plugins" / "counter.sums").write_text("nothing\n")
    (tmp_path / "plugins" / "counter.sums.sig").write_text("nothing\n")
    with pytest.raises(PublishingError, match="nobody could use it"):
        build(tmp_path / "plugins", tmp_path / "out")


def test_what_is_said_of_a_plugin_is_what_it_says(tmp_path):
    descriptor = read_descriptor(write_plugin(tmp_path, "rich", **RICH))
    version = packed(descriptor).version
    again = descriptor_of("rich", version, "https://r/", tmp_path)
    for key in ("id", "name", "version", "path", "metadata", "security", "runtime"):
        assert getattr(again, key) == getattr(descriptor, key)
    release = release_of("rich", version, "https://r/")
    assert [
        (one.plugin_id, str(one.version_req), one.optional) for one in release.dependencies
    ] == [
        ("counter", ">=1, <2", False),
        ("other", "*", True),
    ]
    assert (str(release.min_nebula_version), release.api_version) == ("0.1.0", 1)


def test_documents_come_back_as_they_were_written(tmp_path):
    version = packed(read_descriptor(write_plugin(tmp_path, "rich", **RICH))).version
    document = PluginDocument(1, "rich", (version,))
    content = encoded(document)
    assert read_plugin(content, "rich", "") == document
    assert encoded(read_plugin(content, "rich", "")) == content


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schemas_that_are_shipped_are_those_of_the_documents(name):
    assert shipped(name).read_text(encoding="utf-8") == schema_text(SCHEMAS[name])


GOOD = {
    "format": 1,
    "id": "a",
    "versions": [
        {
            "version": "1.0.0",
            "archive": {"sha256": "a" * 64, "size": 1},
            "tree": "b" * 64,
            "source": "a.py",
            "described_by": "a.py",
        }
    ],
}


def test_a_document_needs_little():
    assert read_plugin(json.dumps(GOOD).encode(), "a", "").versions[0].yanked is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2}, "format 2, and this nebula_lab reads format 1"),
        ({"format": "1"}, "no JSON|Expected"),
        ({"surprise": 1}, "unknown field"),
        ({"id": "b"}, "about the plugin 'b'"),
        ({"id": "../a"}, "matching regex"),
        ({"id": "a\n"}, "matching regex"),
        ({"versions": GOOD["versions"] * 2}, "twice"),
        ({"versions": [{**GOOD["versions"][0], "tree": "b"}]}, "matching regex"),
        ({"versions": [{**GOOD["versions"][0], "tree": "b" * 64 + "\n"}]}, "matching regex"),
        ({"versions": [{**GOOD["versions"][0], "name": "x" * 1001}]}, "length <= 1000"),
        ({"versions": [{**GOOD["versions"][0], "published": "2026-01-01T00:00:00"}]}, "timezone"),
        ({"versions": [{**GOOD["versions"][0], "archive": {"sha256": "a" * 64}}]}, "size"),
    ],
)
def test_a_document_that_says_anything_else_is_refused(change, said):
    with pytest.raises(RegistryAnswerError, match=said):
        read_plugin(json.dumps({**GOOD, **change}).encode(), "a", "https://r/plugins/a.json")


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"null", b"[" * 10**6, b'{"format":'])
def test_what_is_no_document_is_refused(content):
    with pytest.raises(RegistryAnswerError):
        read_index(content, "https://r/index.json")


def test_two_plugins_of_one_name_in_an_index_are_refused():
    content = msgspec.json.encode({"format": 1, "plugins": [{"id": "a"}, {"id": "A"}]})
    with pytest.raises(RegistryAnswerError, match="twice"):
        read_index(content, "")


@pytest.mark.parametrize(
    "change",
    [
        {"version": "1.0"},
        {"min_nebula_version": "one!!"},
        {"dependencies": [{"id": "b", "requirement": ">="}]},
    ],
)
def test_a_version_that_means_nothing_is_refused(change):
    document = {**GOOD, "versions": [{**GOOD["versions"][0], **change}]}
    with pytest.raises(RegistryAnswerError):
        version = read_plugin(json.dumps(document).encode(), "a", "").versions[0]
        release_of("a", version, "")
