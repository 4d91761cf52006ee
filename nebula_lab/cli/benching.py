"""`nebula-lab bench`: how long an operation of a plugin takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click

from nebula_lab.cli.failing import PluginCommand, debug_option, json_option
from nebula_lab.cli.opening import find_plugins, for_one_command, open_manager, place_options

_LEAST = 5  # calls, however long they take


class Measured(NamedTuple):
    """Durations of calls, in seconds.

    Attributes:
        calls: how many were measured.
        per_second: calls that were answered in a second, one after the other.
        p50, p95, p99: so many of a hundred took no longer.
        least, most: of all.
    """

    calls: int
    per_second: float
    p50: float
    p95: float
    p99: float
    least: float
    most: float


@click.command("bench", cls=PluginCommand)
@place_options
@click.argument("plugin")
@click.argument("operation")
@click.argument("params", nargs=-1)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True, max=3600),
    default=3.0,
    show_default=True,
    help="For how long it is called.",
)
@click.option("--calls", type=click.IntRange(min=_LEAST), help="So many calls at most.")
@click.option(
    "--warm-up", type=click.IntRange(min=0), default=10, show_default=True, help="Calls before."
)
@json_option
@debug_option
def bench(
    plugin_dir: Path | None,
    config_file: Path | None,
    plugin: str,
    operation: str,
    params: tuple[str, ...],
    seconds: float,
    calls: int | None,
    warm_up: int,
    as_json: bool,
) -> None:
    """Call an operation again and again, and say how long it took, as `run` takes PARAMS.

    The figures have all of a call in them: params checked and sent, the plugin's own work, and the
    answer taken apart. What it prints is not shown.
    """

    from nebula_lab.cli.params import params_from, read_words
    from nebula_lab.cli.values import to_json
    from nebula_lab.runtime.output import QuietSink

    words = read_words(params)
    config = for_one_command(find_plugins(plugin_dir, config_file))
    with open_manager(config, QuietSink()) as plugins:
        known = plugins.operations(plugin).get(operation)
        values = params_from(words, known.params.properties if known else {})

        def call() -> None:
            result: Any = plugins.execute(plugin, operation, values)
            if isinstance(result, Iterator):
                for _ in result:
                    continue

        found = measure(call, seconds, calls, warm_up)
    if as_json:
        click.echo(to_json(found._asdict(), indent=2))
    else:
        click.echo(_in_words(f"{plugin}.{operation}", found))


def measure(
    call: Callable[[], object], seconds: float, calls: int | None, warm_up: int
) -> Measured:
    """Time one call after the other.

    Args:
        call: what is timed.
        seconds: for how long, but five calls at least.
        calls: how many at most.
        warm_up: calls before that are not measured.
    """
    for _ in range(warm_up):
        call()
    durations: list[float] = []
    began = time.perf_counter()
    end = began + seconds
    while len(durations) < _LEAST or time.perf_counter() < end:
        if calls is not None and len(durations) >= calls:
            break
        before = time.perf_counter()
        call()
        durations.append(time.perf_counter() - before)
    whole = time.perf_counter() - began
    parts = statistics.quantiles(durations, n=100, method="inclusive")
    return Measured(
        calls=len(durations),
        per_second=len(durations) / whole,
        p50=parts[49],
        p95=parts[94],
        p99=parts[98],
        least=min(durations),
        most=max(durations),
    )


def _in_words(name: str, found: Measured) -> str:
    from nebula_lab.views.table import Column, Table

    shown = ("p50", "p95", "p99", "least", "most")
    return (
        Table(
            caption=f"{found.calls:,} calls of {name}, times in ms",
            columns=tuple(Column(one, right=True) for one in ("calls/s", *shown)),
            rows=[
                (
                    f"{found.per_second:,.0f}",
                    *(f"{getattr(found, one) * 1000:,.3f}" for one in shown),
                )
            ],
            empty="",
        )
        .rendered()
        .text
    )
