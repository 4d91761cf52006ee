"""New pages, folders and notebooks in a JupyterLab."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

from lab_server import LabServer
from notebook_page import PATIENCE, NotebookPage, write_notebook
from playwright.sync_api import Browser, Page

_numbers = itertools.count(1)


def new_page(browser: Browser) -> Page:
    """A page with no past; what goes wrong in it is kept in its `errors`."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    return page


def new_folder(lab: LabServer) -> Path:
    """A folder in the server's, with a folder for plugins in it."""
    path = lab.root / f"test{next(_numbers)}"
    (path / "plugins").mkdir(parents=True)
    return path


def open_notebook(lab: LabServer, page: Page, path: Path, cells: Sequence[str], mode: str):
    """Write a notebook of these cells, and open it."""
    write_notebook(path, list(cells))
    found = NotebookPage(page, lab.url, str(path.relative_to(lab.root)))
    found.open(mode=mode)
    return found
