"""Runs the sidebar's tests in another JupyterLab: `python tests/browser/other_lab.py 4.4 [TEST …]`.

The project is installed there as users have it, as a wheel, in an environment that is gone
afterwards. What drives the browser stays here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import uv

ROOT = Path(__file__).parents[2]
TESTS = ("tests/browser/sidebar",)
UV = uv.find_uv_bin()


def main(version: str, tests: tuple[str, ...]) -> int:
    with tempfile.TemporaryDirectory(prefix="lab-") as folder:
        python = install(version, Path(folder))
        environment = {**os.environ, "NEBULA_TEST_LAB": str(python)}
        command = [sys.executable, "-m", "pytest", *(tests or TESTS)]
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def install(version: str, folder: Path) -> Path:
    """The Python of a new environment with that JupyterLab and the project's wheel."""
    python = folder / "venv" / "bin" / "python"
    print(f"Installing JupyterLab {version} and the project's wheel …", flush=True)
    run("build", "--wheel", "--out-dir", folder / "dist", ROOT)
    [wheel] = (folder / "dist").glob("*.whl")
    run("venv", "--python", sys.executable, folder / "venv")
    run(
        "pip",
        "install",
        "--python",
        python,
        f"{wheel}[lab]",
        f"jupyterlab=={version}.*",
        "notebook",
    )
    return python


def run(*words: object) -> None:
    subprocess.run([UV, *map(str, words)], check=True, stdout=sys.stderr, stderr=subprocess.STDOUT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], tuple(sys.argv[2:])))
