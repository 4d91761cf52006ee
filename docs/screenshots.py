"""Takes the pictures in `docs/images`: the sample plugins in a real JupyterLab.

`make screenshots` runs it.

It needs Chromium, as the tests in `tests/browser` do, whose server it uses.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
PROJECT = HERE.parent
sys.path.insert(0, str(PROJECT / "tests" / "browser"))

from chromium import ARGUMENTS, chromium  # noqa: E402 - it is found by the line above
from lab_server import LabServer  # noqa: E402
from notebook_page import NotebookPage, write_notebook  # noqa: E402

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
CELLS = [
    "%load_ext nebula_lab",
    'store = plugins["my_custom_resource"]\n'
    'store.insert(table="planets", rows=[{"name": "Mars", "moons": 2}, '
    '{"name": "Saturn", "moons": 274}])\n'
    'store.query(sql="SELECT name, moons FROM planets ORDER BY moons DESC")',
    'cars = plugins["data_profiler"].profile(source="cars")\n'
    'print(cars["rows"], "rows in", len(cars["columns"]), "columns")',
    "%plugin",
    "%plugin graph",
]
# What makes the figures move: calls of several plugins, one that fails, one that crashes.
BUSY = """
import time
from nebula_lab import PluginError
plugins.load_plugin("greeter")
for text in ("The first line.", "A second one, with a word."):
    plugins["search_index"].add(texts={str(hash(text)): text})
plugins.suspend_plugin("search_index")
try:
    plugins["crasher"].crash(how="exit")
except PluginError:
    pass
for turn in range(44):
    for number in range(3 + 9 * (turn % 5)):
        store.query(sql="SELECT count(*) FROM planets")
        plugins["logger"].write(message=f"turn {turn}, line {number}")
    if turn % 6 == 5:
        try:
            store.query(sql="SELECT * FROM comets")
        except PluginError:
            pass
    time.sleep(0.35)
"""


def main() -> None:
    """Take them all, in both themes."""
    target = HERE / "images"
    target.mkdir(exist_ok=True)
    with _server() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        for name, theme in THEMES.items():
            _take(browser, server, theme, target, name)
        browser.close()


def _take(browser: Browser, server: LabServer, theme: str, target: Path, name: str) -> None:
    size = {"width": 1440, "height": 960}
    page = browser.new_page(viewport=size, device_scale_factor=1.5)
    page.set_default_timeout(60_000)
    notebook = NotebookPage(page, server.url, "plugins.ipynb")
    notebook.open(mode="lab")
    notebook.theme(theme)
    notebook.command("nebula-lab:show")
    _widen_sidebar(page, 400)
    for number in range(len(CELLS)):
        notebook.run(number)
    _run_quietly(page, BUSY)
    page.locator(".nl-side-item[data-plugin=my_custom_resource] .nl-side-row").click()
    page.locator(".nl-side-item[data-plugin=my_custom_resource] dd").first.wait_for()
    page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.node.scrollTop = 0; }")
    page.screenshot(path=target / f"sidebar-{name}.png")
    notebook.command("application:toggle-left-area")
    for part in ("dashboard", "graph"):
        view = page.locator(f".jp-OutputArea .nl-{part}")
        view.scroll_into_view_if_needed()
        view.locator("tbody tr, .nl-node").first.wait_for()
        view.screenshot(path=target / f"{part}-{name}.png")
    page.close()
    server.end_kernels()


def _widen_sidebar(page: Page, width: int) -> None:
    handle = page.locator("#jp-main-split-panel > .lm-SplitPanel-handle:not(.lm-mod-hidden)").first
    box = handle.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 1, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(width, box["y"] + 200, steps=5)
    page.mouse.up()


def _run_quietly(page: Page, code: str) -> None:
    """Run code in the notebook's kernel, in no cell, and wait for it."""
    reply = page.evaluate(
        """code => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel
            .requestExecute({ code, silent: true, store_history: false }).done
            .then(reply => reply.content)""",
        code,
    )
    if reply["status"] != "ok":
        raise RuntimeError(f"{reply['ename']}: {reply['evalue']}")


@contextmanager
def _server() -> Iterator[LabServer]:
    with tempfile.TemporaryDirectory(prefix="screenshots-") as folder:
        server = LabServer(Path(folder))
        try:
            shutil.copytree(PROJECT / "sample_plugins", server.root / "sample_plugins")
            shutil.copy(PROJECT / "plugin_resource.yaml", server.root)
            write_notebook(server.root / "plugins.ipynb", CELLS)
            server.wait()
            yield server
        finally:
            server.close()


if __name__ == "__main__":
    main()
