"""Builds the component that runs Python, in processes that end with whoever wants it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from nebula_lab.agent.marking import MARK
from nebula_lab.environments.stages import NOBODY, BuildWatcher, Stage
from nebula_lab.errors import LoadFailedError

__all__ = ["BUILDING", "COMPILED", "PACKAGE", "Order", "build", "failed", "refuse_if_given_up"]

PACKAGE = Path(__file__).parents[2]
BUILDING = "building-"  # before the key and a name of its own
_COMPONENT, COMPILED = "component.wasm", "component.cwasm"
_TIMEOUT = 600.0  # seconds, for a machine under load
_LOOKING = 0.1  # seconds between two looks whether it is still wanted
_PRIVATE = 0o700
# With how long each takes as a rule. A terminal has room for forty characters.
_STAGES = ("building Python (half a minute)", "compiling it (ten seconds)")
_COMPONENTIZE = "import sys, componentize_py; sys.exit(componentize_py.script())"
_COMPILE = """\
import os, sys
from pathlib import Path
from nebula_lab.sandbox.wasm.library import engine
from wasmtime.component import Component
source, target = map(Path, sys.argv[1:3])
compiled = Component(engine(has_fuel=sys.argv[3] == "fuel"), source.read_bytes()).serialize()
with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
    file.write(compiled)
"""


class Order(Struct, frozen=True):
    """What is to be built, and for whom.

    Attributes:
        has_fuel: compiled so that it counts its instructions, which makes it slower.
        watcher: is told how far it has come, and asked whether it is still wanted.
        mark: what its processes are found by, if this one is killed; "" for none.
    """

    has_fuel: bool = False
    watcher: BuildWatcher = NOBODY
    mark: str = ""


def build(place: Path, sources: Iterable[tuple[str, bytes]], order: Order) -> None:
    """Build it, and put it in its place as a whole; whoever calls this holds the lock of that.

    Args:
        place: the folder that it is to be in.
        sources: of ours that are in it.
        order: what it is to be.

    Raises:
        LoadFailedError: it could not be built, or is not wanted any more.
    """
    prefix = f"{BUILDING}{place.name}-"
    for left in place.parent.glob(f"{prefix}*"):  # by one who was killed, or the lock were theirs
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=prefix) as name:
        work = Path(name)
        stage, made = work / "stage", work / "made"
        made.mkdir(_PRIVATE)
        for path, content in sources:
            target = stage / "nebula_lab" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        shutil.copy(stage / "nebula_lab/guest/app.py", stage / "app.py")
        wit = stage / "nebula_lab/guest/wit"
        # The world that it has in common with components in other languages.
        (wit / "deps/plugin").mkdir(parents=True)
        shutil.copy(stage / "nebula_lab/agent/components/plugin.wit", wit / "deps/plugin")
        _tell(order, 0)
        _run(order, _COMPONENTIZE, "-d", wit, "-w", "python-host", "componentize", "-p", stage,
             "-o", made / _COMPONENT, "app")  # fmt: skip
        _tell(order, 1)
        # In a process of its own: it takes 600 MB of memory, which this one would keep.
        _run(order, _COMPILE, made / _COMPONENT, made / COMPILED, "fuel" if order.has_fuel else "")
        (made / _COMPONENT).unlink()
        made.rename(place)
    _tell(order, len(_STAGES))


def _tell(order: Order, done: int) -> None:
    text = _STAGES[done] if done < len(_STAGES) else ""
    order.watcher.tell(Stage(done, len(_STAGES), text))


def _run(order: Order, program: str, *arguments: object) -> None:
    # Isolated, so that nothing of the working folder is imported; but our own package is found.
    path = f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r})\n"
    command = [sys.executable, "-I", "-c", path + program, *map(str, arguments)]
    environment = {**os.environ, MARK: order.mark} if order.mark else None
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        try:
            said = _said_by(process, order)
        finally:
            process.kill()
    if process.returncode:
        lines = [line for line in said.splitlines() if line.strip()]
        shown = next((one for one in lines if "Error" in one), f"exit code {process.returncode}")
        raise failed(shown.strip()[:500])


def _said_by(process: subprocess.Popen[str], order: Order) -> str:
    deadline = time.monotonic() + _TIMEOUT
    while True:
        try:
            return process.communicate(timeout=_LOOKING)[1]
        except subprocess.TimeoutExpired:
            refuse_if_given_up(order)
            if time.monotonic() > deadline:
                raise failed(f"it took longer than {_TIMEOUT:.0f} s") from None


def refuse_if_given_up(order: Order) -> None:
    """Go on only while it is wanted.

    Raises:
        LoadFailedError: it is not any more.
    """
    if order.watcher.is_cancelled():
        raise LoadFailedError(
            "building Python for sandbox Wasm was broken off",
            hint="Load the plugin again to have it built; once it is, it is kept for all.",
        )


def failed(why: str) -> LoadFailedError:
    """The error for a component that can't be had."""
    return LoadFailedError(
        f"Python for sandbox Wasm could not be built: {why}",
        hint="`nebula-lab doctor` says what is missing. Sandbox Process needs nothing of it.",
    )
