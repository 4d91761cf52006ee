"""Which names are never a part of a plugin."""

from __future__ import annotations

__all__ = ["is_ignored"]


def is_ignored(name: str) -> bool:
    """Whether a file or folder of that name is never a part of a plugin.

    Hidden ones (checkpoints of notebooks and the lock files of editors are), caches of bytecode,
    and the copies that editors keep of what was there before.
    """
    return name.startswith(".") or name == "__pycache__" or name.endswith("~")
