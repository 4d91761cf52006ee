"""Finding plugins and reading what they say of themselves, without ever running one."""

from __future__ import annotations

from nebula_lab.discovery.base import Discoverer, DiscoveryKind, DiscoveryResult
from nebula_lab.discovery.entry_points import EntryPointsDiscoverer
from nebula_lab.discovery.explicit import ExplicitDiscoverer
from nebula_lab.discovery.files import files_of
from nebula_lab.discovery.filesystem import FileSystemDiscoverer
from nebula_lab.discovery.manifest import ManifestDiscoverer
from nebula_lab.discovery.reading import read_descriptor, read_source_metadata
from nebula_lab.discovery.source import SourceMetadata

__all__ = [
    "Discoverer",
    "DiscoveryKind",
    "DiscoveryResult",
    "FileSystemDiscoverer",
    "ManifestDiscoverer",
    "ExplicitDiscoverer",
    "EntryPointsDiscoverer",
    "read_descriptor",
    "read_source_metadata",
    "SourceMetadata",
    "files_of",
]
