"""Where the demo performs: one manager, one folder of copies, and a record of what was checked."""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from nebula_lab import PluginManager
from nebula_lab.cli.progress import ProgressDisplay
from nebula_lab.errors import PluginError
from nebula_lab.model.events import Event
from nebula_lab.views import Rendered, error_box

_EVENT_TIMEOUT = 10.0  # seconds for something that is known to be on its way
# What a plugin that does not do what it should makes a step of ours run into.
_FAILURES = (PluginError, LookupError, TypeError, ValueError, AttributeError, OSError)
_STEPS = "demo"

AnyEvent = TypeVar("AnyEvent", bound=Event)
AnyError = TypeVar("AnyError", bound=PluginError)


@dataclass(frozen=True)
class Step:
    """One thing that the demo shows."""

    title: str
    perform: Callable[[Stage], None]


@dataclass
class Stage:
    """What the steps work with.

    Attributes:
        plugins: the manager.
        samples: the sample plugins that the user named; they are only read.
        workspace: a copy of them, which the manager works on and the demo edits.
        progress: shows how far calls and steps have come.
        overall: shows how far the demo has come, where its headings do not say it.
        failed: the facts that did not hold.
    """

    plugins: PluginManager
    samples: Path
    workspace: Path
    progress: ProgressDisplay
    overall: ProgressDisplay
    failed: list[str] = field(default_factory=list)
    checked: int = 0
    _events: queue.SimpleQueue[Event] = field(default_factory=queue.SimpleQueue)

    def perform(self, steps: Sequence[Step]) -> None:
        """Perform all steps; one that fails does not keep the others from being tried."""
        self.plugins.subscribe(self._events.put)
        for number, step in enumerate(steps, 1):
            self.overall.report(_STEPS, number - 1, len(steps), step.title)
            print(f"\n[{number}/{len(steps)}] {step.title}", flush=True)
            begin = time.monotonic()
            try:
                step.perform(self)
            except _FAILURES as error:
                self._unexpected(step, error)
            print(f"    {time.monotonic() - begin:.2f} s", flush=True)

    def _unexpected(self, step: Step, error: Exception) -> None:
        self.failed.append(f"{step.title}: {type(error).__name__}")
        if isinstance(error, PluginError):
            self.show(error_box(error))
        else:
            self.say(f"{type(error).__name__}: {error}")
        self.say("✗ the step could not be finished")

    def say(self, text: str) -> None:
        """Print a line about the present step."""
        print("    " + text.replace("\n", "\n    "), flush=True)

    def show(self, view: Rendered) -> None:
        """Print a table, a report or an error."""
        self.say(view.text)

    def expect(self, holds: bool, fact: str) -> None:
        """Check a fact, and print whether it holds."""
        self.checked += 1
        self.say(f"{'✓' if holds else '✗'} {fact}")
        if not holds:
            self.failed.append(fact)

    @contextlib.contextmanager
    def expect_error(self, kind: type[AnyError], fact: str) -> Iterator[list[AnyError]]:
        """Check that what is done inside fails in one way; gives a list for the error."""
        caught: list[AnyError] = []
        try:
            yield caught
        except kind as error:
            caught.append(error)
        self.expect(bool(caught), fact)

    def event(self, kind: type[AnyEvent], plugin_id: str) -> AnyEvent:
        """Wait for an event, passing over all others.

        Raises:
            TimeoutError: it did not come.
        """
        deadline = time.monotonic() + _EVENT_TIMEOUT
        while (left := deadline - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                event = self._events.get(timeout=left)
                if isinstance(event, kind) and event.plugin_id == plugin_id:
                    return event
        raise TimeoutError(f"no {kind.__name__} of {plugin_id} within {_EVENT_TIMEOUT:g} s")

    def pid(self, plugin_id: str) -> int | None:
        """The process that a plugin runs in.

        Raises:
            LookupError: there is no such plugin.
        """
        for info in self.plugins.list_plugins():
            if info.id == plugin_id:
                return info.pid
        raise LookupError(f"there is no plugin {plugin_id}")
