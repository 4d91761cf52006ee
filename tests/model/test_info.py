"""Rows of `list_plugins()`."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from nebula_lab.model import PluginInfo, PluginState, Version

INFO = PluginInfo(
    id="counter", name="Counter", version=Version.parse("1.0.0"), state=PluginState.LOADED
)


def test_a_row_can_not_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        INFO.state = PluginState.FAILED


def test_a_row_in_json_has_the_seeds_words():
    row = INFO.model_dump(mode="json")
    assert row["state"] == "Loaded"
    assert row["version"] == "1.0.0"


def test_a_plugin_that_never_ran_has_no_times():
    assert (INFO.loaded_at, INFO.last_used, INFO.reload_count) == (None, None, 0)
