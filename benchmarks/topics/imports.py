"""What `%load_ext` blocks a notebook for, and what imports cost above a bare interpreter."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.contender import Contender, Run
from benchmarks.peers import kernels
from benchmarks.result import Plan, Result, Topic, timing_table
from benchmarks.spread import of_rounds

# In a kernel that is up; so ipykernel and all that it needs is imported.
LOAD_EXT, PANDAS = "**`%load_ext nebula_lab`**", "`import pandas`"
STATEMENTS = {
    LOAD_EXT: "%load_ext nebula_lab",
    "`from pydantic import BaseModel`": "from pydantic import BaseModel",
    PANDAS: "import pandas",
}
PLUGINS = 3  # in the folder where the kernel is
BARE = "nothing"
IMPORTS = {
    BARE: "pass",
    "**`nebula_lab`**": "import nebula_lab",
    "**`nebula_lab.plugin`**": "import nebula_lab.plugin",
    "**`nebula_lab.PluginManager`**": "from nebula_lab import PluginManager",
    "`ipykernel.kernelapp`": "import ipykernel.kernelapp",
}
ROUNDS = 10


@contextlib.contextmanager
def interpreter(code: str) -> Iterator[Run]:
    """A fresh interpreter, from its start to its end."""
    yield lambda: subprocess.run([sys.executable, "-c", code], check=True)


def contenders(plan: Plan) -> list[Contender]:
    return [*_in_kernels(), *_in_interpreters()]


def _in_kernels() -> list[Contender]:
    return [
        Contender(name, kernels.blocked_by, (statement, PLUGINS))
        for name, statement in STATEMENTS.items()
    ]


def _in_interpreters() -> list[Contender]:
    return [Contender(name, interpreter, (code,)) for name, code in IMPORTS.items()]


def run(plan: Plan) -> Result:
    rounds = plan.amount(ROUNDS)
    blocked = plan.take_turns(_in_kernels(), rounds)
    whole = plan.take_turns(_in_interpreters(), rounds)
    tables = (
        timing_table(
            f"Milliseconds in a fresh kernel in a folder with {PLUGINS} plugins, {rounds} rounds",
            blocked,
            "ms",
            {"× import pandas": PANDAS},
        ),
        timing_table(
            f"Milliseconds of a whole interpreter, {rounds} rounds", whole, "ms", {"× bare": BARE}
        ),
    )
    return Result(tables, {"imports.load_ext": of_rounds(blocked[LOAD_EXT]).times(1e3)})


TOPIC = Topic("imports", "Imports: what `%load_ext` blocks for", contenders, run)
