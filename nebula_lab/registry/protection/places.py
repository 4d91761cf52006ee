"""Where signed files are in a registry, relative to it."""

from __future__ import annotations

from pathlib import Path

from nebula_lab.registry.protection.roles import Role

__all__ = ["SIGNED", "is_protected", "metadata_path", "signed_copy"]

# Documents as they were signed; the name has the hash, so each state can be had as a whole.
SIGNED = "signed"


def metadata_path(role: Role, version: int) -> str:
    """Where a role's statement is, relative to the registry."""
    if role is Role.TIMESTAMP:
        return "metadata/timestamp.json"
    return f"metadata/{version}.{role}.json"


def signed_copy(path: str, sha256: str) -> str:
    """Where a document is as it was signed, relative to the registry."""
    folder, separator, name = path.rpartition("/")
    return f"{SIGNED}/{folder}{separator}{sha256}.{name}"


def is_protected(root: Path) -> bool:
    """Whether a registry's folder has signed metadata."""
    return (root / metadata_path(Role.ROOT, 1)).is_file()
