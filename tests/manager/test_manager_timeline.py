"""What happened to real plugins, and what memory they had."""

from __future__ import annotations

import contextlib
import threading

from nebula_lab.errors import PluginError
from nebula_lab.metrics import MomentKind

METHODS = """
@operation
def fill(self, size: int) -> int:
    self.kept = b"x" * size
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not os.path.exists(self.context.config["gate"]):
        time.sleep(0.01)
    return len(self.kept)

@operation
def die(self) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
"""


def kinds(plugins, plugin_id: str = "it") -> list[MomentKind]:
    return [one.kind for one in plugins.timeline().of(plugin_id).moments]


def test_loads_reloads_crashes_and_ends_are_told_in_order(folder, wait_until):
    folder.plugin("it", METHODS)
    with folder.manager() as plugins:
        plugins.load_plugin("it")
        plugins.reload_plugin("it")
        with contextlib.suppress(PluginError):
            plugins.execute("it", "die")
        wait_until(lambda: MomentKind.RESTARTED in kinds(plugins), "it is restarted")
        plugins.suspend_plugin("it")
        plugins.unload_plugin("it")
        expected = ["loaded", "reloaded", "crashed", "restarted", "suspended", "unloaded"]
        assert [kind.value for kind in kinds(plugins)] == expected
        assert plugins.timeline().of("it").moments[1].duration > 0


def test_memory_is_what_those_found_who_look_at_it_anyway(folder, tmp_path, wait_until):
    gate = tmp_path / "gate"
    folder.plugin("it", METHODS)
    with folder.manager(global_config={"it": {"gate": str(gate)}}) as plugins:
        plugins.load_plugin("it")

        def largest() -> int:
            return max((one.memory for one in plugins.timeline().memory.get("it", ())), default=0)

        wait_until(largest, "it was looked at")
        before = largest()
        call = fill_on_a_thread(plugins, 64 * 2**20)
        wait_until(lambda: largest() > before + 60 * 2**20, "it has grown")
        gate.touch()
        call.join(60)
        assert not call.is_alive()
        plugins.unload_plugin("it")
        assert plugins.timeline().memory["it"][-1].memory == 0


def fill_on_a_thread(plugins, size: int):
    call = threading.Thread(target=plugins.execute, args=("it", "fill", {"size": size}))
    call.start()
    return call


def test_a_plugin_in_this_process_has_moments_and_no_memory_of_its_own(folder):
    folder.plugin("it", METHODS)
    with folder.manager("None") as plugins:
        plugins.load_plugin("it")
        assert kinds(plugins) == [MomentKind.LOADED]
        assert plugins.timeline().memory == {}
