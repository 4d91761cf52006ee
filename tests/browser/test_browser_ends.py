"""What a dashboard shows when its kernel, its page or nebula_lab itself ends, and who shares it."""

from __future__ import annotations

import json

import pytest
from lab_pages import new_folder, new_page, open_notebook
from notebook_page import PATIENCE, NotebookPage
from playwright.sync_api import Locator, expect
from steering import expect_feed, hide_page

PLUGIN = """
from nebula_lab.plugin import Plugin, operation
PLUGIN_METADATA = {{"id": "{id}", "version": "1.0.0"}}

class It(Plugin):
    @operation
    def say(self, text: str) -> str:
        print(text)
        return text

def plugin_entry():
    return It()
"""
IDS = ("first", "second")
GO_ON = "import pathlib, time\nwhile not pathlib.Path('go_on').exists():\n    time.sleep(0.01)"
LOAD, SHOW, CRASH, BUSY, UNLOAD, SHOW_AND_GO_ON = range(6)
CELLS = [
    "%reload_ext nebula_lab",  # which ends what a former page may have left
    "%plugin",
    "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    GO_ON,
    "for one in list(plugins): plugins.unload_plugin(one)",
    f"get_ipython().run_line_magic('plugin', '')\n{GO_ON}",
]
RUN = """async number => {
    const app = window.jupyterapp;
    const { sessionContext, content } = app.shell.currentWidget;
    if (sessionContext.hasNoKernel) {
        await sessionContext.changeKernel({ name: 'python3' });
    }
    content.activeCellIndex = number;
    await app.commands.execute('notebook:run-cell');
}"""
SUBSHELLS = """(how) => {
    const { sessionContext } = window.jupyterapp.shell.currentWidget;
    sessionContext.session.kernel.commsOverSubshells = how;
}"""
HAS_NO_KERNEL = "() => window.jupyterapp.shell.currentWidget.sessionContext.hasNoKernel"
RESTART = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
# What ipywidgets does where it has not found a widget for two seconds.
GIVE_UP = """number => {
    const { outputArea } = window.jupyterapp.shell.currentWidget.content.widgets[number];
    const [place] = outputArea.node.getElementsByClassName('jp-OutputArea-output');
    place.textContent = 'Error displaying widget: model not found';
}"""
# What JupyterLab else does every ten seconds.
LOOK_AT_SESSIONS = "() => window.jupyterapp.serviceManager.sessions.refreshRunning()"


@pytest.fixture(scope="module")
def shared(lab, browser):
    """One notebook for all tests of the file, for a page takes longer to open than they do."""
    page = new_page(browser)
    made = folder_with_plugins(lab)
    found = open_notebook(lab, page, made / "test.ipynb", CELLS, "doc")
    found.folder = made
    yield found
    page.context.close()
    assert not page.errors


@pytest.fixture(scope="module")
def beside(browser):
    """A page of another browser, which has not opened anything."""
    page = new_page(browser)
    yield page
    page.context.close()
    assert not page.errors


@pytest.fixture
def opened(shared):
    """It, with a new dashboard of plugins that are not loaded."""
    (shared.folder / "go_on").unlink(missing_ok=True)
    begin(shared)
    again(shared, UNLOAD)
    yield shared
    (shared.folder / "go_on").touch()
    hide_page(shared, is_hidden=False)
    again(shared, UNLOAD)  # which comes after a cell that still runs


def folder_with_plugins(lab):
    made = new_folder(lab)
    for one in IDS:
        (made / "plugins" / f"{one}.py").write_text(PLUGIN.format(id=one))
    return made


def begin(notebook: NotebookPage) -> None:
    """Load it and show a dashboard, as whoever comes back does."""
    again(notebook, LOAD)
    again(notebook, SHOW)
    shows_everything(dashboard(notebook))


def again(notebook: NotebookPage, number: int) -> None:
    """Run a cell. After a restart it has the number that it had, so that does not tell the end."""
    notebook.page.evaluate(RUN, number)


def dashboard(notebook: NotebookPage) -> Locator:
    return notebook.output(SHOW).locator(".nl-dashboard")


def status(notebook: NotebookPage) -> Locator:
    return dashboard(notebook).locator(".nl-status")


def press(notebook: NotebookPage, what: str, plugin_id: str) -> None:
    button = dashboard(notebook).get_by_role("button", name=f"{what} {plugin_id}", exact=True)
    button.click()


def expect_state(notebook: NotebookPage, plugin_id: str, state: str) -> None:
    row = dashboard(notebook).locator(".nl-row", has_text=plugin_id)
    expect(row.locator(".nl-cell-state")).to_have_text(state)


def shows_everything(view: Locator) -> None:
    expect(view.locator(".nl-id")).to_have_text(list(IDS))
    expect(view.locator(".nl-status")).to_have_text("")


def is_lost(notebook: NotebookPage, words: str) -> None:
    """Greyed, with words, and nothing to press."""
    expect(status(notebook)).to_contain_text(words)
    expect(status(notebook)).to_contain_text("run this cell again", ignore_case=True)
    expect(dashboard(notebook)).to_have_class("nl-root nl-dashboard nl-is-lost")
    expect(dashboard(notebook).locator(".nl-action:enabled")).to_have_count(0)


def is_alive(notebook: NotebookPage) -> None:
    press(notebook, "Load", "first")
    expect_state(notebook, "first", "Loaded")


def save(notebook: NotebookPage) -> None:
    path = notebook.folder / "test.ipynb"
    notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.context.save()")
    assert json.loads(path.read_text())["cells"][SHOW]["outputs"]


def test_a_restart_is_seen_at_once_and_the_cell_brings_it_back(opened):
    opened.page.evaluate(RESTART)
    is_lost(opened, "the kernel has been restarted")
    begin(opened)
    is_alive(opened)


def test_a_crash_is_seen_at_once_and_the_cell_brings_it_back(opened):
    opened.start(CRASH)
    is_lost(opened, "the kernel has been restarted")
    opened.page.locator(".jp-Dialog .jp-mod-accept").click()
    begin(opened)
    is_alive(opened)


def test_a_kernel_that_is_shut_down_is_seen_at_once(opened, lab):
    lab.end_kernels(opened.path)
    is_lost(opened, "the kernel has ended")
    # JupyterLab learns of the session's end after that of its kernel, and runs no cell meanwhile.
    opened.page.evaluate(LOOK_AT_SESSIONS)
    opened.page.wait_for_function(HAS_NO_KERNEL, timeout=PATIENCE)
    begin(opened)
    is_alive(opened)


def test_loading_anew_is_seen_at_once_and_the_cell_brings_it_back(opened):
    again(opened, LOAD)
    is_lost(opened, "nebula_lab has been loaded anew")
    again(opened, SHOW)
    shows_everything(dashboard(opened))
    is_alive(opened)


def test_a_page_that_is_loaded_again_shows_everything(opened):
    is_alive(opened)
    save(opened)
    opened.open()
    shows_everything(dashboard(opened))
    expect_state(opened, "first", "Loaded")
    press(opened, "Unload", "first")
    expect_state(opened, "first", "Discovered")


def test_a_widget_that_a_page_has_given_up_is_looked_for_again(opened):
    opened.page.evaluate(GIVE_UP, SHOW)
    shows_everything(dashboard(opened))
    is_alive(opened)


def test_pages_of_one_notebook_neither_starve_nor_answer_each_other(opened, lab, beside):
    save(opened)
    other = NotebookPage(beside, lab.url, opened.path)
    try:
        other.open()
        shows_everything(dashboard(other))
        hide_page(other, is_hidden=True)
        is_alive(opened)
        # Both ask under the same number now, and each is answered for itself.
        for page, text in ((opened, "to the one"), (other, "to the other")):
            call(page, text)
        expect(dashboard(opened).locator(".nl-result .nl-json, .nl-result .nl-text")).to_have_text(
            "to the one"
        )
        expect(dashboard(other).locator(".nl-result .nl-json, .nl-result .nl-text")).to_have_text(
            "to the other"
        )
        hide_page(other, is_hidden=False)
        expect_state(other, "first", "Active")
    finally:
        beside.goto("about:blank")
    press(opened, "Unload", "first")
    expect_state(opened, "first", "Discovered")


def call(notebook: NotebookPage, text: str) -> None:
    view = dashboard(notebook)
    view.get_by_role("button", name="Details of first", exact=True).click()
    view.get_by_role("tab", name="Operations").click()
    view.get_by_label("text string").fill(text)
    view.get_by_role("button", name="Call", exact=True).click()


@pytest.mark.parametrize("tab", ["", "Logs"], ids=["rows", "logs"])
def test_a_tab_that_is_behind_another_is_fed_nothing(opened, tab):
    if tab:
        dashboard(opened).get_by_role("button", name="Details of first", exact=True).click()
        dashboard(opened).get_by_role("tab", name=tab).click()
    expect_feed(opened, is_there=True)
    hide_page(opened, is_hidden=True)
    expect_feed(opened, is_there=False)
    hide_page(opened, is_hidden=False)
    is_alive(opened)


def test_a_click_is_answered_while_a_cell_runs_and_never_called_queued(opened):
    opened.page.evaluate(
        """() => {
            window.said = [];
            const line = document.querySelector('.nl-status');
            new MutationObserver(() => window.said.push(line.textContent))
                .observe(line, { childList: true, characterData: true, subtree: true });
        }"""
    )
    opened.occupy(BUSY)
    is_alive(opened)
    assert opened.count_of(BUSY) is None
    assert not any("queued" in text for text in opened.page.evaluate("window.said"))


def test_a_dashboard_that_a_long_cell_shows_moves_during_it_and_after_it(opened):
    """The first of a kernel, whose greeting may wait for the cell, while what follows may not."""
    opened.page.evaluate(RESTART)
    again(opened, LOAD)
    opened.start(SHOW_AND_GO_ON)
    view = opened.output(SHOW_AND_GO_ON).locator(".nl-dashboard")
    view.scroll_into_view_if_needed()
    state = view.locator(".nl-row", has_text="first").locator(".nl-cell-state")
    view.get_by_role("button", name="Load first", exact=True).click()
    expect(state).to_have_text("Loaded")
    assert opened.count_of(SHOW_AND_GO_ON) is None
    (opened.folder / "go_on").touch()
    again(opened, UNLOAD)
    expect(state).to_have_text("Discovered")


def test_where_clicks_wait_for_the_cell_the_page_says_so(opened):
    opened.page.evaluate(SUBSHELLS, "disabled")
    again(opened, SHOW)
    shows_everything(dashboard(opened))
    opened.occupy(BUSY)
    press(opened, "Load", "first")
    expect(status(opened)).to_have_text("queued until the cell ends")
    (opened.folder / "go_on").touch()
    expect_state(opened, "first", "Loaded")
    expect(status(opened)).to_have_text("")
    opened.page.evaluate(SUBSHELLS, "perCommTarget")


def test_two_notebooks_show_each_its_own(opened, lab, beside):
    other = open_notebook(lab, beside, folder_with_plugins(lab) / "test.ipynb", CELLS, "doc")
    begin(other)
    is_alive(opened)
    press(other, "Load", "second")
    expect_state(other, "second", "Loaded")
    expect_state(other, "first", "Discovered")
    expect_state(opened, "second", "Discovered")
