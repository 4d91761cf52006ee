"""What a plugin in a machine can't do, whatever it tries; and who goes on."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from nebula_lab.errors import (
    ExecutionFailedError,
    LimitExceededError,
    LoadFailedError,
    PluginCrashedError,
    PluginError,
    PluginTimeoutError,
)

METHODS = """
@operation
def one(self): return 1
@operation
def read(self, path: str): return open(path).read()
@operation
def by_link(self, path: str):
    link = self.context.scratch_dir / "link"
    link.symlink_to(path)
    return link.read_text()
@operation
def take_names(self, content: bytes):
    taken = 0
    for number in range(1000):
        path = pathlib.Path("/exchange", f"m{number}")
        try:
            path.unlink(missing_ok=True)
            path.mkdir() if number % 2 else path.symlink_to("m1")
            taken += 1
        except OSError:
            pass
        if taken == 200:
            return taken
    return taken
@operation
def size(self, content: bytes): return len(content)
@operation
def names(self, path: str): return os.listdir(path)
@operation
def variables(self): return dict(os.environ)
@operation
def change_own_code(self): pathlib.Path(__file__ if 0 else sys.path[-1], "it.py").write_text("")
@operation
def fill(self, megabytes: int):
    with open(self.context.scratch_dir / "large", "wb") as file:
        for _ in range(megabytes):
            file.write(bytes(2**20))
    while True: pass
@operation
def burn(self, seconds: float):
    until = time.monotonic() + seconds
    steps = 0
    while time.monotonic() < until: steps += 1
    return steps
@operation
def recurse(self):
    def again(): return again()
    return again()
@operation
def print_much(self, lines: int):
    for number in range(lines): print("x" * 1000)
@operation
def abort(self): os.abort()
@operation
def signal(self, pid: int):
    import signal
    os.kill(pid, 9)
@operation
def wait_outside(self, seconds: float):
    import select
    select.select([], [], [], seconds)
@operation
def answer(self, how: str):
    import wit_world, json
    from nebula_lab.guest import residence
    texts = {
        "no JSON": "{",
        "no object": "[]",
        "a stream of text": '{"stream": "x"}',
        "a large stream": '{"stream": 1e300}',
        "NaN": '{"value": NaN}',
        "deep": "[" * 100_000,
        "another kind": '{"value": {"$": "nothing"}}',
        "a file elsewhere": '{"value": {"$": "bytes", "file": "../plugin/it.py"}}',
        "a file that is a link": '{"value": {"$": "bytes", "file": "link"}}',
        "a large number": '{"value": ' + "9" * 100_000 + "}",
        "an array of a shape": '{"value": {"$": "array", "of": "f8", "shape": [4], "file": "f"}}',
    }
    if how == "a file that is a link": os.symlink("../plugin/it.py", "/exchange/link")
    if how == "an array of a shape": open("/exchange/f", "wb").write(b"x" * 8)
    residence.Residence.perform = lambda *_: texts[how]
    return 1
"""
NONSENSE = (
    "no JSON",
    "no object",
    "a stream of text",
    "a large stream",
    "NaN",
    "deep",
    "another kind",
    "a file elsewhere",
    "a file that is a link",
    "a large number",
    "an array of a shape",
)


@pytest.fixture(scope="module")
def plugins(shared_workshop):
    shared_workshop.plugin("it", METHODS)
    with shared_workshop.manager(
        security={"resource_limits": {"max_memory": "100MB", "max_scratch": "2MB"}}
    ) as manager:
        yield manager


@pytest.mark.parametrize("way", ["read", "by_link", "names"])
@pytest.mark.parametrize("path", ["/etc/passwd", "/proc/self/environ", "/", "/exchange/../etc"])
def test_no_file_of_the_system_is_there(plugins, way, path):
    with pytest.raises(ExecutionFailedError):
        plugins.execute("it", way, {"path": path})


def test_a_link_that_leads_out_is_followed_by_nobody(plugins, tmp_path):
    (tmp_path / "secret").write_text("secret")
    with pytest.raises(ExecutionFailedError):
        plugins["it"].by_link(path=str(tmp_path / "secret"))


def test_no_variable_of_the_managers_is_there(plugins, monkeypatch):
    monkeypatch.setenv("A_SECRET", "x")
    plugins.unload_plugin("it")
    assert "A_SECRET" not in plugins["it"].variables()


def test_its_own_code_can_not_be_changed(plugins):
    with pytest.raises(ExecutionFailedError):
        plugins["it"].change_own_code()


def test_no_process_is_signalled(plugins):
    with pytest.raises(PluginError):
        plugins["it"].signal(pid=os.getpid())
    assert plugins["it"].one() == 1


def test_a_folder_that_is_full_ends_it(plugins):
    with pytest.raises(PluginError, match="2,000,000 bytes"):
        plugins.execute("it", "fill", {"megabytes": 8}, timeout=30)
    assert plugins["it"].one() == 1


def test_a_recursion_without_an_end_is_an_error_or_an_end_of_its_own(plugins):
    with pytest.raises(PluginError):
        plugins["it"].recurse()
    assert plugins["it"].one() == 1


def test_an_abort_is_told_as_the_end_of_the_plugin(plugins):
    with pytest.raises(PluginCrashedError):
        plugins["it"].abort()
    assert plugins["it"].one() == 1


def test_much_output_is_held_back(plugins):
    plugins["it"].print_much(lines=1_000)
    assert plugins["it"].one() == 1


def test_names_that_it_takes_from_the_manager_do_no_harm(plugins):
    large = bytes(2**20)
    assert plugins["it"].take_names(content=large) == 200
    for _ in range(3):
        assert plugins["it"].size(content=large) == 2**20
    assert plugins["it"].one() == 1


@pytest.mark.parametrize("how", NONSENSE)
def test_an_answer_that_makes_no_sense_ends_its_machine_and_nothing_else(plugins, how):
    assert plugins["it"].answer(how=how) == 1
    with pytest.raises(PluginError):
        plugins["it"].one()
    plugins.unload_plugin("it")
    assert plugins["it"].one() == 1


def test_memory_has_its_limit(workshop):
    workshop.plugin("it", "@operation\ndef take(self): return len(bytearray(150_000_000))")
    with (
        workshop.manager(security={"resource_limits": {"max_memory": "50MB"}}) as plugins,
        pytest.raises(LimitExceededError, match="memory"),
    ):
        plugins["it"].take()


def test_the_share_of_the_processor_is_held(workshop):
    workshop.plugin("it", METHODS)
    with workshop.manager(security={"resource_limits": {"max_cpu_percent": 20.0}}) as plugins:
        host = plugins.load_plugin("it") or plugins._engine.catalogue.record("it").slots.hosts[0]
        thread = host._thread.native_id
        before = _processor_time(thread)
        plugins["it"].burn(seconds=1.0)
        assert _processor_time(thread) - before < 0.5


def _processor_time(thread: int) -> float:
    fields = Path(f"/proc/self/task/{thread}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_what_waits_outside_its_machine_is_left_and_no_second_one_is_begun(workshop):
    workshop.plugin("it", METHODS)
    with workshop.manager(grace=0.1) as plugins:
        plugins.load_plugin("it")
        host = plugins._engine.catalogue.record("it").slots.hosts[0]
        with pytest.raises(PluginTimeoutError, match="left behind"):
            plugins.execute("it", "wait_outside", {"seconds": 6.0}, timeout=0.1)
        with pytest.raises(PluginError, match="outside its machine"):
            plugins.unload_plugin("it")
            plugins.load_plugin("it")
        deadline = time.monotonic() + 60
        while host.is_left(0.02) and time.monotonic() < deadline:
            pass
        plugins.load_plugin("it")
        assert plugins["it"].one() == 1


def test_a_component_that_others_could_have_written_is_not_used(tmp_path, monkeypatch):
    from nebula_lab.sandbox.wasm import generic

    monkeypatch.setenv("NEBULA_LAB_WASM_CACHE", str(tmp_path))
    place = tmp_path / generic._key()
    place.mkdir()
    (place / "component.cwasm").write_bytes(b"x")
    (place / "component.cwasm").chmod(0o666)
    with pytest.raises(LoadFailedError, match="somebody else"):
        generic.compiled_component()
