"""What the threads of a plugin were at when a call was stopped, or its process ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePath

from msgspec import Struct

_HEADING = "Stack (most recent call last):"


class StackFrame(Struct, frozen=True):
    """One frame.

    Attributes:
        file: as Python has it; a plugin's own by the name that a person edits.
        line: counted from 1; 0 where it is not known.
        function: its name.
        source: the line that ran, as it was then; "" where it can't be had.
        is_plugin: whether the file is one of the plugin's own.
    """

    file: str
    line: int
    function: str
    source: str = ""
    is_plugin: bool = False

    def __str__(self) -> str:
        text = f'  File "{self.file}", line {self.line or "?"}, in {self.function}'
        return f"{text}\n    {self.source}" if self.source else text


class ThreadStack(Struct, frozen=True):
    """A thread and its frames, outermost first, without those of nebula_lab and of the kernel."""

    name: str
    frames: tuple[StackFrame, ...]

    @property
    def innermost(self) -> StackFrame | None:
        """The plugin's own frame that was called last; any other where there is none."""
        own = [frame for frame in self.frames if frame.is_plugin]
        return (own or self.frames or (None,))[-1]

    @property
    def is_plugins(self) -> bool:
        """Whether there is a frame of the plugin's own in it."""
        return any(frame.is_plugin for frame in self.frames)

    def __str__(self) -> str:
        return "\n".join(map(str, self.frames)) or "  (no frame of Python)"


class ChildProcess(Struct, frozen=True):
    """A process that the plugin had started.

    Attributes:
        pid: as the manager sees it.
        command: its command line, shortened.
        state: such as "sleeping".
        processor_time: seconds that it had computed.
    """

    pid: int
    command: str
    state: str
    processor_time: float

    def __str__(self) -> str:
        return (
            f"  {self.command} (pid {self.pid}, {self.state}, "
            f"{self.processor_time:.2f} s of processor time)"
        )


class HostStacks(Struct, frozen=True):
    """All threads of a plugin's process at one moment.

    Attributes:
        threads: the main one first, then those that run what is the plugin's, and tasks that wait.
        folded: how many more there were, all of the kernel around the plugin.
        children: the processes that the plugin had started.
        trouble: why something of this could not be had; "" if nothing is missing.
    """

    threads: tuple[ThreadStack, ...] = ()
    folded: int = 0
    children: tuple[ChildProcess, ...] = ()
    trouble: str = ""

    @property
    def where(self) -> str:
        """Where the plugin was, on one line; "" if that is not known."""
        frame = None if self._at_work is None else self._at_work.innermost
        if frame is None:
            return ""
        place = f"{PurePath(frame.file).name}:{frame.line or '?'}, in {frame.function}"
        return f"{place}: {frame.source}" if frame.source else place

    @property
    def traceback(self) -> str:
        """The stack of what was stopped as Python would print it; "" if it is not known."""
        if self._at_work is None or not self._at_work.frames:
            return ""
        return f"{_HEADING}\n{self._at_work}"

    @property
    def _at_work(self) -> ThreadStack | None:
        """The main thread; another where that has nothing of the plugin's, and only one has."""
        own = [thread for thread in self.threads if thread.is_plugins]
        if len(own) == 1 or (own and own[0] is self.threads[0]):
            return own[0]
        return self.threads[0] if self.threads and not own else None

    @property
    def beside(self) -> str:
        """All else of the plugin's, its processes too, as text; "" where there is nothing."""
        return "\n".join(self._beside())

    def _beside(self) -> Iterator[str]:
        for thread in self.threads:
            if thread is self._at_work or not thread.is_plugins:
                continue
            yield f"{thread.name} (most recent call last):\n{thread}"
        yield from _listed("Processes that it had started:", self.children)
        if self.trouble:
            yield f"({self.trouble})"

    def __str__(self) -> str:
        threads = (f"{thread.name} (most recent call last):\n{thread}" for thread in self.threads)
        folded = (f"({self.folded} more threads, of the kernel around it)",) * bool(self.folded)
        children = _listed("Processes that it had started:", self.children)
        trouble = (f"({self.trouble})",) * bool(self.trouble)
        return "\n".join((*threads, *folded, *children, *trouble))


def _listed(heading: str, values: Iterable[object]) -> Iterator[str]:
    lines = [str(value) for value in values]
    if lines:
        yield "\n".join((heading, *lines))
