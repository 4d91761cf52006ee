"""The sidebar in Notebook 7, which has another shell than JupyterLab."""

from __future__ import annotations

import pytest
from lab_pages import new_page
from notebook_page import NotebookPage, write_notebook
from playwright.sync_api import expect
from sidebar_page import Sidebar


@pytest.fixture(scope="module")
def beside(lab, browser, desk_folder):
    """The panel beside a notebook that has run its first cell."""
    write_notebook(desk_folder / "seven.ipynb", ["%load_ext nebula_lab"])
    page = new_page(browser)
    stacks = []
    page.on("pageerror", lambda error: stacks.append(error.stack))
    path = str((desk_folder / "seven.ipynb").relative_to(lab.root))
    notebook = NotebookPage(page, lab.url, path)
    notebook.open(mode="notebooks")
    notebook.run(0)
    found = Sidebar(page)
    found.show()
    yield found
    page.context.close()
    # Extensions made for JupyterLab alone miss this and that here.
    assert not [stack for stack in stacks if "/nebula-lab/" in stack]


def test_a_plugin_is_loaded_beside_a_notebook(beside):
    expect(beside.row("counter")).to_be_visible()
    beside.press("counter", "load")
    beside.expect_state("counter", "Loaded")


def test_a_sample_is_inserted(beside):
    samples = beside.section("samples")
    samples.get_by_role("button", name="Insert a call of add of counter").click()
    expect(beside.page.locator(".jp-Cell").nth(1)).to_contain_text("plugins['counter'].add(n=0)")


def test_the_dashboard_opens_to_the_right_of_it(beside):
    beside.page.evaluate(
        "() => void window.jupyterapp.commands.execute('nebula-lab:open-dashboard')"
    )
    row = beside.page.locator("#jp-right-stack .nl-main:visible tbody tr").first
    expect(row).to_contain_text("counter")
    expect(beside.page.locator(".jp-Notebook")).to_be_visible()
