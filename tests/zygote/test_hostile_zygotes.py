"""Whatever a zygote says, a plugin loads and nothing of what was sent stays open."""

from __future__ import annotations

import dataclasses
import logging
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Stands in for the interpreter of an environment, and is handed the arguments of a real one.
FAKE = """\
#!{python}
import array, os, select, signal, socket, struct, subprocess, sys, time
sys.path.insert(0, {root!r})
from nebula_lab.agent.zygote_messages import *
from nebula_lab.agent.zygote_messages import encode, decode_order

at = sys.argv.index("nebula_lab.agent.zygote") + 2
control = socket.socket(fileno=int(sys.argv[at]))

def receive():
    data, fds, _, _ = socket.recv_fds(control, MAX_ORDER_SIZE, 8)
    if not data:
        sys.exit()
    return decode_order(data), fds

def say(message, *fds):
    data = message if isinstance(message, bytes) else encode(message)
    socket.send_fds(control, [data], list(fds))

def child():
    pid = os.fork()
    if pid == 0:
        control.close()
        signal.pause()
    return pid

say(Ready())
order, fds = receive()
{act}
while True:
    receive()
"""
ACTS = {
    "garbage": "say(b'\\xc1' * 100)",
    "another kind of message": "say(order)",
    "a deep nest": "say(b'\\x91' * 60000)",
    "more than a report holds": "say(b'\\x00' * 100000)",
    "nothing": "time.sleep(60)",
    "the end": "sys.exit(3)",
    "no process": "say(Forked(order.number))",
    "a regular file": "say(Forked(order.number), os.open('/etc/passwd', os.O_RDONLY))",
    "a socket": "say(Forked(order.number), control.fileno())",
    "its parent": "say(Forked(order.number), os.pidfd_open(os.getppid()))",
    "itself": "say(Forked(order.number), os.pidfd_open(os.getpid()))",
    "the system's first process": "say(Forked(order.number), os.pidfd_open(1))",
    "a dead process": (
        "pid = os.fork() or os._exit(0); fd = os.pidfd_open(pid); os.waitpid(pid, 0);"
        " say(Forked(order.number), fd)"
    ),
    "two processes": "say(Forked(order.number), os.pidfd_open(os.getpid()), fds[1])",
    "a hundred descriptors": "say(Forked(order.number), *[fds[0]] * 100)",
    "descriptors with another message": "say(NotForked(order.number, 'no'), *fds)",
    "another's number": "say(Forked(order.number + 1), os.pidfd_open(child()))",
    "that it is ready once more": "say(Ready())",
    "an import that was not ordered": "say(Preloaded(''))",
    "threads of no module": "say(Unfit(''))",
    "a refusal of nothing": "say(NotForked(99, ''))",
}


@pytest.fixture
def fake(tmp_path):
    """Lets a manager's zygotes be a program that does as it is told."""

    def put(lab, act):
        program = tmp_path / "python"
        program.write_text(FAKE.format(python=sys.executable, root=str(ROOT), act=act))
        program.chmod(0o755)
        lab.launcher.environment = dataclasses.replace(
            lab.launcher.environment, executable=str(program)
        )

    return put


def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_a_plugin_loads_whatever_the_zygote_sends(
    open_lab, fake, act, caplog, patience, wait_until
):
    if act == ACTS["nothing"]:
        patience(2.0)
    first = open_lab()
    assert first.sandbox  # which puts together all that runs plugins
    first.plugins.close()  # what is opened once in a process is open now
    before = descriptors()
    lab = open_lab()
    fake(lab, act)
    with caplog.at_level(logging.INFO, "nebula_lab"):
        assert lab.ask("one", "6 * 7") == 42
    assert not lab.is_forked("one")
    lab.plugins.close()
    wait_until(lambda: descriptors() <= before, "the end of all that was open")


def test_a_process_that_is_not_the_zygotes_child_is_not_killed(open_lab, fake):
    """Else a zygote could have us kill whomever it wants."""
    import subprocess

    with subprocess.Popen(["sleep", "60"]) as bystander:
        lab = open_lab()
        fake(lab, f"say(Forked(order.number), os.pidfd_open({bystander.pid}))")
        assert lab.ask("one", "6 * 7") == 42
        lab.plugins.close()
        assert bystander.poll() is None
        bystander.terminate()


def test_it_is_said_once_that_there_is_no_zygote(open_lab, fake, caplog):
    lab = open_lab()
    fake(lab, "sys.exit('the reason is this')")
    with caplog.at_level(logging.WARNING, "nebula_lab"):
        for name in ("one", "two", "three"):
            lab.plugins.load_plugin(name)
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1, told
    assert "the reason is this" in told[0]


def test_an_environment_without_ipykernel_has_no_zygote_and_its_error_is_told(open_lab, caplog):
    lab = open_lab()
    lab.launcher.environment = dataclasses.replace(lab.launcher.environment, packages=())
    with caplog.at_level(logging.WARNING, "nebula_lab"):
        assert lab.ask("one", "6 * 7") == 42
    assert "No module named" in caplog.text


def preload(lab, folder, name, source):
    installed = folder / "site-packages"
    (installed / "__pycache__").mkdir(parents=True)  # else the first import changes the folder
    (installed / f"{name}.py").write_text(source)
    environment = lab.launcher.environment
    packages = (*environment.packages, str(installed))
    lab.launcher.environment = dataclasses.replace(environment, packages=packages)


THREADS = "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"


def test_a_module_that_leaves_a_thread_is_not_preloaded_and_is_named(
    open_lab, tmp_path, caplog, wait_until
):
    lab = open_lab(preload=["threadful", "colorsys"])
    preload(lab, tmp_path, "threadful", THREADS)
    with caplog.at_level(logging.WARNING, "nebula_lab"):
        lab.pid("one")
        wait_until(lambda: "threadful can't be preloaded" in caplog.text, "word of it")
    assert lab.is_forked("two")
    wait_until(lambda: _has_preloaded(lab, "colorsys"), "the other module")
    assert not _has_preloaded(lab, "threadful")


def _has_preloaded(lab, module):
    lab.plugins.unload_plugin("three")
    return lab.ask("three", f"{module!r} in sys.modules")


def test_a_module_that_is_not_there_or_breaks_is_left_out(open_lab, tmp_path, caplog, wait_until):
    lab = open_lab(preload=["not_there_at_all", "broken", "colorsys"])
    preload(lab, tmp_path, "broken", "1 / 0")
    with caplog.at_level(logging.INFO, "nebula_lab"):
        lab.pid("one")
        wait_until(lambda: "broken is not preloaded" in caplog.text, "word of it")
    assert "not_there_at_all is not preloaded: ModuleNotFoundError" in caplog.text
    assert _has_preloaded(lab, "colorsys")


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), 11)", "os._exit(3)"])
def test_a_module_that_ends_the_zygote_is_named_and_not_preloaded(
    open_lab, tmp_path, caplog, wait_until, end
):
    lab = open_lab(preload=["deadly", "colorsys"])
    preload(lab, tmp_path, "deadly", f"import os\n{end}")
    with caplog.at_level(logging.WARNING, "nebula_lab"):
        lab.pid("one")
        wait_until(lambda: "deadly can't be preloaded" in caplog.text, "word of it")
    wait_until(lambda: _has_preloaded(lab, "colorsys"), "the other module")
    survivor = lab.zygote_pid
    assert lab.is_forked("two")
    assert lab.zygote_pid == survivor


def test_a_module_that_wants_to_exit_is_left_out(open_lab, tmp_path, caplog, wait_until):
    lab = open_lab(preload=["leaving", "colorsys"])
    preload(lab, tmp_path, "leaving", "raise SystemExit(3)")
    with caplog.at_level(logging.INFO, "nebula_lab"):
        lab.pid("one")
        zygote = lab.zygote_pid
        wait_until(lambda: "leaving is not preloaded: SystemExit: 3" in caplog.text, "word of it")
    wait_until(lambda: _has_preloaded(lab, "colorsys"), "the other module")
    assert lab.zygote_pid == zygote


@pytest.fixture
def slow(open_lab, tmp_path, wait_until):
    """A manager whose zygote is importing a module, and the file that ends the import."""
    lab = open_lab(preload=["slow", "colorsys"])
    go = tmp_path / "go"
    wait = f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.005)"
    preload(lab, tmp_path, "slow", wait)
    lab.pid("one")
    wait_until(lambda: lab.launcher._zygotes[-1]._turns.module == "slow", "the import")
    return lab, go


def _kill_during_the_import(lab, wait_until):
    os.kill(zygote := lab.zygote_pid, signal.SIGKILL)
    wait_until(lambda: lab.zygote_pid not in (None, zygote), "the next zygote")


def test_a_zygote_that_is_killed_once_during_an_import_says_nothing_of_the_module(
    slow, wait_until, caplog
):
    lab, go = slow
    _kill_during_the_import(lab, wait_until)
    go.touch()
    wait_until(lambda: lab.launcher._zygotes[-1].has_preloaded, "the end of preloading")
    assert _has_preloaded(lab, "slow")
    assert "can't be preloaded" not in caplog.text


def test_a_module_at_which_a_zygote_was_killed_twice_is_not_preloaded(slow, wait_until, caplog):
    lab, _ = slow
    _kill_during_the_import(lab, wait_until)
    wait_until(lambda: lab.launcher._zygotes[-1]._turns.module == "slow", "the import")
    _kill_during_the_import(lab, wait_until)
    wait_until(lambda: _has_preloaded(lab, "colorsys"), "the other module")
    assert "slow can't be preloaded" in caplog.text


def test_a_load_during_a_long_import_starts_anew_and_leaves_the_zygote_alone(slow, wait_until):
    lab, go = slow
    zygote = lab.zygote_pid
    assert not lab.is_forked("two")
    go.touch()
    wait_until(lambda: lab.launcher._zygotes[-1].has_preloaded, "the end of preloading")
    assert lab.is_forked("three")
    assert (lab.zygote_pid, lab.launcher._failures) == (zygote, 0)


def test_a_load_waits_for_a_short_import(slow, monkeypatch):
    lab, go = slow
    monkeypatch.setattr("nebula_lab.sandbox.zygote_turns._PATIENCE", 30.0)
    load = threading.Thread(target=lab.plugins.load_plugin, args=("two",))
    load.start()
    go.touch()
    load.join()
    assert lab.is_forked("two")


def test_a_module_whose_import_does_not_end_is_named_and_not_preloaded(
    slow, caplog, monkeypatch, wait_until
):
    lab, _ = slow
    monkeypatch.setattr("nebula_lab.sandbox.zygote_turns._LONGEST", 0.0)
    with caplog.at_level(logging.WARNING, "nebula_lab"):
        assert not lab.is_forked("two")
    assert "slow can't be preloaded: it took too long to import" in caplog.text
    monkeypatch.undo()
    wait_until(lambda: _has_preloaded(lab, "colorsys"), "the other module")
    assert lab.is_forked("three")


def test_more_variables_than_a_packet_holds_do_no_harm(open_lab, monkeypatch):
    lab = open_lab({"allowed_variables": [f"LARGE_{number}" for number in range(8)]})
    lab.pid("one")
    for number in range(8):
        monkeypatch.setenv(f"LARGE_{number}", "x" * 100_000)
    assert lab.ask("two", "len(os.environ['LARGE_7'])") == 100_000
    assert os.environ["LARGE_7"]
