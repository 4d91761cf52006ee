"""What `nebula-lab test` does with a plugin, step by step, each told as soon as it is over."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from msgspec import Struct

from nebula_lab.cli.sources import source_problems
from nebula_lab.discovery.base import problem_from
from nebula_lab.errors import PluginError
from nebula_lab.manager import PluginManager
from nebula_lab.model import PluginDescriptor, Problem
from nebula_lab.plugin import HealthState
from nebula_lab.views import error_box
from nebula_lab.views.safe_text import prose

__all__ = ["Step", "left_alone", "test_files", "try_plugin", "unreadable"]

Outcome = Literal["passed", "failed", "none"]
_NO_TESTS = 5  # pytest's exit code where it found none
_SHOWN = 20_000  # characters of what pytest writes


class Step(Struct, frozen=True):
    """One step.

    Attributes:
        name: what was tried.
        outcome: "none" where there was nothing to try.
        detail: in a line.
        seconds: that it took.
        said: more about a failure.
    """

    name: str
    outcome: Outcome
    detail: str = ""
    seconds: float = 0.0
    said: str = ""


# What a step found: how it went, a line about it, and more about a failure.
_Found = tuple[Outcome, str, str]


def try_plugin(
    plugins: PluginManager, descriptor: PluginDescriptor, *, tests: bool
) -> Iterator[Step]:
    """Try everything about a plugin, up to what keeps the rest from being tried.

    Args:
        plugins: knows it.
        descriptor: the plugin.
        tests: whether to run its own tests, which nothing confines.
    """
    steps: list[tuple[str, Callable[[], _Found]]] = [
        ("source", lambda: _source(plugins, descriptor)),
        ("load", lambda: _load(plugins, descriptor)),
        ("operations", lambda: _operations(plugins, descriptor.id)),
        ("health", lambda: _health(plugins, descriptor.id)),
        ("self-test and state", lambda: _reload(plugins, descriptor.id)),
    ]
    for name, run in steps:
        step = _timed(name, run)
        yield step
        if step.outcome == "failed":
            return
    if tests:
        yield _timed("tests", lambda: _tests(descriptor))


def _timed(name: str, run: Callable[[], _Found]) -> Step:
    began = time.monotonic()
    try:
        outcome, detail, said = run()
    except PluginError as error:
        outcome, detail, said = "failed", error.message, error_box(error).text
    return Step(name, outcome, detail, time.monotonic() - began, said)


def _source(plugins: PluginManager, descriptor: PluginDescriptor) -> _Found:
    known = [one for one in plugins.problems if one.plugin_id == descriptor.id]
    found: list[Problem] = [*known, *source_problems([descriptor], known)]
    errors = [one for one in found if one.severity == "error"]
    if errors:
        raise errors[0].to_error()
    notes = "; ".join(one.message for one in found)
    return "passed", notes or f"{descriptor.path.name}, version {descriptor.version}", ""


def _load(plugins: PluginManager, descriptor: PluginDescriptor) -> _Found:
    plugins.load_plugin(descriptor.id)
    mode = plugins.config.security.sandbox
    return "passed", f"sandbox {getattr(mode, 'value', mode)}", ""


def _operations(plugins: PluginManager, plugin_id: str) -> _Found:
    found = plugins.operations(plugin_id)
    return ("passed" if found else "none"), ", ".join(found) or "decided on each call", ""


def _health(plugins: PluginManager, plugin_id: str) -> _Found:
    status = plugins.plugin_health(plugin_id, timeout=plugins.config.timeout)
    is_well = status.state is not HealthState.UNHEALTHY
    told = f"{status.state.value}: {status.message}" if status.message else status.state.value
    return ("passed" if is_well else "failed"), told, ""


def _reload(plugins: PluginManager, plugin_id: str) -> _Found:
    """A reload has the new host take the state, say how it is, and test itself."""
    plugins.reload_plugin(plugin_id)
    event = plugins.last_reload(plugin_id)
    lost = {} if event is None else event.left_out
    if not lost:
        return "passed", "a second host took the state and passed self_test", ""
    told = [f"{name} ({reason})" for name, reason in lost.items()]
    return "failed", f"not carried over: {', '.join(lost)}", prose("\n".join(told))


# Its own tests


def test_files(path: Path) -> list[Path]:
    """The tests of a plugin, beside or inside it.

    Args:
        path: its folder or file.
    """
    if path.is_dir():
        return [found] if (found := path / "tests").is_dir() else []
    name = f"test_{path.stem.replace('.', '_').replace('-', '_')}.py"
    return [one for one in (path.parent / "tests" / name, path.with_name(name)) if one.is_file()]


def _tests(descriptor: PluginDescriptor) -> _Found:
    path = descriptor.path.parent if descriptor.path.name == "__init__.py" else descriptor.path
    found = test_files(path)
    if not found:
        return "none", "there are none", ""
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *map(str, found)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        cwd=found[0].parent,
        check=False,
    )
    lines = prose(done.stdout, _SHOWN).rstrip().splitlines()
    last = lines[-1].strip("= ") if lines else ""
    if done.returncode == _NO_TESTS:
        return "none", "there are none", ""
    if "No module named pytest" in last:
        return "failed", "pytest is not installed: python -m pip install pytest", ""
    last = f"{last}; they ran as you, and nothing confined them"
    if done.returncode:
        return "failed", last, "\n".join(lines)
    return "passed", last, ""


def left_alone(path: Path, registry: str) -> Step:
    """The step of tests that a stranger wrote, which run nowhere.

    Args:
        path: the plugin's file or folder.
        registry: where it came from.
    """
    if not test_files(path):
        return Step("tests", "none", "there are none")
    return Step(
        "tests", "none", f"left alone, as they came from {registry}: --tests runs them, unconfined"
    )


def unreadable(error: PluginError) -> Step:
    """The only step of something that is no plugin."""
    return Step("source", "failed", problem_from(error).message, 0.0, error_box(error).text)
