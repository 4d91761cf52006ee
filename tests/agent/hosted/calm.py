"""One call at a time."""

import ctypes
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nebula_lab.plugin import Plugin, context, operation

PLUGIN_METADATA = {
    "id": "calm",
    "version": "1.0.0",
    "dependencies": ["other"],
    "security": {"capabilities": ["Network", "FileSystem", "ProcessSpawn", "MemoryAllocation"]},
}


class Calm(Plugin):
    @operation
    def add(self, a: int, b: int = 1) -> int:
        return a + b

    @operation
    def on_main_thread(self) -> bool:
        return threading.current_thread() is threading.main_thread()

    @operation
    def nap(self, seconds: float, marker: str = "") -> str:
        if marker:
            Path(marker).touch()
        time.sleep(seconds)
        return "slept"

    @operation
    def spin(self, marker: str) -> None:
        Path(marker).touch()
        while True:
            pass

    @operation
    def wait_for(self, path: str) -> str:
        print("waiting")
        while not Path(path).exists():
            time.sleep(0.005)
        return "came"

    @operation
    def chatter(self, marker: str) -> None:
        Path(marker).touch()
        number = 0
        while True:
            print(f"line {number}")
            number += 1

    @operation
    def count(self, upto: int):
        yield from range(upto)

    @operation
    def trickle(self, marker: str):
        yield "first"
        Path(marker).touch()
        time.sleep(60)
        yield "second"

    @operation
    def ask_other(self, marker: str) -> str:
        return context.call("other", "nap", {"seconds": 60.0, "marker": marker})

    @operation
    def pids(self) -> int:
        return os.getpid()

    # Output

    @operation
    def print_lines(self, count: int) -> int:
        for number in range(count):
            print(f"line {number}")
        return count

    @operation
    def speak(self) -> str:
        print("one")
        print("two", file=sys.stderr)
        logging.getLogger("calm").warning("three")
        warnings.warn("four", stacklevel=1)
        print("five", end="")
        return "six"

    @operation
    def show(self) -> None:
        from IPython.display import Markdown, clear_output, display

        print("before")
        handle = display(Markdown("**1**"), display_id=True)
        handle.update(Markdown("**2**"))
        print("between")
        clear_output(wait=True)
        print("after")

    @operation
    def child(self) -> None:
        subprocess.run([sys.executable, "-S", "-c", "print('from a child')"], check=True)

    @operation
    def fork(self) -> None:
        def work():
            print("from a fork", flush=True)
            context.log("nobody hears this")

        process = multiprocessing.get_context("fork").Process(target=work)
        process.start()
        process.join()

    @operation
    def raw(self) -> None:
        os.write(1, b"past python\n")

    @operation
    def threads(self) -> None:
        thread = threading.Thread(target=print, args=("from a thread",))
        thread.start()
        thread.join()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(print, ["from a pool"]))

    @operation
    def leave_a_thread(self, path: str) -> None:
        def speak_later():
            while not Path(path).exists():
                time.sleep(0.002)
            print("from a thread that was left behind")

        threading.Thread(target=speak_later).start()

    @operation
    def flood(self, characters: int) -> int:
        for start in range(0, characters, 1000):
            print(f"{start:09}" + "x" * 990)
        return characters

    @operation
    def say(self, text: str) -> None:
        print(text)

    @operation
    def surrogates(self) -> str:
        print("half a pair: \ud83d")
        raise ValueError("half a pair: \ud83d")

    # Ends

    @operation
    def swallow_interrupts(self, marker: str) -> None:
        while True:
            try:
                Path(marker).touch()
                time.sleep(60)
            except KeyboardInterrupt:
                pass

    @operation
    def hold_the_gil(self, marker: str) -> None:
        Path(marker).touch()
        # PyDLL keeps the interpreter's lock: nothing of Python's runs in here any more.
        ctypes.PyDLL(None).sleep(60)

    @operation
    def raise_interrupt(self) -> None:
        raise KeyboardInterrupt

    @operation
    def exit(self) -> None:
        sys.exit(3)

    @operation
    def interrupt_self(self) -> str:
        os.kill(os.getpid(), signal.SIGINT)
        return "went on"


def plugin_entry():
    return Calm()
