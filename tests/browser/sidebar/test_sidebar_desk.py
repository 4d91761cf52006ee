"""The sidebar as a part of JupyterLab: settings, commands, keys, status bar, themes, windows."""

from __future__ import annotations

import re

import pytest
from axe import serious_findings
from notebook_page import NotebookPage
from playwright.sync_api import expect
from sidebar_page import Sidebar
from steering import (
    cell_sources,
    expect_feed,
    expect_sources,
    hide_page,
    run_code,
    set_setting,
)

ACTIVE = "window.jupyterapp.shell.currentWidget.content.activeCellIndex"


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_the_panel_is_fit_for_other_means_than_eyes(desk, sidebar, theme):
    sidebar.press("counter", "load")
    sidebar.expect_state("counter", "Loaded")
    desk.theme(theme)
    for name in ("problems", "graph", "logs"):
        sidebar.section(name)
    expect(sidebar.section("graph").locator("svg.nl-graph-frame")).to_contain_text("needy")
    expect(sidebar.section("problems")).to_contain_text("broken.py")
    assert serious_findings(desk.page, "#nebula-lab-sidebar") == []
    sidebar.press("counter", "unload")
    sidebar.expect_state("counter", "Discovered")


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_the_dashboard_is_fit_for_other_means_than_eyes(desk, sidebar, theme):
    desk.theme(theme)
    desk.command("nebula-lab:open-dashboard")
    row = desk.page.locator(".nl-main:visible tbody tr").first
    expect(row).to_contain_text("counter")
    assert serious_findings(desk.page, ".nl-main .nl-dashboard") == []
    desk.page.evaluate("window.jupyterapp.shell.currentWidget.close()")
    desk.page.evaluate(
        "window.jupyterapp.shell.activateById(window.jupyterapp.shell.currentWidget.id)"
    )


def test_the_keyboard_reaches_a_plugin_opens_it_and_presses_its_button(desk, sidebar):
    keyboard = desk.page.keyboard
    sidebar.panel.locator(".nl-side-filter").focus()
    keyboard.press("Tab")
    expect(sidebar.row("counter")).to_be_focused()
    keyboard.press("ArrowDown")
    expect(sidebar.row("needy")).to_be_focused()
    keyboard.press("Home")
    expect(sidebar.row("counter")).to_be_focused()
    keyboard.press("End")
    keyboard.press("Enter")
    expect(sidebar.row("needy")).to_have_attribute("aria-expanded", "true")
    keyboard.press("Tab")
    expect(desk.page.locator(":focus")).to_have_text("Load")
    keyboard.press("Enter")
    sidebar.expect_state("needy", "Loaded")


def test_a_sample_is_inserted_from_the_keyboard(desk, sidebar):
    before = cell_sources(desk)
    sidebar.section("samples").get_by_role("button", name="Insert a call of add").focus()
    desk.page.keyboard.press("Enter")
    expect_sources(desk, [before[0], "plugins['counter'].add(n=0)", *before[1:]])


def test_the_status_bar_has_the_number_of_plugins(desk, sidebar):
    item = desk.page.locator(".nl-side-status")
    expect(item).to_have_text("2")
    expect(item).to_have_attribute("aria-label", "Plugins: 2, of which 2 serve and 0 failed")


def test_the_status_bar_is_brought_up_to_date_while_the_panel_is_hidden(desk, sidebar):
    desk.command("filebrowser:activate")
    expect(sidebar.panel).to_be_hidden()
    desk.run(3)
    run_code(desk, "plugins.unload_plugin('needy')")
    item = desk.page.locator(".nl-side-status")
    expect(item).to_have_attribute("aria-label", "Plugins: 2, of which 1 serve and 0 failed")
    item.click()
    expect(sidebar.panel).to_be_visible()


def test_a_hidden_panel_costs_the_kernel_no_thread(desk, sidebar):
    desk.command("filebrowser:activate")
    expect(sidebar.panel).to_be_hidden()
    expect_feed(desk, is_there=False)
    sidebar.show()
    expect_feed(desk, is_there=True)


def test_commands_do_what_the_buttons_do(desk, sidebar):
    for action, state in (
        ("load", "Loaded"),
        ("suspend", "Suspended"),
        ("resume", "Loaded"),
        ("reload", "Loaded"),
        ("restart", "Loaded"),
        ("unload", "Discovered"),
    ):
        desk.command(f"nebula-lab:{action}", plugin="needy")
        sidebar.expect_state("needy", state)


def test_every_command_is_in_the_palette(desk, sidebar):
    labels = desk.page.evaluate(
        """() => {
            const { commands } = window.jupyterapp;
            return commands.listCommands()
                .filter(one => one.startsWith('nebula-lab:')).map(one => commands.label(one));
        }"""
    )
    assert len(labels) == len({*labels}) == 13
    found = in_palette(desk, "")
    for label in labels:
        expect(found.filter(has_text=label).first).to_be_attached()
    desk.page.keyboard.press("Escape")


def test_commands_of_the_palette_ask_for_what_they_need(desk, sidebar):
    in_palette(desk, "Load a Plugin").first.click()
    dialog = desk.page.locator(".jp-Dialog")
    dialog.locator("select").select_option(label="needy")
    dialog.locator(".jp-mod-accept").click()
    sidebar.expect_state("needy", "Loaded")
    before = cell_sources(desk)
    below = 1 + desk.page.evaluate(ACTIVE)
    in_palette(desk, "Insert a Call of a Plugin").first.click()
    dialog.locator("select").select_option(label="plugins['needy'].ask()")
    dialog.locator(".jp-mod-accept").click()
    expect(dialog).to_have_count(0)
    expect_sources(desk, [*before[:below], "plugins['needy'].ask()", *before[below:]])
    desk.command("notebook:delete-cell")
    expect_sources(desk, before)
    in_palette(desk, "Filter Plugins").first.click()
    expect(sidebar.panel.locator(".nl-side-filter")).to_be_focused()
    desk.command("nebula-lab:unload", plugin="needy")
    sidebar.expect_state("needy", "Discovered")


def in_palette(desk, words: str):
    """The command palette's items for some words."""
    desk.command("apputils:activate-command-palette")
    desk.page.locator(".lm-CommandPalette-input").fill(words)
    return desk.page.locator(".lm-CommandPalette-itemLabel", has_text=words)


def test_calls_are_inserted_as_magics_where_the_user_wants_that(desk, sidebar):
    set_setting(desk, "insertAs", "magic")
    expect(sidebar.section("samples")).to_contain_text('%plugin call counter add {"n": 0}')
    set_setting(desk, "insertAs", "python")
    expect(sidebar.section("samples")).to_contain_text("plugins['counter'].add(n=0)")


def test_sections_are_left_out_where_the_user_wants_that(desk, sidebar):
    titles = sidebar.panel.locator(".jp-AccordionPanel-title")
    set_setting(desk, "sections", {"graph": False, "logs": False})
    expect(titles).to_have_text(
        [re.compile("Plugins"), re.compile("Calls"), re.compile("Problems")]
    )
    set_setting(desk, "sections", {})
    expect(titles).to_have_count(5)


def test_the_panel_changes_sides_and_goes_on(desk, sidebar):
    set_setting(desk, "placement", "right")
    expect(desk.page.locator("#jp-right-stack #nebula-lab-sidebar")).to_be_visible()
    sidebar.expect_state("counter", "Loaded")
    sidebar.press("counter", "suspend")
    sidebar.expect_state("counter", "Suspended")
    set_setting(desk, "placement", "left")
    expect(desk.page.locator("#jp-left-stack #nebula-lab-sidebar")).to_be_visible()
    sidebar.expect_state("counter", "Suspended")


def test_a_dashboard_and_a_graph_open_in_tabs_of_their_own(desk, sidebar):
    desk.command("nebula-lab:open-graph")
    expect(desk.page.locator(".nl-main:visible svg.nl-graph-frame")).to_contain_text("needy")
    desk.command("nebula-lab:show")
    desk.command("nebula-lab:open-graph")  # again: there is one already
    expect(desk.page.locator(".nl-main")).to_have_count(1)
    desk.page.evaluate("window.jupyterapp.shell.currentWidget.close()")
    expect(desk.page.locator(".nl-main")).to_have_count(0)


def test_a_page_that_is_not_seen_is_not_fed_whatever_is_open_in_it(desk, sidebar):
    desk.command("nebula-lab:open-dashboard")
    expect(desk.page.locator(".nl-main:visible tbody tr").first).to_contain_text("counter")
    hide_page(desk, is_hidden=True)
    expect_feed(desk, is_there=False)
    hide_page(desk, is_hidden=False)
    expect_feed(desk, is_there=True)
    desk.page.evaluate("window.jupyterapp.shell.currentWidget.close()")
    expect(desk.page.locator(".nl-main")).to_have_count(0)


def test_the_status_bar_is_left_alone_where_the_user_wants_that(desk, sidebar):
    item = desk.page.locator(".nl-side-status")
    set_setting(desk, "statusBar", False)
    expect(item).to_be_hidden()
    set_setting(desk, "statusBar", True)
    expect(item).to_be_visible()


def test_the_refresh_rate_of_the_settings_page_is_the_kernels(desk, sidebar):
    desk.page.evaluate(
        "query => void window.jupyterapp.commands.execute('settingeditor:open', { query })",
        "Plugins (nebula_lab)",
    )
    rate = desk.page.locator("input[label='Refresh rate']")
    rate.fill("7")
    rate.press("Tab")
    assert run_code(desk, "wait_for_interval(7)", before=INTERVAL) == "ok"
    desk.page.evaluate("window.jupyterapp.shell.currentWidget.close()")
    set_setting(desk, "interval", 0.25)
    assert run_code(desk, "wait_for_interval(0.25)", before=INTERVAL) == "ok"


INTERVAL = """
import gc, time
from nebula_lab.live.view import FeedView
def wait_for_interval(seconds):
    end = time.monotonic() + 20
    while not any(type(one) is FeedView and one._interval == seconds for one in gc.get_objects()):
        assert time.monotonic() < end
        time.sleep(0.1)
"""


def test_a_second_browser_tab_shows_the_same_kernel(lab, browser, desk, sidebar):
    context = browser.new_context(viewport={"width": 1000, "height": 800})
    page = context.new_page()
    NotebookPage(page, lab.url, desk.path).open(mode="lab", reset=False)
    other = Sidebar(page)
    other.show()
    other.expect_state("counter", "Suspended")
    other.press("counter", "resume")
    other.expect_state("counter", "Loaded")
    sidebar.expect_state("counter", "Loaded")
    context.close()
    sidebar.press("counter", "unload")
    sidebar.expect_state("counter", "Discovered")


def test_sparklines_are_left_out_where_the_user_wants_that(desk, sidebar):
    assert run_code(desk, "calls.start()", before=CALLS) == "ok"
    spark = sidebar.row("counter").locator("svg").last
    expect(spark).to_be_visible()
    set_setting(desk, "sparklines", False)
    expect(spark).to_be_hidden()
    set_setting(desk, "sparklines", True)
    expect(spark).to_be_visible()
    assert run_code(desk, "is_enough.set(); calls.join()") == "ok"


# There is a line once there were calls at two moments.
CALLS = """
import threading
is_enough = threading.Event()
def call():
    while not is_enough.wait(0.05):
        plugins.execute('counter', 'add', {'n': 1})
calls = threading.Thread(target=call, daemon=True)
"""


def test_a_console_is_followed_and_has_calls_put_into_its_prompt(desk, sidebar):
    desk.page.evaluate(
        "() => void window.jupyterapp.commands.execute('console:create', "
        "{ kernelPreference: { name: 'python3' }, activate: true })"
    )
    expect(sidebar.cure).to_have_text("Load nebula_lab")
    sidebar.cure.click()
    expect(sidebar.panel.locator(".nl-side-document")).to_have_text(re.compile("Console"))
    sidebar.expect_state("counter", "Discovered")
    sidebar.press("counter", "load")
    sidebar.expect_state("counter", "Loaded")
    sidebar.section("samples").get_by_role("button", name="Insert a call of add").click()
    prompt = desk.page.locator(".jp-CodeConsole-promptCell")
    expect(prompt).to_contain_text("plugins['counter'].add(n=0)")
    desk.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    desk.page.evaluate("window.jupyterapp.shell.currentWidget.close()")
    expect(sidebar.panel.locator(".nl-side-document")).to_have_text("first.ipynb")
