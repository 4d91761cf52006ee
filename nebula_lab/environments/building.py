"""Builds one environment, from a list of packages to a folder."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from pathlib import Path

import msgspec
from msgspec import Struct

from nebula_lab.environments import bytecode_script
from nebula_lab.environments.cache_layout import CacheLayout
from nebula_lab.environments.environment import isolated_command, own_environment
from nebula_lab.environments.interpreters import Interpreter
from nebula_lab.environments.requirement_list import requirement_list
from nebula_lab.environments.stages import STAGES, BuildWatcher
from nebula_lab.environments.uv_tool import CancelledError, Uv, UvError
from nebula_lab.model.lock import LockedPackage

__all__ = ["RECIPE", "Recipe", "build", "compile_in"]

# In the folder of an environment, what it was built from.
RECIPE = "nebula-lab.json"

_CHOOSING, _MAKING, _INSTALLING, _COMPILING = STAGES
_LOOKING = 0.1  # seconds between two looks whether it is still wanted
# With an index that is never asked: what is installed has been chosen before.
_INSTALL = (
    "--require-hashes",
    "--no-build",
    "--link-mode",
    "hardlink",
    # uv would have the new environment's Python compile, which runs its `.pth` files first.
    "--no-compile-bytecode",
)


class Recipe(Struct, frozen=True):
    """What an environment is built from.

    Attributes:
        interpreter: the Python.
        packages: what is installed, by name.
    """

    interpreter: Interpreter
    packages: tuple[LockedPackage, ...]

    @property
    def packages_folder(self) -> str:
        """Below the environment."""
        return f"lib/python{self.interpreter.minor}/site-packages"


def build(recipe: Recipe, key: str, layout: CacheLayout, uv: Uv, watcher: BuildWatcher) -> None:
    """Build an environment; it is in its place as a whole, or not at all.

    The caller holds its lock alone.

    Raises:
        UvError: uv could not.
        OSError: it can't be written.
        CancelledError: it is not wanted any more.
    """
    for left in layout.new.glob(f"{key}-*"):  # by a build that was killed: nobody else is at it
        shutil.rmtree(left, ignore_errors=True)
    new = layout.new / f"{key}-{secrets.token_hex(4)}"
    new.mkdir(0o700, parents=True)
    try:
        _install(recipe, new, uv, watcher)
        watcher.at(_COMPILING)
        compile_in(new / recipe.packages_folder, recipe.interpreter, layout, watcher)
        (new / RECIPE).write_bytes(msgspec.json.encode(recipe))
        layout.built.mkdir(0o700, parents=True, exist_ok=True)
        os.rename(new, layout.environment(key))  # noqa: PTH104 - never over one that is there
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _install(recipe: Recipe, new: Path, uv: Uv, watcher: BuildWatcher) -> None:
    def run(stage: str, *arguments: str) -> None:
        def on_line(line: str) -> None:
            if not line.startswith(("+ ", "- ", "Using Python")):  # a line for each package
                watcher.at(stage, line)

        watcher.at(stage)
        uv.run(arguments, new, on_line, watcher.is_cancelled)

    # It can be moved: scripts find their interpreter beside them.
    made = ("--relocatable", "--no-project", "--allow-existing", "--quiet")
    run(_MAKING, "venv", str(new), "--python", recipe.interpreter.path, *made)
    wanted = new / "packages.txt"
    try:
        wanted.write_text(requirement_list(recipe.packages), "utf-8")
    except ValueError as error:
        raise UvError(str(error)) from error
    python = str(new / "bin" / "python")
    run(
        _INSTALLING,
        *("pip", "sync", str(wanted), "--python", python),
        *_INSTALL,
        *uv.index_arguments,
    )


def compile_in(
    folder: Path, interpreter: Interpreter, layout: CacheLayout, watcher: BuildWatcher
) -> None:
    """Compile what is in a folder, without running any of it.

    What can't be compiled is left as it is: it can be imported all the same, if at all.

    Raises:
        OSError: the compiler can't be started.
        CancelledError: it is not wanted any more.
    """
    store = layout.bytecode
    store.mkdir(0o700, parents=True, exist_ok=True)
    script = str(Path(bytecode_script.__file__))
    command = isolated_command(
        own_environment(),
        "nebula_lab.environments.bytecode_launcher",
        *(interpreter.path, script, str(folder), str(store), *interpreter.bases),
    )
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={"LANG": "C.UTF-8"},
        start_new_session=True,
    )
    try:
        while process.poll() is None:
            if watcher.is_cancelled():
                raise CancelledError
            try:
                process.wait(_LOOKING)
            except subprocess.TimeoutExpired:
                continue
    finally:
        process.kill()
        process.wait()
