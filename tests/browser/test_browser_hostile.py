"""What a hostile plugin writes, wherever a notebook shows it: nothing runs, the layout holds."""

from __future__ import annotations

import pytest
from lab_pages import new_folder, new_page, open_notebook
from playwright.sync_api import Locator, expect

MARKUP = "<img src=x onerror='window.pwned=1'><script>window.pwned=1</script>"
LINK = "<a href='javascript:window.pwned=1'>x</a> javascript:window.pwned=1"
STEERING = "\u202egnp.exe\u2066 \x1b[2J\x1b]8;;javascript:window.pwned=1\x07link\x1b]8;;\x07"
TEXT = f"{MARKUP} {LINK} {STEERING}"
LARGE = 1_000_000  # characters that it returns, raises, logs and says of its health
PRINTED = 20_000  # characters that it prints, which are the notebook's to show
METADATA = 250_000  # characters of a name; of a source not much more than four of these is read
PLUGIN = """
from nebula_lab.plugin import HealthStatus, Plugin, operation
T = {text!r} + "W" * {large}
PLUGIN_METADATA = {{
    "id": "hostile", "version": "1.0.0", "name": {name!r}, "description": {about!r},
    "dependencies": ["base >=9"],
}}
class It(Plugin):
    @operation
    def say(self):
        '''{doc}'''
        print(T[:{printed}])
        self.context.log(T, level="error")
        return {{T: [T]}}
    @operation
    def boom(self):
        raise ValueError(T)
    def health_check(self):
        return HealthStatus.unhealthy(T)
def plugin_entry():
    return It()
"""
BASE = """
from nebula_lab.plugin import Plugin
PLUGIN_METADATA = {"id": "base", "version": "9.0.0"}
def plugin_entry():
    return Plugin()
"""
BAD = """
PLUGIN_METADATA = {{"id": "bad", "version": {text!r}, "name": {text!r}, "dependencies": [{text!r}]}}
"""
CELLS = [
    "%load_ext nebula_lab\nplugins.load_plugin('hostile'); print(list(plugins))",
    "plugins.list_plugins()",
    "plugins.problems",
    "plugins.descriptor('hostile')",
    "_ = plugins.execute('hostile', 'say')",
    "plugins['hostile'].boom()",
    "%plugin call hostile boom",
    "%plugin logs hostile",
    "%plugin health",
    "plugins.metrics()",
    "plugins.timeline()",
    "%plugin graph",
    "%plugin call hostile --help",
]
GRAPH = CELLS.index("%plugin graph")


@pytest.fixture(scope="module")
def opened(lab, browser):
    """A notebook whose cells have all run."""
    folder = new_folder(lab)
    long = TEXT + "W" * METADATA
    doc = MARKUP.replace("'", "")
    plugins = {
        "hostile": PLUGIN.format(
            text=TEXT,
            large=LARGE,
            printed=PRINTED,
            name=TEXT + "W" * 700,
            about=TEXT + "W" * 19_000,
            doc=doc,
        ),
        "base": BASE,
        "bad": BAD.format(text=long),
    }
    for name, source in plugins.items():
        (folder / "plugins" / f"{name}.py").write_text(source)
    page = new_page(browser)
    found = open_notebook(lab, page, folder / "test.ipynb", CELLS, "doc")
    for number in range(len(CELLS)):
        found.run(number)
    expect(found.output(0)).to_contain_text("['base', 'hostile']")  # there is somebody to fear
    yield found
    page.context.close()
    assert not page.errors


@pytest.mark.parametrize("number", range(1, len(CELLS)), ids=CELLS[1:])
def test_what_it_writes_is_text(opened, number):
    output = opened.output(number)
    expect(output.locator(".jp-OutputArea-output").first).to_be_attached()
    look_for_harm(output)


def test_a_graph_tells_of_it_in_text(opened):
    graph = opened.output(GRAPH).locator(".nl-graph")
    expect(graph.locator(".nl-node")).to_have_count(2)
    graph.locator("[data-id=hostile]").click()
    expect(graph.locator(".nl-graph-about")).to_contain_text("hostile")
    look_for_harm(opened.output(GRAPH))


def look_for_harm(output: Locator) -> None:
    """Nothing ran, nothing stands there that could, and no text turns or overflows the page."""
    output.scroll_into_view_if_needed()
    page = output.page
    assert page.evaluate("window.pwned") is None
    risky = "img, script, iframe, object, embed, a[href^='javascript' i], [onerror]"
    assert output.locator(risky).count() == 0
    text = output.inner_text()
    assert not set(text) & {"\u202e", "\u2066", "\x1b", "\x07"}
    assert len(text) < 60_000
    wide, high = page.evaluate(
        "one => [one.scrollWidth - one.clientWidth, one.scrollHeight]", output.element_handle()
    )
    assert wide <= 1
    assert high < 4_000
