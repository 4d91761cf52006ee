"""Which mechanism of a machine answers for which right or limit of a plugin."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

from nebula_lab.confine.landlock import TRUNCATION_SINCE
from nebula_lab.confine.machine import Machine, Mechanism

__all__ = ["Enforcement", "Question", "enforcement_of"]


class Enforcement(Enum):
    """How something is held to."""

    KERNEL = "by the kernel"
    WEBASSEMBLY = "by WebAssembly"
    MANAGER = "by the manager"
    SAMPLING = "by sampling"
    NONE = "not at all"


Answer = tuple[Enforcement, str, str]  # by what, and the cure where nothing does it


class Question(Enum):
    """What is to be enforced."""

    NO_NETWORK = auto()
    HOSTS = auto()
    NETWORK = auto()
    FILES = auto()
    ALL_FILES = auto()
    NO_PROCESSES = auto()
    PROCESSES = auto()
    OTHERS = auto()
    OTHERS_OF_SPAWNER = auto()
    SYSTEM_CALLS = auto()
    VARIABLES = auto()
    DISPLAY = auto()
    MEMORY = auto()
    MEMORY_OF_ALL = auto()
    HANDLES = auto()
    THREADS = auto()
    SCRATCH = auto()
    SCRATCH_WITH_SOCKETS = auto()
    PROCESSOR = auto()
    OWN_ENVIRONMENT = auto()
    FUEL = auto()


def enforcement_of(question: Question, machine: Machine) -> Answer:
    """How it is enforced, by what, and what to do where it is not."""
    return _ANSWERS[question](machine)


def enforcement_in_component(question: Question) -> Answer | None:
    """The same for a WebAssembly component, which has nothing but what it is given.

    None where WebAssembly has nothing to do with it.
    """
    if question is Question.DISPLAY:
        return Enforcement.MANAGER, "what is displayed is filtered", ""
    by = _BY_WEBASSEMBLY.get(question)
    return None if by is None else (Enforcement.WEBASSEMBLY, by, "")


def _each(*mechanisms: tuple[str, Mechanism]) -> Answer:
    """Several that each suffice."""
    working = [name for name, mechanism in mechanisms if mechanism.works]
    if working:
        return Enforcement.KERNEL, ", ".join(working), ""
    if len(mechanisms) == 1:
        return Enforcement.NONE, "", mechanisms[0][1].cure
    cures = " Or: ".join(f"{name}: {mechanism.cure}" for name, mechanism in mechanisms)
    return Enforcement.NONE, "", cures


def _no_network(machine: Machine) -> Answer:
    return _each(("seccomp", machine.seccomp), ("a network namespace", machine.namespaces))


def _hosts(machine: Machine) -> Answer:
    how, by, cure = _each(("a network namespace", machine.namespaces))
    return how, by and f"{by} and a proxy", cure


def _network(machine: Machine) -> Answer:
    # No raw sockets and none of the file system's; what else there is has been granted.
    return _each(("seccomp", machine.seccomp))


def _files(machine: Machine) -> Answer:
    is_whole = machine.landlock.version >= TRUNCATION_SINCE or machine.seccomp.works
    if machine.landlock.works and not is_whole and not machine.namespaces.works:
        return Enforcement.NONE, "", f"seccomp: {machine.seccomp.cure} Or: Linux 6.2 or later."
    return _each(("a tree of its own", machine.namespaces), ("Landlock", machine.landlock))


def _all_files(machine: Machine) -> Answer:
    how, by, cure = _each(("a mount namespace", machine.namespaces))
    return how, by, cure and f"Name the files in allowed_paths. Or: {cure}"


def _no_processes(machine: Machine) -> Answer:
    return _each(("seccomp", machine.seccomp))


def _processes(machine: Machine) -> Answer:
    if machine.pid_namespace.works:
        return Enforcement.KERNEL, "a PID namespace", ""
    if machine.landlock.works and machine.scopes.works:
        # Else it could end whoever is to end what it leaves behind.
        return Enforcement.KERNEL, "a subreaper, which Landlock keeps it from signalling", ""
    cure = f"A PID namespace: {machine.pid_namespace.cure} Or Landlock's scopes: "
    return Enforcement.NONE, "", cure + machine.scopes.cure


def _others(machine: Machine) -> Answer:
    # Reading and tracing others is what either of the first two prevents; signals are the second's
    # and, for a plugin that starts no processes, the filter's.
    if machine.landlock.works and (machine.scopes.works or machine.seccomp.works):
        return _each(("Landlock", machine.landlock), ("seccomp", machine.seccomp))
    if machine.namespaces.works and machine.seccomp.works:
        return _each(("namespaces", machine.namespaces), ("seccomp", machine.seccomp))
    return (
        Enforcement.NONE,
        "",
        f"Landlock: {machine.landlock.cure} seccomp: {machine.seccomp.cure}",
    )


def _others_of_spawner(machine: Machine) -> Answer:
    """Of a plugin that may start processes: no filter knows whom it may signal."""
    if machine.pid_namespace.works and machine.namespaces.works:
        return Enforcement.KERNEL, "a PID namespace", ""
    if machine.landlock.works and machine.scopes.works:
        return Enforcement.KERNEL, "Landlock and its scopes", ""
    cure = f"A PID namespace: {machine.pid_namespace.cure} Or Landlock's scopes: "
    return Enforcement.NONE, "", cure + machine.scopes.cure


def _seccomp(machine: Machine) -> Answer:
    return _each(("seccomp", machine.seccomp))


def _variables(machine: Machine) -> Answer:
    return Enforcement.MANAGER, "others are not passed on", ""


def _manager(machine: Machine) -> Answer:
    return Enforcement.MANAGER, "what is displayed is filtered", ""


def _rlimits(machine: Machine) -> Answer:
    return Enforcement.KERNEL, "rlimits", ""


def _memory(machine: Machine) -> Answer:
    return Enforcement.KERNEL, "rlimits; the manager looks at what they do not count", ""


def _memory_of_all(machine: Machine) -> Answer:
    """Of a plugin that may start processes, which have an rlimit each."""
    if machine.cgroup_memory.works:
        return Enforcement.KERNEL, "rlimits for each process, a control group for twice that", ""
    return Enforcement.KERNEL, "rlimits for each process; the manager looks at all together", ""


def _threads(machine: Machine) -> Answer:
    if machine.counts_threads.works:
        return Enforcement.KERNEL, "rlimits in a user namespace", ""
    if machine.cgroups.works:
        return Enforcement.KERNEL, "a control group", ""
    return Enforcement.SAMPLING, "the manager counts them", ""


def _scratch(machine: Machine) -> Answer:
    if machine.namespaces.works:
        return Enforcement.KERNEL, "a quota", ""
    return Enforcement.SAMPLING, "the manager looks at it, and rlimits bound each file", ""


def _scratch_with_sockets(machine: Machine) -> Answer:
    """Of a plugin that can hide a file without a name by being about to send its descriptor."""
    if machine.namespaces.works or machine.sees_calls.works:
        return _scratch(machine)
    return Enforcement.NONE, "", machine.sees_calls.cure


def _processor(machine: Machine) -> Answer:
    if machine.cgroups.works:
        return Enforcement.KERNEL, "a control group", ""
    return Enforcement.SAMPLING, "the manager stops it for a part of the time", ""


def _own_environment(machine: Machine) -> Answer:
    # It makes sockets and sets modes of files while it boots, by code that its plugin chose:
    # without a tree of its own it could do both to whatever there is in the file system.
    how, by, cure = _each(("a tree of its own", machine.namespaces))
    return how, by and f"{by}, before anything in it runs", cure


def _fuel(machine: Machine) -> Answer:
    cure = "Fuel is for plugins in Python: give this one sandbox Wasm without, in `sandboxes`."
    return Enforcement.NONE, "", cure


_ANSWERS: dict[Question, Callable[[Machine], Answer]] = {
    Question.NO_NETWORK: _no_network,
    Question.HOSTS: _hosts,
    Question.NETWORK: _network,
    Question.FILES: _files,
    Question.ALL_FILES: _all_files,
    Question.NO_PROCESSES: _no_processes,
    Question.PROCESSES: _processes,
    Question.OTHERS: _others,
    Question.OTHERS_OF_SPAWNER: _others_of_spawner,
    Question.SYSTEM_CALLS: _seccomp,
    Question.VARIABLES: _variables,
    Question.DISPLAY: _manager,
    Question.MEMORY: _memory,
    Question.MEMORY_OF_ALL: _memory_of_all,
    Question.HANDLES: _rlimits,
    Question.THREADS: _threads,
    Question.SCRATCH: _scratch,
    Question.SCRATCH_WITH_SOCKETS: _scratch_with_sockets,
    Question.PROCESSOR: _processor,
    Question.OWN_ENVIRONMENT: _own_environment,
    Question.FUEL: _fuel,
}

_BY_WEBASSEMBLY: dict[Question, str] = {
    Question.NO_NETWORK: "it is given no sockets",
    Question.FILES: "it is given no files",
    Question.NO_PROCESSES: "there is no way to start any",
    Question.OTHERS: "it sees its own memory alone",
    Question.SYSTEM_CALLS: "it makes none",
    Question.VARIABLES: "it is given none",
    Question.MEMORY: "its memories have a limit",
    Question.HANDLES: "it is given no files",
    Question.THREADS: "it starts none",
    Question.SCRATCH: "it is given no files",
    Question.SCRATCH_WITH_SOCKETS: "it is given no files",
}
