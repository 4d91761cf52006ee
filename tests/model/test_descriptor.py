"""Descriptors: the seed's manifest, its embedded metadata, and what must be refused."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from nebula_lab.model import (
    AllowedPath,
    PluginCapability,
    PluginDependency,
    PluginDescriptor,
    PluginMetadata,
    RequestedRights,
    RuntimeOptions,
    SourceLocation,
    Version,
    VersionReq,
    complaints,
)

SEED = Path(__file__).parents[1] / "data" / "seed"
MINIMAL = {"id": "counter", "version": "1.0.0", "path": "counter.py"}


def _descriptor(**more):
    return PluginDescriptor.model_validate({**MINIMAL, **more})


def _refusal(**more):
    with pytest.raises(ValidationError) as caught:
        _descriptor(**more)
    found = complaints(caught.value, {**MINIMAL, **more})
    return "\n".join(map(str, found))


def test_the_seeds_manifest_loads_with_every_value_in_its_place():
    manifest = tomllib.loads((SEED / "my_plugin.toml").read_text())
    assert PluginDescriptor.model_validate(manifest) == PluginDescriptor(
        id="my_custom_resource",
        name="My Custom Resource",
        version=Version.parse("1.0.0"),
        path=Path("./my_plugin.so"),
        metadata=PluginMetadata(
            author="Your Name",
            description="Custom resource for special operations",
            license="MIT",
            homepage="https://github.com/yourusername/my-plugin",
            tags=("database", "cache", "priority:10"),
            min_nebula_version=Version.parse("0.2.0"),
            max_nebula_version=Version.parse("1.0.0"),
        ),
        dependencies=(
            PluginDependency(
                plugin_id="base_resource",
                version_req=VersionReq.parse(">=1.0.0, <2.0.0"),
                optional=False,
            ),
            PluginDependency(
                plugin_id="logger", version_req=VersionReq.parse(">=0.5.0"), optional=True
            ),
        ),
    )


def test_the_seeds_embedded_metadata_loads_with_every_value_in_its_place():
    embedded = json.loads((SEED / "embedded_metadata.json").read_text())
    assert PluginDescriptor.model_validate({**embedded, "path": "p.py"}) == PluginDescriptor(
        id="my_custom_resource",
        name="My Custom Resource",
        version=Version.parse("1.0.0"),
        path=Path("p.py"),
        metadata=PluginMetadata(
            author="Your Name",
            description="Custom resource for special operations",
            license="MIT",
            tags=("database", "priority:10"),
        ),
        dependencies=(
            PluginDependency(plugin_id="base_resource", version_req=VersionReq.parse(">=1.0.0")),
        ),
    )


def test_a_nameless_plugin_is_named_after_its_id():
    assert _descriptor().name == "counter"


@pytest.mark.parametrize("plugin_id", ["a", "_a", "a.b-c_d9", "A" * 100])
def test_an_id_may_be_a_word_of_letters_digits_dots_dashes_and_underscores(plugin_id):
    assert _descriptor(id=plugin_id).id == plugin_id


@pytest.mark.parametrize(
    "plugin_id", ["", "9a", "a b", "a/b", "../a", "-a", ".a", "é", "a\n", "A" * 101]
)
def test_any_other_id_is_refused(plugin_id):
    assert "is not a plugin id" in _refusal(id=plugin_id)


@pytest.mark.parametrize(
    ("text", "plugin_id", "requirement"),
    [
        ("base_resource >=1.0", "base_resource", ">=1.0"),
        ("base_resource>=1.0, <2", "base_resource", ">=1.0, <2"),
        ("base_resource", "base_resource", "*"),
        ("  base.resource-2   ^0.3 ", "base.resource-2", "^0.3"),
    ],
)
def test_a_dependency_may_be_one_text(text, plugin_id, requirement):
    (dependency,) = _descriptor(dependencies=[text]).dependencies
    assert dependency == PluginDependency(
        plugin_id=plugin_id, version_req=VersionReq.parse(requirement)
    )


@pytest.mark.parametrize("text", ["", ">=1.0", "9lives", "base >>1", "base resource"])
def test_a_text_that_is_no_dependency_is_refused(text):
    assert "dependencies[0]" in _refusal(dependencies=[text])


@pytest.mark.parametrize(
    ("tags", "priority"),
    [
        ([], 0),
        (["database"], 0),
        (["database", "priority:10"], 10),
        (["priority:3", "priority:9"], 3),
        (["priority:high"], 0),
        (["priority:-1"], 0),
        (["priority:"], 0),
        (["priority:high", "priority:4"], 4),
    ],
)
def test_the_priority_is_the_number_in_the_first_priority_tag(tags, priority):
    assert PluginMetadata(tags=tuple(tags)).priority == priority


def test_a_key_that_is_flat_and_nested_is_refused():
    text = _refusal(author="me", metadata={"author": "you"})
    assert "'author' is at the top level and in 'metadata' too" in text


def test_flat_and_nested_metadata_mix_when_they_say_different_things():
    metadata = _descriptor(author="me", metadata={"license": "MIT"}).metadata
    assert metadata == PluginMetadata(author="me", license="MIT")


def test_api_version_may_stand_at_the_top():
    assert _descriptor(api_version=1).runtime == RuntimeOptions(api_version=1)


def test_api_version_at_the_top_and_in_runtime_is_refused():
    assert "'runtime' too" in _refusal(api_version=1, runtime={"api_version": 1})


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"verison": "1"}, "verison: unknown key 'verison'; did you mean 'version'?"),
        ({"autor": "x"}, "autor: unknown key 'autor'; did you mean 'author'?"),
        (
            {"metadata": {"licence": "MIT"}},
            "metadata.licence: unknown key 'licence'; did you mean 'license'?",
        ),
        (
            {"dependencies": [{"plugin_id": "b", "version": "1"}]},
            "dependencies[0].version: unknown key 'version'; did you mean 'version_req'?",
        ),
        (
            {"security": {"allowed_paths": [{"path": "a", "mod": "rw"}]}},
            "security.allowed_paths[0].mod: unknown key 'mod'; did you mean 'mode'?",
        ),
        (
            {"runtime": {"zzz": 1}},
            "runtime.zzz: unknown key 'zzz'; known keys: concurrency, replicas, api_version",
        ),
        ({"tags": ["ok", 3]}, "tags[1]: Input should be a valid string, found 3"),
        ({"security": {"capabilities": ["Netwrok"]}}, "did you mean 'Network'?"),
        ({"security": {"allowed_hosts": ["https://x.org/"]}}, "is not a host"),
        ({"version": "1.0"}, "Write 1.0.0."),
        ({"min_nebula_version": "2.0.0", "max_nebula_version": "1.0.0"}, "no version fits"),
        ({"dependencies": ["b ^1", {"plugin_id": "c", "version_req": "1 2"}]}, "dependencies[1]"),
    ],
    ids=str,
)
def test_a_refusal_names_the_key_and_what_is_wrong(more, expected):
    assert expected in _refusal(**more)


@pytest.mark.parametrize("count", [0, 65, True, "2", 1.5])
@pytest.mark.parametrize("option", ["concurrency", "replicas"])
def test_concurrency_and_replicas_are_whole_numbers_from_1_to_64(option, count):
    assert f"runtime.{option}" in _refusal(runtime={option: count})


@pytest.mark.parametrize(
    ("written", "path", "mode"),
    [
        ("data", "data", "ro"),
        ("data:ro", "data", "ro"),
        ("data:rw", "data", "rw"),
        ("/a:b/c:rw", "/a:b/c", "rw"),
        ({"path": "data", "mode": "rw"}, "data", "rw"),
        ({"path": "odd:xy"}, "odd:xy", "ro"),
    ],
    ids=str,
)
def test_an_allowed_path_has_a_mode(written, path, mode):
    (allowed,) = _descriptor(security={"allowed_paths": [written]}).security.allowed_paths
    assert allowed == AllowedPath(path=Path(path), mode=mode)


def test_a_mistyped_mode_is_refused_and_not_taken_for_a_path():
    assert "security.allowed_paths[0].mode" in _refusal(security={"allowed_paths": ["data:wr"]})


def test_requested_rights_are_read():
    rights = _descriptor(
        security={
            "capabilities": ["Network", "RichDisplay"],
            "allowed_hosts": ["example.org", "example.org:443", "*.example.org", "[::1]:80"],
        }
    ).security
    assert rights == RequestedRights(
        capabilities=(PluginCapability.NETWORK, PluginCapability.RICH_DISPLAY),
        allowed_hosts=("example.org", "example.org:443", "*.example.org", "[::1]:80"),
    )


def test_a_descriptor_goes_through_json_unchanged():
    descriptor = _descriptor(
        dependencies=["b ^1"],
        author="me",
        security={"capabilities": ["Network"], "allowed_paths": ["d:rw"]},
        declared_in=SourceLocation(Path("counter.toml"), 3),
    )
    assert PluginDescriptor.model_validate_json(descriptor.model_dump_json()) == descriptor


def test_a_descriptor_is_a_value():
    assert hash(_descriptor(dependencies=["b ^1"])) == hash(_descriptor(dependencies=["b ^1"]))
    with pytest.raises(ValidationError, match="frozen"):
        _descriptor().id = "other"


def test_reading_a_document_does_not_change_it():
    document = {**MINIMAL, "author": "me", "metadata": {"license": "MIT"}}
    before = json.dumps(document)
    PluginDescriptor.model_validate(document)
    assert json.dumps(document) == before


def test_a_location_prints_as_path_and_line():
    assert str(SourceLocation(Path("a.toml"), 3)) == "a.toml:3"
    assert str(SourceLocation(Path("a.toml"))) == "a.toml"
