"""The values that the layers hand each other: frozen, validated, with no behaviour of their own."""

from __future__ import annotations

from nebula_lab.model.capability import PluginCapability
from nebula_lab.model.complaints import Complaint, complaints
from nebula_lab.model.config import CheckpointPolicy, PluginConfig, RestartPolicy, ZygoteConfig
from nebula_lab.model.descriptor import (
    PluginDependency,
    PluginDescriptor,
    PluginMetadata,
    SourceLocation,
)
from nebula_lab.model.discovery_strategy import (
    DiscoveryStrategy,
    EntryPoints,
    Explicit,
    FileSystem,
    Manifest,
    Registry,
)
from nebula_lab.model.documents import Document, read_document
from nebula_lab.model.info import PluginInfo
from nebula_lab.model.loading import LoadingStrategy, Priority
from nebula_lab.model.problem import Declaration, Problem, ProblemKind, Severity
from nebula_lab.model.python_needs import PythonNeeds
from nebula_lab.model.quantities import ByteCount, Seconds, parse_byte_count, parse_seconds
from nebula_lab.model.requirement import VersionReq
from nebula_lab.model.rights import AllowedPath, RequestedRights, RuntimeOptions
from nebula_lab.model.schema import CompiledSchema, SchemaViolation, compile_schema
from nebula_lab.model.security import Container, ResourceLimits, SandboxMode, SecurityConfig, Wasm
from nebula_lab.model.state import TRANSITIONS, PluginState, mermaid_diagram, next_state
from nebula_lab.model.version import Version

__all__ = [
    "PluginConfig",
    "RestartPolicy",
    "CheckpointPolicy",
    "ZygoteConfig",
    "DiscoveryStrategy",
    "FileSystem",
    "Manifest",
    "Registry",
    "Explicit",
    "EntryPoints",
    "LoadingStrategy",
    "Priority",
    "SecurityConfig",
    "SandboxMode",
    "Container",
    "Wasm",
    "PluginCapability",
    "ResourceLimits",
    "PluginDescriptor",
    "PluginDependency",
    "PluginMetadata",
    "RequestedRights",
    "AllowedPath",
    "RuntimeOptions",
    "PythonNeeds",
    "SourceLocation",
    "Version",
    "VersionReq",
    "PluginState",
    "TRANSITIONS",
    "next_state",
    "mermaid_diagram",
    "PluginInfo",
    "Problem",
    "ProblemKind",
    "Severity",
    "Declaration",
    "CompiledSchema",
    "SchemaViolation",
    "compile_schema",
    "Seconds",
    "ByteCount",
    "parse_seconds",
    "parse_byte_count",
    "Document",
    "read_document",
    "Complaint",
    "complaints",
]
