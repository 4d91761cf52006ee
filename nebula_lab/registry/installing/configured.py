"""Installing as a configuration has it: where to, and from which registries."""

from __future__ import annotations

from nebula_lab.errors import InstallError
from nebula_lab.model.config import PluginConfig
from nebula_lab.model.discovery_strategy import FileSystem, Registry
from nebula_lab.registry.client.address import address_of
from nebula_lab.registry.client.client import Progress
from nebula_lab.registry.installing.install import Installation

__all__ = ["installation_of", "registries_of"]


def registries_of(config: PluginConfig, url: str | None = None) -> tuple[Registry, ...]:
    """The registries to ask.

    Args:
        config: what is configured: `registries`, and the one that plugins are found in.
        url: ask this one alone; with what is configured for it, such as its secret, if anything.
    """
    known = config.registries
    if isinstance(config.discovery, Registry):
        known = (*known, config.discovery)
    if url is None:
        return known
    wanted = Registry(url=url)
    same = (one for one in known if address_of(one) == address_of(wanted))
    return (next(same, wanted),)


def installation_of(
    config: PluginConfig,
    *,
    registry: str | None = None,
    replace: bool = False,
    progress: Progress = lambda *_: None,
) -> Installation:
    """An installation into the folder of plugins of a configuration.

    Args:
        config: what is configured.
        registry: the address of the one registry to ask; those of the configuration without.
        replace: put files aside that somebody has edited.
        progress: is told how far downloads are.

    Raises:
        InstallError: there is no such folder.
    """
    if config.plugin_dir is None or not isinstance(config.discovery, FileSystem):
        raise InstallError(
            "there is no folder of plugins to install into",
            hint="Set plugin_dir, with FileSystem under discovery. What a Registry under "
            "discovery has needs no installing: it is loaded from there.",
        )
    return Installation(
        config.plugin_dir.expanduser().absolute(),
        registries_of(config, registry),
        config.security,
        config.discovery,
        replace,
        progress,
        is_from_one=registry is not None,
        choosing=config.choosing_timeout,
    )
