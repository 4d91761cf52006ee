"""Why a plugin is there in the version that it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from nebula_lab.discovery import DiscoveryResult
from nebula_lab.errors import NoVersionFitsError
from nebula_lab.model import PluginConfig, PluginDescriptor, SourceLocation, Version, VersionReq
from nebula_lab.model.comparator import precedence
from nebula_lab.model.lock import LockFile

__all__ = ["AskedBy", "NotTaken", "VersionReasons", "reasons_for"]


class AskedBy(Struct, frozen=True):
    """One plugin that needs it.

    Attributes:
        dependent: which.
        requirement: the versions that will do.
        optional: whether it can do without.
        location: where it says so.
    """

    dependent: str
    requirement: str
    optional: bool
    location: SourceLocation | None


class NotTaken(Struct, frozen=True):
    """A newer version that is known and was not chosen.

    Attributes:
        version: it.
        reasons: why, in sentences.
    """

    version: str
    reasons: tuple[str, ...]


class VersionReasons(Struct, frozen=True):
    """Why a plugin is there in the version that it is.

    Attributes:
        plugin_id: the plugin.
        version: the version that was chosen.
        location: where it is.
        asked_by: who needs it.
        not_taken: the newer versions, the newest first.
        pinned: the requirement that the configuration has for it, or "".
        locked: the version that the lock file has, or "".
    """

    plugin_id: str
    version: str
    location: SourceLocation
    asked_by: tuple[AskedBy, ...] = ()
    not_taken: tuple[NotTaken, ...] = ()
    pinned: str = ""
    locked: str = ""


def reasons_for(
    chosen: Mapping[str, PluginDescriptor],
    plugin_id: str,
    found: DiscoveryResult,
    config: PluginConfig,
    lock: LockFile | None,
) -> VersionReasons:
    """Why a plugin is there in the version that it is.

    Args:
        chosen: every plugin, by id.
        plugin_id: the one to explain.
        found: all versions that are known.
        config: has pins.
        lock: has preferred versions.
    """
    descriptor = chosen[plugin_id]
    locked = lock.plugin(plugin_id) if lock is not None else None
    known = [one for one in (*found.descriptors, *found.others) if one.id == plugin_id]
    newer = [one for one in known if precedence(one.version) > precedence(descriptor.version)]
    newer.sort(key=lambda one: precedence(one.version), reverse=True)
    trial = _Trial(chosen, found, config)
    return VersionReasons(
        plugin_id,
        str(descriptor.version),
        descriptor.declared_in or SourceLocation(descriptor.path),
        tuple(_asking(chosen, plugin_id)),
        tuple(NotTaken(str(one.version), tuple(trial.against(one, locked))) for one in newer),
        str(config.pins.get(plugin_id, "")),
        locked.version if locked is not None else "",
    )


def _asking(chosen: Mapping[str, PluginDescriptor], plugin_id: str) -> Iterator[AskedBy]:
    for dependent in sorted(chosen):
        for entry in chosen[dependent].dependencies:
            if entry.plugin_id == plugin_id:
                requirement = str(entry.version_req)
                yield AskedBy(dependent, requirement, entry.optional, entry.declared_in)


class _Trial:
    """Tries what would come of another version of one plugin."""

    def __init__(
        self, chosen: Mapping[str, PluginDescriptor], found: DiscoveryResult, config: PluginConfig
    ) -> None:
        self._chosen = chosen
        self._found = found
        self._known = (*found.descriptors, *found.others)
        self._pins = config.pins
        self._patience = config.choosing_timeout

    def against(self, other: PluginDescriptor, locked: object) -> Iterable[str]:
        """What speaks against a version."""
        pin = self._pins.get(other.id)
        if pin is not None and not pin.matches(other.version):
            return [f"The configuration pins it to {pin}."]
        error = self._refusal(other)
        if error is not None:
            return error.reasons
        if locked is not None:
            return [f"The lock file has another: `nebula-lab lock --upgrade {other.id}`."]
        if other.version.prerelease:
            return ["It is a pre-release, and nobody asks for one."]
        return ["It would do; what was loaded before it came stays until it is loaded anew."]

    def _refusal(self, other: PluginDescriptor) -> NoVersionFitsError | None:
        from nebula_lab.resolver.choosing import Want, choose

        wants = [Want(other.id, _exactly(other.version), "this question")]
        wants += [
            Want(one, by="the folder that it is in") for one in self._chosen if one != other.id
        ]
        try:
            choose(
                wants,
                lambda plugin_id: [
                    self._found.release_of(one) for one in self._known if one.id == plugin_id
                ],
                pins={one: pin for one, pin in self._pins.items() if one != other.id},
                patience=self._patience,
            )
        except NoVersionFitsError as error:
            return error
        return None


def _exactly(version: Version) -> VersionReq:
    return VersionReq.parse(f"={version.replace(build=None)}")
