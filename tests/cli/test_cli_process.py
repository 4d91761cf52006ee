"""The commands as processes: how they start, and how they are ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import psutil
import pytest

from nebula_lab import __version__
from nebula_lab.cli.failing import EXIT_CODES, ExitCode

HEAVY = {"pydantic", "networkx", "IPython", "ipykernel", "jupyter_client", "rich", "msgspec"}


@pytest.mark.parametrize("module, command", [("main", "cli"), ("runner", "run_plugin")])
def test_help_imports_nothing_heavy(module, command):
    code = (
        f"import sys; from nebula_lab.cli import {module}; "
        "from nebula_lab.cli.failing import run_command; "
        f"run_command({module}.{command}, ['--help']); print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = {name.split(".")[0] for name in done.stderr.split()}
    assert "Usage:" in done.stdout
    assert not HEAVY & imported
    assert "nebula_lab.manager" not in done.stderr.split()


@pytest.mark.parametrize("command", ["list", "run", "graph", "check"])
def test_every_command_has_help(script, command):
    done = script("nebula-lab", command, "--help")
    assert (done.code, "--plugin-dir" in done.out) == (0, True)


def test_the_help_names_every_exit_code(script):
    out = script("nebula-lab", "--help").out
    assert [code for code in ExitCode if f" {code.value}  " not in out] == []
    assert EXIT_CODES.count("\n  ") == len(ExitCode)


def test_the_version_is_shown(script):
    assert __version__ in script("nebula-lab", "--version").out


def test_an_unknown_command_is_wrong_usage(script):
    assert script("nebula-lab", "lst").code == ExitCode.USAGE


@pytest.fixture
def hanging(tool, scripts):
    """A command whose plugin never returns, in a process group as a terminal makes them."""
    command = [scripts / "nebula-lab", "run", "--plugin-dir", tool, "tool", "hang"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        pids = (line.strip() for line in process.stderr if line.strip().isdigit())
        yield process, int(next(pids))
        if process.poll() is None:
            process.kill()


def test_ctrl_c_ends_with_130_and_a_word_and_no_traceback(hanging):
    process, _ = hanging
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (ExitCode.INTERRUPTED, "")
    assert "Interrupted." in err
    assert "Traceback" not in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_it_is_ended_the_plugin_ends_with_it(hanging, wait_until, number):
    process, pid = hanging
    assert psutil.pid_exists(pid)
    process.send_signal(number)
    process.communicate(timeout=20)
    wait_until(lambda: not psutil.pid_exists(pid), "the end of the plugin's process")


def test_a_reader_that_has_had_enough_ends_the_stream(tool, scripts):
    command = [scripts / "nebula-lab", "run", "--plugin-dir", tool, "tool", "count", "to=1000000"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "0\n"
        process.stdout.close()
        err = process.stderr.read()
        process.wait(timeout=20)
    assert process.returncode == ExitCode.PLUGIN_FAILED
    assert "Traceback" not in err
