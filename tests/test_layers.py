"""The layers of ARCHITECTURE.md, held against the import statements."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "nebula_lab"

# Lowest first. Packages on one line may not import each other, unless the order says so.
LAYERS: list[set[str]] = [
    {"plugin", "_version"},
    {"wire"},
    {"link"},
    {"confine"},
    {"agent"},
    {"guest"},
    {"reports"},
    {"errors"},
    {"model"},
    {"resolver", "metrics", "trust"},
    {"transport", "environments", "discovery", "watch"},
    {"registry"},
    {"sandbox"},
    {"runtime"},
    {"managing"},
    {"manager"},
    {"aio"},
    {"current"},
    {"doctor"},
    {"scaffold"},
    {"views"},
    {"live"},
    {"notebook", "cli"},
]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
# Layers 1 and 2 enter a sandbox: they may import nothing that only the manager's side has.
ALLOWED_OUTSIDE = {
    "plugin": set(),
    # The packages of arrays and tables are imported when a value of theirs is there.
    "wire": {"msgspec", "numpy", "pandas", "polars", "ormsgpack", "pyarrow"},
    "link": {"msgspec", "numpy"},  # to see the end of arrays, where there are any
    "confine": {"msgspec"},
    "agent": {
        "msgspec",
        "ipykernel",
        "IPython",
        "traitlets",
        "zmq",
        "tornado",
        "matplotlib_inline",
        # debugpy has brought the others along; ipykernel needs it.
        "debugpy",
        "pydevd",
        "pydevd_file_utils",
        "wasmtime",  # where a plugin is a component; see agent/components/engine.py
    },
    # Few enough to know what a signature rests on.
    "trust": {"msgspec", "cryptography"},
}
JUPYTER = {"IPython", "ipywidgets", "ipykernel", "anywidget", "comm"}
FORBIDDEN_OUTSIDE = {"views": JUPYTER, "live": JUPYTER}


@functools.cache
def _imports(path: Path) -> frozenset[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import in line {node.lineno}"
            module = node.module or ""
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def _package(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


SOURCES = [p for p in sorted(ROOT.rglob("*.py")) if _package(p) != "__init__"]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_imports_only_from_below(path):
    package = _package(path)
    for name in _imports(path):
        parts = name.split(".")
        if parts[0] != "nebula_lab" or len(parts) < 2:
            continue
        target = parts[1]
        if target in RANK and target != package:
            assert RANK[target] < RANK[package], f"{path.name} imports {name} from above or beside"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_needs_only_what_its_layer_may(path):
    import sys

    package = _package(path)
    tops = {name.split(".")[0] for name in _imports(path)} - {"nebula_lab", "__future__"}
    outside = tops - set(sys.stdlib_module_names)
    if package in ALLOWED_OUTSIDE:
        assert outside <= ALLOWED_OUTSIDE[package]
    assert not outside & FORBIDDEN_OUTSIDE.get(package, set())


def test_every_package_has_a_layer():
    assert {_package(p) for p in SOURCES} <= set(RANK)
