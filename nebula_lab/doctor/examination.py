"""All that was found out about a machine, as one value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from nebula_lab.confine.machine import Machine, Mechanism
from nebula_lab.doctor.finding import Finding, Verdict
from nebula_lab.model.listing import listed
from nebula_lab.model.policy import EffectivePolicy, Measure


class Examination(Struct, frozen=True):
    """What was found.

    Attributes:
        machine: the mechanisms; None where they could not be tried.
        policies: what holds for plugins that ask for "nothing", for "everything", and for "named"
            hosts and files; empty where the mechanisms could not be tried.
        findings: all else.
        is_confining: whether the configuration has plugins confined; not in sandbox None.
    """

    machine: Machine | None
    policies: Mapping[str, EffectivePolicy]
    findings: tuple[Finding, ...]
    is_confining: bool = True

    @property
    def mechanisms(self) -> Iterator[tuple[str, Mechanism]]:
        """Each by its name in `Machine`."""
        if self.machine is not None:
            for name in self.machine.__struct_fields__:
                yield name, getattr(self.machine, name)

    @property
    def gaps(self) -> tuple[Measure, ...]:
        """The rights that nothing enforces here, those of the most modest plugin first."""
        return tuple(dict.fromkeys(gap for one in self.policies.values() for gap in one.gaps))

    @property
    def faults(self) -> tuple[Finding, ...]:
        """What else keeps plugins from running."""
        return tuple(one for one in self.findings if one.verdict is Verdict.GAP)

    @property
    def is_well(self) -> bool:
        """Whether with `strict` every plugin would run."""
        return not self.gaps and not self.faults

    @property
    def conclusion(self) -> str:
        """All of it in a sentence or two."""
        sentences = [self._on_rights()]
        if self.faults:
            names = listed([one.name for one in self.faults])
            sentences.append(f"To be mended before plugins can run: {names}.")
        if not self.is_confining:
            sentences.append("But the configuration chooses sandbox None, which confines nothing.")
        return " ".join(sentences)

    def _on_rights(self) -> str:
        if not self.policies:
            return "Whether plugins can be confined here could not be found out."
        always = self.policies["nothing"].gaps
        if always:
            return (
                "No plugin can be held to all of its limits here: nothing enforces "
                f"{_named(always)}. {_STRICT}"
            )
        if self.gaps:
            return (
                "Plugins that ask for little can be confined here; for those that ask for more, "
                f"nothing enforces {_named(self.gaps)}. {_STRICT}"
            )
        if self.faults:
            return "Plugins can be confined here."
        if all(mechanism.works for _, mechanism in self.mechanisms):
            return "Plugins can be confined here; nothing is missing."
        return "Plugins can be confined here; for what is missing, something else stands in."


_STRICT = "With security.strict they are refused."


def _named(gaps: tuple[Measure, ...]) -> str:
    return listed([f"«{gap.name}: {gap.granted}»" for gap in gaps])
