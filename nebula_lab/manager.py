"""`PluginManager`: everything that can be done with plugins, in one thread-safe object."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nebula_lab.errors import ConfigError
from nebula_lab.managing.calling import Calling
from nebula_lab.managing.installing import Installing
from nebula_lab.model import LoadingStrategy, PluginConfig
from nebula_lab.runtime.output import OutputSink, TextSink
from nebula_lab.runtime.record import SERVING


class PluginManager(Calling, Installing):
    """Finds plugins, loads them, calls them, reloads them, and ends them with itself.

    Args:
        config: a `PluginConfig`, or a mapping with the same keys.
        plugin_dir: the short form: a folder of plugins, with everything else as it is by default.
        output: shows what plugins print; plain text on this process's own output without.

    Raises:
        ConfigError: the configuration is wrong.
        DiscoveryError: the place to look for plugins is not there. A bad plugin in it is no
            reason not to start: see `problems`.
        LockError: `nebula.lock` can't be read; with `lock: locked`, also where plugins are not as
            it says.
    """

    def __init__(
        self,
        config: PluginConfig | Mapping[str, Any] | None = None,
        *,
        plugin_dir: str | os.PathLike[str] | None = None,
        output: OutputSink | None = None,
    ) -> None:
        super().__init__(_config_from(config, plugin_dir), output or TextSink())
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        for sentence in self.unenforced:
            warnings.warn(sentence, UnenforcedWarning, stacklevel=3)
        if self.config.loading is not LoadingStrategy.LAZY:
            self._engine.loader.load_at_start()

    @property
    def unenforced(self) -> tuple[str, ...]:
        """What is asked for and not enforced here, in sentences; with `strict`, none runs so."""
        if self.config.security.strict:
            return ()
        from nebula_lab.runtime.unenforced import unenforced

        return unenforced(map(self.policy, self.load_order))

    def __repr__(self) -> str:
        if self._closed:
            return "<PluginManager, closed>"
        loaded = sum(record.state in SERVING for record in self._ground.catalogue)
        return f"<PluginManager with {len(self)} plugins, {loaded} loaded>"


class UnenforcedWarning(UserWarning):
    """Something that the configuration asks for is not enforced."""


def _config_from(
    config: PluginConfig | Mapping[str, Any] | None, plugin_dir: str | os.PathLike[str] | None
) -> PluginConfig:
    if isinstance(config, Mapping):
        config = PluginConfig.model_validate(config)
    config = config or PluginConfig.by_default()
    if plugin_dir is not None:
        if config.plugin_dir is not None:
            raise ConfigError("plugin_dir is given twice: by itself and in the configuration")
        config = config.model_copy(update={"plugin_dir": Path(plugin_dir)})
    return config.relative_to(Path.cwd())
