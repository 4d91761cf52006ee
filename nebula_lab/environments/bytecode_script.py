"""Compiles the packages of an environment: `… PACKAGES STORE`.

A script for the Python that the environment was made from, isolated (`-I -S`): nothing of what is
compiled runs, no `.pth` file and no `sitecustomize`. It needs the standard library alone.

Hosts only read their environments, so bytecode that is not there now never will be, and a kernel
would take ten times as long to start. What has the same text has the same bytecode: it is kept in
STORE and linked from there, and holds without another look at the source (PEP 552, unchecked).
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import sys
import warnings
from pathlib import Path

_CODE_TO_HASH_PYC = importlib._bootstrap_external._code_to_hash_pyc  # type: ignore[attr-defined]
# Tests are most of what some large packages have, and nobody imports them.
_NOT_WORTH_IT = frozenset({"__pycache__", "tests"})
_HEX = importlib.util.MAGIC_NUMBER.hex()


def _sources(folder: str) -> list[Path]:
    found: list[Path] = []
    for parent, folders, names in os.walk(folder, followlinks=False):
        folders[:] = [one for one in folders if one not in _NOT_WORTH_IT]
        found += [Path(parent, name) for name in names if name.endswith(".py")]
    return found


def _put(path: Path, store: Path) -> None:
    source = path.read_bytes()
    kept = store / f"{hashlib.sha256(source).hexdigest()}-{_HEX}"
    if not kept.exists():
        try:
            code = compile(source, path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return  # of another Python, or no Python at all; whoever imports it is told
        new = kept.with_suffix(f".{os.getpid()}")
        new.write_bytes(_CODE_TO_HASH_PYC(code, importlib.util.source_hash(source), False))
        new.replace(kept)
    target = Path(importlib.util.cache_from_source(str(path)))
    target.parent.mkdir(exist_ok=True)
    target.unlink(missing_ok=True)  # what a package brought along is not of our making
    try:
        target.hardlink_to(kept)
    except OSError:  # too many links to one file, or another file system
        shutil.copyfile(kept, target)


def main(packages: str, store: str) -> None:
    warnings.simplefilter("ignore")
    sources = _sources(packages)
    workers = min(4, len(os.sched_getaffinity(0)))
    for number in range(1, workers):
        if os.fork() == 0:
            sources = sources[number::workers]
            break
    else:
        sources = sources[::workers]
    for path in sources:
        _put(path, Path(store))
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
