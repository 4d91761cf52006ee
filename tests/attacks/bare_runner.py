"""Runs attacks without any confinement, each in a fork of this process.

It reads a line of JSON for each, and writes one: what came of it, or how its process ended.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time

from attacks import attempt

_DEAF_AFTER = 0.3  # seconds
_POLL = 0.005
_BEGUN = b"."


def run(name: str, target: dict[str, object], seconds: float) -> dict[str, object]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _be_attacker(name, target, writing)
    os.close(writing)
    try:
        os.read(reading, len(_BEGUN))
        ended = _ended(child, seconds)
        if ended is None:
            os.kill(child, signal.SIGINT)
            ended = _ended(child, _DEAF_AFTER) or "deaf"
        answer = os.read(reading, 1 << 20) if select.select([reading], [], [], 0)[0] else b""
    finally:
        os.close(reading)
        _finish(child)
    return json.loads(answer) if answer else {"succeeded": True, "ended": ended}


def _be_attacker(name: str, target: dict[str, object], writing: int) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        os.write(writing, _BEGUN)  # its time is not to pass before
        os.write(writing, json.dumps(attempt(name, target), default=repr).encode())
        os._exit(0)
    finally:
        os._exit(1)


def _ended(child: int, seconds: float) -> str | None:
    """How the child ended or stopped; it is not reaped, so its number stays its own."""
    deadline = time.monotonic() + seconds
    options = os.WEXITED | os.WSTOPPED | os.WNOHANG | os.WNOWAIT
    while time.monotonic() < deadline:
        if found := os.waitid(os.P_PID, child, options):
            return _words(found)
        time.sleep(_POLL)
    return None


def _words(found: os.waitid_result) -> str:
    if found.si_code == os.CLD_EXITED:
        return f"exit {found.si_status}"
    return "stopped" if found.si_code == os.CLD_STOPPED else signal.Signals(found.si_status).name


def _finish(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def main() -> None:
    orders = [json.loads(sys.stdin.readline())]
    # What a host inherits too, or may: a pidfd of its manager, and a folder that is open.
    pidfd = os.pidfd_open(orders[0]["target"]["manager_pid"])
    folder = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    while orders:
        order = orders.pop()
        print(json.dumps(run(order["name"], order["target"], order["seconds"])), flush=True)
        orders += [json.loads(line)] if (line := sys.stdin.readline()) else []
    os.close(pidfd)
    os.close(folder)


main()
