"""A plugin that counts, keeps its count, and says by which version of it that was done."""

from __future__ import annotations

_COUNTER = """
def initialize(self, config):
    self.count = 0
@operation
def up(self) -> list[int]:
    self.count += 1
    return [VERSION, self.count]
def save_state(self): return {"count": self.count}
def restore_state(self, state): self.count = state["count"]
"""


def counter(version: int, more: str = "") -> str:
    """The methods of one version of it, and more."""
    return _COUNTER.replace("VERSION", str(version)) + more
