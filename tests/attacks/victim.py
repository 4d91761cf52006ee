"""What is worth attacking in a process: secrets in its memory and variables, and its calm.

Run by itself it stands for a manager, and says on request what was done to it.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys

_UNTOUCHED = b"untouched"


class Victim:
    """Made by the main thread, since it counts signals.

    Args:
        secret: what it keeps in memory.
        signum: what it counts, one that does nothing to those who do not expect it. It has to be
            another where attacks are stopped than where they are not: there, root's reaches all
            processes of the machine.
    """

    def __init__(self, secret: str, signum: int) -> None:
        self._signum = signum
        self._signals = 0
        self._secret = ctypes.create_string_buffer(secret.encode())
        self._scribble = ctypes.create_string_buffer(_UNTOUCHED, 16)
        self._kept_open = os.open("/dev/null", os.O_RDWR)
        signal.signal(signum, self._count)

    def _count(self, *_: object) -> None:
        self._signals += 1

    def target(self) -> dict[str, int]:
        """What an attacker has to know of this process."""
        return {
            "manager_pid": os.getpid(),
            "sibling_pid": os.getpid(),
            "signal": self._signum,
            "secret_address": ctypes.addressof(self._secret),
            "scribble_address": ctypes.addressof(self._scribble),
        }

    def effects(self) -> dict[str, object]:
        """What was done so far."""
        return {"signal": self._signals, "scribble": self._scribble.raw.hex()}

    def calm(self) -> None:
        """Forget what was scribbled."""
        self._scribble[:] = _UNTOUCHED.ljust(16, b"\0")


def main() -> None:
    victim = Victim(sys.stdin.readline().strip(), signal.SIGURG)
    answers = {"target": victim.target, "effects": victim.effects, "calm": victim.calm}
    for line in sys.stdin:
        print(json.dumps(answers[line.strip()]()), flush=True)


if __name__ == "__main__":
    main()
