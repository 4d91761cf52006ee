"""Descriptors read without pydantic's work are those that the model would give, or none."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from nebula_lab.model import PluginConfig, PluginDependency, PluginDescriptor, SourceLocation
from nebula_lab.model.config import CheckpointPolicy, RestartPolicy, ZygoteConfig
from nebula_lab.model.discovery_strategy import EntryPoints, FileSystem
from nebula_lab.model.plain_descriptor import plain_dependency, plain_descriptor
from nebula_lab.model.rights import RequestedRights, RuntimeOptions
from nebula_lab.model.security import ResourceLimits, SecurityConfig

PLACE = SourceLocation(Path("/plugins/one.py"), 3)
LEAST = {"id": "one", "version": "1.0.0"}
DEPENDENCY = PluginDependency(plugin_id="base", version_req=">=1", declared_in=PLACE)

PLAIN = [
    {},
    {"name": "One"},
    {"name": ""},
    {"version": "2.0.0-beta.1+build"},
    {"author": "Ada", "description": "Was es tut.\nGrüße 😀", "license": "MIT", "homepage": "x"},
    {"tags": ["priority:10", "data"]},
    {"tags": ()},
    {"dependencies": []},
    {"dependencies": [DEPENDENCY]},
    {"runtime": {"api_version": 1}},
]
# What the model reads or refuses by itself: here there is no answer.
NOT_PLAIN = [
    {"id": "1one"},
    {"id": "one two"},
    {"id": "a" * 101},
    {"id": 1},
    {"version": "1.0"},
    {"version": 1.0},
    {"version": None},
    {"name": 5},
    {"name": "a" * 1001},
    {"name": "\ud800"},
    {"description": "a" * 20_001},
    {"homepage": None},
    {"tags": "data"},
    {"tags": [""]},
    {"tags": ["a" * 101]},
    {"tags": [1]},
    {"tags": ["a"] * 1001},
    {"dependencies": ["base >=1"]},
    {"dependencies": [DEPENDENCY] * 1001},
    {"dependencies": None},
    {"runtime": None},
    {"runtime": {"api_version": True}},
    {"runtime": {"api_version": -1}},
    {"runtime": {"api_version": 1, "replicas": 2}},
    {"api_version": 1},
    {"metadata": {"author": "Ada"}},
    {"min_nebula_version": "0.1.0"},
    {"security": {}},
    {"python": {}},
    {"autor": "Ada"},
    {"path": "/plugins/one.py"},
    {"declared_in": None},
]


def table(said):
    return {**LEAST, "path": PLACE.path, "declared_in": PLACE, **said}


def by_model(said):
    try:
        return PluginDescriptor.model_validate(said)
    except ValidationError:
        return None


def assert_same(plain, modelled):
    assert plain == modelled
    assert plain.model_dump() == modelled.model_dump()
    assert plain.model_fields_set == modelled.model_fields_set
    assert plain.metadata.model_fields_set == modelled.metadata.model_fields_set
    assert plain.runtime.model_fields_set == modelled.runtime.model_fields_set
    assert repr(plain) == repr(modelled)


@pytest.mark.parametrize("said", PLAIN, ids=str)
def test_what_most_plugins_say_is_read_as_the_model_reads_it(said):
    assert_same(plain_descriptor(table(said)), by_model(table(said)))


@pytest.mark.parametrize("said", NOT_PLAIN, ids=lambda said: str(said)[:40])
def test_what_few_say_and_what_is_wrong_is_left_to_the_model(said):
    assert plain_descriptor(table(said)) is None


def test_a_table_without_an_id_is_left_to_the_model():
    assert plain_descriptor({"version": "1.0.0", "path": PLACE.path, "declared_in": PLACE}) is None


VALUES = st.one_of(
    st.text(max_size=20), st.none(), st.integers(), st.booleans(), st.lists(st.text(max_size=5))
)
KEYS = st.sampled_from(sorted(PluginDescriptor.known_keys()))


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_whatever_is_said_it_is_read_as_the_model_reads_it_or_not_at_all(said):
    plain = plain_descriptor(table(said))
    if plain is not None:
        assert_same(plain, by_model(table(said)))


@pytest.mark.parametrize("text", ["base", " base >=1.0 ", "base>=1, <2", "a.b-c ^0.2", "base *"])
def test_a_dependency_that_is_a_text_is_read_as_the_model_reads_it(text):
    modelled = PluginDependency.model_validate(text).model_copy(update={"declared_in": PLACE})
    plain = plain_dependency(text, PLACE)
    assert plain == modelled
    assert plain.model_fields_set == modelled.model_fields_set


@pytest.mark.parametrize("text", ["", "1base", "base >=", "base nonsense", "base || other"])
def test_a_text_that_is_no_dependency_is_left_to_the_model(text):
    assert plain_dependency(text, PLACE) is None


@pytest.mark.parametrize(
    "model",
    [
        PluginConfig,
        RestartPolicy,
        CheckpointPolicy,
        ZygoteConfig,
        SecurityConfig,
        ResourceLimits,
        FileSystem,
        EntryPoints,
        RequestedRights,
        RuntimeOptions,
    ],
)
def test_defaults_that_were_not_checked_are_what_checking_makes_of_them(model):
    default = model.by_default()
    assert default == model() == model.model_validate(default.model_dump())
    assert default.model_dump() == model().model_dump()
