"""What can't all be true at once, and where that is known from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from nebula_lab.model.descriptor import PluginDependency
from nebula_lab.model.requirement import VersionReq

# What is made by the ten thousand, here and in `search`, has no part in a cycle and says so
# (`gc=False`): looking through it for one was two fifths of the time of a large choice.

__all__ = ["Asked", "Circle", "Fact", "Need", "Nogood", "Pinned", "Unasked", "facts_of"]


class Asked(Struct, frozen=True, gc=False):
    """Somebody wants a plugin, whatever becomes of others.

    Attributes:
        plugin: its number.
        requirement: which versions will do; None for any.
        by: who, in words.
    """

    plugin: int
    requirement: VersionReq | None
    by: str


class Pinned(Struct, frozen=True, gc=False):
    """The configuration takes certain versions of a plugin only."""

    plugin: int
    requirement: VersionReq


class Unasked(Struct, frozen=True, gc=False):
    """No requirement asks for the pre-releases of a plugin."""

    plugin: int


class Need(Struct, frozen=True, gc=False):
    """Versions of a plugin need another one.

    Attributes:
        dependent: the number of the plugin that needs.
        versions: the set of its versions that do.
        dependency: the number of the one that is needed.
        declared: what they say of it; that of one of them.
    """

    dependent: int
    versions: int
    dependency: int
    declared: PluginDependency


class Circle(Struct, frozen=True, gc=False):
    """Plugins that would need each other in a circle."""

    plugins: tuple[int, ...]


Fact = Asked | Pinned | Unasked | Need | Circle


class Nogood(Struct, frozen=True, eq=False, gc=False):
    """Sets of versions, for some plugins each, that can't all hold the choice at once.

    Attributes:
        terms: the set of each plugin, "absent" perhaps among its members.
        fact: what says so; None where it follows from others.
        parents: those from which it follows.
    """

    terms: Mapping[int, int]
    fact: Fact | None = None
    parents: tuple[Nogood, ...] = ()


def facts_of(nogoods: Iterable[Nogood]) -> Iterator[Fact]:
    """The facts that these rest on, each once, in the order in which they are met."""
    pending, seen = list(nogoods)[::-1], set[int]()
    while pending:
        one = pending.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if one.fact is not None:
            yield one.fact
        pending += one.parents[::-1]
