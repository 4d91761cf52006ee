"""The slow start of a plugin's host: `python -m nebula_lab.agent CHANNEL OWNER FILE FOLDER`.

CHANNEL is the descriptor of a connected socket, OWNER a pidfd of the manager's process, FILE the
kernel's connection file and FOLDER IPython's folder. The quick start is `nebula_lab.agent.zygote`.
"""

from __future__ import annotations

import sys

from nebula_lab.agent.host import run

if __name__ == "__main__":
    run(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
