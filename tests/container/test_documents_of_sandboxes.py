"""What docs/sandboxes.md shows can be written down like that."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nebula_lab import PluginConfig

TEXT = (Path(__file__).parents[2] / "docs" / "sandboxes.md").read_text()
SHOWN = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("shown", SHOWN, ids=range(len(SHOWN)))
def test_a_configuration_that_is_shown_is_one(shown, tmp_path):
    file = tmp_path / "plugin_resource.yaml"
    file.write_text(shown)
    assert PluginConfig.from_file(file).security.model_fields_set
