"""Several calls at once, on threads."""

import threading
import time
from pathlib import Path

from nebula_lab.plugin import Plugin, operation

PLUGIN_METADATA = {
    "id": "crowd",
    "version": "1.0.0",
    "runtime": {"concurrency": 4},
    "security": {"capabilities": ["Network", "FileSystem", "MemoryAllocation"]},
}


class Crowd(Plugin):
    def initialize(self, config):
        self.together = threading.Barrier(4)

    @operation
    def say(self, name: str, count: int) -> str:
        self.together.wait(10)
        for number in range(count):
            print(f"{name} {number}")
        thread = threading.Thread(target=print, args=(f"{name} has a thread",))
        thread.start()
        thread.join()
        return name

    @operation
    def nap(self, seconds: float, marker: str = "") -> str:
        if marker:
            Path(marker).touch()
        time.sleep(seconds)
        return "slept"

    @operation
    def stream(self, size: int):
        for _ in range(100):
            yield "x" * size

    @operation
    def length(self, text: str) -> int:
        return len(text)


def plugin_entry():
    return Crowd()
