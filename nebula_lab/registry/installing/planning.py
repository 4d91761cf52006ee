"""Which versions are to be installed for what somebody wants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from nebula_lab.errors import InstallError
from nebula_lab.model.descriptor import PluginDescriptor
from nebula_lab.model.release import Origin, Release
from nebula_lab.model.requirement import VersionReq
from nebula_lab.registry.installing.record import Installed
from nebula_lab.registry.installing.wanted import Wanted
from nebula_lab.resolver import PluginRegistry
from nebula_lab.resolver.choosing import Choice, Want, choose

__all__ = ["Present", "plan"]


class Present(Struct, frozen=True):
    """A plugin that is in the folder.

    Attributes:
        release: its version.
        descriptor: what it says of itself.
        record: what is remembered of how it came there; None for one of somebody's own.
    """

    release: Release
    descriptor: PluginDescriptor
    record: Installed | None


def plan(
    wanted: Sequence[Wanted],
    present: Mapping[str, Present],
    releases_of: Callable[[str], Sequence[Release]],
) -> list[Release]:
    """The releases of registries to install, sorted by id; some may be there already.

    What is wanted comes in its newest version that suits all. What is there stays as it is if
    that can be, and nothing that works now is left without what it needs. Optional dependencies
    are nobody's reason to install anything.

    Args:
        wanted: what somebody asks for.
        present: what is in the folder.
        releases_of: what the registries have of a plugin.

    Raises:
        InstallError: no registry has it, or it is there and somebody's own.
        NoVersionFitsError: there is nothing that suits all; says who asks for what.
    """
    for want in wanted:
        _require_ours(want, present.get(want.id))
        if not releases_of(want.id):
            raise InstallError(
                "no registry has a plugin of this name",
                plugin_id=want.id,
                hint="Look for it: %plugin search, or nebula-lab search.",
            )
    names = {want.id for want in wanted}
    choice = choose(
        [*map(_as_want, wanted), *_standing(names, present)],
        _Known(names, present, releases_of).releases,
        # A pin to any version would keep out those that are taken where there is no other.
        pins={one.id: one.requirement for one in wanted if not _is_any(one)},
        locked={one: here.release.version for one, here in present.items() if one not in names},
    )
    _require_unharmed(choice, names, present)
    return [one for one in choice.releases.values() if one.origin is Origin.REGISTRY]


def _require_ours(want: Wanted, here: Present | None) -> None:
    if here is None or here.record is not None:
        return
    raise InstallError(
        f"version {here.release.version} of it is here, and was not installed from a registry",
        plugin_id=want.id,
        path=here.descriptor.path,
        hint="It is left as it is. Move it away first if it is to be replaced.",
    )


def _as_want(want: Wanted) -> Want:
    return Want(want.id, None if _is_any(want) else want.requirement)


def _is_any(want: Wanted) -> bool:
    return want.requirement == VersionReq.parse("*")


def _standing(names: set[str], present: Mapping[str, Present]) -> list[Want]:
    """What is there and has a say in what comes beside it."""
    return [
        Want(plugin_id, by="the folder that it is in", required=False)
        for plugin_id in present
        if plugin_id not in names
    ]


class _Known(Struct, frozen=True):
    """The releases to choose among."""

    names: set[str]
    present: Mapping[str, Present]
    releases_of: Callable[[str], Sequence[Release]]

    def releases(self, plugin_id: str) -> list[Release]:
        """Of a plugin that is there what is there, and others only if it was installed."""
        here = self.present.get(plugin_id)
        if here is None or plugin_id in self.names:
            return list(self.releases_of(plugin_id))
        if here.record is None:
            return [here.release]
        return [here.release, *self.releases_of(plugin_id)]


def _require_unharmed(choice: Choice, names: set[str], present: Mapping[str, Present]) -> None:
    """Refuse a choice that takes from a plugin that works now what it needs."""
    if not choice.left_out.keys() - names:
        return
    registry = PluginRegistry()
    for here in present.values():
        registry.register(here.descriptor)
    broken = registry.resolve_dependencies().excluded
    for plugin_id, error in choice.left_out.items():
        if plugin_id not in broken:
            raise error
