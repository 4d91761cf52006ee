"""The sidebar and what happens to kernels: cells that run, restarts, crashes, other notebooks."""

from __future__ import annotations

import pytest
from lab_server import OTHER
from notebook_page import NotebookPage, write_notebook
from playwright.sync_api import expect
from sidebar_page import Sidebar

GATE = "import pathlib, time\nwhile not pathlib.Path('gate').exists(): time.sleep(0.02)"

# How many the kernel in front has.
SUBSHELLS = """async () => {
    const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
    const reply = await kernel.requestListSubshell({}).done;
    return reply.content.subshell_id.length;
}"""
# Those that the sidebar has noted as its own.
NOTED = (
    "() => Object.keys(localStorage).filter(key => key.startsWith('nebula-lab:subshell:')).length"
)


@pytest.fixture(scope="module")
def gate(desk_folder):
    """A file that a cell waits for; as long as it does, the kernel is busy."""
    return desk_folder / "gate"


@pytest.fixture(scope="module")
def busy_desk(lab, desk_page, desk_folder, gate):
    """A notebook whose second cell runs until the gate is opened."""
    cells = ["%load_ext nebula_lab", GATE, "print('done')"]
    write_notebook(desk_folder / "busy.ipynb", cells)
    write_notebook(desk_folder / "other.ipynb", ["%load_ext nebula_lab", "%unload_ext nebula_lab"])
    notebook = NotebookPage(
        desk_page, lab.url, str((desk_folder / "busy.ipynb").relative_to(lab.root))
    )
    notebook.open(mode="lab")
    Sidebar(desk_page).show()
    return notebook


@pytest.fixture(scope="module")
def of_lab(busy_desk) -> int:
    """How many subshells JupyterLab itself makes for a page, and leaves; before 4.6 it has one."""
    expect(Sidebar(busy_desk.page).cure).to_have_text("Load nebula_lab")
    return 0 if OTHER is None else subshells(busy_desk) - busy_desk.page.evaluate(NOTED)


@pytest.fixture
def sidebar(busy_desk) -> Sidebar:
    return Sidebar(busy_desk.page)


def test_a_cell_that_loads_us_is_noticed(busy_desk, sidebar, of_lab):
    assert subshells(busy_desk) == of_lab  # ours would be a thread of no use
    busy_desk.run(0)
    expect(sidebar.row("counter")).to_be_visible()
    expect(sidebar.cure).to_be_hidden()


def test_a_click_is_answered_while_a_cell_runs(busy_desk, sidebar, gate):
    busy_desk.occupy(1)
    sidebar.press("counter", "load")
    sidebar.expect_state("counter", "Loaded")
    expect(sidebar.answer("counter")).to_have_text("counter 1.0.0 is Loaded.")
    expect(sidebar.notice).to_be_hidden()
    assert busy_desk.count_of(1) is None


def test_a_page_that_is_loaded_anew_is_connected_while_the_cell_still_runs(
    busy_desk, sidebar, gate
):
    busy_desk.open(mode="lab", reset=False)
    expect(sidebar.row("counter")).to_be_visible()
    sidebar.press("counter", "suspend")
    sidebar.expect_state("counter", "Suspended")
    assert not gate.exists()
    gate.touch()


def test_pages_that_are_gone_leave_no_subshell(busy_desk, sidebar, of_lab):
    busy_desk.open(mode="lab", reset=False)
    expect(sidebar.row("counter")).to_be_visible()
    sidebar.expect_state("counter", "Suspended")
    pages = 3  # the first, that of the test before, and this one
    busy_desk.page.wait_for_function(
        f"async expected => await ({SUBSHELLS})() === expected", arg=1 + pages * of_lab
    )


def test_the_panel_is_where_it_was_after_the_page_was_loaded_anew(sidebar):
    expect(sidebar.panel).to_be_visible()


def test_after_a_restart_it_can_be_loaded_again(busy_desk, sidebar):
    restart(busy_desk)
    expect(sidebar.cure).to_have_text("Load nebula_lab")
    sidebar.cure.click()
    sidebar.expect_state("counter", "Discovered")


def test_a_restart_that_runs_the_cells_again_is_connected_to(busy_desk, sidebar):
    restart(busy_desk)
    busy_desk.run(0)
    sidebar.expect_state("counter", "Discovered")
    sidebar.press("counter", "load")
    sidebar.expect_state("counter", "Loaded")


def test_after_a_crash_of_the_kernel_it_can_be_loaded_again(busy_desk, sidebar):
    kill_kernel(busy_desk)
    busy_desk.page.locator(".jp-Dialog .jp-mod-accept").click()  # it says that the kernel has died
    expect(sidebar.cure).to_have_text("Load nebula_lab")
    sidebar.cure.click()
    sidebar.press("counter", "load")
    sidebar.expect_state("counter", "Loaded")


def test_without_subshells_a_click_is_said_to_be_queued_until_the_cell_ends(
    busy_desk, sidebar, gate
):
    gate.unlink()
    use_subshells(busy_desk, "disabled")
    sidebar.expect_state("counter", "Loaded")
    busy_desk.occupy(1)
    sidebar.press("counter", "suspend")
    expect(sidebar.notice).to_have_text(
        "The kernel is busy: what you ask for is queued until the cell ends."
    )
    sidebar.expect_state("counter", "Loaded")
    gate.touch()
    sidebar.expect_state("counter", "Suspended")
    expect(sidebar.notice).to_be_hidden()
    use_subshells(busy_desk, "perCommTarget")
    sidebar.press("counter", "resume")
    sidebar.expect_state("counter", "Loaded")


def test_another_notebook_has_plugins_of_its_own(lab, busy_desk, sidebar, desk_folder):
    open_notebook(busy_desk, desk_folder, lab, "other.ipynb")
    expect(sidebar.panel.locator(".nl-side-document")).to_have_text("other.ipynb")
    expect(sidebar.cure).to_have_text("Load nebula_lab")
    run_front_cell(busy_desk, 0)
    sidebar.expect_state("counter", "Discovered")


def test_the_first_notebook_is_shown_as_it_is_when_it_is_in_front_again(
    lab, busy_desk, sidebar, desk_folder
):
    open_notebook(busy_desk, desk_folder, lab, "busy.ipynb")
    sidebar.expect_state("counter", "Loaded")
    sidebar.press("counter", "unload")
    sidebar.expect_state("counter", "Discovered")


def test_unloading_us_from_a_kernel_is_noticed(lab, busy_desk, sidebar, desk_folder):
    open_notebook(busy_desk, desk_folder, lab, "other.ipynb")
    run_front_cell(busy_desk, 1)
    expect(sidebar.cure).to_have_text("Load nebula_lab")


def test_something_else_in_front_leaves_the_notebook_shown(busy_desk, sidebar):
    busy_desk.command("launcher:create")
    expect(busy_desk.page.locator(".jp-Launcher")).to_be_visible()
    expect(sidebar.panel.locator(".nl-side-document")).to_have_text("other.ipynb")


def test_a_closed_notebook_makes_room_for_the_other(lab, busy_desk, sidebar, desk_folder):
    open_notebook(busy_desk, desk_folder, lab, "other.ipynb")
    busy_desk.page.evaluate("window.jupyterapp.shell.currentWidget.context.save()")
    busy_desk.page.evaluate("window.jupyterapp.shell.currentWidget.close()")
    expect(sidebar.panel.locator(".nl-side-document")).to_have_text("busy.ipynb")
    expect(sidebar.row("counter")).to_be_visible()


def test_a_kernel_that_is_shut_down_is_said_to_be(busy_desk, sidebar):
    busy_desk.page.evaluate(
        "() => [...window.jupyterapp.shell.widgets('main')]"
        ".find(w => w.context?.path.endsWith('busy.ipynb')).sessionContext.shutdown()"
    )
    expect(sidebar.notice).to_have_text("busy.ipynb has no kernel.")
    expect(sidebar.row("counter")).to_be_hidden()


def subshells(notebook) -> int:
    return notebook.page.evaluate(SUBSHELLS)


def restart(notebook) -> None:
    notebook.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
    )


def kill_kernel(notebook) -> None:
    notebook.page.evaluate(
        """() => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel
            .requestExecute({ code: "import os; os.kill(os.getpid(), 9)", silent: true })
            .done.catch(() => undefined); }"""
    )


def use_subshells(notebook, how) -> None:
    """As JupyterLab's setting `commsOverSubshells` does."""
    notebook.page.evaluate(
        """async how => {
            const { session } = window.jupyterapp.shell.currentWidget.sessionContext;
            session.kernel.commsOverSubshells = how;
            await window.jupyterapp.commands.execute('nebula-lab:reconnect');
        }""",
        how,
    )


def open_notebook(notebook, folder, lab, name) -> None:
    path = str((folder / name).relative_to(lab.root))
    notebook.command("docmanager:open", path=path)
    notebook.page.wait_for_function(
        """path => {
            const panel = window.jupyterapp.shell.currentWidget;
            return panel?.context?.path === path && panel.context.isReady
                && panel.sessionContext.session?.kernel?.connectionStatus === 'connected';
        }""",
        arg=path,
    )


def run_front_cell(notebook, number) -> None:
    notebook.run(number)
