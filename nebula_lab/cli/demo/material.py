"""Real input for the samples, from packages that are installed with them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import struct
from pathlib import Path
from typing import Any

_WITH_IMAGES = ("networkx", "ipykernel", "ipywidgets", "jupyter-server")
_PNG = b"\x89PNG\r\n\x1a\n"
_LONGEST_TEXT = 20_000


def data_set(name: str) -> Path:
    """The file of a data set that ships with vega_datasets, without importing it.

    Raises:
        FileNotFoundError: it is not installed.
    """
    spec = importlib.util.find_spec("vega_datasets")
    for folder in (spec and spec.submodule_search_locations) or ():
        for path in (Path(folder) / "_data").glob(f"{name}.*"):
            return path
    raise FileNotFoundError(f"the data set {name}: pip install 'nebula-lab[samples]'")


def cars() -> list[dict[str, Any]]:
    """406 cars of the years 1970 to 1982, as their data set has them."""
    rows: list[dict[str, Any]] = json.loads(data_set("cars").read_bytes())
    return rows


def package_descriptions() -> dict[str, str]:
    """What installed packages say of themselves, by name: their READMEs."""
    found = {}
    for distribution in importlib.metadata.distributions():
        metadata = distribution.metadata
        text = str(metadata.get_payload() or metadata.get("Description") or "")  # type: ignore[attr-defined]
        if len(text) > 200:
            found[str(metadata["Name"])] = text[:_LONGEST_TEXT]
    return found


def images() -> dict[str, bytes]:
    """PNG images of installed packages, by file name."""
    found: dict[str, bytes] = {}
    for name in _WITH_IMAGES:
        try:
            files = importlib.metadata.files(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # a service that has the samples need not have JupyterLab
        for file in files:
            if file.suffix == ".png":
                found[file.name] = file.read_binary()
    return found


def png_size(content: bytes) -> tuple[int, int]:
    """Width and height in pixels, from the header (PNG specification, section 11.2.2).

    Raises:
        ValueError: it is no PNG image.
    """
    if not content.startswith(_PNG) or content[12:16] != b"IHDR":
        raise ValueError("these bytes are no PNG image")
    width, height = struct.unpack(">II", content[16:24])
    return width, height
