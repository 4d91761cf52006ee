"""Confines a process and becomes the host of an environment that a plugin chose.

The slow start of such a host, where there is no zygote to fork from: a new Python of the manager's
own environment, which has read nothing of the other one. What it becomes has `elsewhere`.
"""

from __future__ import annotations

from typing import NoReturn

from nebula_lab.confine.cgroups import join
from nebula_lab.confine.confinement import Confined


def main(standard_path: list[str], arguments: list[str]) -> NoReturn:
    """See `nebula_lab.agent.__main__` for the arguments."""
    channel, owner, stacks, proxy = map(int, arguments[:4])
    join(map(int, filter(None, arguments[4].split(","))))
    confined = Confined.from_text(arguments[5])
    confined.enter(proxy, owner)
    confined.become((channel, owner, stacks), arguments[6:])
