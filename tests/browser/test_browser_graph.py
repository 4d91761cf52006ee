"""The graph in a real JupyterLab, and what either view costs while nobody sees it."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab_pages import new_folder, new_page, open_notebook
from playwright.sync_api import expect
from steering import expect_feed

NEEDS = {
    "ring_a": ["ring_b"],
    "ring_b": ["ring_a"],
    "base": [],
    "middle": ["base"],
    "top": ["middle"],
    "picky": ["base >=9.0"],
    "alone": [],
}
SOURCE = """
from nebula_lab.plugin import Plugin
PLUGIN_METADATA = {{"id": "{id}", "version": "1.0.0", "dependencies": {needs!r}}}
def plugin_entry():
    return Plugin()
"""


@pytest.fixture(scope="module")
def opened(lab, browser):
    """A notebook with a graph, in the second cell."""
    folder = new_folder(lab)
    for plugin_id, needs in NEEDS.items():
        source = SOURCE.format(id=plugin_id, needs=needs)
        (folder / "plugins" / f"{plugin_id}.py").write_text(source)
    page = new_page(browser)
    cells = ["%load_ext nebula_lab", "%plugin graph", "plugins.load_plugin('base')"]
    found = open_notebook(lab, page, folder / "test.ipynb", cells, "doc")
    found.run(0)
    found.run(1)
    expect(found.output(1).locator(".nl-node")).to_have_count(len(NEEDS))
    yield found
    page.context.close()
    assert not page.errors


@pytest.fixture
def graph(opened):
    shown = opened.output(1).locator(".nl-graph")
    yield shown
    shown.locator(".nl-graph-frame").press("Escape")


def lit(graph) -> set[str]:
    return set(
        graph.locator(".nl-node.nl-lit").evaluate_all("all => all.map(one => one.dataset.id)")
    )


def test_what_depends_on_a_plugin_is_lit(graph):
    graph.locator("[data-id=base]").click()
    assert lit(graph) == {"base", "middle", "top", "picky"}
    expect(graph.locator(".nl-graph-about")).to_contain_text("3 depend on it")


def test_a_cycle_is_shown_with_its_files_when_pointed_at(graph):
    graph.locator("[data-id=ring_a]").hover()
    assert lit(graph) == {"ring_a", "ring_b"}
    about = graph.locator(".nl-graph-about")
    expect(about).to_contain_text("ring_a → ring_b → ring_a")
    expect(about).to_contain_text("ring_b.py")
    assert graph.locator(".nl-edge-cycle.nl-lit").count() == 2


def test_a_conflict_is_marked_and_explained(graph):
    node = graph.locator("[data-id=picky]")
    expect(node.locator(".nl-node-sign")).to_have_text("⚠")
    assert "needs base" in node.get_attribute("aria-label")
    node.click()
    expect(graph.locator(".nl-graph-about")).to_contain_text("9.0")


def test_keys_go_along_dependencies(graph):
    graph.locator("[data-id=top]").click()
    graph.locator(".nl-graph-frame").press("ArrowRight")
    expect(graph.locator(".nl-chosen")).to_have_attribute("data-id", "middle")


def test_states_are_those_of_now(graph, opened):
    about = graph.locator("[data-id=base] .nl-node-about")
    expect(about).to_have_text("1.0.0 Discovered")
    opened.run(2)
    expect(about).to_have_text("1.0.0 Loaded")


@pytest.mark.parametrize(("kind", "start"), [("SVG", b"<svg "), ("PNG", b"\x89PNG")])
def test_it_is_saved_as_a_picture(graph, kind, start):
    with graph.page.expect_download() as download:
        graph.get_by_role("button", name=f"Save as {kind}").click()
    assert download.value.suggested_filename == f"plugins.{kind.lower()}"
    content = Path(download.value.path()).read_bytes()
    assert content.startswith(start)
    assert b"var(--" not in content  # its colours are its own


def test_a_view_that_is_not_seen_has_no_thread_in_the_kernel(graph, opened):
    expect_feed(opened, is_there=True)
    opened.page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1")
    opened.command("notebook:hide-cell-outputs")
    expect_feed(opened, is_there=False)
    opened.page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1")
    opened.command("notebook:show-cell-outputs")
    expect(graph).to_be_visible()
