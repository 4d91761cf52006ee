"""What a host says of a plugin's state is taken as what a stranger says."""

from __future__ import annotations

import pytest

from nebula_lab.errors import PluginError
from nebula_lab.runtime.states import SavedState

HOSTILE = """
import sys
from nebula_lab.agent.state.keeping import StateKeeping
ANSWER = {answer}
class Box(Plugin):
    def initialize(self, config):
        if self.context.plugin_id == "box":
            StateKeeping.save = lambda keeping: ANSWER
            StateKeeping.restore = lambda keeping, params: ANSWER
def plugin_entry(): return Box()
"""
NONSENSE = {
    "nothing": "None",
    "a list": "[1]",
    "no reasons": "{'how': 'method', 'state': 1}",
    "reasons that are a list": "{'how': 'method', 'state': 1, 'left_out': ['a']}",
    "a reason that is no text": "{'how': 'method', 'state': 1, 'left_out': {'a': 1}}",
}
WRONG_STATES = {
    "no way": "{'state': 1, 'left_out': {}}",
    "an unknown way": "{'how': 'magic', 'state': 1, 'left_out': {}}",
    "a way that is no text": "{'how': ['method'], 'state': 1, 'left_out': {}}",
    "no state": "{'how': 'method', 'left_out': {}}",
}
SAVED = SavedState({}, "attributes", "1.0.0")


@pytest.mark.parametrize("what", NONSENSE | WRONG_STATES)
def test_nonsense_for_a_state_is_refused(folder, desk, what):
    folder.write("box", HOSTILE.format(answer=(NONSENSE | WRONG_STATES)[what]))
    with (
        folder.manager("Process") as plugins,
        pytest.raises(PluginError, match="what is no answer to that"),
    ):
        desk(plugins).save("box")


@pytest.mark.parametrize("what", NONSENSE)
def test_nonsense_for_what_was_restored_is_refused(folder, desk, what):
    folder.write("box", HOSTILE.format(answer=NONSENSE[what]))
    with (
        folder.manager("Process") as plugins,
        pytest.raises(PluginError, match="what is no answer to that"),
    ):
        desk(plugins).restore("box", SAVED)


def test_reasons_are_few_short_and_harmless(folder, desk):
    many = "{**{f'a{n}': 'x' for n in range(5_000)}, }"
    long = "{'\\x1b[31mred' + 'n' * 10_000: '\\x1b[2J' + 'r' * 10_000}"
    answer = f"{{'how': 'none', 'state': None, 'left_out': {{**{long}, **{many}}}}}"
    folder.write("box", HOSTILE.format(answer=answer))
    with folder.manager("Process") as plugins:
        left_out = desk(plugins).save("box").left_out
    assert len(left_out) == 201
    assert left_out["…"] == "4,801 more"
    assert max(map(len, left_out)) <= 100
    assert max(map(len, left_out.values())) <= 300
    assert not any("\x1b" in text for pair in left_out.items() for text in pair)


def test_a_host_that_ends_meanwhile_is_an_error(folder, desk):
    folder.plugin("box", "def save_state(self): os._exit(3)\ndef restore_state(self, state): ...")
    with folder.manager("Process") as plugins, pytest.raises(PluginError):
        desk(plugins).save("box")
