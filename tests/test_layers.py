"""The layers of ARCHITECTURE.md, held against the import statements."""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Iterator
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
PACKAGES = sorted({_package(p) for p in SOURCES})


def _imports_of(package: str) -> Iterator[tuple[str, str]]:
    """Each file of a package with each name that it imports."""
    for path in SOURCES:
        if _package(path) == package:
            yield from ((str(path.relative_to(ROOT)), name) for name in sorted(_imports(path)))


@pytest.mark.parametrize("package", PACKAGES)
def test_a_file_imports_only_from_below(package):
    wrong = [
        f"{file} imports {name} from above or beside"
        for file, name in _imports_of(package)
        if name.startswith("nebula_lab.")
        and (target := name.split(".")[1]) in RANK
        and target != package
        and RANK[target] >= RANK[package]
    ]
    assert wrong == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_file_needs_only_what_its_layer_may(package):
    ours = {"nebula_lab", *sys.stdlib_module_names}
    allowed = ALLOWED_OUTSIDE.get(package)
    wrong = [
        f"{file} imports {name}"
        for file, name in _imports_of(package)
        if (top := name.split(".")[0]) not in ours
        and (
            (allowed is not None and top not in allowed)
            or top in FORBIDDEN_OUTSIDE.get(package, ())
        )
    ]
    assert wrong == []


def test_every_package_has_a_layer():
    assert set(PACKAGES) <= set(RANK)
