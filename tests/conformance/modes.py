"""The sandboxes, and what each of them cannot do, with the words that say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Mode:
    """A sandbox.

    Attributes:
        name: as in a test's id.
        setting: for `security.sandbox`.
        isolates: what a plugin does there can't hurt its manager.
        cannot: what it can't do, by the names that `docs/sandboxes.md` has for it; with a regular
            expression that the error's text matches.
    """

    name: str
    setting: Any
    isolates: bool = True
    cannot: Mapping[str, str] = field(default_factory=dict)


MODES = (
    Mode("None", "None", isolates=False),
    Mode("Process", "Process"),
)
ISOLATING = tuple(mode for mode in MODES if mode.isolates)
