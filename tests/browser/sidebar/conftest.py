"""One page for all tests of a file, since a page of JupyterLab takes seconds to load."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from notebook_page import PATIENCE, NotebookPage, write_notebook
from playwright.sync_api import Page, expect
from sidebar_page import Sidebar, write_plugins

_numbers = itertools.count(1)
# What JupyterLab itself asks a kernel as it connects, and does not expect a restart to cut off.
NOT_OURS = tuple(
    f"{error}Canceled future for {request}"
    for error in ("", "Error: ")
    for request in ("create_subshell", "kernel_info_request", "debug_request")
)


@pytest.fixture(autouse=True)
def nothing_is_left_behind():
    """The kernels of a file's page are looked for when the file is done."""


@pytest.fixture(scope="module")
def desk_folder(lab) -> Path:
    """A folder of the file's own in the server's, with plugins."""
    path = lab.root / f"sidebar{next(_numbers)}"
    (path / "plugins").mkdir(parents=True)
    write_plugins(path)
    return path


@pytest.fixture(scope="module")
def desk_page(lab, browser) -> Iterator[Page]:
    """The file's page; what fails in it fails the test that comes last."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(f"{error.message}\n{error.stack}"))
    yield page
    context.close()
    lab.end_kernels()
    deadline = time.monotonic() + 10
    while lab.get("/api/kernels"):
        assert time.monotonic() < deadline, "kernels are left behind"
        time.sleep(0.05)
    assert not [error for error in errors if not error.startswith(NOT_OURS)]


@pytest.fixture(scope="module")
def desk(lab, desk_page, desk_folder) -> NotebookPage:
    """A notebook in JupyterLab, with its plugins in the sidebar."""
    cells = [
        "%load_ext nebula_lab",
        "import time",
        "pass",
        "plugins.execute('counter', 'add', {'n': 1})",
    ]
    write_notebook(desk_folder / "first.ipynb", cells)
    path = str((desk_folder / "first.ipynb").relative_to(lab.root))
    notebook = NotebookPage(desk_page, lab.url, path)
    notebook.open(mode="lab")
    Sidebar(desk_page).show()
    return notebook


@pytest.fixture
def sidebar(desk) -> Sidebar:
    """The panel beside the notebook, where nebula_lab is loaded."""
    found = Sidebar(desk.page)
    expect(found.panel.locator(".nl-side-cure:visible, .nl-side-row:visible").first).to_be_visible()
    if found.cure.is_visible():
        found.cure.click()
    expect(found.row("counter")).to_be_visible()
    return found
