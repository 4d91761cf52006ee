"""The files of one version as one file: how it is made, and how one of a stranger's is opened."""

from __future__ import annotations

from nebula_lab.registry.archives.opening import ARCHIVE_LIMIT, open_archive
from nebula_lab.registry.archives.packing import pack

__all__ = ["ARCHIVE_LIMIT", "open_archive", "pack"]
