"""What answers for which right or limit of a plugin in a container; see `model.enforcement`."""

from __future__ import annotations

from nebula_lab.confine.machine import Machine
from nebula_lab.model.enforcement import Answer, Enforcement, Question, enforcement_of

__all__ = ["enforcement_in_container"]

_KERNEL, _NONE = Enforcement.KERNEL, Enforcement.NONE
_ENVIRONMENT = "Have its packages put into the image, by `packages` of the container's settings."
# What a container does by itself, whatever the machine.
_ALWAYS: dict[Question, Answer] = {
    Question.NO_NETWORK: (_KERNEL, "a container without a network", ""),
    Question.HOSTS: (_KERNEL, "a container whose one port leads to a proxy", ""),
    Question.FILES: (_KERNEL, "the container's own files", ""),
    Question.ALL_FILES: (_KERNEL, "the container's own files", ""),
    Question.PROCESSES: (_KERNEL, "a container, which ends as a whole", ""),
    Question.OTHERS: (_KERNEL, "the container's namespaces", ""),
    Question.OTHERS_OF_SPAWNER: (_KERNEL, "the container's namespaces", ""),
    Question.SCRATCH: (_KERNEL, "a file system of limited size", ""),
    Question.SCRATCH_WITH_SOCKETS: (_KERNEL, "a file system of limited size", ""),
    Question.OWN_ENVIRONMENT: (_NONE, "", _ENVIRONMENT),
}
_OF_ALL = "rlimits for each process, the container for twice that"
# What it does where its runtime has the control group for it, by the machine's name for that.
_BY_GROUP: dict[Question, tuple[str, Answer]] = {
    Question.MEMORY: (
        "cgroup_memory",
        (_KERNEL, "rlimits, and the container for twice that", ""),
    ),
    Question.MEMORY_OF_ALL: ("cgroup_memory", (_KERNEL, _OF_ALL, "")),
    Question.THREADS: ("counts_threads", (_KERNEL, "the container", "")),
    Question.PROCESSOR: ("cgroups", (_KERNEL, "the container", "")),
}


def enforcement_in_container(question: Question, machine: Machine) -> Answer:
    """How it is enforced, by what, and what to do where it is not.

    Args:
        question: what is to be enforced.
        machine: the mechanisms, as a container has them.
    """
    if question in _ALWAYS:
        return _ALWAYS[question]
    group, answer = _BY_GROUP.get(question, ("", None))
    if answer is not None and getattr(machine, group).works:
        return answer
    return enforcement_of(question, machine)
