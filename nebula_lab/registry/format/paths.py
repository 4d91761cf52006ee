"""Where the files of a registry are, relative to its address."""

from __future__ import annotations

__all__ = ["INDEX", "archive_path", "plugin_path"]

INDEX = "index.json"


def plugin_path(plugin_id: str) -> str:
    """Of the document of a plugin; its id has no characters that an address would not take."""
    return f"plugins/{plugin_id}.json"


def archive_path(sha256: str) -> str:
    """Of the archive with that hash."""
    return f"archives/{sha256[:2]}/{sha256}.zip"
