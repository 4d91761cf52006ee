"""The slow start of a host: `… -m nebula_lab.agent CHANNEL OWNER PROXY CONFINED FILE FOLDER`.

CHANNEL is the descriptor of a connected socket, OWNER a pidfd of the manager's process, PROXY a
socket for a listener, or -1, CONFINED what the host is to take from itself, FILE the kernel's
connection file and FOLDER IPython's folder. The quick start is `nebula_lab.agent.zygote`.
"""

from __future__ import annotations

import sys

from nebula_lab.agent.host import run
from nebula_lab.confine.confinement import Confined

if __name__ == "__main__":
    confined = Confined.from_text(sys.argv[4])
    confined.enter(int(sys.argv[3]))
    run(int(sys.argv[1]), int(sys.argv[2]), sys.argv[5:], confined)
