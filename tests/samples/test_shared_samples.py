"""The samples that others depend on: base_resource and logger; and the bare greeter."""

from __future__ import annotations

import pytest

from nebula_lab.plugin import DynamicResource, HealthState, HealthStatus, Plugin, PluginError


@pytest.fixture
def store(house):
    house.load("base_resource", capacity=2)
    house.call("base_resource", "put", key="a/one", value=[1])
    house.call("base_resource", "put", key="b/two", value=None)
    return house


def test_what_was_put_can_be_got(store):
    assert store.call("base_resource", "get", key="a/one") == [1]


def test_a_value_that_is_none_is_not_the_default(store):
    assert store.call("base_resource", "get", key="b/two", default=5) is None


def test_a_key_that_was_never_put_gives_the_default(store):
    assert store.call("base_resource", "get", key="c", default=5) == 5


def test_a_removed_key_is_gone(store):
    assert [store.call("base_resource", "remove", key="a/one") for _ in range(2)] == [True, False]


def test_keys_can_be_asked_for_by_their_beginning(store):
    assert store.call("base_resource", "keys", prefix="a/") == ["a/one"]


def test_the_store_says_who_has_entries_in_it(store):
    summary = {"entries": 2, "capacity": 2, "owners": ["a", "b"]}
    assert store.call("base_resource", "describe") == summary


def test_a_full_store_refuses_another_key(store):
    with pytest.raises(PluginError, match="full: 2 entries"):
        store.call("base_resource", "put", key="c", value=1)


def test_a_full_store_still_takes_a_new_value_for_an_old_key(store):
    store.call("base_resource", "put", key="a/one", value=2)
    assert store.call("base_resource", "get", key="a/one") == 2


def test_the_store_keeps_its_values_over_a_reload(store):
    store.move("base_resource")
    assert store.call("base_resource", "get", key="a/one") == [1]


@pytest.fixture
def log(house):
    house.load("logger", capacity=3)
    for number, level in enumerate(["debug", "info", "warning"], 1):
        house.call("logger", "write", message=f"line {number}", level=level, source="test")
    return house


def messages(house, **params) -> list[str]:
    return [line["message"] for line in house.call("logger", "tail", **params)]


def test_the_log_gives_its_newest_lines_oldest_first(log):
    assert messages(log, count=2) == ["line 2", "line 3"]


def test_lines_below_a_level_can_be_left_out(log):
    assert messages(log, level="info") == ["line 2", "line 3"]


def test_lines_can_be_asked_for_by_their_source(log):
    log.call("logger", "write", message="other", source="someone else")
    assert messages(log, source="someone else") == ["other"]


def test_only_warnings_and_worse_go_to_the_manager(log):
    assert log.log == [("warning", "test: line 3")]


def test_lines_are_counted_by_level(log):
    assert log.call("logger", "counts") == {"debug": 1, "info": 1, "warning": 1}


def test_a_log_that_dropped_lines_is_degraded(log):
    assert log.health("logger") == HealthStatus.HEALTHY
    log.call("logger", "write", message="one too many")
    status = log.health("logger")
    assert (status.state, status.message) == (
        HealthState.DEGRADED,
        "the oldest 1 lines have been dropped",
    )


def test_the_log_keeps_its_lines_and_times_over_a_reload(log):
    before = log.call("logger", "tail")
    log.move("logger", capacity=3)
    assert log.call("logger", "tail") == before


def test_the_bare_greeter_greets(house):
    house.load("greeter")
    assert house.call("greeter", "greet", input="hello") == {"output": "hello world"}


def test_the_bare_greeter_says_which_operation_there_is(house):
    house.load("greeter")
    with pytest.raises(PluginError, match="There is greet"):
        house.call("greeter", "shout")


def test_the_bare_greeter_is_a_resource_and_no_plugin_by_class(house):
    house.load("greeter")
    resource = house.resource("greeter")
    assert isinstance(resource, DynamicResource)
    assert not isinstance(resource, Plugin)
