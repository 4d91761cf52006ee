"""A process on a machine that lacks something, for which nobody else's machine has to change."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nebula_lab

_PREPARATIONS = {
    # The number is of a user namespace, and this one is the child's own.
    "namespaces": """
from nebula_lab.confine import namespaces
namespaces.enter(0)
open("/proc/sys/user/max_user_namespaces", "w").write("0")
""",
    # What a container's filter does.
    "calls": """
import os
from nebula_lab.confine import seccomp
from nebula_lab.confine.bpf import NUMBER_OFFSET, Assembler
from nebula_lab.confine.system_calls import numbers_for
program = Assembler()
program.load(NUMBER_OFFSET)
for name in {calls!r}:
    program.if_equal(numbers_for(os.uname().machine)[name], then="denied")
program.answer(0x7FFF0000)
program.label("denied")
program.answer(0x00050000 | 1)
seccomp.apply(program.assemble())
""",
}


def on_poor_machine(code: str, *calls: str, **options):
    """What the last line that the code prints says in JSON.

    Args:
        code: what runs there.
        calls: system calls that fail there; without any, there are no more user namespaces.
    """
    before = _PREPARATIONS["calls" if calls else "namespaces"]
    if calls:
        before = before.format(calls=calls)
    done = subprocess.run(
        [sys.executable, "-c", before + code],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(Path(nebula_lab.__file__).parents[1]), "PATH": "/usr/bin:/bin"}
        | options,
        timeout=60,
        check=False,
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
