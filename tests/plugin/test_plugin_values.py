"""The small values of the author's side."""

from __future__ import annotations

import copy
import pickle

import pytest

from nebula_lab.plugin import Bounds, HealthState, HealthStatus, ResourceMetadata

VALUES = [
    HealthStatus.HEALTHY,
    HealthStatus.degraded("slow"),
    ResourceMetadata("a", "A", "1.0.0", ["cache"]),
    Bounds(ge=1, max_length=3),
]


def test_healthy_has_its_state_and_no_message():
    assert (HealthStatus.HEALTHY.state, HealthStatus.HEALTHY.message) == (HealthState.HEALTHY, "")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (HealthStatus.degraded("slow"), HealthState.DEGRADED),
        (HealthStatus.unhealthy("slow"), HealthState.UNHEALTHY),
    ],
)
def test_a_status_that_is_not_healthy_has_its_message(status, state):
    assert (status.state, status.message, status.is_healthy) == (state, "slow", False)


def test_a_state_is_made_from_its_word():
    assert HealthStatus("Degraded", "slow") == HealthStatus.degraded("slow")


def test_an_unknown_state_is_a_value_error():
    with pytest.raises(ValueError, match="Sick"):
        HealthStatus("Sick")


def test_the_repr_of_a_status_is_how_to_write_it():
    assert repr(HealthStatus.degraded("slow")) == "HealthStatus.degraded('slow')"
    assert repr(HealthStatus.HEALTHY) == "HealthStatus.HEALTHY"


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_equals_its_copies_and_hashes_like_them(value):
    for twin in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert twin == value
        assert hash(twin) == hash(value)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_cannot_be_changed(value):
    field = value.__match_args__[0]
    with pytest.raises(AttributeError):
        setattr(value, field, None)
    with pytest.raises(AttributeError):
        delattr(value, field)


def test_values_of_different_content_differ():
    assert HealthStatus.degraded("a") != HealthStatus.degraded("b")
    assert HealthStatus.degraded("a") != HealthStatus.unhealthy("a")
    assert HealthStatus.HEALTHY != "Healthy"


def test_a_resource_without_a_name_is_called_by_its_id():
    assert ResourceMetadata("a").name == "a"


def test_a_status_can_be_matched_by_pattern():
    match HealthStatus.degraded("slow"):
        case HealthStatus(HealthState.DEGRADED, message):
            assert message == "slow"


@pytest.mark.parametrize(
    "bounds",
    [
        {"ge": "1"},
        {"le": float("nan")},
        {"gt": True},
        {"lt": float("inf")},
        {"min_length": -1},
        {"max_length": 1.5},
        {"multiple_of": 0},
    ],
    ids=str,
)
def test_a_bound_without_sense_is_a_value_error(bounds):
    with pytest.raises(ValueError, match=next(iter(bounds))):
        Bounds(**bounds)
