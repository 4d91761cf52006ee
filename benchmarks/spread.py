"""Medians and quartiles, of figures and of ratios."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Rounds = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Spread:
    """A median and the quartiles around it.

    Attributes:
        low: a quarter of the values are below it.
        median: half of the values are below it.
        high: a quarter of the values are above it.
        count: how many values there were.
    """

    low: float
    median: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """The spread of one value or more.

        Raises:
            ValueError: there is none.
        """
        ordered = sorted(values)
        if not ordered:
            raise ValueError("a spread needs one value at least")
        low, median, high = (quantile(ordered, share) for share in (0.25, 0.5, 0.75))
        return cls(low, median, high, len(ordered))

    def times(self, factor: float) -> Spread:
        """The same in another unit."""
        return Spread(self.low * factor, self.median * factor, self.high * factor, self.count)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which a share of the values lies, with linear interpolation."""
    if share == 0.5:
        return statistics.median(values)
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below, above = math.floor(place), math.ceil(place)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def of_rounds(rounds: Rounds, share: float = 0.5) -> Spread:
    """The spread of a quantile over the rounds: the median of each round without `share`."""
    return Spread.of(quantile(samples, share) for samples in rounds)


def ratio(ours: Rounds, theirs: Rounds, share: float = 0.5) -> Spread:
    """The spread of the ratios, one from each round: quantile of ours to quantile of theirs.

    A ratio of medians over all rounds would mix fast minutes of the one with slow minutes of the
    other.

    Raises:
        ValueError: they have not the same rounds.
    """
    return Spread.of(
        quantile(mine, share) / quantile(other, share)
        for mine, other in zip(ours, theirs, strict=True)
    )
