"""A process that takes a filter and then does what a test asks it for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nebula_lab

_CHILD = """
import ctypes, json, os, sys, threading
from nebula_lab.confine import seccomp
from nebula_lab.confine.system_calls import numbers_for

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
numbers = numbers_for(os.uname().machine)

def call(name, *arguments):
    '''The error of a raw system call, or 0.'''
    number = numbers[name] if isinstance(name, str) else name
    ctypes.set_errno(0)
    libc.syscall(*map(ctypes.c_long, (number, *arguments)))
    return ctypes.get_errno()

{before}
rights = {rights!r}
if rights is not None:
    policy = seccomp.SystemCallPolicy(**rights, pid=os.getpid())
    seccomp.apply(seccomp.filter_for(policy))
for line in sys.stdin:
    scope = dict(globals(), result=None)
    try:
        exec(json.loads(line), scope)
        answer = scope["result"]
    except BaseException as error:
        answer = f"{{type(error).__name__}}: {{error}}"
    print(json.dumps(answer), flush=True)
"""
RIGHTS = ("everything", "network", "stream_only", "unix_sockets", "spawn", "metadata")


class FilteredProcess:
    """Runs code under a filter.

    Args:
        rights: words of the policy; None for a process without a filter.
        before: code that it runs before it takes the filter.
    """

    def __init__(self, rights: str | None, before: str = "", **options) -> None:
        words = None if rights is None else {name: name in rights.split() for name in RIGHTS}
        self._process = subprocess.Popen(
            [sys.executable, "-c", _CHILD.format(rights=words, before=before)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": str(Path(nebula_lab.__file__).parents[1]), "PATH": "/usr/bin:/bin"},
            **options,
        )

    def run(self, code: str):
        """What the code puts into `result`, or its error as text."""
        print(json.dumps(code), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, f"ended with {self._process.wait()}"
        return json.loads(line)

    def call(self, name, *arguments) -> int:
        """The error of a raw system call, or 0."""
        return self.run(f"result = call({', '.join(map(repr, (name, *arguments)))})")

    def __enter__(self) -> FilteredProcess:
        return self

    def __exit__(self, *_) -> None:
        with self._process:  # closes its pipes, then waits
            self._process.stdin.close()
