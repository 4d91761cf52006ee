"""Choosing one version of each plugin."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from nebula_lab._version import __version__
from nebula_lab.errors import ChoosingTimeoutError
from nebula_lab.model.release import Release
from nebula_lab.model.requirement import VersionReq
from nebula_lab.model.version import Version
from nebula_lab.plugin import PLUGIN_API_VERSION
from nebula_lab.resolver.choosing.candidates import Policy, ReleasesOf, Universe
from nebula_lab.resolver.choosing.clock import PATIENCE, Clock, OutOfTimeError
from nebula_lab.resolver.choosing.explaining import Explainer
from nebula_lab.resolver.choosing.search import ContradictionError
from nebula_lab.resolver.choosing.solving import Solver, circle_in
from nebula_lab.resolver.choosing.wants import Choice, Want

__all__ = ["choose"]

_NAMED = 3  # plugins that most contradictions were about


def choose(
    wanted: Iterable[Want],
    releases_of: ReleasesOf,
    *,
    pins: Mapping[str, VersionReq] | None = None,
    locked: Mapping[str, Version] | None = None,
    prereleases: bool = False,
    nebula_version: Version | str = __version__,
    api_version: int = PLUGIN_API_VERSION,
    patience: float = PATIENCE,
) -> Choice:
    """Choose a version of each plugin that is wanted, and of each that these need.

    The newest are taken that go together, those of dependents before those of what they depend
    on. A pre-release is taken only where a requirement asks for one, as Cargo has it, or where
    there is nothing else; a version that was withdrawn, only if an exact pin or the lock names it.
    Of one version the release in a folder comes before that in the store, and that before one of
    a registry. Optional dependencies play no part. The same input gives the same choice.

    Args:
        wanted: the most important first.
        releases_of: asked for the releases of a plugin when it is first of interest, once for
            each id.
        pins: requirements that every chosen version meets, by id.
        locked: versions to be taken before newer ones where they fit, by id.
        prereleases: whether a plugin that is wanted without a requirement may be a pre-release.
        nebula_version: what versions have to work with.
        api_version: the plugin API that they have to be written for.
        patience: seconds of processor time that the search may take, asking for releases not
            counted; and ten times as long by the clock, all in all.

    Raises:
        NoVersionFitsError: what is required can't be had together; with the reason in sentences.
        ChoosingTimeoutError: it could not be said in time what there is.
    """
    if isinstance(nebula_version, str):
        nebula_version = Version.parse(nebula_version)
    policy = Policy(
        pins=pins or {},
        locked=locked or {},
        prereleases=prereleases,
        nebula_version=nebula_version,
        api_version=api_version,
    )
    universe, wants = Universe(releases_of, policy, Clock(patience)), list(wanted)
    solver = Solver(universe, wants)
    explainer = Explainer(solver)
    try:
        chosen = solver.solve()
    except ContradictionError as error:
        raise explainer.contradiction(error.nogood) from None
    except OutOfTimeError:
        raise _out_of_time(solver, patience) from None
    left_out = explainer.left_out()
    if circle_in(chosen):
        chosen = _without_circles(universe, wants, left_out) or chosen
    return Choice(
        releases=chosen,
        left_out=left_out,
        departures={
            plugin_id: version
            for plugin_id, version in policy.locked.items()
            if plugin_id in chosen and str(chosen[plugin_id].version) != str(version)
        },
    )


def _without_circles(
    universe: Universe, wants: Sequence[Want], left_out: Collection[str]
) -> Mapping[str, Release] | None:
    """A choice in which nothing needs itself by way of others, if nothing more is lost by that."""
    solver = Solver(universe, wants, acyclic=True)
    try:
        chosen = solver.solve()
    except (ContradictionError, OutOfTimeError):
        return None
    lost = {universe.plugins[number].id for number in solver.left_out()}
    return chosen if lost <= set(left_out) else None


def _out_of_time(solver: Solver, seconds: float) -> ChoosingTimeoutError:
    search, plugins = solver.search, solver.universe.plugins
    decided = sum(not domain & (domain - 1) for domain in search.domains)
    contended = [plugins[number].id for number, _ in search.contended.most_common(_NAMED)]
    return ChoosingTimeoutError(
        seconds,
        plugins=len(plugins),
        decided=decided,
        contradictions=search.contradictions,
        contended=contended,
    )
