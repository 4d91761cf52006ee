"""What plugins ask for in vain."""

from __future__ import annotations

from pathlib import Path

import pytest

from nebula_lab.model import PluginConfig, PluginDescriptor, SourceLocation
from nebula_lab.model.listing import listed
from nebula_lab.model.refusals import refusal_notes, refusals


def found(asks, security=None):
    """By kind."""
    return {one.kind: one for one in refusals(*_case(asks, security))}


def _case(asks, security):
    descriptor = PluginDescriptor.model_validate(
        {"id": "it", "version": "1.0.0", "path": "/plugins/it.py", "security": asks}
    )
    return descriptor, PluginConfig.model_validate({"security": security or {}})


@pytest.mark.parametrize(
    ("asks", "security", "refused"),
    [
        ({"capabilities": ["Network"]}, {}, {}),
        (
            {"capabilities": ["ProcessSpawn", "Network"]},
            {},
            {"capabilities": ("ProcessSpawn",)},
        ),
        (
            {"capabilities": ["FileSystem"], "allowed_paths": ["/data/a", "/etc", "/data:rw"]},
            {"allowed_paths": ["/data"]},
            {"allowed_paths": ("/etc:ro", "/data:rw")},
        ),
        (
            {"capabilities": ["FileSystem"], "allowed_paths": ["/data:rw", "/data/a"]},
            {"allowed_paths": ["/data:rw"]},
            {},
        ),
        (
            {"capabilities": ["FileSystem"], "allowed_paths": ["/"]},
            {"allowed_paths": ["/data"]},
            {"allowed_paths": ("/:ro",)},
        ),
        (
            {"capabilities": ["FileSystem"], "allowed_paths": ["data"]},
            {"allowed_paths": ["/plugins"]},
            {},
        ),
        (
            {"capabilities": ["Network"], "allowed_hosts": ["a.org", "b.org"]},
            {"allowed_hosts": ["a.org"]},
            {"allowed_hosts": ("b.org",)},
        ),
        (
            {"allowed_variables": ["A", "B"]},
            {"allowed_variables": ["B"]},
            {"allowed_variables": ("A",)},
        ),
        ({"allowed_hosts": ["a.org"]}, {}, {"allowed_hosts": ("a.org",)}),
        ({"allowed_paths": ["/data"]}, {}, {"allowed_paths": ("/data",)}),
    ],
)
def test_what_the_configuration_does_not_allow_is_refused(asks, security, refused):
    assert {kind: one.items for kind, one in found(asks, security).items()} == refused


def test_in_sandbox_none_nothing_is_refused():
    assert found({"capabilities": ["ProcessSpawn"]}, {"sandbox": "None"}) == {}


def test_each_names_the_key_to_change():
    refusal = found({"capabilities": ["ProcessSpawn", "SystemCalls"]})["capabilities"]
    assert "ProcessSpawn and SystemCalls" in refusal.message
    assert "security.capabilities" in refusal.cure


def test_names_without_their_capability_say_which():
    assert "FileSystem" in found({"allowed_paths": ["/data"]})["allowed_paths"].cure


def test_as_notes_they_say_where_the_plugin_asks():
    descriptor, config = _case({"capabilities": ["ProcessSpawn"]}, {})
    place = SourceLocation(Path("/plugins/it.py"), 7)
    located = descriptor.model_copy(update={"rights_declared_in": place})
    (note,) = refusal_notes(located, config)
    assert (note.severity, note.location, note.plugin_id) == ("note", place, "it")


@pytest.mark.parametrize(
    ("items", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), ("abc", "a, b and c")]
)
def test_things_are_listed_as_in_a_sentence(items, text):
    assert listed(items) == text
