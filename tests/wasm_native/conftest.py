"""Managers over components, and a look at what a whole module left behind."""

from __future__ import annotations

import time

import pytest
from component_lab import HERE, ComponentLab


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
    parent = request.config.pluginmanager.get_plugin(str(HERE.parent / "conftest.py"))
    parent.shared_zygote.serve(request.path.parent.name)
    before, sockets = (parent.processes(), parent.threads()), parent.sockets()
    yield
    deadline = time.monotonic() + parent.DEADLINE
    while True:
        there = (parent.processes(), parent.threads())
        left = [now - then for now, then in zip(there, before, strict=True) if now - then]
        more = parent.sockets() - sockets
        if not left and more <= 0:
            return
        if time.monotonic() > deadline:
            pytest.fail(f"left behind: {left}, {max(0, more)} sockets and pidfds")
        time.sleep(0.02)
