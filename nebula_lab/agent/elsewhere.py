"""The start of a host in an environment that a plugin chose: `… FOLDER CHANNEL OWNER STACKS …`.

A script, run by that environment's interpreter in a process that is confined already: see
`Confined.become`. It is the first that runs there of ours; `.pth` files and `sitecustomize`, which
are the plugin's choice too, came before it. FOLDER has our package, CONFINED is what is still to be
taken, and the kernel's connection file and IPython's folder come after that.
"""

from __future__ import annotations

import sys


def _run(folder: str, channel: str, owner: str, stacks: str, confined: str, *kernel: str) -> None:
    sys.path.insert(0, folder)  # a plugin may depend on another version of us
    from nebula_lab.agent.host import run
    from nebula_lab.confine.confinement import Confined

    sys.argv = ["nebula_lab"]
    run(int(channel), int(owner), int(stacks), list(kernel), Confined.from_text(confined))


if __name__ == "__main__":
    _run(*sys.argv[1:])
