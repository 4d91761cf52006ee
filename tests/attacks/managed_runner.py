"""A manager that is attacked by its plugins, and says what came of it.

It reads a line of JSON for each order and writes one. The first names its secrets and settings.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import sysconfig
import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil
from attacks.attack import PROGRAM_RAN
from msgspec import structs
from plugin_folder_of_attackers import write_attacker, write_sibling
from useful_work import SOURCE
from victim import Victim

from nebula_lab import PluginManager, UnenforcedWarning
from nebula_lab.confine.machine import Mechanism
from nebula_lab.errors import PluginCrashedError, PluginError
from nebula_lab.sandbox import probing


class Silence:
    """An output sink that counts characters."""

    def __init__(self) -> None:
        self.characters = 0

    def write(self, stream, text):
        self.characters += len(text)

    def display(self, action, bundle):
        pass

    def log(self, level, logger, message):
        self.characters += len(message)

    def progress(self, label, done, total, text):
        pass


class Besieged:
    """The manager and its plugins: `attacker` and `worker` may nothing, `spawner` may start
    processes, `broad` may write to folders that have all of the manager's in them."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._secrets = order["secrets"]
        _do_without(order["lacks"])
        self._victim = Victim(self._secrets["memory"], signal.SIGWINCH)
        self._folder = Path.home() / "plugins"
        self._folder.mkdir()
        write_attacker(self._folder, "attacker")
        write_attacker(self._folder, "spawner", capabilities=["ProcessSpawn"])
        around = [f"{folder}:rw" for folder in (Path.home(), tempfile.gettempdir())]
        write_attacker(self._folder, "broad", capabilities=["FileSystem"], allowed_paths=around)
        write_sibling(self._folder, self._secrets["sibling code"])
        (self._folder / "worker.py").write_text(SOURCE)
        self._output = Silence()
        settings = {
            "plugin_dir": self._folder,
            "grace": 0.3,
            "restart": {"max_restarts": 1000, "backoff": 0},
            "security": {"sandbox": "Process", **order["security"]},
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnenforcedWarning)
            self.plugins = PluginManager(settings, output=self._output)

    def target(self) -> dict[str, Any]:
        """What an attacker has to know; where things are is found by looking for them."""
        note = self.plugins.execute("sibling", "keep", {"secret": self._secrets["sibling scratch"]})
        run = next(Path(tempfile.gettempdir()).glob("nebula-lab-*/nebula-*"))
        code = [str(path) for path in _holding(self._secrets["sibling code"])]
        notes = [str(path) for path in _holding(self._secrets["sibling scratch"])]
        sockets = sorted(run.rglob("ipc/k-*"))
        return self._victim.target() | {
            "sibling_pid": self._pid_of("sibling"),
            "sibling_code": code,
            "sibling_scratch": notes or [note],
            "store_files": [path for path in code if not path.startswith(str(self._folder))],
            "run_folder": str(run),
            "run_folder_names": os.listdir(run),
            "connection_files": [str(path) for path in run.rglob("kernel.json")],
            "sibling_socket": str(sockets[0]) if sockets else str(run),
            "environment": sysconfig.get_path("purelib"),
        }

    def _pid_of(self, plugin_id: str) -> int | None:
        return next(info.pid for info in self.plugins.list_plugins() if info.id == plugin_id)

    def attempt(
        self, plugin: str, name: str, target: dict[str, Any], timeout: float
    ) -> dict[str, Any]:
        """What came of an attack, also where its host did not survive it."""
        try:
            params = {"name": name, "target": target}
            return self.plugins.execute(plugin, "attempt", params, timeout=timeout)
        except PluginCrashedError as error:
            report = error.report
            ended = report.signal_name or f"exit {report.exit_code}"
            ran = report.exit_code == PROGRAM_RAN
            return {"succeeded": ran, "error": "PluginCrashedError", "ended": ended}
        except PluginError as error:
            return {"succeeded": False, "error": type(error).__name__, "detail": str(error)}

    def execute(
        self, plugin: str, operation: str, params: dict[str, Any], timeout: float
    ) -> dict[str, Any]:
        try:
            return {"result": self.plugins.execute(plugin, operation, params, timeout=timeout)}
        except PluginError as error:
            return {"error": type(error).__name__, "detail": str(error)}

    def ping(self) -> list[int]:
        """That the manager and both plugins answer."""
        names = ("sibling", "attacker")
        return [self.plugins.execute(name, "ping", timeout=20.0) for name in names]

    def effects(self) -> dict[str, Any]:
        return self._victim.effects()

    def unload(self, plugin: str) -> bool:
        self.plugins.unload_plugin(plugin)
        return True

    def memory(self) -> list[int]:
        """Bytes that this process uses, and characters that it was given to show."""
        return [psutil.Process().memory_info().rss, self._output.characters]


def _do_without(lacks: Iterable[str]) -> None:
    """Have the manager find a machine without some mechanisms; the others are used for real."""
    found = probing._probe()
    lacking = {name: Mechanism(False, "", "get it") for name in lacks}
    probing._probe = lambda: structs.replace(found, **lacking)


def _holding(secret: str) -> Iterable[Path]:
    for root in (Path.home(), Path(tempfile.gettempdir())):
        for path in root.rglob("*"):
            with contextlib.suppress(OSError):
                if path.is_file() and secret.encode() in path.read_bytes():
                    yield path


def main() -> None:
    # Whatever else prints here must not get between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    besieged = Besieged(json.loads(sys.stdin.readline()))
    with besieged.plugins:
        for line in sys.stdin:
            order = json.loads(line)
            answer = getattr(besieged, order.pop("do"))(**order)
            print(json.dumps(answer, default=repr), file=answers, flush=True)


if __name__ == "__main__":
    main()
