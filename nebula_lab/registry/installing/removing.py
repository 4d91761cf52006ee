"""Takes plugins that were installed out of their folder: all that are named, or none."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from nebula_lab.errors import InstallError, NeededByOthersError, NotFoundError
from nebula_lab.model.descriptor import PluginDescriptor
from nebula_lab.model.listing import listed
from nebula_lab.registry.installing.folder import PluginFolder, finish_installs
from nebula_lab.registry.installing.install import Installation
from nebula_lab.registry.installing.placing import require_no_link
from nebula_lab.registry.installing.present import Present, present_in
from nebula_lab.registry.installing.record import Installed
from nebula_lab.registry.installing.reports import Removal, UninstallReport
from nebula_lab.registry.publishing.changes import Change
from nebula_lab.resolver import PluginRegistry

__all__ = ["uninstall"]


def uninstall(
    installation: Installation, plugin_ids: Sequence[str], *, cascade: bool = False
) -> UninstallReport:
    """Remove plugins that were installed; files that somebody has edited are put aside.

    Args:
        installation: where they are.
        plugin_ids: the plugins.
        cascade: whether those that need them, and were installed too, go as well.

    Raises:
        NotFoundError: one of them was not installed.
        NeededByOthersError: others need one of them, and would stay.
        InstallError: the folder can't be changed; it is as it was.
    """
    folder = PluginFolder(installation.folder)
    if not plugin_ids:
        return UninstallReport()
    if folder.is_unfinished:
        finish_installs(folder.root)
    # Before a lock is made in a folder that may be none of ours.
    present, installed = present_in(folder.root, installation.search), folder.installed()
    for plugin_id in plugin_ids:
        _require_installed(plugin_id, installed, present, folder)
    with folder.changing(patience=installation.patience, waiting=installation.waiting) as change:
        present = present_in(installation.folder, installation.search)
        installed = folder.installed()
        for plugin_id in plugin_ids:
            _require_installed(plugin_id, installed, present, folder)
        going = _going(set(plugin_ids), present, cascade)
        removing = _Removing(folder, change, installed, going)
        return UninstallReport(tuple(removing.remove(installed[one]) for one in sorted(going)))


def _require_installed(
    plugin_id: str,
    installed: Mapping[str, Installed],
    present: Mapping[str, Present],
    folder: PluginFolder,
) -> None:
    if plugin_id in installed:
        return
    if (here := present.get(plugin_id)) is not None:
        raise InstallError(
            "it is one of your own, and was not installed from a registry",
            plugin_id=plugin_id,
            path=here.descriptor.path,
            hint="It is left as it is. Remove its files yourself.",
        )
    raise _not_installed(plugin_id, installed, folder)


def _not_installed(
    plugin_id: str, installed: Collection[str], folder: PluginFolder
) -> NotFoundError:
    return NotFoundError(
        plugin_id,
        known=installed,
        hint=f"It was not installed into {folder.root} from a registry.",
    )


def _going(named: set[str], present: Mapping[str, Present], cascade: bool) -> set[str]:
    """What is to be removed: what was named, and what needs it, if that may go too.

    Raises:
        NeededByOthersError: something that needs it would stay.
    """
    going = set(named)
    while needing := _needing(going, present):
        own = [one for one in needing if present[one].record is None]
        if not cascade or own:
            raise _needed(going, {one: needing[one] for one in own or needing}, own=bool(own))
        going |= needing.keys()
    return going


def _needing(going: set[str], present: Mapping[str, Present]) -> dict[str, list[str]]:
    """Who works now and would not any more, with what each would miss."""
    # A record may be of files that are gone, with somebody's own plugin of that id in their place.
    gone = {one for one in going if one in present and present[one].record is not None}
    now, then = (
        _broken(one.descriptor for one in present.values()),
        _broken(one.descriptor for plugin_id, one in present.items() if plugin_id not in gone),
    )
    return {
        plugin_id: [
            need.plugin_id
            for need in present[plugin_id].descriptor.dependencies
            if need.plugin_id in gone and not need.optional
        ]
        for plugin_id in sorted(then - now)
    }


def _broken(descriptors: Iterable[PluginDescriptor]) -> set[str]:
    registry = PluginRegistry()
    for descriptor in descriptors:
        registry.register(descriptor)
    return set(registry.resolve_dependencies().excluded)


def _needed(
    going: Collection[str], needing: Mapping[str, Sequence[str]], *, own: bool
) -> NeededByOthersError:
    dependents: dict[str, list[str]] = {}
    for plugin_id, missing in needing.items():
        for one in missing:
            dependents.setdefault(one, []).append(plugin_id)
    said = "; ".join(f"{one} is needed by {listed(ids)}" for one, ids in dependents.items())
    hint = (
        f"{listed(list(needing))} {'is' if len(needing) == 1 else 'are'} your own: change or "
        "remove that first."
        if own
        else "Uninstall these too: --cascade (cascade=True)."
    )
    return NeededByOthersError(
        f"nothing is removed, as others need it: {said or listed(list(needing))}",
        dependents=dependents,
        plugin_id=next(iter(sorted(going))) if len(going) == 1 else None,
        hint=hint,
    )


class _Removing:
    """Removes plugins in one change."""

    def __init__(
        self,
        folder: PluginFolder,
        change: Change,
        installed: Mapping[str, Installed],
        going: Collection[str],
    ) -> None:
        self._folder = folder
        self._change = change
        self._shared = {
            path for record in installed.values() if record.id not in going for path in record.paths
        }

    def remove(self, record: Installed) -> Removal:
        """Have a plugin's files go, but for those that another plugin has too."""
        paths = [one.path for one in record.files if one.path not in self._shared]
        for path in paths:
            require_no_link(self._folder.root, path, record.id, "removed")
        edited = [path for path in self._folder.edited(record) if path in set(paths)]
        kept = self._folder.kept_path(record.id, "removal") if edited else None
        for path in edited:
            self._change.put(f"{kept}/{path}", (self._folder.root / path).read_bytes())
        for path in paths:
            self._change.drop(path)
            for compiled in self._compiled(path):
                self._change.drop(compiled)
        self._change.drop(self._folder.record_path(record.id))
        return Removal(
            record.id,
            record.version,
            record.registry,
            None if kept is None else self._folder.root / kept,
        )

    def _compiled(self, path: str) -> Iterator[str]:
        """What Python has made of a source file, relative to the folder."""
        source = self._folder.root / path
        cache = source.parent / "__pycache__"
        if source.suffix == ".py" and cache.is_dir() and not cache.is_symlink():
            for file in sorted(cache.glob(f"{source.stem}.*.pyc")):
                if not file.is_symlink():
                    yield file.relative_to(self._folder.root).as_posix()
