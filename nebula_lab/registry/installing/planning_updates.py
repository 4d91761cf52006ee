"""Which versions installed plugins are to be brought to, so that one holds up no other."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from nebula_lab.errors import RegistryError
from nebula_lab.model.release import Origin, Release
from nebula_lab.model.requirement import VersionReq
from nebula_lab.registry.choosing import works_here
from nebula_lab.registry.installing.planning import Plan, require_unharmed, standing
from nebula_lab.registry.installing.present import Present
from nebula_lab.registry.installing.record import Installed
from nebula_lab.registry.installing.sources import Sources
from nebula_lab.resolver.choosing import Choice, Want, choose

__all__ = ["plan_updates"]


def plan_updates(
    records: Sequence[Installed],
    present: Mapping[str, Present],
    sources: Sources,
    patience: float,
    edited: Mapping[str, Sequence[str]] | None = None,
) -> Plan:
    """The releases to bring plugins to.

    Each comes in the newest version that was asked for and suits all. One for which its registry
    has nothing that will do any more stays as it is, and is noted.

    Args:
        records: the installed plugins that are to be up to date.
        present: what is in the folder.
        sources: the registries.
        patience: seconds that the choice may take.
        edited: files that somebody has edited, by id, of plugins that are to stay because of that.

    Raises:
        RegistryError: none of the registries can be asked.
        NoVersionFitsError: what works now would not any more.
        ChoosingTimeoutError: it could not be said in time what there is.
    """
    staying = _staying(records, present, sources, edited or {})
    moving = [one for one in records if one.id not in staying]
    if not moving:
        return Plan((), tuple(staying.values()))
    # A withdrawn version is given up if there is another one; with the second choice it may stay.
    withdrawn = {one.id for one in moving if _is_withdrawn(one, sources)}
    choice = _choice(moving, withdrawn, present, sources, patience)
    if withdrawn and choice.left_out.keys() & present.keys():
        choice = _choice(moving, (), present, sources, patience)
    require_unharmed(choice, present, ())
    releases = [one for one in choice.releases.values() if one.origin is Origin.REGISTRY]
    notes = [*staying.values(), *_kept(choice, withdrawn)]
    return Plan(tuple(releases), tuple(notes))


def _staying(
    records: Sequence[Installed],
    present: Mapping[str, Present],
    sources: Sources,
    edited: Mapping[str, Sequence[str]],
) -> dict[str, str]:
    """What can't be updated, by id, with the reason for people."""
    found, failures = {}, []
    for record in records:
        try:
            reason = _reason_to_stay(
                record, present.get(record.id), sources, edited.get(record.id, ())
            )
        except RegistryError as error:
            failures.append(error)
            reason = error.message
        if reason:
            found[record.id] = f"{record.id} stays at {record.version}: {reason}"
    if failures and len(failures) == len(records):
        raise failures[0]
    return found


def _reason_to_stay(
    record: Installed, here: Present | None, sources: Sources, edited: Sequence[str]
) -> str:
    if here is not None and here.record is None:
        return "what is here is not what was installed"
    releases = sources.releases(record.id)
    requirement = VersionReq.parse(record.requirement)
    suitable = [one for one in releases if _will_do(one, requirement)]
    if suitable:
        is_due = any(str(one.version) != record.version for one in suitable)
        return _edited(edited) if edited and is_due else ""
    if not releases and not sources.unusable(record.id):
        return f"{record.registry} has no such plugin any more"
    asked = "" if record.requirement == "*" else f" that is {record.requirement}"
    return f"{record.registry} has no version{asked} any more that could be used here" + _why(
        record, releases
    )


def _edited(files: Sequence[str]) -> str:
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return (
        f"{files[0]}{more} was edited here; --replace (replace=True) updates it all the same, and "
        "keeps that"
    )


def _why(record: Installed, releases: Sequence[Release]) -> str:
    same = next((one for one in releases if str(one.version) == record.version), None)
    if same is None or same.yanked is None:
        return ""
    return f"; {record.version} was withdrawn" + (f": {same.yanked}" if same.yanked else "")


def _will_do(release: Release, requirement: VersionReq) -> bool:
    if release.yanked is not None or not works_here(release):
        return False
    # Where any version will do, a pre-release does too if there is nothing else.
    return not requirement.comparators or requirement.matches(release.version)


def _is_withdrawn(record: Installed, sources: Sources) -> bool:
    return any(
        str(one.version) == record.version and one.yanked is not None
        for one in sources.releases(record.id)
    )


def _choice(
    moving: Sequence[Installed],
    given_up: Collection[str],
    present: Mapping[str, Present],
    sources: Sources,
    patience: float,
) -> Choice:
    asked = {one.id: VersionReq.parse(one.requirement) for one in moving}
    wants = [
        Want(plugin_id, requirement if requirement.comparators else None, required=False)
        for plugin_id, requirement in asked.items()
    ]
    return choose(
        [*wants, *standing(present, asked)],
        _Known(asked, given_up, present, sources).releases,
        locked={one: here.release.version for one, here in present.items() if one not in asked},
        patience=patience,
    )


class _Known(Struct, frozen=True):
    """The releases to choose among."""

    moving: Collection[str]
    given_up: Collection[str]
    present: Mapping[str, Present]
    sources: Sources

    def releases(self, plugin_id: str) -> list[Release]:
        """What the registries have, and what is there: it stays where nothing newer fits."""
        here = self.present.get(plugin_id)
        if here is None:
            return list(self.sources.releases(plugin_id))
        if here.record is None:
            return [here.release]
        offered = self._offered(plugin_id)
        if plugin_id not in self.moving:
            return [here.release, *offered]
        # Of what the registry still offers its own is taken, so that missing files come again.
        same = any(one.version == here.release.version and one.yanked is None for one in offered)
        if same or plugin_id in self.given_up:
            return offered
        return [here.release, *offered]

    def _offered(self, plugin_id: str) -> list[Release]:
        try:
            return list(self.sources.releases(plugin_id))
        except RegistryError:
            return []  # it is among those that stay, with a note


def _kept(choice: Choice, withdrawn: Collection[str]) -> list[str]:
    """What is to be said of plugins that were to move and keep a version that was withdrawn."""
    return [
        f"{one.id} stays at {one.version}, which was withdrawn: no other version of it goes "
        "together with the rest"
        for one in choice.releases.values()
        if one.id in withdrawn and one.origin is Origin.FOLDER
    ]
