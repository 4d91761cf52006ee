"""From a plugin that is not loaded to the first result of its, against a fresh ipykernel.

The contenders take turns, one load each a round; medians and ratios over all rounds are printed.
What each needs beforehand, a spare process say, is there before the clock starts, and what it
started is gone before the next one's turn. Run: python benchmarks/bench_loads.py [rounds]
"""

from __future__ import annotations

import contextlib
import itertools
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_client.manager import start_new_kernel

from nebula_lab import PluginManager, UnenforcedWarning

ECHO = """
from nebula_lab.plugin import Plugin, operation

PLUGIN_METADATA = {"id": "echo", "version": "1.0.0"}

class Echo(Plugin):
    @operation
    def echo(self, text: str) -> str:
        return text

def plugin_entry():
    return Echo()
"""


@dataclass(frozen=True)
class Contender:
    """One way to a first result.

    Attributes:
        prepare: done before the clock starts.
        work: from nothing to the first result.
        clean: ends what `work` started, after the clock has stopped.
    """

    prepare: Callable[[], object]
    work: Callable[[], object]
    clean: Callable[[], object]


@contextlib.contextmanager
def fresh_ipykernel() -> Iterator[Contender]:
    started: list[Any] = []

    def work() -> None:
        manager, client = start_new_kernel()
        started[:] = [manager, client]
        client.execute_interactive("1", output_hook=lambda message: None, timeout=60)

    def clean() -> None:
        manager, client = started
        client.stop_channels()
        manager.shutdown_kernel(now=True)

    yield Contender(lambda: None, work, clean)


@contextlib.contextmanager
def plugin(**zygote: Any) -> Iterator[Contender]:
    """A manager that has loaded something before, as it has in a notebook at work."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", UnenforcedWarning)
        (Path(folder) / "echo.py").write_text(ECHO)
        with PluginManager({"plugin_dir": folder, "zygote": zygote}) as plugins:
            plugins.load_plugin("echo")
            plugins.unload_plugin("echo")
            texts = map(str, itertools.count())
            yield Contender(
                lambda: _await_quiet(plugins, zygote.get("spares", 0)),
                lambda: plugins.execute("echo", "echo", {"text": next(texts)}),
                lambda: plugins.unload_plugin("echo"),
            )


def _await_quiet(plugins: PluginManager, spares: int) -> None:
    """Until there are as many spares as there are to be, and they have booted."""
    sandbox = plugins._engine._sandbox
    deadline = time.monotonic() + 30
    while len(sandbox.spares) < spares:
        if time.monotonic() > deadline:
            raise TimeoutError("there is no spare")
        time.sleep(0.01)
    time.sleep(0.5)  # for what boots in the background


CONTENDERS: dict[str, Callable[[], contextlib.AbstractContextManager[Contender]]] = {
    "fresh ipykernel": fresh_ipykernel,
    "plugin, started anew": lambda: plugin(enabled=False),
    "plugin, forked": lambda: plugin(spares=0),
    "plugin, spare": lambda: plugin(spares=1),
}


def main(rounds: int) -> None:
    with contextlib.ExitStack() as stack:
        contenders = {name: stack.enter_context(make()) for name, make in CONTENDERS.items()}
        times: dict[str, list[float]] = {name: [] for name in contenders}
        for round_number in range(rounds + 1):
            for name, contender in contenders.items():
                taken = _timed(contender)
                if round_number:  # the first one warms up
                    times[name].append(taken)
    _print(times)


def _timed(contender: Contender) -> float:
    contender.prepare()
    started = time.perf_counter()
    contender.work()
    taken = time.perf_counter() - started
    contender.clean()
    return taken


def _print(times: dict[str, list[float]]) -> None:
    fresh = times["fresh ipykernel"]
    print(f"{'':26}{'median ms':>12}{'× fresh':>10}{'quartiles':>18}")
    for name, taken in times.items():
        ratios = [one / other for one, other in zip(taken, fresh, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        spread = f"{low:.3f} … {high:.3f}"
        print(f"{name:26}{statistics.median(taken) * 1e3:12.1f}{middle:10.3f}{spread:>18}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
