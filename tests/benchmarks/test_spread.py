"""The arithmetic of rounds, on samples made up for it."""

from __future__ import annotations

import pytest

from benchmarks.spread import Spread, of_rounds, quantile, ratio


def test_a_spread_is_the_median_and_the_quartiles():
    assert Spread.of([4, 1, 3, 2, 5]) == Spread(2, 3, 4, 5)


def test_quartiles_are_interpolated():
    assert Spread.of([1, 2, 3, 4]) == Spread(1.75, 2.5, 3.25, 4)


def test_the_spread_of_one_value_is_that_value():
    assert Spread.of([7.0]) == Spread(7.0, 7.0, 7.0, 1)


def test_there_is_no_spread_of_nothing():
    with pytest.raises(ValueError, match="one value"):
        Spread.of([])


def test_a_quantile_is_interpolated_between_its_neighbours():
    hundred = list(range(101))
    assert quantile(hundred, 0.99) == 99
    assert quantile([10, 20], 0.25) == 12.5


def test_a_round_counts_by_its_median():
    assert of_rounds([[1, 2, 90], [4, 5, 60]]) == Spread(2.75, 3.5, 4.25, 2)


def test_a_ratio_is_taken_within_each_round():
    # The machine was ten times slower in the second round. Medians over everything would be no
    # help: (2 + 20) / 2 to (1 + 40) / 2 is 0.54, and neither round saw such a ratio.
    ours, theirs = [[2, 2, 2], [20, 20, 20]], [[1, 1, 1], [40, 40, 40]]
    assert ratio(ours, theirs) == Spread(0.875, 1.25, 1.625, 2)


def test_a_slow_minute_that_all_share_leaves_the_ratio_alone():
    ours = [[3.0 * slowness] for slowness in (1, 7, 2)]
    theirs = [[1.5 * slowness] for slowness in (1, 7, 2)]
    assert ratio(ours, theirs) == Spread(2, 2, 2, 3)


def test_a_ratio_can_be_of_another_quantile_than_the_median():
    ours, theirs = [[1] * 99 + [50, 50]], [[1] * 99 + [25, 25]]
    assert ratio(ours, theirs).median == 1
    assert ratio(ours, theirs, 0.99).median == 2


def test_rounds_that_are_not_the_same_have_no_ratio():
    with pytest.raises(ValueError, match="shorter"):
        ratio([[1], [2]], [[1]])


def test_another_unit_leaves_the_count():
    assert Spread(1, 2, 3, 4).times(1000) == Spread(1000, 2000, 3000, 4)
