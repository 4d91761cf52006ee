"""The slow start of a host: `… -m nebula_lab.agent CHANNEL OWNER PROXY GROUP CONFINED FILE FOLDER`.

CHANNEL is the descriptor of a connected socket, OWNER a pidfd of the manager's process, PROXY a
socket for a listener, or -1, GROUP the entrances of its control group with commas between them,
CONFINED what the host is to take from itself, FILE the kernel's connection file and FOLDER
IPython's folder. The quick start is `nebula_lab.agent.zygote`.
"""

from __future__ import annotations

import sys

from nebula_lab.agent.host import run
from nebula_lab.confine.cgroups import join
from nebula_lab.confine.confinement import Confined

if __name__ == "__main__":
    channel, owner, proxy, entrances, text, *kernel_arguments = sys.argv[1:]
    join(map(int, filter(None, entrances.split(","))))
    confined = Confined.from_text(text)
    confined.enter(int(proxy))
    run(int(channel), int(owner), kernel_arguments, confined)
