"""Thousands of plugins, in order and in every kind of disorder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nebula_lab.model.descriptor import PluginDependency, PluginDescriptor
from nebula_lab.model.requirement import VersionReq
from nebula_lab.resolver import PluginRegistry

ROOT = Path(__file__).parents[2]
COUNT = 3_000  # thrice as many as calls may be nested in Python


# In an interpreter of its own: a profile function sees whatever else a test run has set up.
COUNTER = """
import sys
from benchmarks.topics import resolver

def steps(count):
    plugins = resolver.make_plugins(count, seed=2)
    found = 0

    def profile(frame, event, argument):
        nonlocal found
        found += event in ("call", "c_call")

    sys.setprofile(profile)
    resolver.resolve(plugins)
    sys.setprofile(None)
    return found

print(steps(int(sys.argv[1])), steps(int(sys.argv[2])))
"""


def test_ten_times_more_plugins_take_at_most_twenty_times_more_steps():
    command = [sys.executable, "-c", COUNTER, str(COUNT // 10), str(COUNT)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    few, many = map(int, done.stdout.split())
    assert many <= 20 * few


ANY = VersionReq.parse("*")
# What plugin n depends on, as (number, optional), for each kind of disorder.
DISORDERS = {
    "one ring of all": lambda n: [((n + 1) % COUNT, False)],
    "a chain that ends in nothing": lambda n: [(n + 1, False)],
    "pairs that need each other": lambda n: [(n ^ 1, False)],
    "one knot of all": lambda n: [((n * k + k) % COUNT, False) for k in (2, 3, 7)],
    "everything is missing": lambda n: [(COUNT + n, False)],
    "one ring of optional dependencies": lambda n: [((n + 1) % COUNT, True)],
    "one knot of optional dependencies": lambda n: [((n * k + k) % COUNT, True) for k in (2, 3, 7)],
    "all need one that needs nothing that is here": lambda n: [(0 if n else COUNT, False)],
}


@pytest.mark.parametrize("disorder", DISORDERS)
def test_every_plugin_of_a_disorder_is_either_ordered_or_explained(disorder):
    registry = PluginRegistry()
    for number in range(COUNT):
        registry.register(_plugin(number, DISORDERS[disorder](number)))
    resolution = registry.resolve_dependencies()
    assert len(resolution.load_order) + len(resolution.excluded) == COUNT
    assert bool(resolution.excluded) == ("optional" not in disorder)


def _plugin(number, needs):
    return PluginDescriptor(
        id=f"p{number:05}",
        version="1.0.0",
        path=Path(f"p{number:05}.py"),
        dependencies=tuple(
            PluginDependency(plugin_id=f"p{other:05}", version_req=ANY, optional=optional)
            for other, optional in needs
        ),
    )
