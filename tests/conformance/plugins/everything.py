"""One operation for each thing that a plugin may do; the standard library is all it needs."""

import asyncio
import os
import pathlib
import sys
import time

from nebula_lab.plugin import HealthStatus, Plugin, operation

PLUGIN_METADATA = {
    "id": "everything",
    "version": "1.0.0",
    "security": {"capabilities": ["MemoryAllocation"]},
}


class Everything(Plugin):
    def initialize(self, config):
        self.config = dict(config)
        self.count = 0
        self.ended = 0

    # Values

    @operation
    def echo(self, value):
        """What it is given."""
        return value

    @operation
    def add(self, a: int, b: int = 2) -> int:
        """The sum of two numbers."""
        return a + b

    @operation
    def zeros(self, size: int) -> bytes:
        return bytes(size)

    @operation
    def function(self):
        return len

    # What comes besides a result

    @operation
    def speak(self, text: str) -> None:
        print(text)
        print(text, file=sys.stderr)

    @operation
    def note(self, text: str) -> None:
        self.context.log(text, level="warning")

    @operation
    def go_along(self, steps: int) -> None:
        for step in range(steps):
            self.context.progress(step + 1, steps, "on the way")

    @operation
    def numbers(self, until: int):
        try:
            yield from range(until)
        finally:
            self.ended += 1

    @operation
    def endings(self) -> int:
        return self.ended

    @operation
    async def wait_a_little(self, answer: str) -> str:
        await asyncio.sleep(0.001)
        return answer

    @operation
    def ask(self, plugin: str, operation: str, params: dict = {}):  # noqa: B006 - it is copied
        return self.context.call(plugin, operation, params)

    # State

    @operation
    def count_up(self) -> int:
        self.count += 1
        return self.count

    def save_state(self):
        return {"count": self.count}

    def restore_state(self, state):
        self.count = state["count"]

    def health_check(self):
        return HealthStatus.degraded("counted too far") if self.count > 90 else HealthStatus.HEALTHY

    @operation
    def scratch(self, text: str) -> str:
        file = self.context.scratch_dir / "note.txt"
        file.write_text(text)
        return file.read_text()

    # Mishaps

    @operation
    def fail(self):
        raise LookupError("it is not there")

    @operation
    def spin(self):
        while True:
            pass

    @operation
    def sleep(self, seconds: float):
        time.sleep(seconds)

    @operation
    def spin_in_c(self):
        return sum(range(10**13))

    @operation
    def leave(self, code: int):
        os._exit(code)

    @operation
    def hoard(self, megabytes: int) -> int:
        held = []
        for _ in range(megabytes):
            held.append(bytearray(b"x") * 2**20)
        return len(held)

    # What it is not granted

    @operation
    def read(self, path: str) -> str:
        return pathlib.Path(path).read_text()

    @operation
    def write(self, path: str, text: str) -> None:
        pathlib.Path(path).write_text(text)

    @operation
    def variable(self, name: str):
        return os.environ.get(name)

    @operation
    def connect(self, port: int):
        import socket

        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            return connection.recv(100).decode()

    @operation
    def run(self, program: str) -> str:
        import subprocess

        return subprocess.run([program], capture_output=True, text=True, check=True).stdout

    @operation
    def whereabouts(self) -> str:
        return str(self.context.scratch_dir)


def plugin_entry():
    return Everything()
