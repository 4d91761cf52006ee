"""Every error of nebula_lab, in one tree.

    PluginError                     (nebula_lab.plugin.errors, for authors too)
    ├── ConfigError                 a configuration document that does not say what it means
    ├── DiscoveryError              a place to look for plugins that can't be looked at
    ├── MetadataLoadError           a plugin whose description can't be read
    ├── InvalidVersionError         also a ValueError
    ├── InvalidRequirementError     also a ValueError
    ├── VersionConflictError        two versions of one plugin, or one that a dependent refuses
    │   └── NoVersionFitsError      no choice of versions with which everything fits
    ├── ChoosingTimeoutError        choosing versions took too long; also a TimeoutError
    ├── LockError                   a lock file that can't be read or written
    │   └── LockMismatchError       plugins that are not as they were locked
    ├── DependencyError             a dependency that is missing, unsuitable or broken
    │   └── DependencyCycleError
    ├── NotFoundError               no such plugin
    │   ├── OperationNotFoundError
    │   └── VersionNotFoundError    no such version of it to go back to
    ├── NothingToDebugError         no failed call is kept that a debugger could look at
    ├── StateTransitionError        a step that the life cycle does not have
    ├── DependentsLoadedError       unloading would pull the floor from under others
    ├── LoadFailedError             the plugin's own code did not come up
    │   ├── SymbolNotFoundError     no `plugin_entry` in it
    │   └── EnvironmentFailedError  the Python environment that it asks for can't be had
    ├── InvalidParamsError          params that do not fit the operation's schema; also a ValueError
    ├── UnsupportedValueError       a value that does not cross a sandbox; also a TypeError
    ├── ExecutionFailedError        the operation raised
    │   ├── PluginTimeoutError      also a TimeoutError
    │   ├── LimitExceededError      the plugin wanted more than it may use
    │   ├── PluginCrashedError
    │   ├── CallCycleError          a call between plugins that came back round
    │   ├── QueueFullError
    │   └── CallCancelledError
    ├── StoreError                  a plugin's files that can't be kept, or be had back intact
    │   └── UnfinishedChangeError   a change that has happened, and is not in its place yet
    ├── SignatureError              a signature that does not vouch for what it should
    │   └── SshKeyError             a private key or an agent that can't sign
    ├── RegistryError               a registry that can't be asked, or answers what is no use
    │   ├── RegistryDownError       it does not answer, or not in time
    │   ├── RegistryRefusedError    it wants another secret, or none that there is
    │   ├── RegistryAnswerError     it answers what no registry should
    │   ├── ArchiveError            files that are not what was promised, or are a trap
    │   ├── RegistryTrustError      it says what nobody vouches for, or takes back its word
    │   └── PublishingError         it does not take a version, or a change
    ├── InstallError                a plugin that was not installed; what was there is as it was
    │   ├── EditedFilesError        somebody has changed the files that would be replaced
    │   ├── NeededByOthersError     others need what would be removed
    │   └── UnfinishedInstallError  it has been decided, and not every file is in its place yet
    ├── ContainerRuntimeError       a program that runs containers, and does not
    │   └── ImageError              what containers are made of can't be had
    ├── WatcherFailedError
    ├── MissingLibraryError         a package that only this needs is not here; also an ImportError
    └── ManagerClosedError

Errors carry the objects that they speak of and build their text from them.
"""

from __future__ import annotations

from nebula_lab.errors.calls import (
    CallCancelledError,
    CallCycleError,
    ExecutionFailedError,
    InvalidParamsError,
    LimitExceededError,
    PluginCrashedError,
    PluginTimeoutError,
    QueueFullError,
    UnsupportedValueError,
)
from nebula_lab.errors.containers import (
    ContainerRuntimeError,
    ImageError,
)
from nebula_lab.errors.finding import (
    ConfigError,
    DependencyCycleError,
    DependencyError,
    DiscoveryError,
    ManagerClosedError,
    MetadataLoadError,
    MissingLibraryError,
    NotFoundError,
    NothingToDebugError,
    OperationNotFoundError,
    VersionNotFoundError,
    WatcherFailedError,
)
from nebula_lab.errors.loading import (
    DependentsLoadedError,
    EnvironmentFailedError,
    LoadFailedError,
    StateTransitionError,
    SymbolNotFoundError,
)
from nebula_lab.errors.registries import (
    ArchiveError,
    EditedFilesError,
    InstallError,
    NeededByOthersError,
    PublishingError,
    RegistryAnswerError,
    RegistryDownError,
    RegistryError,
    RegistryRefusedError,
    RegistryTrustError,
    UnfinishedInstallError,
)
from nebula_lab.errors.remote import (
    remote_tracebacks,
)
from nebula_lab.errors.stored import (
    SignatureError,
    SshKeyError,
    StoreError,
    UnfinishedChangeError,
)
from nebula_lab.errors.versions import (
    ChoosingTimeoutError,
    InvalidRequirementError,
    InvalidVersionError,
    LockError,
    LockMismatchError,
    NoVersionFitsError,
    VersionConflictError,
)
from nebula_lab.plugin.errors import PluginError
from nebula_lab.plugin.nearest import nearest_names
from nebula_lab.reports.exit_report import ExitReport

__all__ = [
    "PluginError",
    "ConfigError",
    "DiscoveryError",
    "MetadataLoadError",
    "InvalidVersionError",
    "InvalidRequirementError",
    "VersionConflictError",
    "NoVersionFitsError",
    "ChoosingTimeoutError",
    "LockError",
    "LockMismatchError",
    "DependencyError",
    "DependencyCycleError",
    "NotFoundError",
    "OperationNotFoundError",
    "VersionNotFoundError",
    "NothingToDebugError",
    "StateTransitionError",
    "DependentsLoadedError",
    "LoadFailedError",
    "SymbolNotFoundError",
    "EnvironmentFailedError",
    "InvalidParamsError",
    "UnsupportedValueError",
    "ExecutionFailedError",
    "PluginTimeoutError",
    "LimitExceededError",
    "PluginCrashedError",
    "CallCycleError",
    "QueueFullError",
    "CallCancelledError",
    "StoreError",
    "UnfinishedChangeError",
    "SignatureError",
    "SshKeyError",
    "RegistryError",
    "RegistryDownError",
    "RegistryRefusedError",
    "RegistryAnswerError",
    "ArchiveError",
    "RegistryTrustError",
    "PublishingError",
    "InstallError",
    "EditedFilesError",
    "ContainerRuntimeError",
    "ImageError",
    "NeededByOthersError",
    "UnfinishedInstallError",
    "WatcherFailedError",
    "MissingLibraryError",
    "ManagerClosedError",
    "ExitReport",
    "nearest_names",
    "remote_tracebacks",
]
