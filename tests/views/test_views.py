"""The other views, and what holds for all of them."""

from __future__ import annotations

import importlib.util
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import networkx as nx
import pytest

from nebula_lab import views
from nebula_lab.errors import ExecutionFailedError, LoadFailedError
from nebula_lab.metrics import DurationSummary, MetricsSnapshot, OperationMetrics, PluginMetrics
from nebula_lab.model import (
    PluginInfo,
    PluginState,
    Problem,
    SourceLocation,
    Version,
    compile_schema,
)
from nebula_lab.plugin import HealthStatus
from nebula_lab.runtime.log_ring import LogLine
from nebula_lab.runtime.operation import Operation
from nebula_lab.views import (
    error_box,
    graph_view,
    health_table,
    log_view,
    metrics_table,
    operation_metrics_table,
    operations_help,
    plugin_list,
    problem_list,
    unenforced_note,
)
from nebula_lab.views.schema_words import type_words

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
EVIL = "<script>alert(1)</script>\x1b[2J\u202e\x00<img src=x onerror=alert(2)>\"'"


def info(plugin_id="a", state=PluginState.ACTIVE, **more):
    return PluginInfo(
        id=plugin_id, name="A", version=Version.parse("1.2.3"), state=state, sandbox="Process"
    ).model_copy(update=more)


def operation(name="add", params=None, description="Add.", **more):
    values = {
        "result_schema": None,
        "stream": False,
        "is_async": False,
        "idempotent": False,
        "signature": "add(n: int = 1) -> int",
        **more,
    }
    schema = params or {
        "type": "object",
        "properties": {
            "n": {"type": "integer", "minimum": 1, "default": 1, "description": "how many"},
            "to": {"type": "string"},
        },
        "required": ["to"],
    }
    return Operation(name=name, description=description, params=compile_schema(schema), **values)


def snapshot(plugins):
    return MetricsSnapshot(NOW, 1, 0, 0, 0, 12, 1, plugins)


TOOK = DurationSummary(12, 0.12, 0.01, 0.001, 0.009, 0.02, 0.5, 1.5)
METRICS = PluginMetrics(
    12, 1, TOOK, {"add": OperationMetrics(12, 1, TOOK)}, 1, 2, 3, 20 * 2**20, 0.5
)


def test_the_list_of_plugins_has_a_row_for_each():
    text = plugin_list([info("a"), info("b", PluginState.DISCOVERED)]).text
    assert text.splitlines()[0] == "2 plugins"
    assert re.search(r"^a +A +1\.2\.3 +Active +Process +0 +0 +—$", text, re.MULTILINE)
    assert re.search(r"^b +A +1\.2\.3 +Discovered ", text, re.MULTILINE)


def test_the_list_says_in_one_line_why_a_plugin_failed():
    row = info(state=PluginState.FAILED, failure="a: ValueError: no\n\nTraceback\n  x").model_copy()
    assert plugin_list([row]).text.splitlines()[-1].endswith("ValueError: no")


def test_an_empty_list_says_so():
    assert plugin_list([]).text == "No plugins were found."


def test_health_has_the_message_of_each_check():
    text = health_table({"a": HealthStatus.HEALTHY, "b": HealthStatus.degraded("slow disk")}).text
    assert text.splitlines()[-1].split(maxsplit=2) == ["b", "Degraded", "slow disk"]


def test_a_health_check_that_fails_is_a_row():
    error = ExecutionFailedError("timed out", plugin_id="a", operation="health_check")
    assert health_table({"a": error}).text.splitlines()[-1].split() == [
        "a",
        "no",
        "answer",
        "timed",
        "out",
    ]


def test_metrics_have_totals_and_a_row_for_each_plugin():
    lines = metrics_table(snapshot({"a": METRICS})).text.splitlines()
    assert lines[0] == "12 calls, 1 failure, 1 load, no reloads, no restarts"
    assert re.split("  +", lines[-1]) == [
        *("a", "12", "1", "10.00 ms", "9.00 ms", "20.00 ms", "500.00 ms", "1.50 s"),
        *("1", "2", "3", "20.0 MiB", "500.00 ms"),
    ]


def test_what_went_wrong_last_stands_below_metrics_in_one_line():
    error = "add: ValueError: <b>no</b>\nmore"
    one = PluginMetrics(1, 1, last_error=error, last_error_at=NOW)
    for view in (
        metrics_table(snapshot({"a": one, "b": METRICS})),
        operation_metrics_table("a", one),
    ):
        *_, heading, last = view.text.splitlines()
        assert heading == "What went wrong last:"
        assert re.fullmatch(r"  a: [\d-]+ [\d:]+, add: ValueError: <b>no</b>", last)
        assert "add: ValueError: &lt;b&gt;no&lt;/b&gt;</li>" in view.html


def test_a_plugin_that_was_not_called_has_no_durations():
    row = metrics_table(snapshot({"a": PluginMetrics(loads=1)})).text.splitlines()[-1]
    assert row.split() == ["a", "0", "0", "—", "—", "—", "—", "—", "1", "0", "0", "—", "—"]


def test_one_plugins_metrics_have_a_row_for_each_operation():
    lines = operation_metrics_table("a", METRICS).text.splitlines()
    assert lines[0] == "a: 12 calls, 1 failure"
    assert lines[-1].startswith("add ")


def test_problems_have_file_line_and_cure_and_come_before_notes():
    where = SourceLocation(Path("/p/a.toml"), 4)
    problems = [
        Problem("optional-left-out", "goes without b", "a", severity="note"),
        Problem("missing-dependency", "needs b", "a", where, "Add a plugin b."),
    ]
    assert problem_list(problems).text == (
        "1 problem and 1 note\n"
        "✗ a: needs b\n    in /p/a.toml:4\n    Add a plugin b.\n"
        "· a: goes without b"
    )


def test_help_shows_signature_types_defaults_and_meaning():
    text = operations_help("a", {"add": operation(stream=True)}).text
    lines = text.splitlines()
    assert lines[:2] == ["add(n: int = 1) -> int   [streams its results]", "    Add."]
    assert lines[4].split(maxsplit=4) == ["n", "int", "≥", "1", "1         how many"]
    assert lines[5].split() == ["to", "str", "required"]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer"}, "int"),
        ({"type": "number", "minimum": 0, "exclusiveMaximum": 1}, "float ≥ 0 < 1"),
        ({"type": "array", "items": {"type": "string"}}, "list of str"),
        ({"type": "array"}, "list"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "int or None"),
        ({"type": ["string", "null"]}, "str or None"),
        ({"enum": ["asc", "desc"]}, "'asc' or 'desc'"),
        ({"const": 3}, "3"),
        ({"type": "string", "format": "bytes"}, "bytes"),
        ({"type": "string", "format": "date-time"}, "datetime"),
        ({}, "any"),
        ({"enum": list(range(9))}, "0 or 1 or 2 or 3 or 4 or 5 or …"),
    ],
)
def test_a_schema_is_a_few_words(schema, words):
    assert type_words(schema) == words


def test_a_log_line_has_time_and_origin():
    lines = [LogLine(NOW, 0, "stdout", "hello"), LogLine(NOW, 30, "log", "careful")]
    text = log_view("a", lines).text
    assert [re.split("  +", one)[1:] for one in text.splitlines()] == [
        ["stdout", "hello"],
        ["WARNING", "careful"],
    ]


def test_what_is_not_enforced_is_a_list():
    assert unenforced_note(["This.", "That."]).text == "This.\nThat."


# A view for each place where a plugin's own words get in.
HOSTILE = {
    "list": plugin_list([info(name=EVIL, failure=EVIL, state=PluginState.FAILED)]),
    "health": health_table({"a": HealthStatus.degraded(EVIL)}),
    "metrics": operation_metrics_table(
        "a", PluginMetrics(operations={EVIL: OperationMetrics(1, 0, TOOK)})
    ),
    "problems": problem_list([Problem("x", EVIL, EVIL, SourceLocation(Path(f"/p/{EVIL}")), EVIL)]),
    "error": error_box(
        LoadFailedError(EVIL, plugin_id=EVIL, path=EVIL, hint=EVIL, remote_traceback=EVIL),
        called_from=EVIL,
    ),
    "operations": operations_help(
        EVIL,
        {
            EVIL: operation(
                EVIL,
                {
                    "type": "object",
                    "properties": {EVIL: {"type": "string", "default": EVIL, "description": EVIL}},
                },
                EVIL,
                signature=EVIL,
            )
        },
    ),
    "open operations": operations_help(EVIL, {}),
    "logs": log_view(EVIL, [LogLine(NOW, 30, "log", EVIL)]),
    "no logs": log_view(EVIL, []),
    "unenforced": unenforced_note([EVIL]),
    "graph": graph_view(nx.DiGraph([(EVIL, "b")]), {}),
}


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, {name for name, _ in attrs}))


@pytest.mark.parametrize("name", HOSTILE)
def test_no_words_of_a_plugin_become_markup(name):
    tags = _Tags()
    tags.feed(HOSTILE[name].html)
    assert not {tag for tag, _ in tags.found} & {"script", "img", "style", "iframe"}
    assert not [attrs for _, attrs in tags.found if any(one.startswith("on") for one in attrs)]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_words_of_a_plugin_steer_the_terminal(name):
    shown = HOSTILE[name].text + HOSTILE[name].html
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)


@pytest.mark.parametrize("name", [name for name in HOSTILE if HOSTILE[name].html])
def test_colours_come_from_the_theme_or_a_fallback(name):
    styles = "".join(re.findall(r'style="([^"]*)"', HOSTILE[name].html))
    assert not re.search(r"(?:color|background):(?!var\(--jp-|inherit|none)", styles)


def test_a_view_shows_itself_in_a_terminal_and_a_notebook():
    view = plugin_list([info()])
    assert repr(view) == view.text
    assert view._repr_mimebundle_() == {"text/plain": view.text, "text/html": view.html}


def test_every_view_has_its_home_and_no_module_has_the_name_of_one():
    # What is imported from a module of that name would hide the view.
    for name in views.__all__:
        home = importlib.import_module(f"nebula_lab.views.{views._HOMES[name]}")
        assert getattr(views, name) is getattr(home, name)
        assert importlib.util.find_spec(f"nebula_lab.views.{name}") is None
