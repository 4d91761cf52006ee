"""The plugin in docs/state.md, as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "state.md"
FIRST = """
class Counter(Plugin):
    def save_state(self): return {"count": 3}
    def restore_state(self, state): ...
"""
LOOK = """
    @operation
    def look(self) -> dict: return self.counts
"""
ENTRY = "\ndef plugin_entry(): return Counter()\n"


def test_the_page_s_plugin_migrates_the_state_of_its_first_version(folder):
    (snippet,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    folder.write("counter", FIRST + ENTRY, version="1.4.0")
    with folder.manager("None") as plugins:
        plugins.load_plugin("counter")
        folder.write("counter", snippet + LOOK + ENTRY, version="2.0.0")
        plugins.reload_plugin("counter")
        assert plugins["counter"].look() == {"all": 3}
        plugins.reload_plugin("counter")
        assert plugins["counter"].look() == {"all": 3}
