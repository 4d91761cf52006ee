"""Fuel: how many instructions a call may take in a machine, for runs that come out the same."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from wasm_component import need_wasm

from nebula_lab import PluginConfig
from nebula_lab.errors import LimitExceededError, PluginTimeoutError
from nebula_lab.model import SandboxMode, Wasm

FUEL = 30_000_000
SECURITY = {
    "sandbox": {"Wasm": {"fuel": FUEL}},
    "sandboxes": {"large": {"type": "Wasm", "fuel": 2**62}},
}
METHODS = """
def initialize(self, config): self.calls = 0
@operation
def one(self): return 1
@operation
def count(self, steps: int):
    for step in range(steps): self.context.log(str(step))
@operation
def items(self):
    number = 0
    while True:
        yield number
        number += 1
@operation
def spin(self):
    while True: pass
@operation
def nap(self, seconds: float): time.sleep(seconds)
@operation
def remember(self):
    self.calls += 1
    return self.calls
"""


@pytest.fixture(scope="module")
def plugins(shared_workshop):
    need_wasm(has_fuel=True)
    for name in ("it", "twin", "large"):
        shared_workshop.plugin(name, METHODS)
    with shared_workshop.manager(security=SECURITY) as manager:
        yield manager


def _steps_until_it_is_used_up(plugins):
    """What it logged last: its host calls take no fuel, but all around them does."""
    with pytest.raises(LimitExceededError):
        plugins["it"].count(steps=10**9)
    return list(plugins.logs("it"))[-1].text


def test_a_call_that_takes_more_than_its_fuel_is_told_so(plugins):
    with pytest.raises(LimitExceededError, match="30,000,000 instructions") as caught:
        plugins["it"].spin()
    assert caught.value.limit == "fuel"


def test_the_plugin_goes_on_after_its_fuel_was_used_up(plugins):
    with pytest.raises(LimitExceededError):
        plugins["it"].spin()
    assert plugins["it"].one() == 1


def test_each_call_has_all_of_the_fuel(plugins):
    assert [plugins["twin"].remember() for _ in range(100)] == list(range(1, 101))


def test_the_same_call_ends_at_the_same_step(plugins, shared_workshop):
    with shared_workshop.manager(security=SECURITY) as others:
        found = []
        for manager in (plugins, others, plugins, others):
            manager.unload_plugin("it")
            manager.load_plugin("it")
            found.append(_steps_until_it_is_used_up(manager))
    assert len(set(found)) == 1


def test_the_items_of_a_stream_take_the_fuel_of_one_call(plugins):
    with pytest.raises(LimitExceededError):
        for _ in plugins["it"].items():
            pass


def test_to_sleep_takes_no_fuel(plugins):
    plugins["it"].nap(seconds=0.2)


def test_deadlines_hold_where_there_is_fuel_left(plugins):
    with pytest.raises(PluginTimeoutError):
        plugins.execute("large", "spin", {}, timeout=0.2)
    assert plugins["large"].one() == 1


def test_what_holds_is_shown(plugins):
    shown = {one.name: one for one in plugins.policy("it").measures}
    assert shown["fuel"].granted == "30,000,000 instructions a call"


@pytest.mark.parametrize("form", [{"type": "Wasm", "fuel": 5}, {"Wasm": {"fuel": 5}}])
def test_fuel_is_written_in_either_form(form):
    config = PluginConfig.model_validate({"plugin_dir": ".", "security": {"sandbox": form}})
    assert config.security.sandbox == Wasm(fuel=5)


@pytest.mark.parametrize("form", ["Wasm", {"type": "Wasm"}, {"Wasm": {}}, {"Wasm": None}])
def test_without_fuel_it_is_wasm_as_ever(form):
    config = PluginConfig.model_validate({"plugin_dir": ".", "security": {"sandbox": form}})
    assert config.security.sandbox is SandboxMode.WASM


@pytest.mark.parametrize("fuel", [0, -1, 1.5, "many", 2**63])
def test_fuel_that_is_none_is_refused(fuel):
    with pytest.raises(ValidationError):
        PluginConfig.model_validate(
            {"plugin_dir": ".", "security": {"sandbox": {"type": "Wasm", "fuel": fuel}}}
        )
