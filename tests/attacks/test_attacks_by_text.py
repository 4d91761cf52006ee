"""Text that would act where it is shown: in names, descriptions, errors, health and results."""

from __future__ import annotations

import contextlib
import html.parser
import re
import warnings

import pytest

from nebula_lab import PluginManager, UnenforcedWarning
from nebula_lab.errors import PluginError
from nebula_lab.views import (
    error_box,
    graph_view,
    health_table,
    log_view,
    metrics_table,
    operations_help,
    plugin_list,
    problem_list,
)

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>\"' onmouseover='x"
ESCAPES = "\x1b]52;c;cm0gLXJm\x07\x1b[2J\x1b]0;title\x07\x9b31m\u202e\x08\r"
EVIL = f"evil {SCRIPT} {ESCAPES} end"
# What acts on a terminal or turns text round; line breaks and tabs do not.
ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

PLUGIN = """
from nebula_lab.plugin import HealthStatus, Plugin, operation
EVIL = {evil!r}
PLUGIN_METADATA = {{
    "id": "evil", "version": "1.0.0", "name": EVIL_NAME, "description": EVIL_NAME,
    "tags": [EVIL_TAG], "author": EVIL_NAME,
}}

class Error(Exception):
    pass

Error.__name__ = Error.__qualname__ = EVIL

class Evil(Plugin):
    @operation
    def give(self) -> str:
        return EVIL

    @operation
    def fail(self):
        {doc!r}
        self.context.log(EVIL)
        raise Error(EVIL)

    def health_check(self):
        return HealthStatus.degraded(EVIL)

def plugin_entry():
    return Evil()
"""


class Tags(html.parser.HTMLParser):
    """The tags and attributes that a browser would see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.attributes.update(name for name, _ in attrs)


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """Every view of a manager with such a plugin, and of one that can't be read."""
    folder = tmp_path_factory.mktemp("evil")
    source = PLUGIN.replace("EVIL_NAME", repr(EVIL)).replace("EVIL_TAG", repr(EVIL[:99]))
    (folder / "evil.py").write_text(source.format(evil=EVIL, doc=EVIL))
    (folder / "worse.py").write_text(f"PLUGIN_METADATA = {{'id': {EVIL!r}, 'version': {EVIL!r}}}\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnenforcedWarning)
        plugins = PluginManager({"plugin_dir": folder, "security": {"sandbox": "Process"}})
    with plugins:
        views = {}
        error = None
        with contextlib.suppress(PluginError):
            plugins.load_plugin("evil")
        try:
            plugins.execute("evil", "fail")
        except PluginError as caught:
            error = caught
        assert error is not None
        views["error"] = error_box(error)
        views["list"] = plugin_list(plugins.list_plugins())
        views["problems"] = problem_list(plugins.problems)
        views["health"] = health_table({"evil": plugins.plugin_health("evil")})
        views["metrics"] = metrics_table(plugins.metrics())
        views["graph"] = graph_view(
            plugins.graph, {info.id: info.state for info in plugins.list_plugins()}
        )
        views["logs"] = log_view("evil", plugins.logs("evil"))
        views["operations"] = operations_help("evil", plugins.operations("evil"))
        yield views


VIEWS = ("error", "list", "problems", "health", "metrics", "graph", "logs", "operations")


def test_the_text_acts_where_it_is_not_cleaned():
    """The proof: a table that puts it in as it is."""
    tags = Tags(f"<td title='{EVIL}'>{EVIL}</td>")
    assert {"script", "img"} <= tags.names
    assert {"onerror", "onmouseover"} & tags.attributes
    assert ACTING.search(EVIL)


@pytest.mark.parametrize("view", VIEWS)
def test_no_html_of_a_plugin_gets_into_a_view(shown, view):
    tags = Tags(shown[view].html)
    assert not tags.names & {"script", "img", "iframe", "object", "link", "form", "a"}
    assert not [name for name in tags.attributes if name.startswith("on")]


@pytest.mark.parametrize("view", VIEWS)
def test_no_escape_sequence_of_a_plugin_gets_into_a_view(shown, view):
    assert not ACTING.search(shown[view].text.replace("\n", " "))
    assert not ACTING.search(shown[view].html)


@pytest.mark.parametrize("view", ["error", "health", "logs"])
def test_the_text_is_shown_all_the_same(shown, view):
    assert "evil" in shown[view].text
