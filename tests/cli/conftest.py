"""The installed commands, as processes and as functions, and small plugins for them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from nebula_lab.cli.failing import run_command
from nebula_lab.cli.main import cli
from nebula_lab.cli.runner import run_plugin

SCRIPTS = Path(sys.executable).parent
TOOL = """
class Tool(Plugin):
    @operation
    def echo(self, value: object = None):
        return value

    @operation
    def shout(self, text: str, times: int = 1) -> str:
        print("shouting")
        return text.upper() * times

    @operation
    def size(self, data: bytes) -> int:
        return len(data)

    @operation
    def count(self, to: int):
        for number in range(to):
            yield number

    @operation
    def pixels(self) -> bytes:
        return bytes([0, 255])

    @operation
    def fail(self):
        raise RuntimeError("as asked")

    @operation
    def hang(self):
        import os, time
        print(os.getpid(), flush=True)
        time.sleep(600)

def plugin_entry():
    return Tool()
"""


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def tool(plugin_file):
    """A folder with one plugin that has an operation for each case."""
    return plugin_file("tool", TOOL).parent


@pytest.fixture
def call(capsys):
    """Runs a command of `nebula-lab` in this process."""

    def run(*words, command=cli):
        code = run_command(command, [str(word) for word in words])
        captured = capsys.readouterr()
        return Outcome(int(code), captured.out, captured.err)

    return run


@pytest.fixture
def call_runner(call):
    return lambda *words: call(*words, command=run_plugin)


@pytest.fixture
def scripts():
    """Where the commands are installed."""
    return SCRIPTS


@pytest.fixture
def script():
    """Runs an installed command as its own process."""

    def run(name, *words, **options):
        done = subprocess.run(
            [SCRIPTS / name, *map(str, words)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            **options,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def broken(plugin_file):
    """Plugins with a cycle, a conflict, a missing dependency, and one that is well."""

    def needs(plugin_id, *requirements):
        return plugin_file(plugin_id, "def plugin_entry(): ...", dependencies=[*requirements])

    needs("chicken", "egg >=1.0")
    needs("egg", "chicken >=1.0")
    needs("old", "well ^2.0")
    needs("lonely", "nobody")
    return needs("well").parent
