"""The stages of building an environment, for whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

__all__ = ["NOBODY", "STAGES", "BuildWatcher", "Stage"]

STAGES = ("choosing packages", "making the environment", "installing", "compiling")


class Stage(Struct, frozen=True):
    """How far a build has come.

    Attributes:
        done: stages that are over.
        total: how many there are.
        text: what is being done now.
    """

    done: int
    total: int
    text: str


class BuildWatcher(Struct, frozen=True):
    """Whoever waits for a build.

    Attributes:
        tell: is told how far it has come.
        is_cancelled: asked from time to time whether it is not wanted any more.
    """

    tell: Callable[[Stage], object] = lambda stage: None
    is_cancelled: Callable[[], bool] = lambda: False

    def at(self, stage: str, detail: str = "") -> None:
        """Say that a stage has begun, or goes on with something."""
        done = STAGES.index(stage)
        self.tell(Stage(done, len(STAGES), f"{stage}: {detail}" if detail else stage))

    def finished(self) -> None:
        """Say that all is done."""
        self.tell(Stage(len(STAGES), len(STAGES), ""))


NOBODY = BuildWatcher()
