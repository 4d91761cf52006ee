"""The sidebar in a page, as a person has it before them."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, Page, expect

COUNTER = '''
from nebula_lab.plugin import Plugin, operation

PLUGIN_API_VERSION = 1
PLUGIN_METADATA = {"id": "counter", "name": "Counter", "version": "1.0.0", "dependencies": []}


class Counter(Plugin):
    def initialize(self, config):
        self.count = 0

    @operation
    def add(self, n: int) -> int:
        """Add n and return the sum."""
        self.count += n
        print("added", n)
        return self.count

    @operation
    def refuse(self):
        raise RuntimeError("not so")


def plugin_entry():
    return Counter()
'''
NEEDY = """
from nebula_lab.plugin import Plugin, operation

PLUGIN_API_VERSION = 1
PLUGIN_METADATA = {"id": "needy", "name": "Needy", "version": "2.1.0", "dependencies": ["counter"]}


class Needy(Plugin):
    @operation
    def ask(self) -> int:
        return self.context.call("counter", "add", {"n": 1})


def plugin_entry():
    return Needy()
"""
BROKEN = "PLUGIN_API_VERSION = 1\ndef plugin_entry(:\n"
PLUGINS = {"counter.py": COUNTER, "needy.py": NEEDY, "broken.py": BROKEN}


def write_plugins(folder: Path, plugins: dict[str, str] = PLUGINS) -> None:
    """Write files of plugins where `%load_ext` of a notebook in `folder` finds them."""
    for name, source in plugins.items():
        (folder / "plugins" / name).write_text(source)


class Sidebar:
    """The panel of a page.

    Args:
        page: the browser's page, with JupyterLab in it.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.panel = page.locator("#nebula-lab-sidebar")
        self.notice = self.panel.locator(".nl-side-notice")
        self.cure = self.panel.locator(".nl-side-cure")
        self.rows = self.panel.locator(".nl-side-item:not([hidden])")

    def show(self) -> None:
        """Bring it into view."""
        self.page.evaluate("() => void window.jupyterapp.commands.execute('nebula-lab:show')")
        expect(self.panel).to_be_visible()

    def item(self, plugin: str) -> Locator:
        """A plugin's row with what is below it."""
        return self.panel.locator(f'.nl-side-item[data-plugin="{plugin}"]')

    def row(self, plugin: str) -> Locator:
        """The button that opens a plugin."""
        return self.item(plugin).locator(".nl-side-row")

    def expect_state(self, plugin: str, state: str) -> None:
        """Wait until a plugin is in a state."""
        expect(self.item(plugin)).to_have_attribute("data-state", state)

    def open(self, plugin: str) -> Locator:
        """Open a plugin; gives what is below its row."""
        if self.row(plugin).get_attribute("aria-expanded") != "true":
            self.row(plugin).click()
        return self.item(plugin).locator(".nl-side-detail")

    def press(self, plugin: str, action: str) -> None:
        """Press a button of a plugin."""
        self.open(plugin).locator(f'[data-action="{action}"]').click()

    def section(self, name: str) -> Locator:
        """A section, unfolded."""
        title = self.panel.locator(f'.jp-AccordionPanel-title[aria-controls="nl-side-{name}"]')
        if title.get_attribute("aria-expanded") != "true":
            title.click()
        return self.panel.locator(f"#nl-side-{name}")

    def answer(self, plugin: str) -> Locator:
        """What has become of the last button pressed."""
        return self.item(plugin).locator(".nl-side-answer")

    def fact(self, plugin: str, name: str) -> Locator:
        """A figure of an open plugin, by its name."""
        name_cell = self.open(plugin).locator(f'.nl-side-facts > dt:text-is("{name}")')
        return name_cell.locator("xpath=following-sibling::dd[1]")
