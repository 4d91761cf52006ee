"""The words for what the resolver finds: what, where, who asks, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, pairwise

from nebula_lab.errors import nearest_names
from nebula_lab.model.descriptor import PluginDependency, PluginDescriptor, SourceLocation
from nebula_lab.model.problem import Declaration, Problem, ProblemKind
from nebula_lab.model.version import Version

# Looking for a similar name takes milliseconds among a few thousand; a directory in which
# everything is missing must not take minutes to say so.
NAMES_TO_GUESS_AMONG = 2_000
GUESSES = 20
# A path longer than this is cut in the middle for people; programs have the declarations.
SHOWN_STEPS = 12
OTHERS_SHOWN = 3


class Reporter:
    """Writes problems about one set of plugins."""

    def __init__(self, plugins: Mapping[str, PluginDescriptor], nebula_version: Version) -> None:
        self._plugins = plugins
        self._nebula_version = nebula_version
        self._guesses: dict[str, str] = {}
        self._asking: dict[str, list[tuple[str, PluginDependency]]] | None = None

    def missing(self, plugin: PluginDescriptor, dependency: PluginDependency) -> Problem:
        wanted = dependency.plugin_id
        guess = self._guess(wanted)
        return Problem(
            ProblemKind.MISSING_DEPENDENCY,
            f"needs {wanted} {dependency.version_req}, which is missing",
            plugin.id,
            declared_at(plugin, dependency),
            guess or f"Add a plugin {wanted}, or make the dependency optional.",
            (plugin.id, f"missing {wanted}"),
        )

    def version_mismatch(self, plugin: PluginDescriptor, dependency: PluginDependency) -> Problem:
        wanted, present = dependency.plugin_id, self._plugins[dependency.plugin_id]
        requirement = f"{wanted} {dependency.version_req}"
        existing = f"{wanted} {present.version}"
        others = "; ".join(self._others(plugin, dependency))
        return Problem(
            ProblemKind.VERSION_MISMATCH,
            f"needs {requirement}, but version {present.version} is here ({located(present)})",
            plugin.id,
            declared_at(plugin, dependency),
            f"A version of {wanted} that is {dependency.version_req.expanded()} would do"
            + (f"; {others}." if others else "."),
            (plugin.id, f"{existing} (not {dependency.version_req})"),
            existing=existing,
            requested=requirement,
        )

    def nebula_version(self, plugin: PluginDescriptor, bound: str, verb: str) -> Problem:
        return Problem(
            ProblemKind.NEBULA_VERSION,
            f"needs nebula_lab {bound}, but this is {self._nebula_version}",
            plugin.id,
            located(plugin),
            f"{verb} nebula_lab, or take a version of {plugin.id} that is made for "
            f"{self._nebula_version}.",
            (plugin.id, f"nebula_lab {self._nebula_version} (not {bound})"),
            existing=f"nebula_lab {self._nebula_version}",
            requested=f"nebula_lab {bound}",
        )

    def api_version(self, plugin: PluginDescriptor, ours: int) -> Problem:
        theirs = plugin.runtime.api_version
        return Problem(
            ProblemKind.API_VERSION,
            f"is written for version {theirs} of the plugin API, but this has version {ours}",
            plugin.id,
            located(plugin),
            f"Port the plugin to version {ours} and set PLUGIN_API_VERSION = {ours} in it.",
            (plugin.id, f"plugin API {ours} (not {theirs})"),
            existing=f"plugin API {ours}",
            requested=f"plugin API {theirs}",
        )

    def optional(
        self, plugin: PluginDescriptor, dependency: PluginDependency, reason: str
    ) -> Problem:
        """A note that an optional dependency is left out."""
        wanted = f"{dependency.plugin_id} {dependency.version_req}"
        return Problem(
            ProblemKind.OPTIONAL_LEFT_OUT,
            f"goes without the optional {wanted}, {reason}",
            plugin.id,
            declared_at(plugin, dependency),
            chain=(plugin.id, dependency.plugin_id),
            severity="note",
        )

    def cycle(self, path: Sequence[str], component_size: int) -> Problem:
        """A cycle along `path`, whose first id is not repeated at its end."""
        closed = (*path, path[0])
        arrows = " → ".join(shortened(closed))
        message = f"depends on itself: {arrows}"
        if component_size > len(path):
            message += f" (a shortest path among {component_size} plugins that are knotted up)"
        declarations = tuple(self._declaration(a, b) for a, b in pairwise(closed))
        return Problem(
            ProblemKind.CYCLE,
            message,
            path[0],
            declarations[0].location,
            "Remove one of these dependencies, or make one optional.",
            closed,
            declarations=declarations,
        )

    def broken_dependency(self, plugin_id: str, dependency: str, chain: Sequence[str]) -> Problem:
        """A plugin that is well by itself but needs one that is left out."""
        return Problem(
            ProblemKind.BROKEN_DEPENDENCY,
            f"needs {dependency}, which is left out: {' → '.join(chain)}",
            plugin_id,
            self._declaration(plugin_id, dependency).location,
            chain=tuple(chain),
        )

    def _declaration(self, dependent: str, dependency: str) -> Declaration:
        declared = self.find(dependent, dependency)
        return Declaration(dependent, dependency, declared_at(self._plugins[dependent], declared))

    def find(self, dependent: str, dependency: str, *, optional: bool = False) -> PluginDependency:
        """The entry of a plugin that names the other one."""
        return next(
            entry
            for entry in self._plugins[dependent].dependencies
            if entry.plugin_id == dependency and entry.optional == optional
        )

    def _others(self, plugin: PluginDescriptor, dependency: PluginDependency) -> Iterator[str]:
        """Who else asks for the same plugin: the other side of a conflict."""
        asking = self._who_asks_for(dependency.plugin_id)
        others = ((asker, entry) for asker, entry in asking if asker != plugin.id)
        for asker, entry in islice(others, OTHERS_SHOWN):
            where = declared_at(self._plugins[asker], entry)
            yield f"{asker} asks for {entry.version_req} ({where})"
        if len(asking) > OTHERS_SHOWN + 1:
            yield f"{len(asking) - OTHERS_SHOWN - 1} more ask for it"

    def _who_asks_for(self, plugin_id: str) -> list[tuple[str, PluginDependency]]:
        if self._asking is None:
            self._asking = {}
            for dependent in sorted(self._plugins):
                for entry in self._plugins[dependent].dependencies:
                    self._asking.setdefault(entry.plugin_id, []).append((dependent, entry))
        return self._asking[plugin_id]

    def _guess(self, wanted: str) -> str:
        if wanted not in self._guesses and len(self._guesses) < GUESSES:
            few = len(self._plugins) <= NAMES_TO_GUESS_AMONG
            near = nearest_names(wanted, sorted(self._plugins)) if few else []
            self._guesses[wanted] = f"Did you mean {' or '.join(near)}?" if near else ""
        return self._guesses.get(wanted, "")


def declared_at(plugin: PluginDescriptor, dependency: PluginDependency) -> SourceLocation:
    """Where a dependency is declared, or else its plugin."""
    return dependency.declared_in or located(plugin)


def located(plugin: PluginDescriptor) -> SourceLocation:
    """Where a plugin is described, or else its source."""
    return plugin.declared_in or SourceLocation(plugin.path)


def shortened(path: Sequence[str]) -> tuple[str, ...]:
    """The path without its middle, if it is long."""
    if len(path) <= SHOWN_STEPS:
        return tuple(path)
    half = SHOWN_STEPS // 2
    return (*path[:half], "…", *path[-half:])
