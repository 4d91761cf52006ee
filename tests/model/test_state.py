"""The life cycle: one table, and nothing beside it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nebula_lab.errors import StateTransitionError
from nebula_lab.model import TRANSITIONS, PluginState, mermaid_diagram, next_state

ARCHITECTURE = Path(__file__).parents[2] / "ARCHITECTURE.md"
EVENTS = sorted({event for row in TRANSITIONS.values() for event in row})
LEGAL = [(state, event) for state, row in TRANSITIONS.items() for event in row]
ILLEGAL = [
    (state, event) for state in PluginState for event in EVENTS if (state, event) not in LEGAL
]


def test_every_state_has_a_row():
    assert set(TRANSITIONS) == set(PluginState)


@pytest.mark.parametrize(("state", "event"), LEGAL, ids=str)
def test_a_step_of_the_table_leads_where_the_table_says(state, event):
    assert next_state(state, event) is TRANSITIONS[state][event]


@pytest.mark.parametrize(("state", "event"), ILLEGAL, ids=str)
def test_any_other_step_raises_and_names_what_is_allowed(state, event):
    with pytest.raises(StateTransitionError) as caught:
        next_state(state, event, plugin_id="counter")
    text = str(caught.value)
    assert "counter" in text
    assert state.value in text
    assert all(allowed in text for allowed in TRANSITIONS[state])


def test_an_unknown_event_raises():
    with pytest.raises(StateTransitionError):
        next_state(PluginState.LOADED, "explode")


def test_the_table_can_not_be_changed():
    with pytest.raises(TypeError):
        TRANSITIONS[PluginState.LOADED]["call"] = PluginState.FAILED
    with pytest.raises(TypeError):
        TRANSITIONS[PluginState.LOADED] = {}


def test_every_state_can_be_reached_from_discovered():
    reached, waiting = set(), [PluginState.DISCOVERED]
    while waiting:
        state = waiting.pop()
        if state not in reached:
            reached.add(state)
            waiting.extend(TRANSITIONS[state].values())
    assert reached == set(PluginState)


def test_every_state_has_a_way_back_to_discovered():
    for start in PluginState:
        reached, waiting = set(), [start]
        while waiting:
            state = waiting.pop()
            if state not in reached:
                reached.add(state)
                waiting.extend(TRANSITIONS[state].values())
        assert PluginState.DISCOVERED in reached


def test_the_seeds_states_keep_their_words():
    assert {"Loaded", "Active", "Suspended", "Failed", "Unloading"} <= {
        s.value for s in PluginState
    }


def test_the_diagram_has_one_line_for_each_step():
    steps = re.findall(r"^    (\w+) --> (\w+) : (\w+)$", mermaid_diagram(), re.MULTILINE)
    assert steps == [
        (state.value, following.value, event)
        for state, row in TRANSITIONS.items()
        for event, following in row.items()
    ]


def test_the_diagram_in_architecture_is_the_one_of_the_table():
    text = ARCHITECTURE.read_text(encoding="utf-8")
    between = re.search(r"<!-- states -->\n(.*?)<!-- /states -->", text, re.DOTALL)
    assert between is not None
    assert between[1] == f"```mermaid\n{mermaid_diagram()}\n```\n"
