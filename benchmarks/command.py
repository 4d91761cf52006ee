"""The command line: which topics, how much, and where the tables go."""

from __future__ import annotations

import argparse
import compileall
import importlib.util
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import nebula_lab
from benchmarks.catalogue import TOPICS
from benchmarks.machine import Machine
from benchmarks.report import (
    Report,
    as_json,
    as_text,
    outcomes_text,
    put_block,
    result_as_markdown,
    write_markdown,
)
from benchmarks.result import Plan, Result, Topic
from benchmarks.rounds import BenchmarkError

OK, BROKEN, MISUSED = 0, 1, 2


def main(arguments: Sequence[str]) -> int:
    """Run topics and print what came of them.

    Returns:
        0 also where a target is not met; 1 if a benchmark broke; 2 if a peer is not installed.
    """
    options = _parser().parse_args(arguments)
    plan = Plan(quick=options.quick, core=options.core)
    topics = options.topics or list(TOPICS.values())
    if missing := _missing(topics, plan):
        print(f"Not installed: {', '.join(missing)}. `make bench` installs the peers (the extra")
        print("`bench`); --core runs without those that need it.")
        return MISUSED
    # As they are once they have been imported; where Python may not write bytecode, each process
    # of a benchmark would compile them anew.
    compileall.compile_dir(Path(nebula_lab.__file__).parent, quiet=1)
    report, broken = _run(topics, plan)
    print(f"\n{outcomes_text(report)}")
    if options.json:
        options.json.write_bytes(as_json(report))
    if options.markdown and not broken:
        write_markdown(report, options.markdown)
    for topic, path in () if broken else options.tables:
        if topic.title in report.results:
            put_block(result_as_markdown(report, topic.title), path)
    return BROKEN if broken else OK


def _run(topics: Iterable[Topic], plan: Plan) -> tuple[Report, bool]:
    machine = Machine.here()
    results: dict[str, Result] = {}
    broken = False
    for topic in topics:
        print(f"\n== {topic.title}", flush=True)
        started = time.monotonic()
        try:
            results[topic.title] = result = topic.run(plan)
        except BenchmarkError as error:
            print(f"{topic.name} broke: {error}", file=sys.stderr)
            broken = True
            continue
        print("\n\n".join(map(as_text, result.tables)))
        print(f"({time.monotonic() - started:.0f} s)", flush=True)
    return Report.of(machine.at_end(), results, quick=plan.quick), broken


def _missing(topics: Iterable[Topic], plan: Plan) -> list[str]:
    packages = {
        contender.package
        for topic in topics
        for contender in plan.enter(topic.contenders(plan))
        if contender.package
    }
    return sorted(one for one in packages if importlib.util.find_spec(one) is None)


def _topic(name: str) -> Topic:
    try:
        return TOPICS[name]
    except KeyError:
        known = ", ".join(TOPICS)
        raise argparse.ArgumentTypeError(f"no topic is called {name!r}, but {known}") from None


def _place(text: str) -> tuple[Topic, Path]:
    name, separator, path = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"{text!r} is no TOPIC=FILE")
    return _topic(name), Path(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "topics", nargs="*", metavar="TOPIC", type=_topic, help=f"{', '.join(TOPICS)}; all without"
    )
    parser.add_argument(
        "--quick", action="store_true", help="show that it works; figures mean nothing"
    )
    parser.add_argument(
        "--core", action="store_true", help="only peers that need nothing of the `bench` extra"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there")
    parser.add_argument(
        "--markdown", type=Path, metavar="FILE", help="replace the tables in this document"
    )
    parser.add_argument(
        "--tables",
        type=_place,
        action="append",
        default=[],
        metavar="TOPIC=FILE",
        help="replace the tables in this document with those of one topic, if that is run",
    )
    return parser
