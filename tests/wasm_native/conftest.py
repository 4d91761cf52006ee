"""Managers over components, and a look at what a whole module left behind."""

from __future__ import annotations

import left_behind
import pytest
from component_lab import ComponentLab
from shared_zygote import shared_zygote


@pytest.fixture(scope="module", params=["Process", "None"])
def lab(request, tmp_path_factory):
    found = ComponentLab(
        request.param,
        tmp_path_factory.mktemp("lab") / "plugins",
        security={"resource_limits": {"max_memory": "64MB"}},
    )
    with found.plugins:
        yield found


@pytest.fixture
def begun(lab):
    """The same, with nothing counted or heard."""
    lab.heard.__init__()
    lab.plugins.load_plugin("hostile")
    lab.ask("add", n=-lab.ask("add", n=0))
    return lab


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left_behind(request):
    """As for every test, but once for a module: its tests share managers."""
    shared_zygote.serve(request.path)
    with left_behind.nothing():
        yield
