"""All steps of the demo in their order, and the stage that they are performed on."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from rich.console import Console

from nebula_lab import PluginConfig, __version__
from nebula_lab.cli.demo import editing, finding, mishaps, summing_up, working
from nebula_lab.cli.demo.stage import Stage, Step
from nebula_lab.cli.opening import open_manager
from nebula_lab.cli.progress import NoProgress, ProgressBars, ProgressDisplay, ProgressLines
from nebula_lab.cli.terminal import TerminalSink
from nebula_lab.views.quantities import counted

STEPS = (
    Step("Find the plugins, without running them", finding.discover),
    Step("Put them in order", finding.resolve),
    Step("Load each in a kernel of its own", finding.load),
    Step("Ask a database in SQL", working.query_cars),
    Step("Profile a data set", working.profile_weather),
    Step("Index and search texts", working.search_texts),
    Step("Make thumbnails", working.make_thumbnails),
    Step("Call a bare plugin and an async one", working.greet_and_fetch),
    Step("Edit a running plugin and reload it with its state", editing.edit_and_reload),
    Step("Break it on purpose", editing.break_and_reload),
    Step("Kill a plugin's process", mishaps.kill),
    Step("Let a plugin crash", mishaps.crash),
    Step("Stop operations that never return", mishaps.time_out),
    Step("Look at plugins that can't be loaded", finding.report_broken),
    Step("Sum up", summing_up.sum_up),
)


def perform(directory: Path) -> bool:
    """Perform the demo on the plugins in a folder; whether all came out as it should.

    Raises:
        DiscoveryError: the folder can't be searched.
    """
    begin = time.monotonic()
    print(f"nebula_lab {__version__}: the main job on the plugins in {directory}")
    progress, overall = _progress()
    with _copy_of(directory) as workspace:
        # Reloads are what the steps ask for, at the moment that they ask.
        config = PluginConfig(plugin_dir=workspace, hot_reload=False, timeout=20.0, grace=0.5)
        try:
            with open_manager(config, TerminalSink(progress), tell=False) as plugins:
                stage = Stage(plugins, directory, workspace, progress, overall)
                stage.perform(STEPS)
        finally:
            progress.close()
    stage.expect(not psutil.Process().children(), "the manager is closed and left no process")
    print(f"\n{_verdict(stage)} ({time.monotonic() - begin:.1f} s)")
    return not stage.failed


def _progress() -> tuple[ProgressDisplay, ProgressDisplay]:
    """For calls, and for the demo as a whole."""
    if not sys.stdout.isatty():
        return ProgressLines(lambda text: print(f"    … {text}", flush=True)), NoProgress()
    bars = ProgressBars(Console(), redirect_stdout=True)
    return bars, bars


@contextmanager
def _copy_of(directory: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="nebula-demo-") as folder:
        copy = Path(folder) / "plugins"
        shutil.copytree(directory, copy, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        yield copy


def _verdict(stage: Stage) -> str:
    if not stage.failed:
        return f"All {stage.checked} checks of {len(STEPS)} steps hold."
    listed = "\n".join(f"  ✗ {fact}" for fact in stage.failed)
    return f"Not as it should be:\n{listed}\n{counted(len(stage.failed), 'fact')} failed"
