"""What a configuration asks for and is not done here, said and not passed over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nebula_lab.errors import LoadFailedError
from nebula_lab.model import PluginDescriptor
from nebula_lab.model.listing import listed
from nebula_lab.model.policy import EffectivePolicy, Measure


def unenforced(policies: Iterable[EffectivePolicy]) -> tuple[str, ...]:
    """One sentence for each thing that is the same for several plugins."""
    concerned: dict[Measure, list[str]] = {}
    for policy in policies:
        for gap in policy.gaps:
            concerned.setdefault(gap, []).append(policy.plugin_id)
    alike: dict[tuple[str, str], list[Measure]] = {}
    for gap, plugin_ids in concerned.items():
        alike.setdefault((listed(plugin_ids), gap.cure), []).append(gap)
    return tuple(_sentence(who, gaps, cure) for (who, cure), gaps in alike.items())


def _sentence(who: str, gaps: Sequence[Measure], cure: str) -> str:
    risks = listed([gap.risk for gap in gaps])
    return f"{who} {risks}: nothing on this machine enforces {_in_words(gaps)}. {cure}"


def unenforceable(descriptor: PluginDescriptor, policy: EffectivePolicy) -> LoadFailedError:
    """The refusal of a plugin that could not be held to what it was granted."""
    cures = " ".join(dict.fromkeys(gap.cure for gap in policy.gaps))
    return LoadFailedError(
        f"not run, because nothing on this machine would enforce {_in_words(policy.gaps)}",
        plugin_id=descriptor.id,
        path=descriptor.path,
        hint=f"{cures} «nebula-lab doctor» tries everything. With security.strict: false it runs "
        "with less.",
    )


def _in_words(gaps: Sequence[Measure]) -> str:
    return listed([f"«{gap.name}: {gap.granted}»" for gap in gaps])
