"""Which names are of no interest to anybody who watches plugins."""

from __future__ import annotations

from nebula_lab.model.ignored import is_ignored

__all__ = ["is_passing", "may_describe"]

# What editors and tools write beside a file while they save it. Hidden names and `x~` are never
# a part of a plugin anyway. vim tries with 4913 whether it may create files.
_SUFFIXES = (
    "___jb_tmp___",
    "___jb_old___",
    "___jb_bak___",
    ".swp",
    ".swo",
    ".swx",
    ".tmp",
    ".temp",
    ".part",
    ".crswap",
    ".pyc",
    ".pyo",
)
_NAMES = frozenset({"4913", "5036"})
_DESCRIBING = (".py", ".ipynb", ".wasm", ".toml", ".json", ".yaml", ".yml")


def is_passing(name: str) -> bool:
    """Whether a file or folder of that name comes and goes as others are edited or run."""
    return (
        is_ignored(name)
        or name in _NAMES
        or name.endswith(_SUFFIXES)
        or (name.startswith("#") and name.endswith("#"))
    )


def may_describe(name: str) -> bool:
    """Whether a name may be that of a plugin, of its manifest or of a folder with one."""
    return name.endswith(_DESCRIBING) or "." not in name
