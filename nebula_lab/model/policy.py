"""What a plugin may really do: its manifest × the configuration × the sandbox × the machine.

`effective_policy` is the one place where this is decided. A sandbox applies what it says, and what
people are told is read off the same value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from nebula_lab.confine.machine import Machine
from nebula_lab.model.capability import PluginCapability
from nebula_lab.model.config import PluginConfig
from nebula_lab.model.container_enforcement import enforcement_in_container
from nebula_lab.model.descriptor import PluginDescriptor
from nebula_lab.model.enforcement import (
    Answer,
    Enforcement,
    Question,
    enforcement_in_component,
    enforcement_of,
)
from nebula_lab.model.granted_rights import Rights, rights_of
from nebula_lab.model.rights_in_words import (
    files_in_words,
    network_in_words,
    variables_in_words,
)
from nebula_lab.model.risks import RISKS
from nebula_lab.model.sandbox_choice import fuel_for, mode_for
from nebula_lab.model.sandbox_mode import SandboxMode
from nebula_lab.model.wasm_enforcement import enforcement_in_wasm
from nebula_lab.plugin.showing import mime_bundle

__all__ = [
    "Measure",
    "Limits",
    "EffectivePolicy",
    "effective_policy",
    "size_in_words",
]

# Bytes that a plugin without the capability MemoryAllocation may use above the booted host's own.
MEMORY_ALLOWANCE = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Measure:
    """One right or limit, and what holds the plugin to it.

    Attributes:
        name: such as "network".
        granted: what the plugin has, in words.
        how: who enforces it.
        by: the mechanisms.
        cure: what to do where nothing enforces it.
        risk: what the plugin can do then, to be read after its id.
    """

    name: str
    granted: str
    how: Enforcement
    by: str = ""
    cure: str = ""
    risk: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a plugin may use, above what its booted host uses by itself.

    Attributes:
        memory: bytes.
        cpu_percent: of one processor; None is unlimited.
        files: open files, sockets and pipes.
        threads: threads and processes together.
        scratch: bytes in its own folder.
        fuel: instructions of WebAssembly that a call takes; None is unlimited.
    """

    memory: int
    cpu_percent: float | None
    files: int
    threads: int
    scratch: int
    fuel: int | None = None


@dataclass(frozen=True, slots=True)
class EffectivePolicy:
    """What holds for one plugin.

    Attributes:
        plugin_id: the plugin.
        sandbox: where it runs; in None nothing is enforced, which choosing it says. A component
            runs in Wasm, whatever sandbox is around that.
        rights: what it may do.
        limits: how much it may use.
        measures: all of it in words, and what enforces it on this machine.
    """

    plugin_id: str
    sandbox: SandboxMode
    rights: Rights
    limits: Limits
    measures: tuple[Measure, ...]

    _repr_mimebundle_ = mime_bundle

    @property
    def gaps(self) -> tuple[Measure, ...]:
        """What nothing enforces here, unless that was chosen."""
        if self.sandbox is SandboxMode.NONE:
            return ()
        return tuple(one for one in self.measures if one.how is Enforcement.NONE)


def effective_policy(
    descriptor: PluginDescriptor,
    config: PluginConfig,
    machine: Machine | None,
    import_folders: tuple[str, ...] = (),
) -> EffectivePolicy:
    """Decide what holds for a plugin.

    Args:
        descriptor: with what it asks for.
        config: what it may have.
        machine: what can be enforced; None where nothing is to be, in sandbox None.
        import_folders: those that are imported from besides Python's own, for people.
    """
    rights = rights_of(descriptor, config.security)
    limits = replace(_limits(rights, config), fuel=fuel_for(descriptor, config.security))
    mode = mode_for(descriptor, config.security)
    is_contained = mode is SandboxMode.CONTAINER
    folders = () if is_contained else import_folders
    questions = [*_questions(rights, limits, folders), *_of_environment(descriptor)]
    if is_contained and rights.sees_all_files:
        all_of_it = ("files", "all of the container, and of yours what allowed_paths names")
        questions = [
            (*all_of_it, one[2]) if one[2] is Question.ALL_FILES else one for one in questions
        ]
    if descriptor.is_component:
        within = tuple(_component_measures(questions, mode, machine))
        return EffectivePolicy(descriptor.id, SandboxMode.WASM, rights, limits, within)
    measures = tuple(_measures(questions, mode, machine))
    return EffectivePolicy(descriptor.id, mode, rights, limits, measures)


def _limits(rights: Rights, config: PluginConfig) -> Limits:
    given = config.security.resource_limits
    memory = config.effective_memory_limit
    if not rights.has(PluginCapability.MEMORY_ALLOCATION):
        memory = min(memory, MEMORY_ALLOWANCE)
    return Limits(
        memory,
        given.max_cpu_percent,
        given.max_file_handles,
        given.max_threads,
        given.max_scratch,
    )


# What enforces them


def _measures(
    questions: Iterable[tuple[str, str, Question]], mode: SandboxMode, machine: Machine | None
) -> Iterator[Measure]:
    for name, granted, question in questions:
        if mode is SandboxMode.NONE or (machine is None and mode is not SandboxMode.WASM):
            yield Measure(name, "as you", Enforcement.NONE, "sandbox None was chosen")
        else:
            how, by, cure = _ENFORCEMENT.get(mode, enforcement_of)(question, machine)
            risk = RISKS[question] if how is Enforcement.NONE else ""
            yield Measure(name, granted, how, by, cure, risk)


def _component_measures(
    questions: Iterable[tuple[str, str, Question]], around: SandboxMode, machine: Machine | None
) -> Iterator[Measure]:
    """Of a component: what WebAssembly does not hold it to, the sandbox around it does."""
    for name, granted, question in questions:
        answer = enforcement_in_component(question)
        if answer is None and machine is not None:
            answer = _ENFORCEMENT.get(around, enforcement_of)(question, machine)
        how, by, cure = answer or (Enforcement.NONE, "", "Choose sandbox Process.")
        risk = RISKS[question] if how is Enforcement.NONE else ""
        yield Measure(name, granted, how, by, cure, risk)


_ENFORCEMENT: dict[SandboxMode, Callable[[Question, Any], Answer]] = {
    SandboxMode.CONTAINER: enforcement_in_container,
    SandboxMode.WASM: enforcement_in_wasm,
}


def _questions(
    rights: Rights, limits: Limits, import_folders: tuple[str, ...]
) -> Iterator[tuple[str, str, Question]]:
    has = rights.has
    yield "network", network_in_words(rights), _network_question(rights)
    yield (
        "files",
        files_in_words(rights, import_folders),
        (Question.ALL_FILES if rights.sees_all_files else Question.FILES),
    )
    if has(PluginCapability.PROCESS_SPAWN):
        yield "processes", "starts any; they end with it", Question.PROCESSES
    else:
        yield "processes", "starts none", Question.NO_PROCESSES
    spawns = has(PluginCapability.PROCESS_SPAWN)
    others = Question.OTHERS_OF_SPAWNER if spawns else Question.OTHERS
    yield "others", "does not signal, trace or read other processes", others
    if has(PluginCapability.SYSTEM_CALLS):
        yield "system calls", "all but those that are never allowed", Question.SYSTEM_CALLS
    else:
        yield "system calls", "those that are usual in Python", Question.SYSTEM_CALLS
    yield "variables", variables_in_words(rights), Question.VARIABLES
    shown = "anything" if has(PluginCapability.RICH_DISPLAY) else "text, pictures and JSON"
    yield "display", shown, Question.DISPLAY
    several = has(PluginCapability.PROCESS_SPAWN)
    memory = Question.MEMORY_OF_ALL if several else Question.MEMORY
    yield "memory", size_in_words(limits.memory), memory
    yield "handles", f"{limits.files}", Question.HANDLES
    yield "threads", f"{limits.threads}", Question.THREADS
    scratch = size_in_words(limits.scratch)
    networked = has(PluginCapability.NETWORK)
    of_scratch = Question.SCRATCH_WITH_SOCKETS if networked else Question.SCRATCH
    yield "scratch", scratch, of_scratch
    if limits.cpu_percent is not None:
        yield "processor", f"{limits.cpu_percent:g} % of one", Question.PROCESSOR
    if limits.fuel is not None:
        yield "fuel", f"{limits.fuel:,} instructions a call", Question.FUEL


def _of_environment(descriptor: PluginDescriptor) -> Iterator[tuple[str, str, Question]]:
    if descriptor.python is not None:
        yield "environment", descriptor.python.in_words(), Question.OWN_ENVIRONMENT


def _network_question(rights: Rights) -> Question:
    if not rights.has(PluginCapability.NETWORK):
        return Question.NO_NETWORK
    return Question.NETWORK if rights.hosts is None else Question.HOSTS


def size_in_words(count: int) -> str:
    """Bytes in the largest unit that fits."""
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= factor:
            return f"{count / factor:.4g} {unit}"
    return f"{count} bytes"
