"""The slow start of a host: `… -m nebula_lab.agent CHANNEL OWNER STACKS PROXY GROUP CONFINED …`.

CHANNEL is the descriptor of a connected socket, OWNER a pidfd of the manager's process, STACKS what
the stacks of all threads are written to, PROXY a socket for a listener, or -1, GROUP the entrances
of its control group with commas between them, CONFINED what the host is to take from itself. The
kernel's connection file and IPython's folder come after that. The quick start is
`nebula_lab.agent.zygote`.
"""

from __future__ import annotations

import sys

from nebula_lab.agent.host import run
from nebula_lab.confine.cgroups import join
from nebula_lab.confine.confinement import Confined

if __name__ == "__main__":
    channel, owner, stacks, proxy = map(int, sys.argv[1:5])
    join(map(int, filter(None, sys.argv[5].split(","))))
    confined = Confined.from_text(sys.argv[6])
    confined.enter(proxy, owner)
    run(channel, owner, stacks, sys.argv[7:], confined)
