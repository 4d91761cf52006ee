"""The command, on topics whose peers need nothing more than the project does."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from benchmarks.catalogue import TOPICS
from benchmarks.command import BROKEN, MISUSED, OK, main
from benchmarks.report import BEGIN, END
from benchmarks.result import Plan, Result, Topic
from benchmarks.rounds import BenchmarkError
from benchmarks.spread import Spread
from benchmarks.topics import calls as calls_topic

ROOT = Path(__file__).parents[2]


def test_a_quick_run_of_the_core_measures_what_decides_the_targets(tmp_path):
    document, data = tmp_path / "performance.md", tmp_path / "run.json"
    document.write_text(f"{BEGIN}{END}")
    command = [sys.executable, "-m", "benchmarks", "calls", "resolver", "--quick", "--core"]
    files = ["--json", str(data), "--markdown", str(document)]
    done = subprocess.run([*command, *files], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == OK, done.stderr
    verdicts = {
        one["target"]["key"]: one["measured"] is not None
        for one in msgspec.json.decode(data.read_bytes())["outcomes"]
    }
    decided = {key for key, is_measured in verdicts.items() if is_measured}
    assert decided == {key for key in verdicts if key.startswith(("calls.", "resolver."))}
    assert "**plugin**" in done.stdout and "**plugin**" in document.read_text()
    assert "mean nothing" in done.stdout and "mean nothing" in document.read_text()


def test_the_core_leaves_out_what_the_bench_extra_installs():
    core = Plan(core=True).enter(calls_topic.contenders(Plan()))
    assert {one.name for one in core} >= {calls_topic.RAW, calls_topic.PIPE, calls_topic.PLUGIN}
    assert not any(one.package for one in core)


@pytest.fixture
def one_topic(monkeypatch):
    """Replaces all topics with one; gives the function that does."""

    def replace(run, contenders=lambda plan: []):
        monkeypatch.setattr(
            "benchmarks.command.TOPICS", {"one": Topic("one", "One", contenders, run)}
        )

    return replace


def broken(plan):
    raise BenchmarkError("it is out of order")


def test_a_benchmark_that_breaks_is_an_error_and_writes_no_table(one_topic, tmp_path, capsys):
    one_topic(broken)
    document = tmp_path / "performance.md"
    document.write_text(f"{BEGIN}as it was{END}")
    assert main(["--markdown", str(document)]) == BROKEN
    assert "one broke: it is out of order" in capsys.readouterr().err
    assert document.read_text() == f"{BEGIN}as it was{END}"


def test_a_target_that_is_not_met_is_no_error(one_topic, capsys):
    one_topic(lambda plan: Result((), {"calls.to_pipe": Spread.of([9.0])}))
    assert main([]) == OK
    assert "not met" in capsys.readouterr().out


def test_a_peer_that_is_not_installed_is_named(one_topic, capsys):
    contender = replace(calls_topic.contenders(Plan())[0], package="no_such_package")
    one_topic(broken, lambda plan: [contender])
    assert main([]) == MISUSED
    assert "no_such_package" in capsys.readouterr().out


def test_the_tables_of_one_topic_go_into_a_document_of_their_own(one_topic, tmp_path):
    one_topic(lambda plan: Result((), {}))
    document = tmp_path / "one.md"
    document.write_text(f"{BEGIN}old{END}")
    assert main(["--tables", f"one={document}"]) == OK
    assert "old" not in document.read_text() and "Measured on" in document.read_text()


@pytest.mark.parametrize("place", ["one", "two=x.md"])
def test_a_document_for_no_topic_is_refused(one_topic, place):
    one_topic(broken)
    with pytest.raises(SystemExit):
        main(["--tables", place])


def test_an_unknown_topic_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["weather"])
    said = capsys.readouterr().err
    assert "'weather'" in said and all(name in said for name in TOPICS)
