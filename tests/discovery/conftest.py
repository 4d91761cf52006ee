from __future__ import annotations

import pytest
from plugin_folder import PluginFolder


@pytest.fixture
def plugins(tmp_path):
    folder = tmp_path / "plugins"
    folder.mkdir()
    return PluginFolder(folder)
