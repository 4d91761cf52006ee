"""Choosing among versions, against a look at each of them.

A round chooses among twenty versions of each plugin, of a universe that it has not seen and in
which the newest versions do not go together. There is no peer here: resolvelib, which pip uses,
finds no end in some of these universes, and no choice in others that have one (ADR 8).
"""

from __future__ import annotations

import contextlib
import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from benchmarks.contender import Contender, Work
from benchmarks.result import Plan, Result, Table, Topic, timing_table
from benchmarks.rounds import Samples
from benchmarks.spread import ratio
from nebula_lab.model.descriptor import PluginDependency
from nebula_lab.model.release import Release
from nebula_lab.model.requirement import VersionReq
from nebula_lab.model.version import Version
from nebula_lab.resolver.choosing import Want, choose

Universe = Mapping[str, Sequence[Release]]
SIZES, QUICK_SIZES = (200, 2_000), (20, 60)
VERSIONS, DEPENDENCIES = 20, 3
ROUNDS = 3
OURS, PLAIN = "**choose**", "newest of each, unchecked"


def make_universe(count: int, versions: int, seed: int) -> Universe:
    """Plugins that need three earlier ones each, about as new as they are themselves."""
    rng = random.Random(seed)
    requirements: dict[str, VersionReq] = {}
    return {
        f"plugin_{number:04}": _releases(number, versions, rng, requirements)
        for number in range(count)
    }


def _releases(
    number: int, versions: int, rng: random.Random, requirements: dict[str, VersionReq]
) -> list[Release]:
    needed = rng.sample(range(number), min(number, DEPENDENCIES))
    return [
        Release(
            id=f"plugin_{number:04}",
            version=Version(1 + place // 8, place % 8),
            dependencies=tuple(
                PluginDependency(
                    plugin_id=f"plugin_{other:04}",
                    version_req=_requirement(place, rng, requirements),
                )
                for other in needed
            ),
        )
        for place in range(versions)
    ]


def _requirement(place: int, rng: random.Random, requirements: dict[str, VersionReq]) -> VersionReq:
    oldest = max(0, place - rng.randint(0, VERSIONS))
    major, minor = 1 + oldest // 8, oldest % 8
    text = f"^{major}.{minor}" if rng.random() < 0.7 else f">=1.0, <{major}.{minor + 1}"
    if text not in requirements:
        requirements[text] = VersionReq.parse(text)
    return requirements[text]


def choose_all(universe: Universe) -> int:
    """How many plugins are had or left out: all."""
    wants = [Want(plugin_id, required=False) for plugin_id in universe]
    choice = choose(wants, universe.__getitem__)
    return len(choice.releases) + len(choice.left_out)


def newest_of_each(universe: Universe) -> int:
    """What the least would cost: look at every version, and take the newest."""
    newest = [max(one.version for one in releases) for releases in universe.values()]
    return len(newest)


CHOICES = {OURS: choose_all, PLAIN: newest_of_each}


@contextlib.contextmanager
def choosing(name: str, count: int) -> Iterator[Work]:
    """Choose among so many plugins, others in each turn."""
    seeds = itertools.count(1)
    waiting = [make_universe(count, VERSIONS, next(seeds))]

    def settle(found: Any) -> None:
        if found != count:
            raise ValueError(f"{found} plugins came of {count}")
        waiting.append(make_universe(count, VERSIONS, next(seeds)))

    yield Work(lambda: CHOICES[name](waiting.pop()), settle)


def contenders(plan: Plan) -> list[Contender]:
    return [
        Contender(_named(name, count), choosing, (name, count))
        for count in _sizes(plan)
        for name in CHOICES
    ]


def _sizes(plan: Plan) -> tuple[int, int]:
    return QUICK_SIZES if plan.quick else SIZES


def _named(name: str, count: int) -> str:
    return f"{name}, {count:,}"


def run(plan: Plan) -> Result:
    rounds = plan.amount(ROUNDS)
    samples = plan.take_turns(contenders(plan), rounds)
    small, large = (partial(_named, count=count) for count in _sizes(plan))
    tables = tuple(_table(samples, count, rounds) for count in _sizes(plan))
    measured = {"choosing.growth": ratio(samples[large(OURS)], samples[small(OURS)])}
    return Result(tables, measured)


def _table(samples: Samples, count: int, rounds: int) -> Table:
    of_size = {name: samples[_named(name, count)] for name in CHOICES}
    title = f"Milliseconds for {count:,} plugins of {VERSIONS} versions each, {rounds} rounds"
    return timing_table(title, of_size, "ms", {"× newest of each": PLAIN})


TOPIC = Topic("choosing", "Choosing among versions of 2,000 plugins", contenders, run)
