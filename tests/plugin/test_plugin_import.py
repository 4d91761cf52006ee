"""What `import nebula_lab.plugin` brings, and what it costs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import nebula_lab.plugin

HEAVY = ["typing", "dataclasses", "inspect", "pathlib", "difflib", "json", "asyncio", "msgspec"]


@pytest.mark.parametrize("module", HEAVY)
def test_the_import_leaves_out(module):
    # With -S, since an environment's .pth files may import anything themselves.
    code = f"import sys, nebula_lab.plugin; sys.exit({module!r} in sys.modules)"
    root = str(Path(nebula_lab.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": root}
    subprocess.run([sys.executable, "-S", "-c", code], check=True, env=environment)


@pytest.mark.parametrize("name", nebula_lab.plugin.__all__)
def test_every_public_name_is_there(name):
    assert getattr(nebula_lab.plugin, name) is not None


def test_the_public_names_are_listed_by_dir():
    assert set(nebula_lab.plugin.__all__) <= set(dir(nebula_lab.plugin))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'opperation'"):
        getattr(nebula_lab.plugin, "opperation")  # noqa: B009 - for mypy, it is not there
