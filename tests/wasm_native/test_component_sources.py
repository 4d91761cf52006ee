"""The components that are here are what their sources give."""

from __future__ import annotations

import importlib.util

import pytest
from component_lab import HERE, HOSTILE, SAMPLE

BUILDER = SAMPLE.with_name("build.py")
SOURCES = {SAMPLE: SAMPLE.parent / "text_stats_source", HOSTILE: HERE / "hostile_source"}


@pytest.fixture(scope="module")
def builder():
    spec = importlib.util.spec_from_file_location("build_component", BUILDER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("component", SOURCES, ids=lambda path: path.stem)
def test_a_component_is_what_its_source_gives(builder, component):
    built = builder.build(SOURCES[component])
    assert built == component.read_bytes(), "build it: python sample_plugins/components/build.py"


def test_the_sample_is_small(builder):
    assert SAMPLE.stat().st_size < 100_000
