"""What the resolver answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from nebula_lab.errors import NotFoundError
from nebula_lab.model.problem import Problem


@dataclass(frozen=True)
class Resolution:
    """Which plugins can be loaded, in what order, and why the others can't.

    Attributes:
        load_order: ids, dependencies first; among plugins that are free to load, the one with
            the higher priority tag first, then by id.
        generations: the same ids in groups; all of a group can be loaded at the same time once
            the groups before it are there. Sorted by priority and id within a group.
        problems: every reason to leave a plugin out; causes first, then what they pull down.
        notes: optional dependencies that were left out.
        excluded: the plugins that are left out, each with the first of its problems.
        dependencies: for each plugin of the load order, what it is loaded with; optional
            dependencies are among them where they can be had.
        optional: the pairs (dependent, dependency) in `dependencies` that are optional.
    """

    load_order: tuple[str, ...] = ()
    generations: tuple[tuple[str, ...], ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()
    excluded: Mapping[str, Problem] = field(default_factory=dict, hash=False)
    dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    optional: frozenset[tuple[str, str]] = frozenset()

    def dependents(self, plugin_id: str, *, include_optional: bool = True) -> tuple[str, ...]:
        """All that depend on a plugin, also by way of others, in the order to unload them.

        An excluded plugin has none, since nothing that needs it is in the load order.

        Raises:
            NotFoundError: if the plugin is neither in the load order nor excluded.
        """
        self._check_known(plugin_id)
        found = self._reachable(plugin_id, self._dependents, include_optional, reverse=True)
        return tuple(sorted(found, key=self._position.__getitem__, reverse=True))

    def prerequisites(self, plugin_id: str) -> tuple[str, ...]:
        """All that a plugin depends on, also by way of others, in the order to load them.

        Raises:
            NotFoundError: if the plugin is neither in the load order nor excluded.
        """
        self._check_known(plugin_id)
        found = self._reachable(plugin_id, self.dependencies, True, reverse=False)
        return tuple(sorted(found, key=self._position.__getitem__))

    @cached_property
    def _position(self) -> Mapping[str, int]:
        return {plugin_id: position for position, plugin_id in enumerate(self.load_order)}

    @cached_property
    def _dependents(self) -> Mapping[str, list[str]]:
        dependents: dict[str, list[str]] = {plugin_id: [] for plugin_id in self.load_order}
        for dependent, dependencies in self.dependencies.items():
            for dependency in dependencies:
                dependents[dependency].append(dependent)
        return dependents

    def _check_known(self, plugin_id: str) -> None:
        if plugin_id not in self._position and plugin_id not in self.excluded:
            raise NotFoundError(plugin_id, known=[*self.load_order, *self.excluded])

    def _reachable(
        self,
        start: str,
        edges: Mapping[str, list[str]] | Mapping[str, tuple[str, ...]],
        include_optional: bool,
        *,
        reverse: bool,
    ) -> set[str]:
        found: set[str] = set()
        pending = [start]
        while pending:
            plugin_id = pending.pop()
            for other in edges.get(plugin_id, ()):
                edge = (other, plugin_id) if reverse else (plugin_id, other)
                if other in found or (not include_optional and edge in self.optional):
                    continue
                found.add(other)
                pending.append(other)
        return found
