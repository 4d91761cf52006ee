"""The configuration of a manager."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationError

from nebula_lab.errors import ConfigError, nearest_names
from nebula_lab.model.complaints import Location
from nebula_lab.model.descriptor import PluginId, SourceLocation
from nebula_lab.model.discovery_strategy import Discovery, FileSystem, Registry
from nebula_lab.model.documents import Document, read_document
from nebula_lab.model.frozen import Count, Flag, FrozenModel
from nebula_lab.model.loading import Loading, LoadingStrategy
from nebula_lab.model.python_config import PythonConfig
from nebula_lab.model.quantities import ByteCount, Seconds
from nebula_lab.model.requirement import VersionReq
from nebula_lab.model.security import SecurityConfig

__all__ = ["RestartPolicy", "CheckpointPolicy", "ZygoteConfig", "PluginConfig", "LOCK_NAME"]

LOCK_NAME = "nebula.lock"
_RESOURCE_TYPE = "plugin_manager"
_WRAPPER_KEYS = ("type", "config")


class RestartPolicy(FrozenModel):
    """How often a crashed plugin is started again, and how soon.

    Attributes:
        max_restarts: so many restarts in `window`; after that it is Failed.
        window: seconds.
        backoff: seconds before the second restart in `window`, twice as many before the third, and
            so on, each with half of it left to chance. The first comes at once.
        max_backoff: the most of these seconds.
    """

    max_restarts: Annotated[int, Field(strict=True, ge=0)] = 5
    window: Annotated[Seconds, Field(gt=0)] = 60.0
    backoff: Seconds = 0.2
    max_backoff: Seconds = 10.0


class CheckpointPolicy(FrozenModel):
    """How much a plugin may lose when its process dies: what happened since the last checkpoint.

    A checkpoint is what `save_state` gives, kept by the manager. It is taken between two calls.

    Attributes:
        interval: seconds; None takes none for their sake.
        calls: so many calls; None takes none for their sake.
    """

    interval: Annotated[Seconds, Field(ge=0.05)] | None = 10.0
    calls: Annotated[int, Field(strict=True, ge=1)] | None = None


def _require_module_name(name: str) -> str:
    if not all(part.isidentifier() for part in name.split(".")):
        raise ValueError(f"{name!r} is not the name of a module, such as numpy.linalg")
    return name


_ModuleName = Annotated[
    str, Field(strict=True, max_length=200), AfterValidator(_require_module_name)
]


class ZygoteConfig(FrozenModel):
    """How the processes of plugins are started.

    Attributes:
        enabled: fork them from a process that has imported what they need; else each starts anew.
        preload: modules that this process imports too, so that plugins have them at once. Such a
            module must start no threads when it is imported.
        spares: processes that are kept ready for the next plugins to load. Without a number, one
            in a notebook and none elsewhere.
    """

    enabled: Flag = True
    preload: tuple[_ModuleName, ...] = ("numpy",)
    spares: Annotated[int, Field(strict=True, ge=0, le=64)] | None = None


class PluginConfig(FrozenModel):
    """Everything that a manager can be told.

    Attributes:
        plugin_dir: the folder that FileSystem discovery searches.
        hot_reload: watch the files of plugins, and reload one when they change. It begins when the
            first plugin has been loaded.
        global_config: plugin id to what the plugin's `initialize` gets.
        timeout: seconds that a call has, unless the call says otherwise.
        memory_limit: bytes per plugin; see `effective_memory_limit`.
        queue_size: calls that may wait for one plugin.
        grace: seconds that a plugin has to end by itself before it is killed.
        checkpoint: when the state of plugins is kept, for them to go on from after a crash.
        idle_timeout: seconds without a call after which a plugin is suspended; None for never.
        memory_budget: bytes that all plugins together may use before those that were called least
            recently are suspended; None for no such limit.
        zygote: how the processes of plugins are started.
        python: what the environments of plugins may be made of.
        registries: where plugins are installed from; the first that has one is asked for it.
        pins: plugin id to the versions of it that may be chosen, such as `=1.2.0`.
        choosing_timeout: seconds of processor time that choosing among versions may take.
        lock: what `nebula.lock` is for: "prefer" chooses its versions where they fit, "locked"
            allows nothing else, "ignore" does not read it.
        lock_file: where it is; without, see `lock_path`.
    """

    plugin_dir: Path | None = None
    hot_reload: Flag = True
    discovery: Discovery = FileSystem.by_default()
    security: SecurityConfig = SecurityConfig.by_default()
    loading: Loading = LoadingStrategy.LAZY
    global_config: dict[str, Any] = Field(default_factory=dict)
    timeout: Annotated[Seconds, Field(gt=0)] = 30.0
    memory_limit: Annotated[ByteCount, Field(gt=0)] = 2**30
    restart: RestartPolicy = RestartPolicy.by_default()
    checkpoint: CheckpointPolicy = CheckpointPolicy.by_default()
    idle_timeout: Annotated[Seconds, Field(gt=0)] | None = None
    memory_budget: Annotated[ByteCount, Field(gt=0)] | None = None
    queue_size: Count = 1000
    grace: Seconds = 2.0
    zygote: ZygoteConfig = ZygoteConfig.by_default()
    python: PythonConfig = PythonConfig.by_default()
    registries: tuple[Registry, ...] = ()
    pins: Mapping[PluginId, VersionReq] = Field(default_factory=dict)
    choosing_timeout: Annotated[Seconds, Field(gt=0)] = 30.0
    lock: Literal["prefer", "locked", "ignore"] = "prefer"
    lock_file: Path | None = None

    @property
    def lock_path(self) -> Path | None:
        """Where the lock file is: `lock_file`, else beside the document, or the plugin folder."""
        if self.lock_file is not None:
            return self.lock_file
        if self.document is not None:
            return self.document.with_name(LOCK_NAME)
        if self.plugin_dir is not None:
            return self.plugin_dir.expanduser().absolute().parent / LOCK_NAME
        return None

    @cached_property
    def document(self) -> Path | None:
        """The file that it was read from, which is no part of its value; None without one."""
        return None

    @property
    def effective_memory_limit(self) -> int:
        """Bytes that a plugin may use: the smaller of the two limits that can be set."""
        return min(self.memory_limit, self.security.resource_limits.max_memory)

    @classmethod
    def from_file(cls, path: str | Path) -> Self:
        """Read a configuration from a `.yaml`, `.yml`, `.toml` or `.json` file.

        The document is the configuration itself, or has it under `config` beside
        `type: plugin_manager`. Relative paths in it are taken from the document's folder.

        Raises:
            ConfigError: the file can't be read, or something in it is wrong; with file and line,
                and the nearest known key for one that is unknown.
        """
        document = read_document(path)
        within = _configuration_in(document)
        inner = document.data["config"] if within else document.data
        try:
            config = cls.model_validate(inner)
        except ValidationError as error:
            raise document.refusal(error, within=within) from None

        def place(location: Location) -> SourceLocation:
            line = document.line_of((*within, "discovery", *location))
            return SourceLocation(document.path, line)

        located = config.model_copy(update={"discovery": config.discovery.located(place)})
        moved = located.relative_to(document.path.absolute().parent)
        vars(moved)["document"] = document.path.absolute()
        return moved

    def relative_to(self, folder: Path) -> Self:
        """The same configuration, with relative paths taken from `folder` and `~` from home."""
        moved: dict[str, Any] = {
            "discovery": self.discovery.relative_to(folder),
            "security": self.security.relative_to(folder),
            "registries": tuple(one.relative_to(folder) for one in self.registries),
        }
        if self.lock_file is not None:
            moved["lock_file"] = folder / self.lock_file.expanduser()
        if self.plugin_dir is not None:
            moved["plugin_dir"] = folder / self.plugin_dir.expanduser()
        return self.model_copy(update=moved)


def _configuration_in(document: Document) -> Location:
    """Where in the document the configuration is: at the top, or under `config`."""
    data = document.data
    if not isinstance(data, Mapping):
        raise ConfigError(
            f"expected a table of settings, found a {type(data).__name__}",
            path=document.path,
            line=1,
            hint="Write `key: value` lines, such as `plugin_dir: plugins`.",
        )
    if not any(key in data for key in _WRAPPER_KEYS):
        return ()
    for key in data:
        if key not in _WRAPPER_KEYS:
            raise _misplaced(document, str(key))
    if data.get("type", _RESOURCE_TYPE) != _RESOURCE_TYPE:
        raise ConfigError(
            f"type: {data['type']!r} is not a type of resource",
            path=document.path,
            line=document.line_of(("type",)),
            hint=f"Write `type: {_RESOURCE_TYPE}`.",
        )
    if "config" not in data:
        raise ConfigError(
            "there is a `type` but no `config`",
            path=document.path,
            line=document.line_of(("type",)),
            hint="Put the settings under `config:`.",
        )
    return ("config",)


def _misplaced(document: Document, key: str) -> ConfigError:
    nearest = nearest_names(key, _WRAPPER_KEYS, count=1)
    return ConfigError(
        f"unknown key {key!r} beside `type` and `config`",
        path=document.path,
        line=document.line_of((key,)),
        hint=f"Did you mean {nearest[0]!r}?"
        if nearest
        else "Settings of the manager go under `config`.",
    )
