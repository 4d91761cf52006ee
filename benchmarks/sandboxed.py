"""Our own contenders of topic «sandboxes»: the same plugin in each, and bare ones of each."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.contender import Work
from benchmarks.ours import echoes
from benchmarks.payload import PARAMS, float_array, touch
from benchmarks.processes import await_quiet, family, pss
from nebula_lab import PluginManager

CONTAINER = {"type": "Container", "runtime": "podman"}
_QUIET = 1.0  # seconds until a runtime has cleared up after a container


@contextlib.contextmanager
def echo(sandbox: Any) -> Iterator[Callable[[], Any]]:
    """One call with 100 bytes of JSON."""
    with echoes(1, sandbox) as (plugins, (plugin_id,)):
        plugins.load_plugin(plugin_id)
        yield lambda: plugins.execute(plugin_id, "echo", PARAMS)


@contextlib.contextmanager
def array(sandbox: Any, megabytes: int) -> Iterator[Callable[[], Any]]:
    """One array of floats in and back."""
    sent = float_array(megabytes)
    with echoes(1, sandbox) as (plugins, (plugin_id,)):
        plugins.load_plugin(plugin_id)
        yield lambda: touch(plugins.execute(plugin_id, "mirror", {"array": sent}))


@contextlib.contextmanager
def load(sandbox: Any, spares: int) -> Iterator[Work]:
    """From a plugin that is not loaded to its first result."""
    with echoes(1, sandbox, zygote={"spares": spares}) as (plugins, (plugin_id,)):

        def settle(result: Any) -> None:
            plugins.unload_plugin(plugin_id)
            time.sleep(_QUIET)
            pool = getattr(plugins._engine.sandboxes.usual, "spares", None)
            while pool is not None and len(pool) < spares:
                time.sleep(0.02)

        yield Work(lambda: plugins.execute(plugin_id, "echo", PARAMS), settle)


@contextlib.contextmanager
def bare_machine() -> Iterator[Callable[[], Any]]:
    """The same call of the same component by wasmtime's own binding, on the caller's thread."""
    with echoes(1, "Wasm") as (plugins, (plugin_id,)):
        plugins.load_plugin(plugin_id)
        host = plugins._engine.catalogue.record(plugin_id).slots.hosts[0]
        machine = host._resident.machine  # type: ignore[attr-defined]
        store, function = machine._store, machine._instance.get_func(machine._store, "perform")
        text = json.dumps({"value": PARAMS})

        def call() -> Any:
            answer = function(store, "operation", "echo", text)
            function.post_return(store)
            return answer

        assert json.loads(call().payload)["value"] == PARAMS
        yield call


@contextlib.contextmanager
def further_memory(sandbox: Any, before: int, at_most: int) -> Iterator[Work]:
    """Bytes for each further plugin, when so many are live already."""
    with echoes(at_most, sandbox, zygote={"spares": 0}) as (plugins, ids):
        waiting = iter(ids)
        for _ in range(before):
            plugins.execute(next(waiting), "echo", PARAMS)

        def grow() -> int:
            had = _memory(plugins)
            plugins.execute(next(waiting), "echo", PARAMS)
            await_quiet()
            return _memory(plugins) - had

        yield Work(grow, is_sample=True)


def _memory(plugins: PluginManager) -> int:
    """Bytes of this process and of all hosts; those in containers are not its children."""
    pids = {process.pid for process in family()}
    pids |= {one.pid for one in plugins.list_plugins() if one.pid is not None}
    return sum(map(pss, pids))


@contextlib.contextmanager
def bare_container() -> Iterator[Work]:
    """From nothing to what a Python in a container writes first, of the image of ours."""
    from nebula_lab.sandbox.container.image import OwnImage
    from nebula_lab.sandbox.container.image_files import EXECUTABLE
    from nebula_lab.sandbox.container.runtime import Runtime

    image = OwnImage(Runtime("podman"))
    image.build(print)
    limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096"]
    walls = ["--network", "none", "--pull", "never", "--entrypoint", EXECUTABLE, image.name]
    command = ["podman", "run", "--rm", *limits, *walls, "-I", "-c", "print(1, flush=True)"]

    def run() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    def settle(process: subprocess.Popen[bytes]) -> None:
        process.communicate()
        time.sleep(_QUIET)

    yield Work(run, settle)
