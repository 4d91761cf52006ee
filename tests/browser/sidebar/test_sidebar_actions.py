"""What can be done with plugins from the sidebar."""

from __future__ import annotations

import re

from playwright.sync_api import expect
from sidebar_page import COUNTER
from steering import cell_sources, expect_sources, run_code


def test_a_kernel_that_has_not_loaded_us_is_offered_a_button_that_does(desk):
    panel = desk.page.locator("#nebula-lab-sidebar")
    expect(panel.locator(".nl-side-notice")).to_have_text("This kernel has not loaded nebula_lab.")
    panel.get_by_role("button", name="Load nebula_lab").click()
    expect(panel.locator(".nl-side-item")).to_have_count(2)
    expect(panel.locator(".nl-side-notice")).to_be_hidden()


def test_every_plugin_has_a_row_with_its_version_and_state(sidebar):
    expect(sidebar.row("counter")).to_contain_text("1.0.0")
    sidebar.expect_state("counter", "Discovered")
    expect(sidebar.row("needy")).to_contain_text("2.1.0")


def test_a_plugin_is_loaded_by_its_button(sidebar):
    sidebar.press("needy", "load")
    sidebar.expect_state("needy", "Loaded")
    sidebar.expect_state("counter", "Loaded")
    expect(sidebar.answer("needy")).to_have_text("needy 2.1.0 is Loaded.")


def test_what_makes_no_sense_in_a_state_is_not_offered(sidebar):
    sidebar.expect_state("needy", "Loaded")
    actions = sidebar.open("needy").locator("[data-action]:visible")
    assert {one.get_attribute("data-action") for one in actions.all()} == {
        "unload",
        "reload",
        "suspend",
        "restart",
    }


def test_a_plugin_is_suspended_and_resumed(sidebar):
    sidebar.press("needy", "suspend")
    sidebar.expect_state("needy", "Suspended")
    sidebar.press("needy", "resume")
    sidebar.expect_state("needy", "Loaded")


def test_new_code_is_reloaded_and_what_changed_is_said(sidebar, desk_folder):
    sidebar.expect_state("counter", "Loaded")
    file = desk_folder / "plugins" / "counter.py"
    file.write_text(COUNTER.replace('"version": "1.0.0"', '"version": "1.1.0"'))
    sidebar.press("counter", "reload")
    expect(sidebar.answer("counter")).to_contain_text("counter 1.1.0 is")
    expect(sidebar.row("counter")).to_contain_text("1.1.0")


def test_a_version_can_be_gone_back_to(sidebar):
    details = sidebar.open("counter")
    details.get_by_text("Versions", exact=True).click()
    details.get_by_role("button", name="Go back to 1.0.0").click()
    expect(sidebar.row("counter")).to_contain_text("1.0.0")


def test_a_plugin_is_restarted(sidebar):
    process = sidebar.fact("counter", "Process")
    expect(process).to_have_text(re.compile(r"\d+"))
    before = process.inner_text()
    sidebar.press("counter", "restart")
    expect(sidebar.answer("counter")).to_contain_text("restart with it: needy")
    expect(process).to_have_text(before)
    sidebar.answer("counter").get_by_role("button", name="Restart them all").click()
    expect(sidebar.answer("counter")).to_contain_text("is Loaded.")
    sidebar.expect_state("needy", "Loaded")
    expect(process).not_to_have_text(before)
    expect(process).to_have_text(re.compile(r"\d+"))


def test_an_operation_is_called_with_a_form(sidebar):
    details = sidebar.open("counter")
    details.get_by_text("Call an operation").click()
    details.locator(".nl-field input").fill("5")
    details.get_by_role("button", name="Call", exact=True).click()
    expect(details.locator(".nl-result pre").first).to_have_text("5")
    sidebar.expect_state("counter", "Active")


def test_a_failed_call_is_the_last_error_until_the_plugin_is_reloaded(desk, sidebar):
    sidebar.row("counter").click()  # folded, it has a line that says so
    note = sidebar.row("counter").locator(".nl-side-note")
    expect(note).to_be_hidden()
    assert run_code(desk, "plugins.execute('counter', 'refuse')") == "error"
    expect(note).to_be_visible()
    expect(note).to_have_text("refuse: RuntimeError: not so")
    expect(sidebar.open("counter").locator(".nl-side-error")).to_contain_text("not so")
    expect(sidebar.fact("counter", "Last error")).to_have_text(re.compile("now|ago"))
    sidebar.press("counter", "reload")
    expect(note).to_have_text("")


def test_figures_follow_what_a_cell_does(desk, sidebar):
    calls = sidebar.fact("counter", "Calls")
    # What is shown comes behind what is counted: it may still be without the call of the form.
    before = int(desk.evaluate("plugins.metrics().plugins['counter'].executions"))
    expect(calls).to_have_text(re.compile(rf"^{before} ·"))
    desk.run(3)
    expect(calls).to_have_text(re.compile(rf"^{before + 1} ·"))


def test_an_action_that_fails_says_why_and_what_to_do(sidebar):
    sidebar.press("counter", "unload")
    expect(sidebar.answer("counter")).to_contain_text("needy")
    expect(sidebar.answer("counter").get_by_role("alert")).to_be_visible()
    sidebar.expect_state("counter", "Active")


def test_those_that_need_a_plugin_can_be_unloaded_with_it(desk, sidebar):
    expect(sidebar.answer("counter").get_by_role("button")).to_have_text("Unload these too")
    expect(sidebar.answer("counter").get_by_role("button")).to_be_focused()
    desk.page.keyboard.press("Enter")
    sidebar.expect_state("counter", "Discovered")
    sidebar.expect_state("needy", "Discovered")
    expect(sidebar.open("counter").locator('[data-action="load"]')).to_be_focused()


def test_the_focus_stays_at_a_button_that_still_makes_sense(desk, sidebar):
    desk.page.keyboard.press("Enter")
    sidebar.expect_state("counter", "Loaded")
    reload = sidebar.open("counter").locator('[data-action="reload"]')
    expect(reload).to_be_enabled()  # the state may be shown before the answer
    before = sidebar.fact("counter", "Reloads · restarts").inner_text()
    reload.focus()
    desk.page.keyboard.press("Enter")
    expect(sidebar.fact("counter", "Reloads · restarts")).not_to_have_text(before)
    expect(reload).to_be_enabled()
    expect(reload).to_be_focused()


def test_a_plugin_is_unloaded(sidebar):
    sidebar.press("needy", "load")
    sidebar.expect_state("needy", "Loaded")
    sidebar.press("needy", "unload")
    sidebar.expect_state("needy", "Discovered")


def test_a_click_on_a_sample_puts_a_call_below_the_active_cell(desk, sidebar):
    before = cell_sources(desk)
    desk.page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1")
    sidebar.section("samples").get_by_role("button", name="Insert a call of add of counter").click()
    expect_sources(desk, [*before[:2], "plugins['counter'].add(n=0)", *before[2:]])


def test_a_sample_that_is_dragged_between_two_cells_becomes_a_cell_there(desk, sidebar):
    before = cell_sources(desk)
    sample = sidebar.section("samples").get_by_role("button", name="Insert a call of add")
    sample.hover()
    desk.page.mouse.down()
    box = desk.page.locator(".jp-Cell").nth(1).bounding_box()
    desk.page.mouse.move(box["x"] + 150, box["y"] + 8, steps=8)
    expect(desk.page.locator(".nl-drag-image")).to_be_visible()
    desk.page.mouse.move(box["x"] + 160, box["y"] + 10, steps=4)
    desk.page.mouse.up()
    expect_sources(desk, [before[0], "plugins['counter'].add(n=0)", *before[1:]])


def test_problems_are_told_with_the_file(sidebar):
    problems = sidebar.section("problems")
    expect(problems).to_contain_text("broken.py")
    expect(problems.locator(".nl-problem")).to_have_count(1)


def test_logs_show_what_a_plugin_writes_as_it_does(desk, sidebar):
    sidebar.open("counter").get_by_role("button", name="Logs").click()
    logs = sidebar.section("logs")
    expect(logs.locator("select")).to_have_value("counter")
    lines = logs.locator(".nl-log-line", has_text="added 1")
    # What is shown comes behind what the kernel has: those of before may be on their way.
    written = "sum('added 1' in line.text for line in plugins.logs('counter'))"
    before = int(desk.evaluate(written))
    expect(lines).to_have_count(before)
    desk.run(len(cell_sources(desk)) - 1)
    expect(lines).to_have_count(before + 1)


def test_the_graph_shows_what_needs_what(sidebar):
    graph = sidebar.section("graph")
    frame = graph.locator("svg.nl-graph-frame")
    expect(frame).to_contain_text("needy")
    expect(frame).to_contain_text("counter")


def test_the_filter_leaves_those_that_match(desk, sidebar):
    sidebar.panel.locator(".nl-side-filter").fill("need")
    expect(sidebar.rows).to_have_count(1)
    sidebar.panel.locator(".nl-side-filter").fill("")
    expect(sidebar.rows).to_have_count(2)


def test_a_panel_that_is_connected_anew_goes_on(desk, sidebar):
    desk.command("nebula-lab:reconnect")
    sidebar.press("needy", "load")
    sidebar.expect_state("needy", "Loaded")
