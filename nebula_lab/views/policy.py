"""What holds for a plugin, and what enforces it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nebula_lab.model.enforcement import Enforcement
from nebula_lab.model.policy import EffectivePolicy, Measure
from nebula_lab.model.refusals import Refusal
from nebula_lab.model.security import SandboxMode
from nebula_lab.views.bullets import bullets, paragraph, stacked
from nebula_lab.views.rendered import Rendered
from nebula_lab.views.table import Cell, Column, Table
from nebula_lab.views.tone import Tone

_COLUMNS = (Column("right or limit"), Column("what it has"), Column("enforced"))
_TONES = {
    Enforcement.KERNEL: Tone.GOOD,
    Enforcement.WEBASSEMBLY: Tone.GOOD,
    Enforcement.MANAGER: Tone.GOOD,
    Enforcement.SAMPLING: Tone.DOUBTFUL,
    Enforcement.NONE: Tone.BAD,
}


def policy_view(
    policy: EffectivePolicy, refused: Sequence[Refusal] = (), *, strict: bool = True
) -> Rendered:
    """All of it, then what the plugin asked for in vain, then a conclusion.

    Args:
        policy: of the plugin.
        refused: what it asked for in vain.
        strict: whether what can't be enforced keeps it from running.
    """
    table = measures_table(f"{policy.plugin_id} in sandbox {policy.sandbox.value}", policy.measures)
    vain = ((Tone.DOUBTFUL, f"{policy.plugin_id} {one.message}.", one.cure) for one in refused)
    gaps = gap_items(policy.gaps, policy.plugin_id)
    return stacked([table, bullets([*vain, *gaps]), paragraph(_conclusion(policy, strict))])


def measures_table(caption: str, measures: Iterable[Measure]) -> Rendered:
    """One row for each right and limit."""
    return Table(
        caption=caption,
        columns=_COLUMNS,
        rows=[(one.name, one.granted, _enforced(one)) for one in measures],
        empty=f"{caption}: nothing.",
    ).rendered()


def gap_items(gaps: Iterable[Measure], who: str) -> list[tuple[Tone, str, str]]:
    """What nothing enforces, for `bullets`; those with the same cure together."""
    by_cure: dict[str, list[Measure]] = {}
    for gap in gaps:
        by_cure.setdefault(gap.cure, []).append(gap)
    return [
        (Tone.BAD, f"{who} {', and '.join(dict.fromkeys(gap.risk for gap in alike))}.", cure)
        for cure, alike in by_cure.items()
    ]


def _enforced(measure: Measure) -> Cell:
    how = measure.how
    if how is Enforcement.NONE:
        return Cell("✗ not at all" if not measure.by else measure.by, _TONES[how])
    return Cell(f"{how.value}: {measure.by}", _TONES[how])


def _conclusion(policy: EffectivePolicy, strict: bool) -> str:
    if policy.sandbox is SandboxMode.NONE:
        return "It runs in this process and may do what you may do: sandbox None was chosen."
    if not policy.gaps:
        return "All of it is enforced on this machine."
    if strict:
        return "It is not run here as long as that is so, because of security.strict."
    return "It is run all the same, because of security.strict: false."
