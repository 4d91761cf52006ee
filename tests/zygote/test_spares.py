"""Spare hosts: there when they are wanted, gone when they are of no use."""

from __future__ import annotations

import os
import signal

import psutil
import pytest
from pydantic import ValidationError

from nebula_lab import PluginConfig
from nebula_lab.errors import ExecutionFailedError

ALL_FILES = {"capabilities": ["FileSystem"]}


def spare_pids(lab):
    return [spare.host.pid for spare in lab.sandbox.spares._spares]


@pytest.fixture
def await_spare(wait_until):
    def wait(lab, count=1):
        wait_until(lambda: len(lab.sandbox.spares) >= count, f"{count} spares", timeout=30.0)
        return spare_pids(lab)

    return wait


def test_a_load_takes_the_spare(open_lab, await_spare):
    lab = open_lab(spares=1)
    lab.pid("one")
    (spare,) = await_spare(lab)
    assert lab.pid("two") == spare


def test_a_spare_is_confined_as_the_plugin_that_takes_it(open_lab, await_spare):
    lab = open_lab(spares=1)
    lab.pid("one")
    (spare,) = await_spare(lab)
    assert lab.pid("two") == spare
    with pytest.raises(ExecutionFailedError, match="PermissionError"):
        lab.ask("two", "os.fork()")


def test_a_plugin_that_asks_for_more_does_not_take_the_spare_and_gets_one_of_its_own(
    open_lab, await_spare
):
    lab = open_lab(rights_of_three=ALL_FILES, spares=1)
    lab.pid("one")
    (spare,) = await_spare(lab)
    assert lab.pid("three") != spare
    both = await_spare(lab, 2)
    assert lab.pid("two") == spare
    lab.plugins.unload_plugin("three")
    assert [lab.pid("three")] == [pid for pid in both if pid != spare]


def test_a_taken_spare_is_replaced(open_lab, await_spare, wait_until):
    lab = open_lab(spares=1)
    lab.pid("one")
    await_spare(lab)
    taken = lab.pid("two")
    wait_until(lambda: spare_pids(lab) not in ([], [taken]), "the next spare", timeout=30.0)


def test_there_are_as_many_spares_as_were_asked_for_and_no_more(open_lab, await_spare):
    lab = open_lab(spares=2)
    lab.pid("one")
    assert len(await_spare(lab, 2)) == 2
    assert len(psutil.Process(lab.zygote_pid).children()) == 3


def test_a_spare_shows_its_plugin_once_it_has_one(open_lab, await_spare):
    lab = open_lab(spares=1)
    lab.pid("one")
    (spare,) = await_spare(lab)
    lab.pid("two")
    assert psutil.Process(spare).cmdline()[0].strip("\0") == "nebula_lab two"


def test_a_spare_that_was_started_with_other_variables_is_thrown_away(
    open_lab, await_spare, monkeypatch, wait_until
):
    lab = open_lab({"allowed_variables": ["SET_LATE"]}, spares=1)
    lab.pid("one")
    (spare,) = await_spare(lab)
    monkeypatch.setenv("SET_LATE", "yes")
    assert lab.ask("two", "os.environ['SET_LATE']") == "yes"
    assert lab.pid("two") != spare
    wait_until(lambda: not psutil.pid_exists(spare), "the end of the stale one")


def test_a_spare_that_was_started_in_another_folder_is_thrown_away(
    open_lab, await_spare, monkeypatch, tmp_path
):
    lab = open_lab(ALL_FILES, spares=1)
    lab.pid("one")
    (spare,) = await_spare(lab)
    monkeypatch.chdir(tmp_path)
    assert lab.ask("two", "os.getcwd()") == str(tmp_path)
    assert lab.pid("two") != spare


def test_a_spare_that_has_died_is_not_taken(open_lab, await_spare, wait_until):
    lab = open_lab(spares=1)
    lab.pid("one")
    (spare,) = await_spare(lab)
    os.kill(spare, signal.SIGKILL)
    wait_until(lambda: not psutil.pid_exists(spare), "its end")
    assert lab.pid("two") != spare


def test_a_spare_that_dies_is_replaced(open_lab, await_spare, wait_until):
    lab = open_lab(spares=1)
    lab.pid("one")
    (spare,) = await_spare(lab)
    os.kill(spare, signal.SIGKILL)
    wait_until(lambda: spare_pids(lab) not in ([], [spare]), "the next spare", timeout=30.0)


def test_no_spare_is_started_while_a_call_runs(open_lab, tmp_path, wait_until):
    import threading

    lab = open_lab(ALL_FILES, spares=1)
    go = tmp_path / "go"
    call = threading.Thread(
        target=lab.ask,
        args=("one", "wait()"),
        kwargs={
            "setup": "import time\nfrom pathlib import Path\n"
            f"def wait():\n    while not Path({str(go)!r}).exists(): time.sleep(0.005)"
        },
    )
    call.start()
    looks = []
    lab.sandbox.spares._is_idle = _counting(lab.sandbox.spares._is_idle, looks)
    wait_until(lambda: len(looks) >= 3, "three looks whether there is time")
    assert (looks[:3], len(lab.sandbox.spares)) == ([False] * 3, 0)
    go.touch()
    call.join()
    wait_until(lambda: len(lab.sandbox.spares) == 1, "the spare", timeout=30.0)


def _counting(is_idle, looks):
    def look():
        looks.append(is_idle())
        return looks[-1]

    return look


def test_closing_ends_the_spares(open_lab, await_spare):
    lab = open_lab(spares=2)
    lab.pid("one")
    spares = await_spare(lab, 2)
    lab.plugins.close()
    assert not any(map(psutil.pid_exists, spares))


def test_closing_does_not_wait_for_a_spare_that_boots(open_lab, tmp_path, monkeypatch, wait_until):
    began = tmp_path / "began"
    (tmp_path / "sitecustomize.py").write_text(
        "import os, pathlib, time\n"
        "if slow := os.environ.get('SLOW_SITE'):\n"
        "    pathlib.Path(slow).touch(); time.sleep(3600)"
    )
    lab = open_lab(ALL_FILES | {"allowed_variables": ["SLOW_SITE"]}, spares=1)
    lab.pid("one")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setenv("SLOW_SITE", str(began))
    wait_until(began.exists, "the start of a spare", timeout=30.0)
    lab.plugins.close()
    assert len(lab.sandbox.spares) == 0


def test_spares_that_die_while_another_one_is_ended_are_ended_too(
    open_lab, await_spare, wait_until
):
    lab = open_lab(spares=2)
    lab.pid("one")
    await_spare(lab, 2)
    pool = lab.sandbox.spares
    first, second = [spare.host for spare in pool._spares]
    folders = [host.scratch_dir.parent for host in (first, second)]
    first.dispose = _after(first.dispose, lambda: _die(second, pool, wait_until))
    os.kill(first.pid, signal.SIGKILL)
    wait_until(lambda: not any(map(os.path.exists, folders)), "the end of both", timeout=30.0)


def _after(end, event):
    def dispose():
        event()
        end()

    return dispose


def _die(host, pool, wait_until):
    os.kill(host.pid, signal.SIGKILL)
    wait_until(lambda: host in pool._useless, "word of its end")


@pytest.mark.parametrize("failing", ["start", "dispose"])
def test_topping_up_goes_on_after_an_error(open_lab, await_spare, wait_until, failing):
    lab = open_lab(spares=1)
    lab.pid("one")
    (spare,) = await_spare(lab)
    pool = lab.sandbox.spares
    owner, failures = (pool, "_start") if failing == "start" else (pool._spares[0].host, "dispose")
    setattr(owner, failures, _failing_once(getattr(owner, failures)))
    os.kill(spare, signal.SIGKILL)
    wait_until(lambda: spare_pids(lab) not in ([], [spare]), "the next spare", timeout=30.0)
    assert pool._useless == []


def _failing_once(function):
    errors = [OSError("no more descriptors")]

    def call(*arguments):
        if errors:
            raise errors.pop()
        return function(*arguments)

    return call


def test_topping_up_that_fails_each_time_waits_for_the_next_load(
    open_lab, await_spare, wait_until, monkeypatch
):
    monkeypatch.setattr("nebula_lab.sandbox.spares._REST", 0.01)
    lab = open_lab(spares=1)
    attempts, start = [], lab.sandbox.spares._start

    def fail(surroundings, profile):
        attempts.append(profile)
        raise OSError("no more descriptors")

    lab.sandbox.spares._start = fail
    lab.pid("one")
    wait_until(lambda: lab.sandbox.spares._errors == 5, "the last attempt")
    assert (len(attempts), lab.sandbox.spares._is_due) == (5, False)
    lab.sandbox.spares._start = start
    lab.pid("two")
    await_spare(lab)


def test_a_manager_that_nobody_warmed_up_has_no_spares(lab, wait_until):
    lab.pid("one")
    assert (lab.sandbox.spares.size, len(lab.sandbox.spares)) == (0, 0)


def test_warming_up_starts_the_zygote_and_a_spare(open_lab, await_spare, wait_until):
    lab = open_lab(preload=["colorsys"])  # one of its own
    lab.plugins.warm_up()
    wait_until(lambda: lab.zygote_pid, "the zygote")
    (spare,) = await_spare(lab)
    assert lab.pid("one") == spare


def test_a_number_of_spares_that_was_given_holds_for_a_notebook_too(open_lab, wait_until):
    lab = open_lab(spares=0)
    lab.plugins.warm_up()
    wait_until(lambda: lab.zygote_pid, "the zygote")
    assert lab.sandbox.spares.size == 0


def test_without_zygotes_plugins_and_spares_are_started_anew(open_lab, await_spare):
    lab = open_lab(enabled=False, spares=1)
    lab.plugins.warm_up()
    (spare,) = await_spare(lab)
    assert lab.pid("one") == spare
    assert (lab.zygote_pid, lab.is_forked("one")) == (None, False)


@pytest.mark.parametrize(
    "wrong",
    [{"spares": -1}, {"spares": 65}, {"preload": ["os; os.abort()"]}, {"preload": ["a b"]}],
)
def test_a_wrong_setting_is_refused(wrong):
    with pytest.raises(ValidationError):
        PluginConfig.model_validate({"zygote": wrong})
