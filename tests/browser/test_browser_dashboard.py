"""The dashboard in a real JupyterLab: every button, also while a cell runs, and hostile plugins.

One notebook for all tests of the file; each has a plugin of its own.
"""

from __future__ import annotations

import re

import pytest
from lab_pages import new_folder, new_page, open_notebook
from playwright.sync_api import Locator, expect

PLUGIN = '''
from nebula_lab.plugin import HealthStatus, Plugin, operation
PLUGIN_METADATA = {{"id": "{id}", "version": "{version}", "dependencies": {needs!r}}}

class It(Plugin):
    def initialize(self, config):
        self.count = 0

    @operation
    def add(self, n: int, twice: bool = False, mode: str = "plain") -> dict:
        """Add n."""
        self.count += n
        print("adding", n)
        return {{"count": self.count, "twice": twice, "mode": mode}}

    @operation
    def boom(self):
        raise ValueError("no more")

    @operation
    def nap(self):
        import time
        while True:
            time.sleep(0.01)

    def health_check(self):
        return HealthStatus.degraded("a bit tired")

def plugin_entry():
    return It()
'''
EVIL = "<img src=x onerror='window.pwned=1'><script>window.pwned=1</script>"
LINK = "javascript:window.pwned=1"
TURNED = "‮gnp.exe"
HOSTILE = """
from nebula_lab.plugin import HealthStatus, Plugin, operation
T = {text!r} + "W" * 1_000_000
PLUGIN_METADATA = {{"id": "hostile", "version": "1.0.0", "name": {name!r}, "description": {name!r}}}

class It(Plugin):
    @operation
    def say(self, what: str = T[:500]) -> dict:
        print(T)
        self.context.log(T, level="error")
        return {{T[:900]: T}}

    @operation
    def boom(self):
        raise ValueError(T)

    def health_check(self):
        return HealthStatus.unhealthy(T)

def plugin_entry():
    return It()
"""
IDS = ("busy", "buttons", "calls", "dep", "filtered", "needs_dep", "past", "tabs", "words")
SLEEP = """
import pathlib, time
while not pathlib.Path("go_on").exists():
    time.sleep(0.01)
"""


@pytest.fixture(scope="module")
def opened(lab, browser):
    """A notebook with a dashboard, in the second cell."""
    folder = new_folder(lab)
    for one in IDS:
        needs = ["dep"] if one == "needs_dep" else []
        write_plugin(folder, one, needs=needs)
    text = f"{EVIL} {LINK} {TURNED}" + "W" * 900
    (folder / "plugins" / "hostile.py").write_text(HOSTILE.format(text=text, name=text[:900]))
    page = new_page(browser)
    path = folder / "test.ipynb"
    found = open_notebook(lab, page, path, ["%load_ext nebula_lab", "%plugin", SLEEP], "doc")
    found.folder = folder
    found.run(0)
    found.run(1)
    expect(found.output(1).locator(".nl-row")).to_have_count(len(IDS) + 1)
    yield found
    page.context.close()
    assert not page.errors


def write_plugin(folder, plugin_id, version="1.0.0", needs=()):
    source = PLUGIN.format(id=plugin_id, version=version, needs=list(needs))
    (folder / "plugins" / f"{plugin_id}.py").write_text(source)


@pytest.fixture
def dashboard(opened) -> Locator:
    return opened.output(1).locator(".nl-dashboard")


def row(dashboard: Locator, plugin_id: str) -> Locator:
    return dashboard.locator(".nl-row", has=dashboard.page.locator(f"text='{plugin_id}'"))


def press(dashboard: Locator, what: str, plugin_id: str) -> None:
    dashboard.get_by_role("button", name=f"{what} {plugin_id}", exact=True).click()


def state(dashboard: Locator, plugin_id: str) -> Locator:
    return row(dashboard, plugin_id).locator(".nl-cell-state")


def details(dashboard: Locator, plugin_id: str, tab: str) -> Locator:
    """What is below a row, on one of its tabs."""
    opener = dashboard.get_by_role("button", name=f"Details of {plugin_id}", exact=True)
    if opener.get_attribute("aria-expanded") == "false":
        opener.click()
    below = dashboard.locator(f"#{opener.get_attribute('aria-controls')}")
    below.get_by_role("tab", name=tab).click()
    return below.get_by_role("tabpanel").and_(below.locator(":visible"))


def test_every_button_does_what_it_says(dashboard):
    for what, after in [
        ("Load", "Loaded"),
        ("Suspend", "Suspended"),
        ("Resume", "Loaded"),
        ("Reload", "Loaded"),
        ("Restart", "Loaded"),
        ("Unload", "Discovered"),
    ]:
        press(dashboard, what, "buttons")
        expect(state(dashboard, "buttons")).to_have_text(after)
        # Pressed once more too early, a button would still be at rest.
        expect(dashboard.locator(".nl-is-busy")).to_have_count(0)
    expect(row(dashboard, "buttons").locator(".nl-cell-reloads")).to_have_text("1")


def test_health_and_memory_come_by_themselves(dashboard):
    press(dashboard, "Load", "words")
    health = row(dashboard, "words").locator(".nl-health")
    expect(health).to_have_text("degraded")
    expect(health).to_have_attribute("title", "a bit tired")
    expect(row(dashboard, "words").locator(".nl-memory")).to_have_text(re.compile("MiB"))


def test_what_others_need_is_unloaded_with_them_if_one_says_so(dashboard):
    press(dashboard, "Load", "needs_dep")
    expect(state(dashboard, "dep")).to_have_text("Loaded")
    press(dashboard, "Unload", "dep")
    alert = dashboard.get_by_role("alert")
    expect(alert).to_contain_text("needs_dep")
    alert.get_by_role("button", name="Unload these too").click()
    expect(state(dashboard, "needs_dep")).to_have_text("Discovered")
    expect(alert).to_have_count(0)


def test_an_operation_is_called_with_a_form(dashboard):
    panel = details(dashboard, "calls", "Operations")
    panel.get_by_role("button", name="Load the plugin").click()
    panel.get_by_label("Operation").select_option(label="add")
    panel.get_by_role("button", name="Call").click()
    expect(panel).to_contain_text("This is needed.")
    panel.get_by_label("n integer").fill("41")
    panel.get_by_label("twice").select_option(label="true")
    panel.get_by_role("button", name="Call").click()
    result = panel.locator(".nl-result")
    expect(result).to_contain_text('"count": 41')
    expect(result).to_contain_text('"twice": true')
    expect(result).to_contain_text("adding 41")
    expect(row(dashboard, "calls").locator(".nl-cell-state")).to_have_text("Active")


def test_a_failed_call_is_a_short_box_with_details(dashboard):
    panel = details(dashboard, "calls", "Operations")
    panel.get_by_label("Operation").select_option(label="boom")
    panel.get_by_role("button", name="Call").click()
    alert = panel.get_by_role("alert")
    expect(alert).to_contain_text("ValueError: no more")
    expect(alert.get_by_text("Traceback")).to_be_hidden()
    alert.get_by_text("Show details").click()
    expect(alert.get_by_text("Traceback")).to_be_visible()
    expect(row(dashboard, "calls").locator(".nl-cell-failures")).to_have_text("1")


def test_what_went_wrong_last_stands_in_the_row_until_the_plugin_is_reloaded(dashboard):
    dashboard.page.set_viewport_size({"width": 1500, "height": 900})
    error = row(dashboard, "calls").locator(".nl-error")
    expect(error).to_be_visible()
    expect(error).to_have_text("boom: ValueError: no more")
    expect(error).to_have_attribute("title", re.compile("^(now|.+ ago): boom: ValueError"))
    line = dashboard.locator(".nl-only-trouble .nl-trouble:visible")
    expect(line).to_have_count(0)
    dashboard.get_by_role("button", name="Details of calls", exact=True).click()
    dashboard.page.set_viewport_size({"width": 900, "height": 900})  # no room for the column
    expect(error).to_be_hidden()
    expect(line).to_have_text(["boom: ValueError: no more"])
    overview = details(dashboard, "calls", "Overview")
    expect(overview.locator(".nl-last-error")).to_have_text("boom: ValueError: no more")
    dashboard.page.set_viewport_size({"width": 1280, "height": 900})
    press(dashboard, "Reload", "calls")
    expect(error).to_have_text("")
    expect(overview.locator(".nl-last-error")).to_be_hidden()


def test_a_call_is_stopped(dashboard):
    panel = details(dashboard, "calls", "Operations")
    panel.get_by_label("Operation").select_option(label="nap")
    panel.get_by_role("button", name="Call").click()
    panel.get_by_role("button", name="Stop").click()
    expect(panel.get_by_role("alert")).to_contain_text("cancelled")


def test_lines_appear_as_they_are_written(dashboard):
    panel = details(dashboard, "calls", "Logs")
    expect(panel.get_by_role("log")).to_contain_text("adding 41")


def test_one_goes_back_to_an_earlier_version(dashboard, opened):
    press(dashboard, "Load", "past")
    expect(state(dashboard, "past")).to_have_text("Loaded")
    write_plugin(opened.folder, "past", "1.1.0")  # files are watched
    expect(row(dashboard, "past")).to_contain_text("1.1.0")
    panel = details(dashboard, "past", "History")
    panel.get_by_role("button", name="Go back to 1.0.0").click()
    expect(row(dashboard, "past")).to_contain_text("1.0.0")


def test_tabs_and_rows_are_walked_by_keys(dashboard):
    details(dashboard, "tabs", "Overview")
    keyboard = dashboard.page.keyboard
    keyboard.press("ArrowRight")
    focused = dashboard.page.locator(":focus")
    expect(focused).to_have_text("Operations")
    dashboard.get_by_role("button", name="Details of past").focus()
    keyboard.press("ArrowDown")
    expect(focused).to_have_attribute("aria-label", "Details of tabs")
    keyboard.press("Enter")
    expect(focused).to_have_attribute("aria-expanded", "false")
    # Two of these delete the cell, where keys reach the notebook.
    keyboard.press("d")
    keyboard.press("d")
    expect(dashboard).to_be_visible()


def test_a_filter_leaves_what_it_names(dashboard):
    dashboard.page.keyboard.press("Escape")
    filter_box = dashboard.get_by_label("Show only plugins with these words")
    filter_box.fill("filt")
    expect(dashboard.locator(".nl-row")).to_have_count(1)
    filter_box.press("Escape")
    expect(dashboard.locator(".nl-row")).to_have_count(len(IDS) + 1)


def test_buttons_work_while_a_cell_runs(dashboard, opened):
    opened.occupy(2)
    press(dashboard, "Load", "busy")
    expect(state(dashboard, "busy")).to_have_text("Loaded")
    panel = details(dashboard, "busy", "Operations")
    panel.get_by_label("Operation").select_option(label="add")
    panel.get_by_label("n integer").fill("1")
    panel.get_by_role("button", name="Call").click()
    expect(panel.locator(".nl-result")).to_contain_text('"count": 1')
    assert opened.count_of(2) is None  # it has not ended
    (opened.folder / "go_on").touch()


def test_a_hostile_plugin_runs_nothing_and_breaks_no_layout(dashboard, opened):
    press(dashboard, "Load", "hostile")
    expect(row(dashboard, "hostile").locator(".nl-health")).to_have_text("unhealthy")
    panel = details(dashboard, "hostile", "Operations")
    for operation in ("say", "boom"):
        panel.get_by_label("Operation").select_option(label=operation)
        panel.get_by_role("button", name="Call").click()
        expect(panel.locator(".nl-result > *").first).to_be_visible()
        look_for_harm(dashboard)
    for tab in ("Logs", "Overview", "History"):
        details(dashboard, "hostile", tab)
        look_for_harm(dashboard)


def look_for_harm(dashboard: Locator) -> None:
    page = dashboard.page
    assert page.evaluate("window.pwned") is None
    assert dashboard.locator("img, script, iframe, a, object, embed").count() == 0
    assert TURNED[0] not in dashboard.inner_text()
    outer, inner = page.evaluate(
        "root => [root.parentElement.clientWidth, root.scrollWidth]", dashboard.element_handle()
    )
    assert inner <= outer
    heights = dashboard.locator(".nl-row").evaluate_all("rows => rows.map(r => r.offsetHeight)")
    assert max(heights) < 80


def test_dark_colours_can_be_read(dashboard, opened):
    opened.theme("JupyterLab Dark")
    ratio = dashboard.page.evaluate(CONTRAST)
    assert ratio > 4.5
    opened.theme("JupyterLab Light")
    assert dashboard.page.evaluate(CONTRAST) > 4.5


# The least contrast between a text of the table and what is behind it, as WCAG counts it.
CONTRAST = """() => {
    const canvas = document.createElement('canvas').getContext('2d');
    const rgb = colour => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const light = colour => {
        const parts = rgb(colour).map(v => v / 255)
            .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
    };
    const root = document.querySelector('.nl-dashboard');
    const ground = light(getComputedStyle(root).backgroundColor);
    const texts = root.querySelectorAll('.nl-id, .nl-name, .nl-badge, .nl-health, .nl-summary');
    return Math.min(...[...texts].filter(one => one.textContent !== '').map(one => {
        const ink = light(getComputedStyle(one).color);
        return (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
    }));
}"""
