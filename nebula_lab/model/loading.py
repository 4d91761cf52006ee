"""When plugins are loaded."""

from __future__ import annotations

from enum import Enum, nonmember
from typing import Annotated, Literal

from pydantic import Field

from nebula_lab.model.frozen import FrozenModel
from nebula_lab.model.variants import OneOf

__all__ = ["Priority", "LoadingStrategy", "Loading"]


class Priority(FrozenModel):
    """Load every plugin whose priority is at least `threshold`, and what they depend on."""

    type: Literal["Priority"] = Field(default="Priority", repr=False)
    threshold: Annotated[int, Field(strict=True, ge=0)]

    @property
    def value(self) -> str:
        """The seed's word for it, as an enum member has."""
        return self.type


class LoadingStrategy(Enum):
    """When plugins are loaded: all at start, on first use, or some of them at start.

    A setting is EAGER, LAZY or a `Priority(threshold=…)`; all have a `value`. PRIORITY names the
    third kind and is no setting of its own, since it lacks the threshold.
    """

    EAGER = "Eager"
    LAZY = "Lazy"
    PRIORITY = "Priority"

    Priority = nonmember(Priority)


Loading = Annotated[
    LoadingStrategy | Priority,
    OneOf(
        "loading strategy",
        {"Eager": LoadingStrategy.EAGER, "Lazy": LoadingStrategy.LAZY, "Priority": Priority},
    ),
]
