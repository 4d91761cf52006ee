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
        threads: the main one first, then those that the plugin started.
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
        frame = self.threads[0].innermost if self.threads else None
        if frame is None:
            return ""
        place = f"{PurePath(frame.file).name}:{frame.line or '?'}, in {frame.function}"
        return f"{place}: {frame.source}" if frame.source else place

    @property
    def traceback(self) -> str:
        """The main thread's stack as Python would print it; "" if it is not known."""
        if not self.threads or not self.threads[0].frames:
            return ""
        return f"{_HEADING}\n{self.threads[0]}"

    @property
    def beside(self) -> str:
        """The plugin's other threads and its processes, as text; "" where there are none."""
        return "\n".join(self._beside())

    def _beside(self) -> Iterator[str]:
        for thread in self.threads[1:]:
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
