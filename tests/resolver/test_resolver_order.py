"""Load order and generations."""

from __future__ import annotations

from itertools import permutations

import pytest

from nebula_lab.errors import NotFoundError
from nebula_lab.resolver import PluginRegistry, Resolution

ORDERS = [
    ([], [], []),
    (["a"], ["a"], [["a"]]),
    (["a: b", "b"], ["b", "a"], [["b"], ["a"]]),
    (["c", "b", "a"], ["a", "b", "c"], [["a", "b", "c"]]),
    (["a: b; c", "b: d", "c: d", "d"], ["d", "b", "c", "a"], [["d"], ["b", "c"], ["a"]]),
    (["a: z", "m", "z"], ["m", "z", "a"], [["m", "z"], ["a"]]),
    (["a: b?", "b"], ["b", "a"], [["b"], ["a"]]),
    (["a: b; b ^1.0", "b"], ["b", "a"], [["b"], ["a"]]),
    (["a: b?; b", "b"], ["b", "a"], [["b"], ["a"]]),
]


@pytest.mark.parametrize(("plugins", "order", "generations"), ORDERS)
def test_dependencies_come_first_and_ties_go_by_id(resolve, plugins, order, generations):
    resolution = resolve(*plugins)
    assert list(resolution.load_order) == order
    assert [list(group) for group in resolution.generations] == generations
    assert resolution.problems == resolution.notes == ()


def test_the_order_does_not_depend_on_registration(resolve):
    plugins = ["a: b; c?", "b: d", "c: d", "d", "e: a?"]
    assert len({resolve(*shuffled) for shuffled in permutations(plugins)}) == 1


def _with_priority(descriptor, text, priority):
    return descriptor(text, metadata={"tags": ["database", f"priority:{priority}"]})


def test_among_free_plugins_the_higher_priority_goes_first(resolve, descriptor):
    low, high = _with_priority(descriptor, "a", 5), _with_priority(descriptor, "z", 10)
    assert resolve(low, "m", high).load_order == ("z", "a", "m")


def test_priority_does_not_overtake_a_dependency(resolve, descriptor):
    resolution = resolve(_with_priority(descriptor, "a: z", 99), "m", "z")
    assert resolution.load_order == ("m", "z", "a")


def test_a_generation_is_sorted_by_priority_and_id(resolve, descriptor):
    resolution = resolve("a", "b", _with_priority(descriptor, "c", 1))
    assert resolution.generations == (("c", "a", "b"),)


def test_a_resolution_says_what_each_plugin_is_loaded_with(resolve):
    resolution = resolve("a: b; c?; gone?", "b", "c")
    assert resolution.dependencies == {"a": ("b", "c"), "b": (), "c": ()}
    assert resolution.optional == {("a", "c")}


DIAMOND = ["app: left; right", "left: base", "right: base", "base", "extra: base?"]


def test_dependents_come_in_the_order_to_unload_them(registry):
    assert registry(*DIAMOND).dependents("base") == ("app", "right", "left", "extra")


def test_dependents_can_leave_out_optional_ones(resolve):
    dependents = resolve(*DIAMOND).dependents("base", include_optional=False)
    assert dependents == ("app", "right", "left")


def test_prerequisites_come_in_the_order_to_load_them(resolve):
    assert resolve(*DIAMOND).prerequisites("app") == ("base", "left", "right")


def test_an_excluded_plugin_has_no_dependents(resolve):
    assert resolve("a: b", "b: gone").dependents("b") == ()


def test_an_unknown_plugin_is_named_with_the_nearest(registry):
    with pytest.raises(NotFoundError, match="Did you mean base"):
        registry(*DIAMOND).dependents("bsae")


def test_a_resolution_without_plugins_is_empty():
    assert PluginRegistry().resolve_dependencies() == Resolution()
