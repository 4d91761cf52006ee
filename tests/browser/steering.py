"""What is done in JupyterLab by other means than the mouse."""

from __future__ import annotations

import time

from notebook_page import PATIENCE, NotebookPage

HAS_FEED = "any(one.name == 'nebula-live' for one in __import__('threading').enumerate())"


def set_setting(notebook: NotebookPage, name: str, value: object) -> None:
    """Change a setting as the settings editor does."""
    notebook.page.evaluate(
        """async ([name, value]) => {
            const app = window.jupyterapp;
            const tokens = [...app.pluginRegistry._services.keys()];
            const token = tokens.find(one => one.name.endsWith(':ISettingRegistry'));
            const registry = await app.resolveRequiredService(token);
            await registry.set('nebula-lab:plugin', name, value);
        }""",
        [name, value],
    )


def hide_page(notebook: NotebookPage, *, is_hidden: bool) -> None:
    """Tell the page what a browser does when another tab is chosen, which has no window here."""
    notebook.page.evaluate(
        """isHidden => {
            const set = (name, value) =>
                Object.defineProperty(document, name, { value, configurable: true });
            set("hidden", isHidden);
            set("visibilityState", isHidden ? "hidden" : "visible");
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        is_hidden,
    )


def run_code(notebook: NotebookPage, code: str, before: str = "") -> str:
    """Run code in the notebook's kernel, in no cell; the status of the reply."""
    return notebook.page.evaluate(
        """async code => {
            const panel = [...window.jupyterapp.shell.widgets('main')].find(w => w.sessionContext);
            const { kernel } = panel.sessionContext.session;
            const reply = await kernel.requestExecute({ code, stop_on_error: false }).done;
            return reply.content.status;
        }""",
        before + code,
    )


def expect_feed(notebook: NotebookPage, *, is_there: bool) -> None:
    """Wait until the kernel has a thread that feeds views, or has none."""
    deadline = time.monotonic() + PATIENCE / 1000
    while notebook.evaluate(HAS_FEED) != str(is_there):
        assert time.monotonic() < deadline, f"a feed is there: {not is_there}"
        time.sleep(0.02)


def expect_sources(notebook: NotebookPage, expected: list[str]) -> None:
    """Wait until the cells have that code: a command that adds one may end after the click."""
    notebook.page.wait_for_function(
        """expected => {
            const cells = window.jupyterapp.shell.currentWidget.content.widgets;
            const sources = cells.map(cell => cell.model.sharedModel.source);
            return JSON.stringify(sources) === JSON.stringify(expected);
        }""",
        arg=expected,
        timeout=PATIENCE,
    )


def cell_sources(notebook: NotebookPage) -> list[str]:
    """The code of each cell of the notebook in front."""
    return notebook.page.evaluate(
        "window.jupyterapp.shell.currentWidget.content.widgets.map(w => w.model.sharedModel.source)"
    )
