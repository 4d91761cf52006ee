"""What is measured: a contender is opened once, and then takes its turn in every round."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

Run = Callable[[], Any]


def _ignore(result: Any) -> None:
    pass


@dataclass(frozen=True)
class Work:
    """What a contender does, where more is to be said than a function can say.

    Attributes:
        run: is timed.
        settle: is given what `run` returned, and puts everything back; it is not timed.
        is_sample: `run` measures by itself, and what it returns is the sample.
    """

    run: Run
    settle: Callable[[Any], None] = _ignore
    is_sample: bool = False


@dataclass(frozen=True)
class Contender:
    """One way of doing what a topic is about.

    Attributes:
        name: as tables show it.
        opened: a function on the top level of a module; it gives a context manager that yields
            the `Work`, or just the function to be timed. It runs in a process of its own.
        arguments: for `opened`; whatever JSON can carry.
        batch: samples in each turn.
        package: must be importable; the `bench` extra installs it. Empty where the project itself
            needs it.
    """

    name: str
    opened: Callable[..., AbstractContextManager[Work | Run]]
    arguments: tuple[Any, ...] = ()
    batch: int = 1
    package: str = ""

    @property
    def reference(self) -> str:
        """Where another process finds `opened`."""
        return f"{self.opened.__module__}:{self.opened.__qualname__}"
