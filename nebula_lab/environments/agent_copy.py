"""Copies of as much of our package as enters a sandbox, for environments that do not have it.

Everything of ours that runs in a host is in the two lowest layers. An environment that a plugin
chose gets these alone: it can see nothing of the manager, and has no use for it.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from nebula_lab.environments.cache_layout import CacheLayout

__all__ = ["agent_folder", "agent_sources"]

_OURS = Path(__file__).parents[1]
_LAYERS = ("plugin", "wire", "link", "confine", "agent")
_MODULES = ("__init__.py", "_version.py")


def agent_folder(layout: CacheLayout) -> Path:
    """A folder with a copy of what is in this very package now; made if need be.

    Raises:
        OSError: it can't be written.
    """
    sources = agent_sources()
    digest = hashlib.sha256()
    for path, content in sources.items():
        digest.update(f"{path}\0{len(content)}\0".encode())
        digest.update(content)
    folder = layout.agents / digest.hexdigest()[:32]
    if not folder.is_dir():
        _write(sources, folder)
    return folder


def agent_sources() -> dict[Path, bytes]:
    """What is copied, by the paths in our package.

    Raises:
        OSError: it can't be read.
    """
    return {path.relative_to(_OURS): path.read_bytes() for path in _sources()}


def _sources() -> Iterator[Path]:
    yield from (_OURS / name for name in _MODULES)
    for layer in _LAYERS:
        yield from sorted((_OURS / layer).rglob("*.py"))


def _write(sources: dict[Path, bytes], folder: Path) -> None:
    """Write it under another name first, so that whatever has its own is whole."""
    folder.parent.mkdir(0o700, parents=True, exist_ok=True)
    new = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}")
    try:
        for path, content in sources.items():
            target = new / "nebula_lab" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        os.rename(new, folder)  # noqa: PTH104 - fails, unlike `replace` of files, where it is there
    except OSError:
        if not folder.is_dir():  # else another process was quicker
            raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
