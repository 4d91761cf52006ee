"""What becomes of plugins: loads, reloads, suspensions, environments."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from nebula_lab.managing.looking import Looking
from nebula_lab.model.events import PluginReloaded
from nebula_lab.model.problem import ProblemList

if TYPE_CHECKING:
    from nebula_lab.model.lock import LockedEnvironment
    from nebula_lab.trust.history import StoredVersion, StoredVersions
    from nebula_lab.watch.status import WatchStatus


class Changing(Looking):
    """The life cycle of plugins, and their history."""

    def warm_up(self) -> None:
        """Get ready for the first load in the background, and keep spare processes from now on.

        A notebook does this when it loads the extension. Nothing waits for it, and nothing fails
        with it: without it, a load takes a little longer.
        """
        self._check_open()
        self._ground.warm_up()

    def rediscover(self) -> ProblemList:
        """Look for plugins again; what runs goes on as it is. Gives the problems then."""
        self._check_open()
        self._ground.catalogue.discover()
        return self.problems

    def load_plugin(self, plugin_id: str) -> None:
        """Load a plugin, and before it what it depends on; nothing happens if it is loaded.

        Raises:
            LoadFailedError: its code did not come up; with its own traceback.
            DependencyError: something it needs is missing, or did not come up.
        """
        self._check_open()
        self._engine.loader.load(plugin_id)

    def unload_plugin(self, plugin_id: str, *, cascade: bool = False) -> None:
        """Clean a plugin up and end its process.

        Raises:
            DependentsLoadedError: others need it, and `cascade` does not say to unload them too.
        """
        self._check_open()
        self._engine.lifecycle.unload(plugin_id, cascade=cascade)

    def reload_plugin(self, plugin_id: str) -> None:
        """Put a plugin's files, as they are now, in the place of what runs, with its state.

        The new code proves itself first, on a copy of the state, while the old goes on serving: it
        takes the state, its `health_check` does not say that it is unhealthy, and its `self_test`
        passes, where it has one. No call fails because of a reload. If the new code does not come
        up, the old goes on serving.

        Raises:
            PluginError: why the new code can't serve.
        """
        self._check_open()
        self._engine.reloader.reload(plugin_id)

    def last_reload(self, plugin_id: str) -> PluginReloaded | None:
        """What the last reload of a plugin brought; None where there was none."""
        return self._ground.catalogue.record(plugin_id).last_reload

    def plugin_history(self, plugin_id: str) -> StoredVersions:
        """The versions of a plugin that came up and can be gone back to, the newest first.

        Raises:
            NotFoundError: there is no such plugin.
        """
        descriptor, archive = self.descriptor(plugin_id), self._engine.archive
        found = archive.versions(descriptor)
        from nebula_lab.trust.history import StoredVersions

        return StoredVersions(plugin_id, found, archive.digest(descriptor))

    def served_digest(self, plugin_id: str) -> str | None:
        """The digest of the version that was read last, as in its history; None if none was."""
        return self._engine.archive.digest(self.descriptor(plugin_id))

    def rollback_plugin(self, plugin_id: str, version: str | None = None) -> StoredVersion:
        """Put an earlier version of a plugin in the place of what runs, with its state.

        The files on disk stay as they are: the next `reload_plugin` is of these.

        Args:
            plugin_id: the plugin.
            version: a version, or the beginning of a digest, of its history; without, the one
                before what runs.

        Raises:
            VersionNotFoundError: there is no such version.
            PluginError: why it can't serve; what runs goes on.
        """
        self._check_open()
        return self._engine.reloader.rollback(plugin_id, version)

    def watch(self, on: bool = True) -> WatchStatus:
        """Reload plugins when their files change from now on, or leave them alone.

        With `hot_reload`, which is the default, this begins by itself when the first plugin has
        been loaded. What has been saved while nobody watched is taken at once.
        """
        self._check_open()
        self._engine.watching.switch(on)
        return self.watch_status

    @property
    def watch_status(self) -> WatchStatus:
        """Whether files are watched, which, and how."""
        return self._engine.watching.status()

    def hold_watch(self) -> AbstractContextManager[None]:
        """A context in which changes of files are left alone; what is left is looked at after it.

        For whoever writes the files of plugins and loads or reloads them then.
        """
        return self._engine.watching.held()

    def suspend_plugin(self, plugin_id: str) -> None:
        """Keep a plugin's state and end its process; the next call brings it back."""
        self._check_open()
        self._engine.lifecycle.suspend(plugin_id)

    def resume_plugin(self, plugin_id: str) -> None:
        """Bring a suspended plugin back with its state."""
        self._check_open()
        self._engine.loader.load(plugin_id)

    def build_environment(self, plugin_id: str, *, anew: bool = False) -> Path | None:
        """The folder of the Python environment that a plugin asks for, built now if need be.

        A load does the same. None for a plugin that asks for none and runs in the manager's own.

        Args:
            plugin_id: the plugin.
            anew: remove what is there and build it again, of the same packages.

        Raises:
            NotFoundError: there is no such plugin.
            EnvironmentFailedError: it can't be had; with the resolver's own explanation.
        """
        self._check_open()
        descriptor = self.descriptor(plugin_id)
        found = self._engine.environments.environment_for(descriptor, self.output, anew=anew)
        return None if found is None else Path(found.prefix)

    def environments_to_lock(self, *, anew: bool = False) -> tuple[LockedEnvironment, ...]:
        """What `nebula.lock` is to say of the environments that plugins ask for; builds none.

        Args:
            anew: ask the package indexes, whatever was chosen before.

        Raises:
            EnvironmentFailedError: there is no choice of packages for one of them.
        """
        self._check_open()
        descriptors = [self.descriptor(plugin_id) for plugin_id in self]
        return self._engine.environments.to_lock(descriptors, anew=anew)
