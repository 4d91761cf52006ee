"""Plugins of registries: search, install, update, uninstall."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nebula_lab.managing.life import ManagerLife

if TYPE_CHECKING:
    from nebula_lab.registry.installing.reports import (
        InstallReport,
        SearchReport,
        UninstallReport,
        Update,
    )


class Installing(ManagerLife):
    """What is asked of registries; nothing of it waits for a plugin."""

    def install(
        self, *wanted: str, registry: str | None = None, replace: bool = False
    ) -> InstallReport:
        """Install plugins of registries into the plugin folder, with what they need, or nothing.

        A plugin that runs is reloaded with its state; if its new version does not come up, what
        ran before goes on, and the report says so.

        Args:
            wanted: such as `counter`, `counter@1.2.0` or `counter@^1.2`.
            registry: the address of the one to ask; those of the configuration without.
            replace: put files aside that somebody has edited; the report says where they are.

        Raises:
            InstallError: it can't be; nothing was changed.
            RegistryError: a registry can't be asked, or what it gives is not what it promised.
            SignatureError: what it gives is not signed as the configuration asks.
        """
        self._check_open()
        return self._engine.installer.install(wanted, registry, replace)

    def update(
        self, *plugin_ids: str, registry: str | None = None, replace: bool = False
    ) -> InstallReport:
        """Bring installed plugins to the newest versions that were asked for; as `install`.

        Args:
            plugin_ids: these; all that were installed without.
            registry: as in `install`.
            replace: as in `install`.
        """
        self._check_open()
        return self._engine.installer.update(plugin_ids, registry, replace)

    def uninstall(self, *plugin_ids: str, cascade: bool = False) -> UninstallReport:
        """Remove plugins that were installed from registries, all of them or none.

        What runs of them ends, its state kept in case they come back. Files that somebody has
        edited are put aside; the report says where they are, and how to have it all back.

        Args:
            plugin_ids: the plugins.
            cascade: remove those that need them too, if these were installed.

        Raises:
            NotFoundError: one of them was not installed.
            NeededByOthersError: others need one of them; nothing was changed.
            InstallError: it can't be; nothing was changed.
        """
        self._check_open()
        return self._engine.installer.uninstall(plugin_ids, cascade)

    def updates(self, *plugin_ids: str, registry: str | None = None) -> tuple[Update, ...]:
        """What `update` would find; nothing is changed."""
        self._check_open()
        return self._engine.installer.updates(plugin_ids, registry)

    def search(self, text: str = "", *, registry: str | None = None) -> SearchReport:
        """The plugins of registries that have every word of a text.

        Raises:
            InstallError: no registry is known.
            RegistryError: one can't be asked.
        """
        self._check_open()
        return self._engine.installer.search(text, registry)
