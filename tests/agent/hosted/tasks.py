"""Async operations, many at once."""

import asyncio
import sys
import threading
import time
from pathlib import Path

from nebula_lab.plugin import Plugin, operation

PLUGIN_METADATA = {
    "id": "tasks",
    "version": "1.0.0",
    "security": {"capabilities": ["Network", "FileSystem", "MemoryAllocation"]},
}


class Tasks(Plugin):
    @operation
    async def nap(self, seconds: float, marker: str = "") -> str:
        if marker:
            Path(marker).touch()
        await asyncio.sleep(seconds)
        return "slept"

    @operation
    async def wait_for(self, path: str) -> str:
        print("waiting")
        while not Path(path).exists():
            await asyncio.sleep(0.005)
        return "came"

    @operation
    async def block(self, seconds: float, marker: str) -> str:
        Path(marker).touch()
        time.sleep(seconds)
        return "slept"

    @operation
    async def say(self, name: str, count: int) -> str:
        for number in range(count):
            print(f"{name} {number}")
            await asyncio.sleep(0)
        return name

    @operation
    async def count(self, upto: int):
        for number in range(upto):
            print(f"item {number}")
            yield number

    @operation
    def on_main_thread(self) -> bool:
        return threading.current_thread() is threading.main_thread()

    @operation
    async def exit(self) -> None:
        sys.exit(3)


def plugin_entry():
    return Tasks()
