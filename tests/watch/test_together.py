"""A base and its dependent that are saved together, as by a checkout."""

from __future__ import annotations

import pytest

from nebula_lab.model.events import PluginReloaded, ReloadFailed, SavedChange


@pytest.fixture
def plugins(live):
    """A base of 1.0.0 and a plugin that asks for `^1`, both loaded and watched."""
    live.write("one")
    live.write("user", dependencies=["one ^1"])
    plugins = live.open()
    assert plugins["one"].up() == plugins["user"].up() == [1, 1]
    return live.watch()


def write_one(live, **how) -> None:
    live.write("one", 2, version="2.0.0", **how)


def write_user(live, **how) -> None:
    live.write("user", 2, version="2.0.0", dependencies=["one ^2"], **how)


ORDERS = [(write_one, write_user), (write_user, write_one)]


@pytest.mark.parametrize("order", ORDERS, ids=["base first", "dependent first"])
def test_both_come_up_once_and_each_is_told(live, plugins, order):
    before = len(live.events)
    for write in order:
        write(live)
    for plugin_id in ("one", "user"):
        while live.wait_for(SavedChange, plugin_id, after=before).error is not None:
            before += 1  # it was seen before the other one had been written
    live.settle()
    assert plugins["one"].up() == plugins["user"].up() == [2, 2]
    assert live.count(PluginReloaded, "one") == live.count(PluginReloaded, "user") == 1


@pytest.mark.parametrize("order", ORDERS, ids=["base first", "dependent first"])
def test_both_come_up_if_the_second_is_saved_after_the_first_was_refused(live, plugins, order):
    refused, fitting = order
    assert live.saved("one" if refused is write_one else "user", refused, live).error
    before = len(live.events)
    fitting(live)
    for plugin_id in ("one", "user"):
        assert live.wait_for(SavedChange, plugin_id, after=before).error is None
    assert plugins["one"].up() == plugins["user"].up() == [2, 2]


def test_one_that_fails_keeps_both_until_it_is_mended(live, plugins):
    before = len(live.events)
    write_one(live)
    write_user(live, initialize="raise LookupError('no')")
    live.wait_for(ReloadFailed, "one", after=before)
    live.settle()
    assert plugins["one"].up() == plugins["user"].up() == [1, 2]
    before = len(live.events)
    write_user(live)
    for plugin_id in ("one", "user"):
        assert live.wait_for(SavedChange, plugin_id, after=before).error is None
    assert plugins["one"].up() == plugins["user"].up() == [2, 3]
