"""Where the file of an installed module is, told without importing it or its parents.

`importlib.util.find_spec` imports every parent of a dotted name, and with them somebody's code.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LARGEST_PTH = 64 * 1024


def file_of_module(distribution: Distribution, module: str, path: Iterable[str]) -> Path | None:
    """The module's file, or its folder for a package; None where there is none.

    The distribution's own files come first, then the folders that an editable installation adds,
    then the search path.
    """
    places = (
        *_own_folders(distribution, module),
        *_editable_folders(distribution),
        *(Path(entry or ".") for entry in path),
    )
    found = (_in_folder(folder.absolute(), module) for folder in places)
    return next((file for file in found if file is not None), None)


def _in_folder(folder: Path, module: str) -> Path | None:
    place = folder.joinpath(*module.split("."))
    if (place / "__init__.py").is_file():
        return place
    file = place.with_name(f"{place.name}.py")
    return file if file.is_file() else None


def _own_folders(distribution: Distribution, module: str) -> Iterator[Path]:
    """The folder that the distribution is installed in, if its list of files has the module."""
    name = module.replace(".", "/")
    listed = {str(file) for file in distribution.files or ()}
    if f"{name}.py" in listed or f"{name}/__init__.py" in listed:
        yield Path(str(distribution.locate_file("")))


def _editable_folders(distribution: Distribution) -> Iterator[Path]:
    for file in distribution.files or ():
        if file.suffix == ".pth":
            yield from _folders_of_pth(Path(str(distribution.locate_file(file))))
    origin = _origin(distribution.read_text("direct_url.json"))
    if origin is not None:
        yield origin / "src"
        yield origin


def _folders_of_pth(file: Path) -> Iterator[Path]:
    """The folders that a `.pth` file adds to the path; its lines of code are not run."""
    try:
        if not file.is_file() or file.stat().st_size > _LARGEST_PTH:
            return
        lines = file.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return
    for line in lines:
        line = line.strip()
        if line and not line.startswith(("#", "import ", "import\t")):
            yield file.parent / line


def _origin(direct_url: str | None) -> Path | None:
    """The project folder of an editable installation (PEP 610)."""
    try:
        record = json.loads(direct_url or "{}")
        editable = record["dir_info"]["editable"]
        url = urlsplit(record["url"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return Path(unquote(url.path)) if editable is True and url.scheme == "file" else None
