"""What is known of a plugin before it runs."""

from __future__ import annotations

from collections.abc import Iterable

from nebula_lab.model.descriptor import PluginDependency, PluginDescriptor
from nebula_lab.model.rights import RequestedRights
from nebula_lab.views.facts import fact_list
from nebula_lab.views.rendered import Rendered
from nebula_lab.views.safe_text import line, prose

_MOST = 50  # of dependencies, tags and rights
_DESCRIPTION = 4_000  # characters; more would push all else off the screen


def descriptor_view(descriptor: PluginDescriptor) -> Rendered:
    """Who it is, what it needs and asks for, and where that is written."""
    metadata, runtime = descriptor.metadata, descriptor.runtime
    facts = [
        ("name", descriptor.name if descriptor.name != descriptor.id else ""),
        ("what it does", prose(metadata.description, _DESCRIPTION)),
        ("needs", _lines(map(_dependency, descriptor.dependencies))),
        ("asks for", _rights(descriptor.security)),
        ("at once", runtime.concurrency if runtime.concurrency > 1 else ""),
        ("replicas", runtime.replicas if runtime.replicas > 1 else ""),
        ("author", metadata.author),
        ("license", metadata.license),
        ("home page", metadata.homepage),
        ("tags", _words(metadata.tags)),
        ("nebula_lab from", metadata.min_nebula_version),
        ("nebula_lab up to", metadata.max_nebula_version),
        ("source", descriptor.path),
        ("described in", descriptor.declared_in),
    ]
    return fact_list(f"{descriptor.id} {descriptor.version}", facts)


def _dependency(dependency: PluginDependency) -> str:
    where = f" ({dependency.declared_in})" if dependency.declared_in else ""
    optional = ", optional" if dependency.optional else ""
    return f"{dependency.plugin_id} {dependency.version_req}{optional}{where}"


def _rights(asked: RequestedRights) -> str:
    words = [one.value for one in asked.capabilities]
    return _words([*words, *asked.allowed_hosts, *map(str, asked.allowed_paths)])


def _words(words: Iterable[str]) -> str:
    return ", ".join(_few(words))


def _lines(words: Iterable[str]) -> str:
    return "\n".join(_few(words))


def _few(words: Iterable[str]) -> list[str]:
    """Each as one clean line, and of many the first."""
    shown = [line(word) for word in words]
    left = len(shown) - _MOST
    return [*shown[:_MOST], f"… {left:,} more"] if left > 0 else shown
