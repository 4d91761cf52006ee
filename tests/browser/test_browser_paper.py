"""Tables on a sheet of paper, which nobody can scroll to the side: an export, printed."""

from __future__ import annotations

from datetime import UTC, datetime

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter

from nebula_lab.metrics import DurationSummary, MetricsSnapshot, PluginMetrics
from nebula_lab.model import PluginInfo, PluginState, Version
from nebula_lab.views import metrics_table, plugin_list

SHEET = {"width": 816, "height": 1056}  # US letter at 96 dots an inch
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
TOOK = DurationSummary(12_345, 123.45, 0.0101, 0.0012, 0.0093, 0.0213, 0.523, 12.5)
METRICS = PluginMetrics(12_345, 117, TOOK, {}, 12, 23, 34, 123 * 2**20, 1_234.5)


@pytest.fixture(scope="module")
def lab():
    """Paper needs no server."""


@pytest.fixture(scope="module", autouse=True)
def no_kernel_is_left_behind():
    """Nor a kernel."""


@pytest.fixture(scope="module")
def paper(browser, tmp_path_factory):
    """The page that is printed."""
    ids = ("counter", "my_custom_resource", "data_profiler_of_cars")
    metrics = MetricsSnapshot(NOW, 3, 2, 1, 4, 12, 1, dict.fromkeys(ids, METRICS))
    infos = [info(one) for one in ids]
    cells = [shown(metrics_table(metrics)), shown(plugin_list(infos))]
    notebook = nbformat.v4.new_notebook(cells=cells)
    file = tmp_path_factory.mktemp("paper") / "printed.html"
    file.write_text(HTMLExporter().from_notebook_node(notebook)[0])
    page = browser.new_page(viewport=SHEET)
    page.route("http**", lambda route: route.abort())  # as without a network
    page.goto(file.as_uri())
    page.emulate_media(media="print")
    yield page
    page.close()


def info(plugin_id: str) -> PluginInfo:
    return PluginInfo(
        id=plugin_id,
        name="A plugin that profiles cars",
        version=Version.parse("1.2.3-beta.1"),
        state=PluginState.SUSPENDED,
        sandbox="Container",
        last_used=NOW,
    )


def shown(view) -> nbformat.NotebookNode:
    """A cell with a view below it."""
    output = nbformat.v4.new_output("display_data", data=view.mime_bundle())
    return nbformat.v4.new_code_cell("", outputs=[output])


@pytest.mark.parametrize("number", [0, 1], ids=["metrics", "plugins"])
def test_every_column_is_on_the_paper(paper, number):
    table = paper.locator("table").nth(number)
    assert table.locator("tbody tr").count() == 3
    wide, room = table.evaluate("one => [one.scrollWidth, one.parentElement.clientWidth]")
    assert wide <= room
