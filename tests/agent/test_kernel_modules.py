"""The names of modules that a kernel had when it booted, as IPython's reset uses them."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from nebula_lab.agent.kernel_modules import ImportedBefore


@pytest.fixture
def new():
    """Names of modules that come one by one, and go with the test."""
    names = ["test_module_of_the_zygote", "test_module_of_the_boot", "test_module_of_a_cell"]
    yield names
    for name in names:
        sys.modules.pop(name, None)


def test_only_what_came_later_is_left_of_all_names(new):
    of_zygote, of_boot, of_cell = new
    sys.modules[of_zygote] = ModuleType(of_zygote)
    zygote = ImportedBefore()
    sys.modules[of_boot] = ModuleType(of_boot)
    boot = ImportedBefore(zygote)
    sys.modules[of_cell] = ModuleType(of_cell)
    assert set(sys.modules) - zygote == {of_boot, of_cell}
    assert set(sys.modules) - boot == {of_cell}


def test_nothing_is_left_while_nothing_has_come():
    zygote = ImportedBefore()
    assert set(sys.modules) - ImportedBefore(zygote) == set()
    assert set(sys.modules) - ImportedBefore() == set()
