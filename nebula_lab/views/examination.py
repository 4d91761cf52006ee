"""What a machine can enforce and what it lacks."""

from __future__ import annotations

from collections.abc import Mapping

from nebula_lab.doctor.examination import Examination
from nebula_lab.doctor.finding import Verdict
from nebula_lab.model.policy import Measure
from nebula_lab.views.bullets import bullets, paragraph, stacked
from nebula_lab.views.policy import gap_items, measures_table
from nebula_lab.views.rendered import Rendered
from nebula_lab.views.table import Cell, Column, Table
from nebula_lab.views.tone import Tone

# What people call them, and what they are for; one that is not here goes by its own name.
_MECHANISMS: Mapping[str, tuple[str, str]] = {
    "landlock": ("Landlock", "files and ports"),
    "seccomp": ("seccomp", "system calls, sockets, new processes"),
    "namespaces": ("namespaces", "a tree of files and a network of its own"),
    "pid_namespace": ("PID namespace", "ending what a plugin leaves behind"),
    "scopes": ("Landlock's scopes", "signals to other processes"),
    "counts_threads": ("thread counts", "limits of threads by the kernel"),
    "cgroups": ("control groups", "limits of threads and processor"),
    "sees_calls": ("a look at system calls", "limits of scratch folders without namespaces"),
    "cgroup_memory": ("control groups' memory", "memory of several processes together"),
}
_VERDICTS: Mapping[Verdict, tuple[str, Tone]] = {
    Verdict.FINE: ("yes", Tone.GOOD),
    Verdict.NOTE: ("note", Tone.DOUBTFUL),
    Verdict.GAP: ("✗ no", Tone.BAD),
}
_CAPTIONS = {
    "nothing": "A plugin that asks for nothing",
    "everything": "A plugin that asks for everything, where that is something else",
    "named": "The same with allowed_hosts and allowed_paths",
}


def examination_view(examination: Examination) -> Rendered:
    """Mechanisms, rights and limits, the rest of the machine, what to do, and the conclusion."""
    return stacked(
        [
            _mechanisms(examination),
            *_rights(examination),
            _findings(examination),
            bullets(_to_do(examination)),
            paragraph(examination.conclusion),
        ]
    )


def _mechanisms(examination: Examination) -> Rendered:
    rows = []
    for name, mechanism in examination.mechanisms:
        label, use = _label(name)
        works = Cell("yes", Tone.GOOD) if mechanism.works else Cell("✗ no", Tone.DOUBTFUL)
        rows.append((label, works, use, mechanism.detail))
    return Table(
        caption="Mechanisms, as they were tried",
        columns=(Column("mechanism"), Column("works"), Column("for"), Column("detail")),
        rows=rows,
        empty="The mechanisms could not be tried.",
    ).rendered()


def _label(name: str) -> tuple[str, str]:
    return _MECHANISMS.get(name, (name.replace("_", " "), ""))


def _rights(examination: Examination) -> list[Rendered]:
    told: set[Measure] = set()
    tables = []
    for which, caption in _CAPTIONS.items():
        policy = examination.policies.get(which)
        new = [one for one in policy.measures if one not in told] if policy else []
        told.update(new)
        if new:
            tables.append(measures_table(caption, new))
    return tables


def _findings(examination: Examination) -> Rendered:
    return Table(
        caption="The rest",
        columns=(Column("what"), Column("fine"), Column("detail")),
        rows=[
            (one.name, Cell(*_VERDICTS[one.verdict]), one.detail) for one in examination.findings
        ],
        empty="Nothing else was tried.",
    ).rendered()


def _to_do(examination: Examination) -> list[tuple[Tone, str, str]]:
    """Gaps first, then mechanisms whose work others do, then what is only worth knowing."""
    found = examination.findings
    faults = [one for one in found if one.verdict is Verdict.GAP]
    notes = [one for one in found if one.verdict is Verdict.NOTE]
    gaps = gap_items(examination.gaps, "A plugin")
    told = " ".join(cure for _, _, cure in gaps)
    missing: dict[str, list[str]] = {}
    for name, one in examination.mechanisms:
        if not one.works and one.cure not in told:
            missing.setdefault(one.cure, []).append(f"{_label(name)[0]}: {one.detail}.")
    return [
        *((Tone.BAD, f"{one.name}: {one.detail}", one.cure) for one in faults),
        *gaps,
        *((Tone.DOUBTFUL, " ".join(alike), cure) for cure, alike in missing.items()),
        *((Tone.DOUBTFUL, f"{one.name}: {one.detail}", one.cure) for one in notes),
    ]
