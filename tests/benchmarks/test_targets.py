"""What is aimed at, and what is said of it."""

from __future__ import annotations

import pytest

from benchmarks.catalogue import TOPICS
from benchmarks.spread import Spread
from benchmarks.targets import TARGETS, Bound, Outcome, Target, outcomes

MOST = Target("calls.some", "some", Bound.AT_MOST, 2.0)
LEAST = Target("calls.other", "other", Bound.AT_LEAST, 2.0)


@pytest.mark.parametrize(
    ("target", "median", "verdict"),
    [
        (MOST, 1.9, "met"),
        (MOST, 2.0, "met"),
        (MOST, 2.1, "not met"),
        (LEAST, 2.1, "met"),
        (LEAST, 2.0, "met"),
        (LEAST, 1.9, "not met"),
    ],
)
def test_the_median_decides_on_the_right_side_of_the_limit(target, median, verdict):
    assert Outcome(target, Spread(0.1, median, 99, 3)).verdict == verdict


def test_what_did_not_run_is_not_measured():
    assert {one.verdict for one in outcomes({})} == {"not measured"}


def test_a_measurement_for_no_target_is_refused():
    with pytest.raises(ValueError, match=r"calls\.typo"):
        outcomes({"calls.typo": Spread.of([1])})


def test_each_target_belongs_to_a_topic_and_is_named_once():
    assert {target.topic for target in TARGETS} == set(TOPICS)
    assert len({target.key for target in TARGETS}) == len(TARGETS)
