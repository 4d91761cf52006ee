"""What answers for which right or limit of a plugin in a Wasm machine; see `model.enforcement`."""

from __future__ import annotations

from nebula_lab.confine.machine import Machine
from nebula_lab.model.enforcement import Answer, Enforcement, Question

__all__ = ["enforcement_in_wasm"]

_MACHINE = "the machine has no such thing"
_BY_MACHINE: Answer = (Enforcement.MANAGER, _MACHINE, "")
_ANSWERS: dict[Question, Answer] = {
    Question.FILES: (Enforcement.MANAGER, "the machine sees the folders that it is given", ""),
    Question.ALL_FILES: (
        Enforcement.NONE,
        "",
        "Name the folders in allowed_paths: a machine is given folders, never all files.",
    ),
    Question.VARIABLES: (Enforcement.MANAGER, "others are not passed on", ""),
    Question.DISPLAY: (Enforcement.MANAGER, "what is displayed is filtered", ""),
    Question.MEMORY: (Enforcement.MANAGER, "the machine's memory does not grow beyond it", ""),
    Question.SCRATCH: (Enforcement.SAMPLING, "the manager looks at it", ""),
    Question.SCRATCH_WITH_SOCKETS: (Enforcement.SAMPLING, "the manager looks at it", ""),
    Question.PROCESSOR: (Enforcement.MANAGER, "the machine rests for a part of the time", ""),
    Question.FUEL: (Enforcement.MANAGER, "the machine counts its instructions", ""),
    Question.OWN_ENVIRONMENT: (
        Enforcement.NONE,
        "",
        "A machine has Python's standard library and no packages: use sandbox Process.",
    ),
}


def enforcement_in_wasm(question: Question, machine: Machine | None) -> Answer:
    """How it is enforced, by what, and what to do where it is not."""
    return _ANSWERS.get(question, _BY_MACHINE)
