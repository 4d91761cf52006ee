"""TypeScript's types are those of Python."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import get_args

from nebula_lab.live.rows import HealthWord, PluginRow, RowChange, StateWord
from nebula_lab.model import PluginState
from nebula_lab.plugin import HealthState

EXTENSIONS = Path(__file__).parents[2] / "extensions"


def test_the_types_of_the_front_end_are_written_from_ours():
    spec = importlib.util.spec_from_file_location("write_wire", EXTENSIONS / "write_wire.py")
    writer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(writer)
    told = "run: python extensions/write_wire.py"
    assert writer.TARGET.read_text() == writer.wire_ts(), told


def test_a_change_can_tell_of_every_field_of_a_row():
    assert RowChange.__struct_fields__ == PluginRow.__struct_fields__


def test_the_words_for_states_are_those_of_the_life_cycle():
    assert set(get_args(StateWord)) == {state.value for state in PluginState}


def test_the_words_for_health_are_those_of_plugins_and_one_for_none():
    assert set(get_args(HealthWord)) == {"Unknown", *(state.value for state in HealthState)}
