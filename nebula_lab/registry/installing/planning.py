"""Which versions are to be installed for what somebody wants."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from nebula_lab.errors import InstallError, NoVersionFitsError
from nebula_lab.model.release import Origin, Release
from nebula_lab.plugin.nearest import nearest_names
from nebula_lab.registry.installing.present import Present
from nebula_lab.registry.installing.sources import Sources
from nebula_lab.registry.installing.wanted import Wanted
from nebula_lab.resolver import PluginRegistry
from nebula_lab.resolver.choosing import Choice, Want, choose

__all__ = ["Plan", "plan", "require_unharmed", "standing"]

_SHOWN = 5  # versions that can't be used


class Plan(Struct, frozen=True):
    """What is to be in the folder.

    Attributes:
        releases: of registries, sorted by id; some may be there already.
        notes: what else there is to say.
    """

    releases: tuple[Release, ...]
    notes: tuple[str, ...] = ()


def plan(
    wanted: Sequence[Wanted],
    present: Mapping[str, Present],
    sources: Sources,
    patience: float,
) -> Plan:
    """The releases to install.

    What is wanted comes in its newest version that suits all. What is there stays as it is if
    that can be, and nothing that works now is left without what it needs. Optional dependencies
    are nobody's reason to install anything.

    Args:
        wanted: what somebody asks for, each plugin once.
        present: what is in the folder.
        sources: the registries.
        patience: seconds that the choice may take.

    Raises:
        InstallError: no registry has it, or none that can be used, or it is there and somebody's
            own.
        NoVersionFitsError: there is nothing that suits all; says who asks for what.
        ChoosingTimeoutError: it could not be said in time what there is.
    """
    for want in wanted:
        _require_ours(want, present.get(want.id))
        if not sources.releases(want.id):
            raise _not_to_be_had(want.id, sources)
    names = {want.id for want in wanted}
    try:
        choice = choose(
            [*map(_as_want, wanted), *standing(present, names)],
            _Known(names, present, sources).releases,
            # A pin to any version would keep out those that are taken where there is no other.
            pins={one.id: one.requirement for one in wanted if not one.is_any},
            locked={one: here.release.version for one, here in present.items() if one not in names},
            patience=patience,
        )
    except NoVersionFitsError as error:
        raise _with_unusable(error, sources) from None
    require_unharmed(choice, present, names)
    return Plan(tuple(one for one in choice.releases.values() if one.origin is Origin.REGISTRY))


def _require_ours(want: Wanted, here: Present | None) -> None:
    if here is None or here.record is not None:
        return
    raise InstallError(
        f"version {here.release.version} of it is here, and was not installed from a registry",
        plugin_id=want.id,
        path=here.descriptor.path,
        hint="It is left as it is. Move it away first if it is to be replaced.",
    )


def _not_to_be_had(plugin_id: str, sources: Sources) -> InstallError:
    """Why there is no release of a plugin: there is none, or none that can be used here.

    Raises:
        RegistryError: a registry can't say what it has, so it may be none.
    """
    offer = sources.find(plugin_id)
    unsigned = [one.place for one in sources.clients if one.has_unsigned(plugin_id)]
    if offer is None and unsigned:
        return InstallError(
            "the registry has it, but nobody whose keys are trusted has signed it",
            plugin_id=plugin_id,
            path=unsigned[0],
            hint="It may wait for a signature: ask whoever keeps the registry.",
        )
    if offer is None:
        meant = nearest_names(plugin_id, sources.names())
        guess = f"; did you mean {' or '.join(meant)}?" if meant else ""
        return InstallError(
            f"no registry has a plugin of this name{guess}",
            plugin_id=plugin_id,
            hint="Look for it: %plugin search, or nebula-lab search.",
        )
    unusable = sources.unusable(plugin_id)
    if not unusable:
        return InstallError(
            "the registry knows this name, but has no version of it",
            plugin_id=plugin_id,
            path=offer.client.place,
            hint="Ask whoever keeps the registry.",
        )
    said = "\n  ".join(
        [
            "the registry has it, but in no version that can be used here:",
            *(one.message for one in unusable[:_SHOWN]),
        ]
    )
    if len(unusable) > _SHOWN:
        said += f"\n  and {len(unusable) - _SHOWN} more versions."
    return InstallError(said, plugin_id=plugin_id, path=offer.client.place, hint=unusable[0].hint)


def _with_unusable(error: NoVersionFitsError, sources: Sources) -> NoVersionFitsError:
    """The same, with the versions that there are and that were left out of the choice."""
    unusable = sources.unusable(error.plugin_id or "")
    error.reasons += tuple(f"{error.plugin_id}: {one.message}." for one in unusable[:_SHOWN])
    return error


def _as_want(want: Wanted) -> Want:
    return Want(want.id, None if want.is_any else want.requirement)


def standing(present: Mapping[str, Present], but: Collection[str]) -> list[Want]:
    """What is there and has a say in what comes beside it."""
    return [
        Want(plugin_id, by="the folder that it is in", required=False)
        for plugin_id in present
        if plugin_id not in but
    ]


class _Known(Struct, frozen=True):
    """The releases to choose among."""

    names: set[str]
    present: Mapping[str, Present]
    sources: Sources

    def releases(self, plugin_id: str) -> list[Release]:
        """Of a plugin that is there what is there, and others only if it was installed."""
        here = self.present.get(plugin_id)
        if here is None or plugin_id in self.names:
            return list(self.sources.releases(plugin_id))
        if here.record is None:
            return [here.release]
        return [here.release, *self.sources.releases(plugin_id)]


def require_unharmed(
    choice: Choice, present: Mapping[str, Present], names: Collection[str]
) -> None:
    """Refuse a choice that takes from a plugin that works now what it needs.

    Raises:
        NoVersionFitsError: it does.
    """
    if not choice.left_out.keys() - names:
        return
    registry = PluginRegistry()
    for here in present.values():
        registry.register(here.descriptor)
    broken = registry.resolve_dependencies().excluded
    for plugin_id, error in choice.left_out.items():
        if plugin_id not in broken:
            raise error
