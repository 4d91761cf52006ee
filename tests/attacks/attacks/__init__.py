"""Attacks, by theme. They run in a plugin and in a bare Python alike: the standard library only."""

from __future__ import annotations

from . import absent

absent.stand_in()

from . import (  # noqa: E402, F401 - importing a theme registers its attacks
    code,
    endings,
    kernel,
    leftovers,
    manager,
    memory,
    networks,
    processes,
    reading,
    writing,
)
from .attack import ATTACKS, Attack, attempt  # noqa: E402

absent.all_are_imported()

__all__ = ["ATTACKS", "Attack", "attempt"]
